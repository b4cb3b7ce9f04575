"""The responses that a report shows: which, how much of each, and in what form."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from dianjin_ext.evaluation.contradiction import Stated
from dianjin_ext.evaluation.graded_span import Span, span
from dianjin_ext.evaluation.report.changes import pairs
from dianjin_ext.evaluation.report.outcomes import Outcome
from dianjin_ext.evaluation.report.rows import Row, observed, rows
from dianjin_ext.evaluation.report.runs import Key, Run
from dianjin_ext.visible import visible

MOST_QUESTIONS: Final = 1500
"""Questions that the page holds."""

MOST_CHARACTERS: Final = 8_000_000
"""Characters of all their texts, about; with more, fewer questions are shown."""

MOST_SAMPLES: Final = 4
"""Responses to a question that are shown, of each model."""

LONGEST: Final = 16_000
"""Characters of a text that are shown; of a longer one, its beginning and its end."""

_HEAD: Final = 4_000
_AROUND: Final = 400
_RIGHT_SHARE: Final = 0.1
"""Share of the questions that is kept for those that every model answers right."""

_TAGS = re.compile("[<>&\u2028\u2029]")

Known = Mapping[Key, Mapping[str, Outcome]]
Asked = tuple[Key, str]
Part = str | dict[str, Any]


def samples(names: Sequence[str], runs: Sequence[Run], known: Sequence[Known]) -> dict[str, Any]:
    """Return what the page's browser shows.

    Questions that a model gained or lost come first, then those whose reasoning contradicts the
    answer, then wrong ones.

    Args:
        names: Of the models.
        runs: The models.
        known: What became of the questions of each.
    """
    chosen = _chosen(known)
    found: dict[Asked, dict[str, Any]] = {name: {} for name in chosen}
    asked: dict[Asked, int] = {}
    for nth, run in enumerate(runs):
        for key, file in run.responses.items():
            grading = run.grading[key]
            for row in rows(file):
                question = found.get((key, row["id"]))
                if question is None:
                    continue
                digest = known[nth][key][row["id"]].asked
                if asked.setdefault((key, row["id"]), digest) != digest:
                    continue  # another question under the same id stands beside no answer to this
                if not question:
                    question.update(_question(key, row))
                answers = question["answers"].setdefault(str(nth), [])
                if len(answers) < MOST_SAMPLES:
                    said = known[nth][key][row["id"]].said[len(answers)]
                    place = observed(span, row, grading)
                    answers.append(_answer(row, place, said))
    for (key, name), question in found.items():
        if question:
            question["shares"] = {
                str(nth): of[key][name].share
                for nth, of in enumerate(known)
                if name in of.get(key, {}) and of[key][name].asked == asked[key, name]
            }
    answered = [question for question in found.values() if question]
    right = [q for q in answered if all(share == 1 for share in q["shares"].values())]
    telling = [q for q in answered if any(share < 1 for share in q["shares"].values())]
    room = MOST_CHARACTERS * (1 - _RIGHT_SHARE if right else 1.0)
    kept = _fitting(telling, room)
    kept += _fitting(right, MOST_CHARACTERS - sum(map(_size, kept)))
    every = {(key, name) for of in known for key, each in of.items() for name in each}
    return {
        "runs": list(names),
        "pairs": [list(pair) for pair in pairs(names)],
        "questions": kept,
        "all": len(every),
        "longest": LONGEST,
        "most_samples": MOST_SAMPLES,
    }


def embedded(content: Any) -> str:
    """Return JSON that may stand in a script element: nothing in it can end the element."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return _TAGS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def parts(text: str, span: Sequence[int] | None) -> list[Part]:
    """Return a text as the page shows it: plain parts, the graded answer, and what is left out.

    The answer is `{"m": text}`, a gap `{"g": characters}`.
    """
    begin, end = span if span is not None else (0, 0)
    keep = [(0, len(text))]
    if len(text) > LONGEST:
        tail = LONGEST - _HEAD
        keep = [(0, _HEAD), (len(text) - tail, len(text))]
        if begin < end:
            keep.append((max(0, begin - _AROUND), min(len(text), end + _AROUND)))
    found: list[Part] = []
    at = 0
    for first, last in _joined(keep):
        if first > at:
            found.append({"g": first - at})
        at = last
        inside = max(first, begin), min(last, end)
        if begin < end and inside[0] < inside[1]:
            shown: list[Part] = [visible(text[first : inside[0]])]
            shown.append({"m": visible(text[inside[0] : inside[1]])})
            shown.append(visible(text[inside[1] : last]))
            found += [part for part in shown if part]
        elif first < last:
            found.append(visible(text[first:last]))
    return found


def _joined(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield spans in order, those that touch as one."""
    ordered = sorted(spans)
    first, last = ordered[0]
    for begin, end in ordered[1:]:
        if begin > last:
            yield first, last
            first, last = begin, end
        else:
            last = max(last, end)
    yield first, last


def _chosen(known: Sequence[Known]) -> list[Asked]:
    """Return the questions that are shown, most telling first."""
    of: dict[Asked, list[Outcome]] = {}
    for each in known:
        for key, found in each.items():
            for name, outcome in found.items():
                of.setdefault((key, name), []).append(outcome)
    places: Counter[Key] = Counter()
    ranked: list[tuple[int, int, Asked]] = []
    for asked, outcomes in of.items():
        places[asked[0]] += 1
        ranked.append((_rank(outcomes), places[asked[0]], asked))
    ranked.sort(key=lambda each: each[:2])
    telling = [name for rank, _, name in ranked if rank < 3]
    right = [name for rank, _, name in ranked if rank == 3]
    room = MOST_QUESTIONS - min(len(right), round(MOST_QUESTIONS * _RIGHT_SHARE))
    return [*telling[:room], *right][:MOST_QUESTIONS]


def _rank(outcomes: Sequence[Outcome]) -> int:
    if len({outcome.share for outcome in outcomes}) > 1:
        return 0
    if any(outcome.contradicts for outcome in outcomes):
        return 1
    return 2 if any(outcome.share < 1 for outcome in outcomes) else 3


def _question(key: Key, row: Row) -> dict[str, Any]:
    choices = row.get("choices")
    return {
        "id": visible(row["id"]),
        "benchmark": key[0],
        "protocol": key[1],
        "kind": row["kind"],
        "category": visible(row["category"]),
        "language": row["language"],
        "question": parts(row["question"], None),
        "choices": [[visible(str(k)), visible(str(v))] for k, v in choices.items()]
        if isinstance(choices, dict)
        else [],
        "gold": visible(_gold(row.get("ground_truth"))),
        "prompt": [
            [str(message.get("role", "")), parts(str(message.get("content", "")), None)]
            for message in row.get("messages") or []
            if isinstance(message, dict)
        ],
        "answers": {},
    }


def _answer(row: Row, place: Span | None, said: Stated) -> dict[str, Any]:
    return {
        "right": row["acc"] == 1.0,
        "reason": row["reason"],
        "pred": visible(row["pred"]),
        "outcome": row["outcome"],
        "tokens": row["completion_tokens"],
        "format": row["format"],
        "text": parts(row["response"], place),
        **({"stated": visible(said.answer)} if said.answer is not None else {}),
        **({"contradicts": True} if said.contradicts else {}),
        **({"judged": row["judged"], "rule": row.get("rule_acc")} if "judged" in row else {}),
    }


def _gold(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _fitting(questions: Sequence[dict[str, Any]], room: float) -> list[dict[str, Any]]:
    """Return the first questions whose texts have room."""
    kept = []
    for question in questions:
        room -= _size(question)
        if room < 0:
            break
        kept.append(question)
    return kept


def _size(content: Any) -> int:
    if isinstance(content, str):
        return len(content)
    if isinstance(content, dict):
        return sum(len(key) + _size(value) for key, value in content.items())
    return sum(map(_size, content)) if isinstance(content, list) else 8
