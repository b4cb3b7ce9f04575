"""What a worker of `dianjin score` does: JSON lines in, the same lines with their scores out."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.batches import Batch
from dianjin_ext.evaluation.settings_file import split_judge
from dianjin_ext.evaluation.tally import Tally
from dianjin_ext.jsonl import BadRowError, parse, take, unusable
from dianjin_ext.rewards.grader import Grader

__all__ = ["Graded", "grade_batch", "start"]


class Graded(NamedTuple):
    """The lines to write, their counts, and the numbers of bad lines with what is wrong."""

    output: bytes
    tally: Tally
    bad: list[tuple[int, str]]


_grader: Grader
_settings: dict[str, Any]
_judge: Mapping[str, Any] | None
_rescore: bool


def start(settings: Mapping[str, Any], rescore: bool) -> None:
    """Set what `grade_batch` grades by in this process."""
    global _grader, _settings, _judge, _rescore
    _settings, _judge = split_judge(settings)
    _grader, _rescore = Grader(_settings), rescore


def grade_batch(batch: Batch) -> Graded:
    """Grade the lines of a batch; nothing that stands in a line makes it raise."""
    output: list[bytes] = []
    tally = Tally()
    rows: dict[int, dict[str, Any]] = {}
    bad: list[tuple[int, str]] = []
    for number, line in enumerate(batch.lines, batch.first):
        if line.isspace():
            continue
        try:
            rows[number] = _row(line)
        except BadRowError as error:
            bad.append((number, str(error)))
    for (number, row), result in zip(rows.items(), _results(rows.values()), strict=True):
        try:
            output.append(_with_result(row, result))
            tally.add(row["data_source"], result)
        except BadRowError as error:
            bad.append((number, str(error)))
    return Graded(b"".join(output), tally, sorted(bad))


def _row(line: bytes) -> dict[str, Any]:
    row = parse(line)
    take(row, "data_source", str, "the name of a reward")
    take(row, "response", str, "the response as text")
    gold = take(row, "ground_truth", object, "the gold answer")
    if problem := unusable(gold):
        raise BadRowError("ground_truth", f"expected a gold answer, found {problem}")
    if row.get("extra_info") is not None:
        take(row, "extra_info", dict, "an object or null")
    return row


def _results(rows: Iterable[dict[str, Any]]) -> list[Any]:
    """Return the result of each row, or the exception that it raised."""
    calls = [
        (row["data_source"], row["response"], row["ground_truth"], row.get("extra_info"))
        for row in rows
    ]
    if _judge is not None:
        return asyncio.run(_judged(calls, _judge))
    results: list[Any] = []
    for call in calls:
        try:
            results.append(_grader(*call))
        except Exception as error:  # a reward of a plug-in may raise anything
            results.append(error)
    return results


async def _judged(calls: list[Any], judge: Mapping[str, Any]) -> list[Any]:
    from dianjin_ext.rewards.judged import close_judges, compute_score_with_judge

    graded = (compute_score_with_judge(*call, judge=judge, **_settings) for call in calls)
    try:
        return await asyncio.gather(*graded, return_exceptions=True)
    finally:
        await close_judges()


def _with_result(row: dict[str, Any], result: Any) -> bytes:
    if isinstance(result, DianjinError):
        raise BadRowError("data_source", str(result))
    if isinstance(result, BaseException):
        raise BadRowError("data_source", f"the reward raised {result!r}")
    if not _rescore and (taken := sorted(row.keys() & result.keys())):
        raise BadRowError(
            taken[0], "expected no such key, since the result has it; rename it, or pass --rescore"
        )
    if result["reason"] == "gold_unusable" and isinstance(row["ground_truth"], list):
        raise BadRowError(
            "ground_truth", f"found a list, which the reward of {row['data_source']!r} can't read"
        )
    row = row | result
    try:
        return (json.dumps(row, ensure_ascii=False) + "\n").encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which only an escape can hold
        return (json.dumps(row) + "\n").encode()
