"""`python -m dianjin_ext.quickstart.teacher --port 8001`: serve the teacher."""

import argparse
import asyncio
import sys
from dataclasses import fields
from pathlib import Path

from dianjin_ext.errors import DianjinError
from dianjin_ext.quickstart.teacher.known import Known
from dianjin_ext.quickstart.teacher.rates import Rates
from dianjin_ext.quickstart.teacher.replying import Knowledge
from dianjin_ext.quickstart.world import hard_titles


def main() -> None:
    """Serve until a signal comes, or until the parent is gone."""
    parser = argparse.ArgumentParser(
        prog="python -m dianjin_ext.quickstart.teacher",
        description="Teacher, judge and verifier that know the truth and err at stated rates.",
    )
    parser.add_argument("--port", type=int, default=8001, help="0 takes a free one, and says which")
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that each reply takes")
    parser.add_argument(
        "--questions",
        type=Path,
        action="append",
        default=[],
        metavar="FILE.parquet",
        help="questions with gold answers that it knows beside the made-up world; repeatable",
    )
    parser.add_argument("--parent", type=int, help="end when this is no more the parent process")
    rates = parser.add_argument_group("how often it errs, each from 0 to 1")
    for each in fields(Rates):
        name, told = f"--{each.name.replace('_', '-')}", each.metadata["help"]
        rates.add_argument(name, type=float, default=each.default, help=f"{told} (%(default)s)")
    given = vars(parser.parse_args())
    try:
        drawn = Rates(**{each.name: given[each.name] for each in fields(Rates)})
        known = _read(given["questions"]) if given["questions"] else None
        try:
            from dianjin_ext.inference.serve import serve
            from dianjin_ext.quickstart.teacher.server import Teacher
        except ModuleNotFoundError as error:
            raise DianjinError(
                f"the teacher needs {error.name}; pip install 'dianjin-ext[ask]'"
            ) from error
    except DianjinError as error:
        sys.exit(str(error))
    knowledge = Knowledge(known, hard_titles(seed=given["seed"]))
    teacher = Teacher(drawn, given["seed"], given["latency"], knowledge)
    asyncio.run(serve(teacher.application(), "teacher", given["port"], given["parent"]))


def _read(paths: list[Path]) -> Known:
    from dianjin_ext.questions.question import read_questions

    known = Known(question for path in paths for question in read_questions(path))
    print(f"{known.number} questions of files have an answer", file=sys.stderr)
    return known


if __name__ == "__main__":
    main()
