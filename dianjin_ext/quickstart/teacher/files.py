"""Questions of the made-up world as a file, and the truth about candidates as labels for a card.

python -m dianjin_ext.quickstart.teacher.files questions 2000 world.parquet
python -m dianjin_ext.quickstart.teacher.files labels candidates.parquet labels.jsonl
"""

import argparse
import json
import sys
from pathlib import Path

from dianjin_ext.data.candidate import read_candidates
from dianjin_ext.errors import DianjinError
from dianjin_ext.files import replacing
from dianjin_ext.questions.question import write_questions
from dianjin_ext.quickstart.teacher.truth import own_truth
from dianjin_ext.quickstart.teacher.world_questions import world_questions


def write_labels(candidates: Path, out: Path) -> int:
    """Write what is true of the teacher's responses, a JSON line each; returns their number.

    Args:
        candidates: Parquet of any step after the teacher was asked.
        out: Labels as `dianjin card --truth` takes them; replaced at once.

    Raises:
        DianjinError: The file holds no candidates, or a question without a gold answer.
    """
    lines = []
    for found in read_candidates(candidates):
        known = own_truth(found.question, found.reasoning or "", found.response)
        label = {"id": found.question.id, "sample": found.sample, **known._asdict()}
        lines.append(json.dumps(label, ensure_ascii=False) + "\n")
    with replacing(out) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")
    return len(lines)


def main() -> None:
    """Write one of the two."""
    parser = argparse.ArgumentParser(prog="python -m dianjin_ext.quickstart.teacher.files")
    commands = parser.add_subparsers(dest="what", required=True)
    questions = commands.add_parser("questions", help="questions of the made-up world")
    questions.add_argument("count", type=int)
    questions.add_argument("out", type=Path)
    questions.add_argument("--seed", type=int, default=0)
    labels = commands.add_parser("labels", help="what is true of the teacher's responses")
    labels.add_argument("candidates", type=Path)
    labels.add_argument("out", type=Path)
    given = parser.parse_args()
    try:
        if given.what == "questions":
            made = world_questions(given.count, seed=given.seed)
            print(f"{write_questions(made, given.out)} questions in {given.out}")
        else:
            print(f"{write_labels(given.candidates, given.out)} labels in {given.out}")
    except DianjinError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
