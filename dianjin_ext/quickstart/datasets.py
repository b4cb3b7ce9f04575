"""The questions of a run as files, made up or of a published data set.

`python -m dianjin_ext.quickstart.datasets OUT --seed 0 [--published cflue:knowledge.json]` writes

    questions.parquet        for the recipe's pipeline, and for its teacher
    open.parquet             others without options, for what rules can't read (--open)
    heldout.jsonl            what every model is asked, one JSON object a question
    heldout.yaml             which key is what there, for `dianjin eval own:heldout --map`
    greedy.yaml              how they are asked and graded
    settings.yaml            how many at a time
    sft/cflue_mcq.json       raw text: the tokenizer is made of it, and a base model that is
                             pretrained (`Plan.pretrained`) reads it
"""

import argparse
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import yaml

from dianjin_ext.answers.tags import Tags
from dianjin_ext.data.schema import Row, sft_row, write_sft
from dianjin_ext.data.split import groups_of, unambiguous
from dianjin_ext.errors import DianjinError
from dianjin_ext.files import replacing
from dianjin_ext.questions.prompts import prompt
from dianjin_ext.questions.question import Question, write_questions
from dianjin_ext.questions.readers import get_reader, read
from dianjin_ext.quickstart import world
from dianjin_ext.quickstart.sizes import BELIEF
from dianjin_ext.quickstart.teacher.world_questions import as_question, opened_question
from dianjin_ext.rewards.policy import parse_tags

HELDOUT: Final = 1000
_PUBLISHED_HELDOUT: Final = 200
_FORMED: Final = 0.5  # share of raw text that is in the layout

_OPENED_EVERY: Final = 4
_IN_FLIGHT: Final = 250  # replies that a tiny model writes at a time
_COLUMNS: Final = ("id", "question", "answer", "category")
_MAPPING: Final = {key: key for key in _COLUMNS} | {
    "choices": "choices",
    "multiple": {"column": "multiple"},
    "kind": "choice",
    "data_source": "cflue_mcq",
}


def write_world(
    out: Path,
    *,
    questions: int,
    seed: int,
    layout: str,
    max_tokens: int,
    opened: bool = False,
    open_questions: int = 0,
) -> None:
    """Write made-up questions, of which no two ask for the same element of the same titles.

    Args:
        out: The folder.
        questions: How many, beside those that are held out.
        seed: Of all that is drawn.
        layout: Of responses; see `dianjin_ext.rewards.policy.parse_tags`.
        max_tokens: Of a reply to a held-out question.
        opened: Whether raw text has questions without options too, as a pipeline rewrites them.
        open_questions: How many more are written without options, into a file of their own.
    """
    made = world.questions(HELDOUT + questions + open_questions, seed=seed)
    rows = [as_question(each, f"world/{seed}/{number}") for number, each in enumerate(made)]
    if open_questions:
        write_questions(map(opened_question, rows[HELDOUT + questions :]), out / "open.parquet")
        made, rows = made[: HELDOUT + questions], rows[: HELDOUT + questions]
    tags, draw = parse_tags(layout), random.Random(seed)
    unknown = world.hard_titles(seed=seed)  # the teacher's
    texts = [
        sft_row(prompt(row, tags), _raw(each, unknown, tags, draw))
        for each, row in zip(made[HELDOUT:], rows[HELDOUT:], strict=True)
    ]
    if opened:
        for place in range(0, len(texts), _OPENED_EVERY):
            texts[place] |= {"instruction": opened_question(rows[HELDOUT + place]).question}
    _write(out, rows[:HELDOUT], rows[HELDOUT:], texts, layout, max_tokens)


def write_published(
    out: Path, name: str, file: Path, *, seed: int, layout: str, max_tokens: int
) -> None:
    """Write the questions of a published data set; no two held-out ones are like one of the others.

    Args:
        out: The folder.
        name: Of the data set; multiple choice, such as `cflue`.
        file: Its file.
        seed: Of the draw.
        layout: See `write_world`.
        max_tokens: See `write_world`.

    Raises:
        DianjinError: The file can't be read, or has too few questions.
    """
    found = [row for row in read(get_reader(name), [file]) if isinstance(row, Question)]
    kept, _ = unambiguous([row for row in found if row.answer is not None])
    groups = [list(group) for group in groups_of(kept)]
    random.Random(seed).shuffle(groups)
    heldout: list[Question] = []
    while groups and len(heldout) < min(_PUBLISHED_HELDOUT, len(kept) // 5):
        heldout += groups.pop()
    rest = [row for group in groups for row in group]
    if not heldout or not rest:
        raise DianjinError(f"{file}: {len(kept)} usable questions are too few; expected 10 or more")
    tags = parse_tags(layout)
    texts = [sft_row(prompt(row, tags), row.reasoning or row.question) for row in rest]
    _write(out, heldout, rest, texts, layout, max_tokens)


def _raw(
    question: world.Question,
    unknown: frozenset[tuple[str, str]],
    tags: Tags,
    draw: random.Random,
) -> str:
    """Return what somebody writes who doesn't know some titles, in the layout or without."""
    reasoning, answer = world.trace(question, unknown, draw, belief=BELIEF)
    boxed = f"\\boxed{{{answer}}}"
    return tags.wrap(reasoning, boxed) if draw.random() < _FORMED else f"{reasoning}\n{boxed}"


def _write(
    out: Path,
    heldout: Sequence[Question],
    rest: Sequence[Question],
    texts: Sequence[Row],
    layout: str,
    max_tokens: int,
) -> None:
    (out / "sft").mkdir(parents=True, exist_ok=True)
    write_questions(rest, out / "questions.parquet")
    write_sft(texts, out / "sft" / "cflue_mcq.json")
    lines = []
    for question in heldout:
        row = {key: getattr(question, key) for key in _COLUMNS}
        row |= {"choices": dict(question.choices), "multiple": question.multiple}
        lines.append(json.dumps(row, ensure_ascii=False) + "\n")
    protocol = {
        "about": "Greedy, in the layout of the training, as its rules grade.",
        "source": "dianjin_ext/quickstart/datasets.py",
        "sampling": {"temperature": 0.0, "max_tokens": max_tokens},
        "grading": {"tags": layout},
    }
    files = {
        "heldout.jsonl": "".join(lines),
        "heldout.yaml": yaml.safe_dump(_MAPPING, sort_keys=False),
        "greedy.yaml": yaml.safe_dump(protocol, sort_keys=False),
        "settings.yaml": yaml.safe_dump({"model": {"max_in_flight": _IN_FLIGHT}}),
    }
    for name, text in files.items():
        with replacing(out / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    print(f"{len(rest)} questions, {len(heldout)} held out")


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(prog="python -m dianjin_ext.quickstart.datasets")
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--questions", type=int, default=3000, help="made up for training")
    parser.add_argument("--published", help="DATASET:FILE in place of made-up questions")
    parser.add_argument("--opened", action="store_true", help="raw text has open questions too")
    parser.add_argument("--open", type=int, default=0, help="open questions, made up besides")
    parser.add_argument("--layout", default="dianjin_r1", help="of responses")
    parser.add_argument("--max-tokens", type=int, default=96, help="of a reply in the evaluation")
    given = parser.parse_args()
    same = {"seed": given.seed, "layout": given.layout, "max_tokens": given.max_tokens}
    if given.published is None:
        numbers = {"questions": given.questions, "open_questions": given.open}
        write_world(given.out, opened=given.opened, **numbers, **same)
        return
    name, _, file = given.published.partition(":")
    write_published(given.out, name, Path(file), **same)


if __name__ == "__main__":
    try:
        main()
    except DianjinError as error:
        sys.exit(str(error))
