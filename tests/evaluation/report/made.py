"""Folders as `dianjin eval` writes them, made without a model: graded for real, texts made up."""

import json
import random
from pathlib import Path

from dianjin_ext import compute_score
from dianjin_ext.evaluation.machine import hardware, versions
from dianjin_ext.evaluation.reads import Reads
from dianjin_ext.evaluation.result import Results
from dianjin_ext.files import write_json

SETTINGS = {"strictness": "lenient"}
CATEGORIES = ("基金从业", "银行从业", "证券从业")

Spec = tuple[str, str, str, str, dict, list[str]]


def questions(benchmark, n):
    """Yield n questions of a benchmark: data source, kind, language, text, row, answers.

    Of the answers the first is right.
    """
    for nth in range(n):
        if benchmark == "cflue_mcq":
            choices = {"A": f"租金{nth}", "B": f"工资{nth}", "C": f"股本{nth}", "D": f"商誉{nth}"}
            text = f"第 {nth} 题：下列哪一项属于收入？"
            yield "cflue_mcq", "choice", "zh", text, {"choices": choices}, ["A", "B", "C", "D"]
        elif benchmark == "finqa":
            value = 10 + nth
            text = f"What was the ratio in {2000 + nth}, as a percentage?"
            answers = [f"{value}.5%", f"{value}.7%", f"{value + 2}%"]
            yield "finqa", "number", "en", text, {"question": text}, answers
        else:
            text = f"$TICK{nth} beats by {nth} cents. What is its sentiment?"
            yield "tfns", "label", "en", text, {}, ["bullish", "bearish", "neutral"]


def response(rng, source, language, given, thought):
    """Return a response that gives an answer, in one of the layouts that models use."""
    so = f"因此，答案是{thought}。" if language == "zh" else f"So the answer is {thought}."
    shape = rng.random()
    if shape < 0.6:
        return f"<think>\nStep by step. {so}\n</think>\n<answer>\n\\boxed{{{given}}}\n</answer>"
    if shape < 0.8:
        says = f"因此，答案是{given}。" if language == "zh" else f"The answer is {given}."
        return f"<think>Some thought.</think>\n{says}"
    if shape < 0.9:
        return f"<think>Some thought. {so}</think>\nIt is \\boxed{{{given}}} here."
    return "<think>This goes on and on and"


def row(model, benchmark, nth, sample, spec, text, protocol="dianjin_r1"):
    """Return a graded row as `dianjin eval` writes it."""
    source, kind, language, question, extra_info, answers = spec
    told = {"question": question, "choices": None, **extra_info}
    score = compute_score(source, text, answers[0], told, **SETTINGS)
    cut = score["reason"] == "truncated"
    return {
        "id": f"{benchmark}-{nth:05}",
        "benchmark": benchmark,
        "protocol": protocol,
        "model": model,
        "sample": sample,
        "data_source": source,
        "kind": kind,
        "category": CATEGORIES[nth % 3] if source == "cflue_mcq" else "",
        "conversation": None,
        "language": language,
        "messages": [{"role": "user", "content": f"{question}\nAnswer in \\boxed{{}}."}],
        **told,
        "ground_truth": answers[0],
        "response": text,
        "finish_reason": "length" if cut else "stop",
        "outcome": "cut" if cut else "answered",
        "prompt_tokens": 40,
        "completion_tokens": len(text) // 3 + 40 * (nth % 7),
        **{key: score[key] for key in ("score", "acc", "format", "pred", "reason")},
    }


def seen(look, row):
    """Return what `look` (`span` or `stated`) finds in a row, as a report does."""
    reads = Reads(
        SETTINGS,
        data_source=row["data_source"],
        ground_truth=row["ground_truth"],
        extra_info={key: row[key] for key in ("question", "choices")},
        kind=row["kind"],
    )
    return look(row["response"], reads=reads, pred=row["pred"])


def rows(model, benchmark, n, *, right, seed, samples=1):
    """Return the rows of a model that is right with a probability."""
    rng = random.Random(seed)
    found = []
    for nth, spec in enumerate(questions(benchmark, n)):
        for sample in range(samples):
            answers = spec[-1]
            given = answers[0] if rng.random() < right else rng.choice(answers[1:])
            thought = given if rng.random() < 0.9 else rng.choice(answers)
            text = response(rng, spec[0], spec[2], given, thought)
            found.append(row(model, benchmark, nth, sample, spec, text))
    return found


def write_run(folder: Path, model: str, of: dict, *, samples=1, **result):
    """Write a folder of `dianjin eval`; `of` has the rows of each benchmark."""
    results = []
    for benchmark, graded in of.items():
        protocol = graded[0]["protocol"]
        path = folder / "responses" / f"{benchmark}.{protocol}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = (
            json.dumps(each) for each in graded
        )  # in ASCII: lone surrogates stay what they are
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        counted = Results(samples)
        for first in range(0, len(graded), samples):
            counted.add(graded[first : first + samples])
        results.append(
            {
                "benchmark": benchmark,
                "protocol": protocol,
                "label": protocol,
                "comparable": True,
                "departures": [],
                "model": model,
                **counted.summary(),
                "split": "test",
                "rows": {"file": len(graded), "used": len(graded), "without_gold": 0, "bad": 0},
                "files": [f"{benchmark}.json"],
                "sampling": {"temperature": 0.0, "max_tokens": 4096, "samples": samples, "seed": 0},
                "grading": SETTINGS,
                "seconds": 12.5,
                "responses": path.relative_to(folder).as_posix(),
                **result,
            }
        )
    write_json(
        folder / "summary.json",
        {
            "version": 1,
            "model": model,
            "results": results,
            "versions": versions(),
            "hardware": hardware(),
            "seconds": 12.5,
        },
    )


def write_logs(folder: Path):
    """Write logs as LLaMA-Factory and verl do, the second's run resumed once."""
    for name in ("sft", "grpo"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    sft = [{"current_steps": 10 * n, "loss": 2 / (n + 1), "lr": 1e-5} for n in range(50)]
    sft.append({"current_steps": 500, "total_steps": 500})
    write_lines(folder / "sft" / "trainer_log.jsonl", sft)
    for attempt, steps in enumerate((range(0, 12), range(10, 31))):
        lines = []
        for step in steps:
            data = {
                "critic/score/mean": 0.3 + 0.015 * step + attempt * 0.01,
                "reward/acc/mean": 0.3 + 0.015 * step,
                "reward/format/mean": 0.95,
                "reward_reason/correct": 0.3 + 0.015 * step,
                "reward_reason/wrong": 0.7 - 0.015 * step,
                "response_length/mean": 60.0,
                "response_length/max": 90 + step,
                "actor/entropy": float("nan") if step == 3 else 1 / (step + 1),
            }
            if step % 10 == 0:
                data["val-core/cflue_mcq/acc/mean@1"] = 0.3 + 0.02 * step
            lines.append({"step": step, "data": data})
        write_lines(folder / "grpo" / f"metrics-{attempt}.jsonl", lines)


def write_lines(path: Path, lines):
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    path.write_text(text, encoding="utf-8")
