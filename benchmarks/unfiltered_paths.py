"""Reasoning paths that nothing filtered: what a search is compared with.

The teacher thinks and merges its thoughts into one path by the requests of the search, but nobody
looks at the answer before it goes on. How many thoughts a path has is drawn by lot, from the paths
that the search accepted: so both are alike in layout and length, and the lot knows no verdict. Each
path is verified at the end as the search verifies its own, which drops the row by the search's
reasons; the verdict says how good the verifier is, and has no say in what is trained on.
"""

import random
from pathlib import Path
from typing import Final

from dianjin_ext.data.candidate import Candidate, read_candidates
from dianjin_ext.data.pipeline import Pipeline
from dianjin_ext.data.run_step import run_step
from dianjin_ext.data.steps.base import Result
from dianjin_ext.data.steps.search import STEP, Searcher, Thought
from dianjin_ext.data.steps.settings import Search
from dianjin_ext.inference.asking import Asking
from dianjin_ext.questions.question import Question

PATHS: Final = "paths"
"""The search, as configs/data/fino1.yaml calls it."""


def write_unfiltered(pipeline: Pipeline, made: Path, out: Path) -> None:
    """Write a path for each question that the search of a pipeline had.

    Args:
        pipeline: That was built.
        made: Its folder.
        out: Parquet of candidates; replies are kept in a journal beside it.
    """
    steps = {step.name: step for step in pipeline.steps}
    searched = steps[PATHS]
    accepted = (row for row in read_candidates(searched.output(made)) if not row.dropped)
    lots = [thoughts_of(row) for row in accepted]

    async def work(question: Question, settings: Search, asking: Asking) -> Result:
        lot = random.Random(f"lot/{settings.seed}/{question.id}").choice(lots)
        searcher, thoughts = Searcher(question, settings, asking), list[Thought]()
        for number in range(lot):
            if (thought := await searcher.further(thoughts, 0, number)) is not None:
                thoughts.append(thought)
        return Result([await searcher.merged(thoughts)])

    run_step(
        STEP._replace(work=work),
        [steps[name].output(made) for name in searched.sources],
        out,
        settings=searched.settings,
        models=searched.models,
        journal=out.with_suffix(".journal"),
    )


def thoughts_of(accepted: Candidate) -> int:
    """Return how many thoughts became a path."""
    rounds = accepted.notes["search"]["rounds"]
    last = rounds[-1]["attempt"]
    return sum(e["attempt"] == last and e["verdict"] != "not_in_form" for e in rounds)
