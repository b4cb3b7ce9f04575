"""The made-up questions as files, laid out as `dianjin prepare` lays out real ones.

`python -m dianjin_ext.quickstart.datasets OUT SEED` writes

    sft/cflue_mcq.json    rl/train.parquet    rl/val.parquet    heldout.parquet
"""

import random
import sys
from pathlib import Path

from dianjin_ext.data.schema import Row, sft_row, verl_row, write_parquet, write_sft
from dianjin_ext.questions.prompts import format_response, multiple_choice_prompt
from dianjin_ext.quickstart import world

DATA_SOURCE = "cflue_mcq"
SFT_ROWS, RL_ROWS, VAL_ROWS, HELDOUT_ROWS = 9000, 2000, 128, 1000


def write_world(out: Path, *, seed: int) -> dict[str, int]:
    """Write the made-up questions; no question is in two files. Returns rows per file.

    RL gets questions that the writer of the traces was unsure of, as Fin-R1 gives RL those its
    teacher failed (https://arxiv.org/abs/2503.16252); held-out questions are not chosen.
    """
    hard = world.hard_titles(seed=seed)
    pool = world.questions(SFT_ROWS + RL_ROWS + VAL_ROWS + HELDOUT_ROWS, seed=seed)
    heldout, val, rest = (
        pool[:HELDOUT_ROWS],
        pool[HELDOUT_ROWS : HELDOUT_ROWS + VAL_ROWS],
        pool[HELDOUT_ROWS + VAL_ROWS :],
    )
    unsure = [question for question in rest if hard.intersection(question.options)][:RL_ROWS]
    chosen = {question.key for question in unsure}
    rng = random.Random(seed)
    sft = [
        sft_row(_prompt(question), format_response(*world.trace(question, hard, rng)))
        for question in rest
        if question.key not in chosen
    ]
    write_sft(sft, out / "sft" / "cflue_mcq.json")
    files = {"rl/train": unsure, "rl/val": val, "heldout": heldout}
    for name, questions in files.items():
        split = name.rpartition("/")[2]
        rows = [_rl_row(question, split, index) for index, question in enumerate(questions)]
        write_parquet(rows, out / f"{name}.parquet")
    return {"sft": len(sft), **{name: len(questions) for name, questions in files.items()}}


def _prompt(question: world.Question) -> str:
    return multiple_choice_prompt(
        question.text,
        question.choices,
        language=question.language,
        multiple=question.multiple,
    )


def _rl_row(question: world.Question, split: str, index: int) -> Row:
    return verl_row(
        DATA_SOURCE,
        _prompt(question),
        question.gold,
        split=split,
        index=index,
        question=question.text,
        choices=question.choices,
    )


if __name__ == "__main__":
    print(write_world(Path(sys.argv[1]), seed=int(sys.argv[2])))
