"""Rows that can't be used: stop at them, leave them out, or put them into a file of their own."""

import json
from collections.abc import Sequence
from typing import Any, Final, Literal, get_args

from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.readers.base import BadRow

OnError = Literal["stop", "skip", "quarantine"]
ON_ERROR: Final[tuple[OnError, ...]] = get_args(OnError)

QUARANTINE = "bad_rows.jsonl"
_SHOWN = 20


def stop_at(bad: Sequence[BadRow]) -> None:
    """Refuse to go on with bad rows.

    Raises:
        DianjinError: There are some; the message tells the first of them.
    """
    if not bad:
        return
    listing = "".join(f"\n  {row}" for row in bad[:_SHOWN])
    more = f"\n  … and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    rows = "1 bad row" if len(bad) == 1 else f"{len(bad)} bad rows"
    raise DianjinError(
        f"{rows} (rows are counted from 0, lines from 1); mend them, or pass --on-error skip to "
        f"leave them out or --on-error quarantine to put them into {QUARANTINE}{listing}{more}"
    )


def quarantine_lines(bad: Sequence[BadRow]) -> str:
    """Return JSON lines: each row with its file, place, field and what was expected there."""
    return "".join(json.dumps(_line(row), ensure_ascii=False, default=str) + "\n" for row in bad)


def _line(row: BadRow) -> dict[str, Any]:
    return {
        "file": row.file,
        "where": row.where,
        "field": row.field,
        "expected": row.expected,
        "row": row.value,
    }
