"""What selection is worth: SFT on rows that the filters kept, beside as many that they did not.

`python benchmarks/selection_gain.py --recipe NAME --seeds 0 1 2 --out runs/selection_gain` has, for
each seed, a teacher that errs write for made-up questions, runs the recipe's filters by
`configs/data/NAME.yaml`, and trains the quickstart's tiny model on as many rows each time, with the
same settings. Of `fin_r1`:

    all        drawn at random from all that the teacher wrote, as it is
    verified   drawn at random from what `verify` kept: the answer is right
    selected   the set that the pipeline makes: what `select` kept of these

Of `fino1`:

    all        paths that nothing filtered, one a question: see unfiltered_paths.py
    selected   the set that the pipeline makes: paths that the search and its verifier accepted

All answer the same held-out questions, which none was trained on. The script prints a table and how
good the filters are by the truth, writes gain.json and leaves the cards in seed-*. It exits with 1
unless, for every seed, the 95 % interval of `selected` lies above that of `all`. Interrupted, the
same command goes on. It needs LLaMA-Factory's environment, as the quickstart does, and five to
eight minutes a seed on two cores.
"""

import argparse
import json
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

from tokenizers import Tokenizer
from unfiltered_paths import PATHS, write_unfiltered

from dianjin_ext.answers.tags import TAGS
from dianjin_ext.data.build import build
from dianjin_ext.data.candidate import Candidate, read_candidates
from dianjin_ext.data.card import write_card
from dianjin_ext.data.pipeline import load_pipeline
from dianjin_ext.data.schema import Row, sft_row, write_sft
from dianjin_ext.errors import DianjinError
from dianjin_ext.files import write_json
from dianjin_ext.questions.prompts import prompt
from dianjin_ext.questions.question import write_questions
from dianjin_ext.quickstart import model
from dianjin_ext.quickstart.datasets import HELDOUT, write_world
from dianjin_ext.quickstart.plan import Plan
from dianjin_ext.quickstart.run import find_llamafactory, start
from dianjin_ext.quickstart.sizes import DATA
from dianjin_ext.quickstart.stages import stages
from dianjin_ext.quickstart.teacher.files import write_labels
from dianjin_ext.quickstart.teacher.rates import Rates
from dianjin_ext.quickstart.teacher.serving import serving_teacher
from dianjin_ext.quickstart.teacher.truth import truth
from dianjin_ext.quickstart.teacher.world_questions import opened_question, world_questions
from dianjin_ext.recipes import Command
from dianjin_ext.resources import folder

RATES: Final = {
    "fin_r1": {"wrong": 0.05, "broken": 0.05, "guess": 1.0},
    "fino1": {"wrong_thought": 0.1, "guess": 1.0},
}
"""How often the teacher errs, by recipe: `dianjin_ext.quickstart.teacher.rates`."""
QUESTIONS: Final = {"fin_r1": (4500, 0), "fino1": (3000, 600)}
"""Made up for training, by recipe: with options, and without."""
STEPS: Final = 500
LAYOUT: Final = TAGS["dianjin_r1"]


def main(recipe: str, seeds: Sequence[int], out: Path, rates: Mapping[str, float]) -> int:
    """Measure each seed, write what was found, and return the exit code."""
    python = find_llamafactory(None)
    this = {"teacher": dict(rates), "recipe": recipe, "steps": STEPS}
    if out.exists() and any(out.iterdir()) and read(out / "run.json") != this:
        raise DianjinError(f"{out} is of another run; choose another folder with --out")
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "run.json", this)
    found = []
    for seed in seeds:
        plan = Plan(
            out=out / f"seed-{seed}",
            recipe=recipe,
            methods=(),
            seed=seed,
            data=None,
            llamafactory=python,
        )
        filters, arms = made(plan, rates)
        got = {arm: learned(replace(plan, out=plan.out / arm), rows) for arm, rows in arms.items()}
        apart = got["selected"]["accuracy_low"] > got["all"]["accuracy_high"]
        found.append({"seed": seed, "apart": apart, "filters": filters, "arms": got})
        print(table(found), flush=True)
        write_json(out / "gain.json", {**this, "seeds": found})
    return 0 if all(each["apart"] for each in found) else 1


def read(path: Path) -> Any:
    """Return what an earlier, interrupted run wrote; None where it came to nothing."""
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


def made(plan: Plan, rates: Mapping[str, float]) -> tuple[Any, dict[str, list[Candidate]]]:
    """Have the teacher asked, filter, write the cards and the model; what is done stays.

    Returns:
        What the cards say of the filters, and the rows of each arm.
    """
    out, searched = plan.out, plan.recipe == "fino1"
    if (filters := read(out / "filters.json")) is None:
        ask(plan)
        texts, base = out / "questions/sft/cflue_mcq.json", out / "base"
        model.main([str(texts), str(base), "--seed", str(plan.seed)])  # one for all
        with serving_teacher(seed=plan.seed, **rates) as url:
            file = folder("configs") / f"data/{plan.recipe}.yaml"
            pipeline = load_pipeline(file, given(plan, url))
            build(pipeline, out / "build")
            if searched:
                write_unfiltered(pipeline, out / "build", out / "unfiltered.parquet")
        if searched:
            kept = measured(out / "build", out / f"build/{PATHS}.parquet")["search"]
            found = measured(out / "unfiltered.parquet", out / "unfiltered.parquet")
            filters = {"the search": kept, "its verifier": found.pop("search"), **found}
        else:
            both = measured(out / "build", out / "build/good.parquet")["both"]
            filters = {"verify, then select": both}
        write_json(out / "filters.json", filters)
    return filters, drawn(plan)


def ask(plan: Plan) -> None:
    """Make up the questions for training, those that are held out, and how these are asked."""
    lettered, opened = QUESTIONS[plan.recipe]
    folder_of = plan.out / "questions"
    own = {"seed": plan.seed, "layout": plan.layout, "max_tokens": plan.max_response}
    write_world(folder_of, questions=lettered, opened=opened > 0, **own)
    others = world_questions(HELDOUT + lettered + opened, seed=plan.seed)[HELDOUT + lettered :]
    write_questions(map(opened_question, others), folder_of / "open.parquet")


def given(plan: Plan, url: str) -> list[str]:
    """Return the overrides of the pipeline: its files, whom it asks, and no rows to validate."""
    questions = plan.out / "questions"
    found = [f"files.finqa={questions / 'questions.parquet'}", "steps.finqa.dataset=''"]
    if plan.recipe == "fino1":
        found += [f"files.tatqa={questions / 'open.parquet'}", "steps.tatqa.dataset=''"]
        found += DATA[plan.recipe]
    found += ["steps.set.preset=''", "steps.set.val_rows=0"]
    for role in ("teacher", "judge"):
        own = {"model": "teacher", "base_url": url, "keyless": "true"}
        found += [f"models.{role}.{key}={value}" for key, value in own.items()]
    return found


def measured(target: Path, labelled: Path) -> dict[str, Any]:
    """Write the card of a set whose truth is known; return what it says of each filter."""
    labels = target.with_name(f"{target.stem}.labels.jsonl")
    write_labels(labelled, labels)
    quality = write_card(target, truth=labels)["quality"]
    found: dict[str, Any] = {}
    for each in quality["filters"]:
        found.setdefault(each["filter"], {})[each["positive"]] = each["overall"]
    return found | {f"decided by {who}": {"right": own} for who, own in quality["decided"].items()}


def drawn(plan: Plan) -> dict[str, list[Candidate]]:
    """Return as many rows for each arm as the pipeline's set has."""
    draw, build = random.Random(plan.seed), plan.out / "build"
    selected = [row for row in read_candidates(build / "set/candidates.parquet")
                if row.use == "sft"]  # fmt: skip
    number = len(selected)
    if plan.recipe == "fino1":
        every = list(read_candidates(plan.out / "unfiltered.parquet"))
        return {"all": draw.sample(every, number), "selected": draw.sample(selected, number)}
    every = list(read_candidates(build / "answers.parquet"))
    verified = [row for row in read_candidates(build / "right.parquet") if not row.dropped]
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
    write_sft(written, out / plan.run.built(plan.of.stages["data"]) / "set/sft/cflue_mcq.json")
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
    for each in found:
        lines.append(f"\nseed {each['seed']}: intervals {'' if each['apart'] else 'NOT '}apart")
        for name, positives in each["filters"].items():
            lines += [f"- {name}: {rates_of(p, own)}" for p, own in positives.items()]
    return "\n".join(lines)


def rates_of(positive: str, found: Mapping[str, Any]) -> str:
    """Return how good a filter is, in words."""
    kept, every, recall = found["precision"], found["keep_all"]["precision"], found["recall"]
    return (
        f"{positive} are {percent(kept)} of what it keeps, {percent(every)} of all; it keeps "
        f"{percent(recall)} of these ({found['labelled']:,} labels)"
    )


def percent(rate: Mapping[str, float] | None) -> str:
    """Return a rate with its interval."""
    if rate is None:
        return "–"
    return f"{rate['rate']:.1%} ({100 * rate['low']:.1f}–{100 * rate['high']:.1f})"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", choices=sorted(RATES), default="fin_r1")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--out", type=Path, required=True, help="the same folder goes on")
    for each in fields(Rates):
        told = f"{each.metadata['help']} Of the teacher, in place of the recipe's RATES."
        parser.add_argument(f"--{each.name.replace('_', '-')}", type=float, help=told)
    options = parser.parse_args()
    own = {each.name: getattr(options, each.name) for each in fields(Rates)}
    rates = RATES[options.recipe] | {name: rate for name, rate in own.items() if rate is not None}
    try:
        sys.exit(main(options.recipe, options.seeds, options.out.absolute(), rates))
    except DianjinError as error:
        sys.exit(str(error))
