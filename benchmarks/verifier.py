"""What a verifier of half a million parameters learns from answers that a made-up teacher labelled.

`python benchmarks/verifier.py --seeds 0 1 2 --out runs/verifier` makes open questions of the
made-up world, has the teacher answer them, half of the time wrongly, says half of the answers in
other words (another order, the other language), and has the teacher judge them as `dianjin verify`
does, where it errs on one in twenty. Then it trains configs/verifier_tiny.yaml on them, prints a
table and writes verifier.json. It exits with 1 unless each verifier is better than always saying
the commoner label, the intervals apart: on the held-out answers, and on those of them that rules
leave open. Eight minutes a seed on one core; interrupted, the same command goes on.
"""

import argparse
import json
import os
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from dianjin_ext.data.candidate import Candidate, read_candidates, write_candidates
from dianjin_ext.data.step_command import run_command
from dianjin_ext.files import write_json
from dianjin_ext.questions.prompts import with_options
from dianjin_ext.questions.question import Question, write_questions
from dianjin_ext.quickstart.model import main as make_model
from dianjin_ext.quickstart.teacher import serving_teacher, world_questions
from dianjin_ext.quickstart.teacher.item import Item, read_item
from dianjin_ext.quickstart.teacher.statements import chosen
from dianjin_ext.quickstart.teacher.world_questions import opened_question
from dianjin_ext.resources import folder
from dianjin_ext.verifier.command import train_verifier

QUESTIONS: Final = 12_000
_OTHER: Final = {"zh": "en", "en": "zh"}
_JOINED: Final = {"zh": ("；", "、", "和"), "en": ("; ", ", ", " and ")}


def labelled_answers(out: Path, *, questions: int, seed: int) -> Path:
    """Write candidates with the verdicts of a teacher that errs; returns their file."""
    out.mkdir(parents=True, exist_ok=True)
    made = [opened_question(each) for each in world_questions(questions, seed=seed)]
    write_questions(made, out / "questions.parquet")
    with serving_teacher(seed=seed, wrong=0.5, broken=0.0, cut=0.0, no_answer=0.0) as url:
        os.environ.setdefault("OPENAI_API_KEY", "-")
        asked = {"model": "teacher", "judge_model": "teacher"}
        asked |= {f"{role}_url": url for role in ("teacher", "judge")}
        asked |= {f"{role}_key": "OPENAI_API_KEY" for role in ("teacher", "judge")}
        _step("distill", out / "questions.parquet", out / "answers.parquet", "teacher", asked)
        draw = random.Random(seed)
        said = (_in_other_words(each, draw) for each in read_candidates(out / "answers.parquet"))
        write_candidates(said, out / "said.parquet")
        _step("verify", out / "said.parquet", out / "labelled.parquet", "judge", asked)
    return out / "labelled.parquet"


def tiny_model(out: Path, *, seed: int) -> Path:
    """Write a model that knows nothing, and a tokenizer of the answers' texts."""
    rows = [
        {"instruction": each.question.question, "output": each.response}
        for each in read_candidates(out / "labelled.parquet")
    ]
    write_json(out / "rows.json", rows)
    make_model([str(out / "rows.json"), str(out / "base"), "--seed", str(seed)])
    return out / "base"


def _step(name: str, source: Path, out: Path, role: str, asked: dict[str, Any]) -> None:
    run_command(name, source=source, out=out, settings={}, roles=(role,), overwrite=True, **asked)


def _item(question: Question) -> Item:
    found = read_item(with_options(question))
    assert found is not None
    return replace(found, lettered=False)


def _in_other_words(candidate: Candidate, draw: random.Random) -> Candidate:
    item = _item(candidate.question)
    titles = list(chosen(item, candidate.response))
    if not titles or draw.random() < 0.5:
        return candidate
    language = draw.choice((item.language, _OTHER[item.language]))
    draw.shuffle(titles)
    text = draw.choice(_JOINED[language]).join(item.name(title, language) for title in titles)
    return replace(candidate, response=f"\\boxed{{{text}}}")


def main(seeds: Sequence[int], out: Path, questions: int, own: Sequence[str]) -> int:
    """Make, train, print, write; returns the exit code."""
    found = {}
    for seed in seeds:
        place = out / str(seed)
        if not (place / "verifier").is_dir():
            answers = labelled_answers(place, questions=questions, seed=seed)
            base = tiny_model(place, seed=seed)
            given = [f"answers={answers}", f"model={base}", f"out={place}/verifier", f"seed={seed}"]
            train_verifier(folder("configs") / "verifier_tiny.yaml", [*given, *own])
        report = json.loads((place / "verifier/verifier.json").read_text(encoding="utf-8"))
        found[seed] = report["heldout"]
        for line in _lines(seed, report["heldout"]):
            print(line)
    write_json(out / "verifier.json", found)
    return 0 if all(part["better"] for each in found.values() for part in each.values()) else 1


def _lines(seed: int, heldout: dict[str, Any]) -> Iterator[str]:
    for part, rates in heldout.items():
        told = [f"seed {seed} {part:4}"]
        for name in ("accuracy", "commoner", "precision", "recall"):
            rate = rates[name]
            told.append(f"{name} {rate['value']:.3f} ({rate['low']:.3f} to {rate['high']:.3f})")
        yield f"{'  '.join(told)}  n {rates['accuracy']['n']}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python benchmarks/verifier.py")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--out", type=Path, default=Path("runs/verifier"))
    parser.add_argument("--questions", type=int, default=QUESTIONS)
    parser.add_argument("own", nargs="*", help="key=value for the training")
    given = parser.parse_args()
    sys.exit(main(given.seeds, given.out, given.questions, given.own))
