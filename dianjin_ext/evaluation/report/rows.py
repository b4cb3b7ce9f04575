"""The graded responses of a file."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.reads import Reads
from dianjin_ext.jsonl import BadRowError, Lines, parse, take

Row = dict[str, Any]
Found = TypeVar("Found")

_NEEDED: Final[dict[str, type | tuple[type, ...]]] = {
    "id": str, "sample": int, "response": str, "reason": str, "acc": (int, float),
    "format": (int, float), "pred": str, "kind": str, "language": str, "category": str,
    "outcome": str, "prompt_tokens": int, "completion_tokens": int, "question": str,
    "data_source": str,
}  # fmt: skip
_MAY_BE: Final = {"choices": dict, "labels": list, "scale": str}
_TOLD: Final = ("question", *_MAY_BE)
"""What the grader was told of a question beside its gold answer."""


def rows(path: Path) -> Iterator[Row]:
    """Yield the graded responses of a file.

    Raises:
        DianjinError: It can't be read, or a line is none.
    """
    for number, line in enumerate(Lines(path), 1):
        yield read_row(line, path, number)


def read_row(line: bytes, path: Path, number: int) -> Row:
    """Return the graded response of a line of a file.

    Raises:
        DianjinError: It is none.
    """
    try:
        row = parse(line)
        for key, kinds in _NEEDED.items():
            take(row, key, kinds, "the key of a graded response")
        for key, kinds in _MAY_BE.items():
            if row.get(key) is not None:
                take(row, key, kinds, "the key of a graded response")
    except BadRowError as error:
        raise DianjinError(
            f"{path}, line {number}, {error}; run the evaluation again with this version"
        ) from None
    return row


def observed(look: Callable[..., Found], row: Row, grading: Mapping[str, Any]) -> Found:
    """Return what `graded_span.span` or `contradiction.stated` finds in a graded response.

    Args:
        look: One of these.
        row: The response.
        grading: The settings by which it was graded.

    Raises:
        DianjinError: It can't be graded here, such as for want of a reward.
    """
    reads = Reads(
        grading,
        data_source=row["data_source"],
        ground_truth=row.get("ground_truth"),
        extra_info={key: row[key] for key in _TOLD if key in row},
        kind=row["kind"],
    )
    return look(row["response"], reads=reads, pred=row["pred"], by_rules=not row.get("judged"))
