"""Grade real outputs by published scorers and by ours, and write the table into docs/parity.md.

    python scripts/parity_table.py FOLDER

FOLDER holds the outputs, each in the folder of its set; SETS names the files. Nothing but counts is
written. tests/evaluation/parity/test_table.py checks the table where the outputs are.
"""

import ast
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from dianjin_ext import compute_score
from dianjin_ext.answers import read_number
from dianjin_ext.answers.numbers import Number

DOCS = Path(__file__).resolve().parent.parent / "docs" / "parity.md"
BEGIN, END = "<!-- written by scripts/parity_table.py -->\n", "<!-- end of the table -->\n"
MODELS = {
    "GPT-4": "gpt-4-1106-preview",
    "Gemini Pro": "gemini-pro",
    "Mixtral 8x7B": "Mixtral-8x7B-Instruct-v0_1",
    "Qwen-14B": "Qwen-14B-Chat",
}


class Row(NamedTuple):
    """One output: the answer that its authors took out of it, as a box holds it, and the whole."""

    answer: str
    prose: str
    gold: Any
    extra_info: dict[str, Any]


class Set(NamedTuple):
    """A set, the reward that grades it, and the published scorer by its settings."""

    title: str
    rows: Callable[[Path], Iterator[Row]]
    reward: str
    scorer: str
    published: dict[str, Any]
    forms: tuple[str, ...] = ("box", "prose")


def financemath(model: str) -> Callable[[Path], Iterator[Row]]:
    """Return what reads a model's outputs on FinanceMath, with GPT's extraction of the answer."""

    def rows(folder: Path) -> Iterator[Row]:
        path = folder / "financemath_outputs" / f"processed_cot_outputs__{MODELS[model]}.json"
        for row in json.loads(path.read_text(encoding="utf-8")):
            info = {"question": row["question"]}
            yield Row(row["extracted_pred_answer"], row["output"][0], row["ground_truth"], info)

    return rows


def every_financemath(folder: Path) -> Iterator[Row]:
    """Yield the outputs of all models."""
    for model in MODELS:
        yield from financemath(model)(folder)


def tatqa(folder: Path) -> Iterator[Row]:
    """Yield outputs on TAT-QA, whose prompt asks for the scale in the answer."""
    for row in _lines(folder / "tatqa_outputs" / "tatqa_cot_300.jsonl"):
        items = row["pred_answer"]
        answer = json.dumps(items, ensure_ascii=False) if len(items) > 1 else items[0]
        info = {"question": row["question"], "scale": row["scale"]}
        yield Row(answer, row["generated"][0], row["answer"], info)


def financebench(folder: Path) -> Iterator[Row]:
    """Yield outputs on those questions of FinanceBench whose gold answer is a number."""
    for row in _lines(folder / "financebench_outputs" / "gpt-4_oracle.jsonl"):
        if isinstance(row["gold_answer"], int | float):
            yield Row("", row["model_answer"], row["gold_answer"], {"question": row["question"]})


def cfa(folder: Path) -> Iterator[Row]:
    """Yield outputs on questions of the CFA exams, with the letter that their authors read."""
    for row in _lines(folder / "cfa_prose" / "responses.jsonl"):
        yield Row(row["answer"] or "", row["raw_response"], row["correct_answer"], {})


def cflue(folder: Path) -> Iterator[Row]:
    """Yield the gold answers of CFLUE, each as its letters with their options' texts."""
    for row in json.loads((folder / "cflue" / "knowledge_1500.json").read_text(encoding="utf-8")):
        choices = ast.literal_eval(row["choices"])
        answer = "；".join(f"{letter}. {choices[letter]}" for letter in row["answer"])
        yield Row(answer, "", row["answer"], {"choices": choices})


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    yield from map(json.loads, path.read_text(encoding="utf-8").splitlines())


DOCMATH: dict[str, Any] = {"strictness": "lenient", "numbers": {"parity": "docmath"}}
FINQA: dict[str, Any] = {"strictness": "lenient", "numbers": {"parity": "finqa"}}
TATQA: dict[str, Any] = {
    "strictness": "lenient",
    "numbers": {"parity": "tatqa", "scale": "none"},
}
CFLUE: dict[str, Any] = {"strictness": "dianjin_eval"}
SETS = [
    *(
        Set(f"FinanceMath, {model}", financemath(model), "docmath", "DocMath-Eval", DOCMATH)
        for model in MODELS
    ),
    Set("FinanceMath, all four", every_financemath, "docmath", "FinQA", FINQA),
    Set("FinanceBench, GPT-4", financebench, "finqa", "FinQA", FINQA, ("prose",)),
    Set("TAT-QA, outputs of Program of Thoughts", tatqa, "tatqa", "TAT-QA", TATQA),
    Set("CFA exams, GPT-4o mini and Qwen3-32B", cfa, "choice", "eval_cflue", CFLUE),
    Set("CFLUE, its gold answers as `A. text`", cflue, "cflue_mcq", "eval_cflue", CFLUE, ("box",)),
]


def table(folder: Path) -> str:
    """Return the table as Markdown."""
    lines = [
        "| outputs | given | scorer | n | published | strict | lenient | points | why |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for each in SETS:
        lines += [_line(each, form, list(each.rows(folder))) for form in each.forms]
    return "\n".join(lines) + "\n"


def _line(each: Set, form: str, rows: list[Row]) -> str:
    right: Counter[str] = Counter()
    why: Counter[str] = Counter()
    for row in rows:
        response = row.prose if form == "prose" else _in_layout(row.answer)
        graded = {
            name: compute_score(each.reward, response, row.gold, row.extra_info, **settings)
            for name, settings in (
                ("published", each.published),
                ("strict", {}),
                ("lenient", {"strictness": "lenient"}),
            )
        }
        right.update(name for name, score in graded.items() if score["acc"])
        theirs, ours = graded["published"], graded["lenient"]
        if theirs["acc"] != ours["acc"]:
            why[_reason(each, row, theirs, ours)] += 1
    n = len(rows)
    shares = [f"{100 * right[name] / n:.1f}" for name in ("published", "strict", "lenient")]
    points = 100 * (right["lenient"] - right["published"]) / n
    reasons = "; ".join(f"{reason} {count}" for reason, count in sorted(why.items()))
    cells = [each.title, form, each.scorer, str(n), *shares, _signed(points), reasons or "–"]
    return f"| {' | '.join(cells)} |"


def _signed(points: float) -> str:
    return f"{points:+.1f}".replace("-", "−") if round(points, 1) else "0"


def _in_layout(answer: str) -> str:
    return f"<think>\n…\n</think>\n<answer>\n\\boxed{{{answer}}}\n</answer>"


def _reason(each: Set, row: Row, theirs: dict[str, Any], ours: dict[str, Any]) -> str:
    """Return what a verdict differs by; a plus where ours is right, a minus where theirs is."""
    if ours["acc"]:
        return f"+ {_unread(each, row, theirs)}"
    if ours["reason"] != "wrong":
        return f"− {ours['reason'].replace('_', ' ')} here"
    said, gold = read_number(str(ours["pred"])).value, read_number(str(row.gold)).value
    return f"− {_forgiven(said, gold) if said and gold else 'letters of a text'}"


def _unread(each: Set, row: Row, theirs: dict[str, Any]) -> str:
    """Return what the published scorer could not read of an answer that is right."""
    if each.scorer == "eval_cflue":
        return "no box" if not theirs["pred"] else "capital letters of the option's text"
    if each.scorer == "TAT-QA":
        if isinstance(row.gold, list) and len(row.gold) > 1:
            return "list without quotation marks"
        return "scale left to the question" if row.extra_info["scale"] else "unit behind a number"
    if re.search(r"loss|decrease|decline", str(theirs["pred"])):
        return "fall in words"
    said = str(theirs["pred"])
    if re.fullmatch(r"[-+]?[0-9.]+", said):
        return "gold of more than five decimals, or percent sign"
    return "words or a currency around the number"


def _forgiven(said: Number, gold: Number) -> str:
    """Return what the published scorer forgave."""
    if not gold.value or not said.value:
        return "unread is 0"
    ratio = float(said.value / gold.value)
    power = round(math.log10(abs(ratio)))
    if abs(abs(ratio) / 10**power - 1) > 0.01:
        return "other"
    if ratio < 0:
        return "sign"
    if power:
        return "percent" if abs(power) == 2 else "power of ten"
    return "0.15 % off"


def main() -> None:
    """Write the table."""
    text = DOCS.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2]
    DOCS.write_text(head + BEGIN + table(Path(sys.argv[1])) + END + tail, encoding="utf-8")


if __name__ == "__main__":
    main()
