"""What selection is worth: SFT on rows that the filters kept, beside as many that they did not.

`python benchmarks/selection_gain.py --seeds 0 1 2 --out runs/selection_gain` has, for each seed, a
teacher that errs answer made-up questions, runs Fin-R1's two filters over what it wrote, by
`configs/data/fin_r1.yaml`, and trains the quickstart's tiny model three times on as many rows, with
the same settings:

    all        drawn at random from all that the teacher wrote, as it is
    verified   drawn at random from what `verify` kept: the answer is right
    selected   the set that the pipeline makes: what `select` kept of these

The three answer the same held-out questions, which none was trained on. The script prints a table,
writes gain.json and leaves each set's card in seed-*/build. It exits with 1 unless, for every seed,
the 95 % interval of `selected` lies above that of `all`. Interrupted, the same command goes on. It
needs LLaMA-Factory's environment, as the quickstart does, and five to eight minutes a seed on two
cores.
"""

import argparse
import json
import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tokenizers import Tokenizer

from dianjin_ext.answers.tags import TAGS
from dianjin_ext.data.build import build
from dianjin_ext.data.candidate import Candidate, read_candidates
from dianjin_ext.data.card import write_card
from dianjin_ext.data.pipeline import load_pipeline
from dianjin_ext.data.schema import Row, sft_row, write_sft
from dianjin_ext.errors import DianjinError
from dianjin_ext.files import write_json
from dianjin_ext.questions.prompts import prompt
from dianjin_ext.quickstart.plan import Plan
from dianjin_ext.quickstart.run import find_llamafactory, start
from dianjin_ext.quickstart.stages import stages
from dianjin_ext.quickstart.teacher.files import write_labels
from dianjin_ext.quickstart.teacher.serving import serving_teacher
from dianjin_ext.quickstart.teacher.truth import truth
from dianjin_ext.recipes import Command
from dianjin_ext.resources import folder

RECIPE: Final = "fin_r1"
STEPS: Final = 500
LAYOUT: Final = TAGS["dianjin_r1"]


def main(seeds: Sequence[int], out: Path, rates: Mapping[str, float]) -> int:
    """Measure each seed, write what was found, and return the exit code."""
    python = find_llamafactory(None)
    this = {"teacher": dict(rates), "recipe": RECIPE, "steps": STEPS}
    if out.exists() and any(out.iterdir()) and read(out / "run.json") != this:
        raise DianjinError(f"{out} is of another run; choose another folder with --out")
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "run.json", this)
    found = []
    for seed in seeds:
        folder_of = out / f"seed-{seed}"
        filters, arms = made(plan_of(folder_of, seed, python), rates)
        got = {
            arm: learned(plan_of(folder_of / arm, seed, python), rows) for arm, rows in arms.items()
        }
        apart = got["selected"]["accuracy_low"] > got["all"]["accuracy_high"]
        found.append({"seed": seed, "apart": apart, "filters": filters, "arms": got})
        print(table(found), flush=True)
        write_json(out / "gain.json", {**this, "seeds": found})
    return 0 if all(each["apart"] for each in found) else 1


def read(path: Path) -> Any:
    """Return what an earlier, interrupted run wrote; None where it came to nothing."""
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


def plan_of(out: Path, seed: int, python: Path) -> Plan:
    """Return the quickstart's plan whose stages are run in a folder."""
    return Plan(out=out, recipe=RECIPE, methods=(), seed=seed, data=None, llamafactory=python)


def made(plan: Plan, rates: Mapping[str, float]) -> tuple[Any, dict[str, list[Candidate]]]:
    """Have the teacher asked, filter, write the card and the model; what is done stays.

    Returns:
        What the card says of both filters, and the rows of each arm.
    """
    out = plan.out
    if (facts := read(out / "build/card.json")) is None or not (out / "base").is_dir():
        run("questions", plan)
        run("model", plan)  # one for all
        fin_r1 = folder("configs") / "data/fin_r1.yaml"
        with serving_teacher(seed=plan.seed, **rates) as url:
            build(load_pipeline(fin_r1, given(out, url)), out / "build")
        write_labels(out / "build/good.parquet", out / "labels.jsonl")
        facts = write_card(out / "build", truth=out / "labels.jsonl")
    (filters,) = (f["overall"] for f in facts["quality"]["filters"] if f["filter"] == "both")
    return filters, drawn(out / "build", plan.seed)


def given(out: Path, url: str) -> list[str]:
    """Return the overrides of the pipeline: its file, whom it asks, and all that stands for SFT."""
    found = [f"files.finqa={out / 'questions/questions.parquet'}", "steps.finqa.dataset=''"]
    found += ["steps.set.preset=''", "steps.set.val_rows=0"]
    for role in ("teacher", "judge"):
        own = {"model": "teacher", "base_url": url, "keyless": "true"}
        found += [f"models.{role}.{key}={value}" for key, value in own.items()]
    return found


def drawn(made: Path, seed: int) -> dict[str, list[Candidate]]:
    """Return as many rows for each arm as the pipeline's set has."""
    draw = random.Random(seed)
    every = list(read_candidates(made / "answers.parquet"))
    verified = [row for row in read_candidates(made / "right.parquet") if not row.dropped]
    selected = [row for row in read_candidates(made / "set/candidates.parquet") if row.use == "sft"]
    number = len(selected)
    return {
        "all": draw.sample(every, number),
        "verified": draw.sample(verified, number),
        "selected": draw.sample(selected, number),
    }


def sft_rows(rows: Sequence[Candidate]) -> list[Row]:
    """Return what LLaMA-Factory trains on."""
    return [sft_row(prompt(row.question, LAYOUT), row.text(LAYOUT)) for row in rows]


def learned(plan: Plan, rows: Sequence[Candidate]) -> dict[str, Any]:
    """Train on rows; return what is true of them, and how the model answers held-out questions."""
    out = plan.out
    if (done := read(out / "learned.json")) is not None:
        return done
    written = sft_rows(rows)
    write_sft(written, out / "data" / RECIPE / "set/sft/cflue_mcq.json")
    (out / "evaluation").mkdir(exist_ok=True)
    for shared in ("base", "questions"):
        (out / shared).unlink(missing_ok=True)
        (out / shared).symlink_to(f"../{shared}")
    seconds = run("sft", plan) + run("evaluate-sft", plan)
    (result,) = read(out / "evaluation/sft/summary.json")["results"]
    tokenizer = Tokenizer.from_file(str(out / "base/tokenizer.json"))
    true = [truth(row.question, row.reasoning or "", row.response) for row in rows]
    found = {
        "rows": len(rows),
        "tokens": sum(len(tokenizer.encode(text).ids) for row in written for text in row.values()),
        "right": sum(each.right for each in true) / len(rows),
        "right_and_sound": sum(each.right and each.sound for each in true) / len(rows),
        **{key: result[key] for key in ("accuracy", "accuracy_low", "accuracy_high")},
        **{key: result[key] for key in ("format_rate", "n")},
        "seconds": round(seconds),
    }
    write_json(out / "learned.json", found)
    return found


def run(name: str, plan: Plan) -> float:
    """Run a stage of the quickstart; returns its seconds."""
    (stage,) = (stage for stage in stages(plan) if stage.name == name)
    command = stage.make()
    if name == "sft":  # to the end of what the rows teach; the quickstart leaves that to RL
        command = Command((*command.words, f"max_steps={STEPS}"), command.environment)
    return start(stage, command, plan).seconds


def table(found: Sequence[Mapping[str, Any]]) -> str:
    """Return what was found as Markdown."""
    lines = [
        "| seed | rows from | rows | tokens | right and sound | held-out accuracy | seconds |",
        "|---:|---|---:|---:|---:|---:|---:|",
    ]
    for each in found:
        for arm, got in each["arms"].items():
            low, high = (100 * got[f"accuracy_{end}"] for end in ("low", "high"))
            lines.append(
                f"| {each['seed']} | {arm} | {got['rows']:,} | {got['tokens']:,} "
                f"| {got['right_and_sound']:.1%} | {got['accuracy']:.1%} ({low:.1f}–{high:.1f}) "
                f"| {got['seconds']} |"
            )
    lines.append("")
    for each in found:
        kept, every = each["filters"]["precision"], each["filters"]["keep_all"]["precision"]
        lines.append(
            f"seed {each['seed']}, by the card: right and sound are {kept['rate']:.1%} of the rows "
            f"kept ({100 * kept['low']:.1f}–{100 * kept['high']:.1f}), {every['rate']:.1%} of all; "
            f"held-out intervals {'apart' if each['apart'] else 'NOT apart'}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--out", type=Path, required=True, help="the same folder goes on")
    for name, rate in (("wrong", 0.05), ("broken", 0.05), ("guess", 1.0)):
        told = "of the teacher; see dianjin_ext/quickstart/teacher/rates.py"
        parser.add_argument(f"--{name}", type=float, default=rate, help=told)
    options = parser.parse_args()
    rates = {name: getattr(options, name) for name in ("wrong", "broken", "guess")}
    try:
        sys.exit(main(options.seeds, options.out.absolute(), rates))
    except DianjinError as error:
        sys.exit(str(error))
