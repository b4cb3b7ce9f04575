"""How far a run is: a live line on a terminal, else one line a minute."""

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.text import Text

from dianjin_ext.inference.answer import UNANSWERED, Tally

__all__ = ["describe", "report"]

_LIVE_S: Final = 0.5
_LINE_S: Final = 60.0


async def report(line: Callable[[float], str]) -> None:
    """Tell the state of a run on the standard error, until cancelled; tells the last state too.

    Args:
        line: Returns one line about the run, from the seconds since it began.
    """
    console = Console(stderr=True)
    started = time.monotonic()

    def now() -> str:
        return line(time.monotonic() - started)

    if console.is_terminal:
        with Live(console=console, auto_refresh=False) as live:
            await _tell(_LIVE_S, lambda: live.update(Text(now()), refresh=True))
    else:
        await _tell(_LINE_S, lambda: print(now(), file=sys.stderr, flush=True))


async def _tell(every_s: float, tell: Callable[[], object]) -> None:
    try:
        while True:
            await asyncio.sleep(every_s)
            tell()
    finally:
        tell()


def describe(tally: Tally, in_flight: int, seconds: float, total: int | None, priced: bool) -> str:
    """Return one line about a run.

    Args:
        tally: Its counts.
        in_flight: Requests under way.
        seconds: Since it began.
        total: Samples in all, where that is known.
        priced: Whether prices are known.
    """
    asked = tally.done - tally.from_journal
    rate = asked / seconds if seconds else 0.0
    parts = [f"{tally.done:,} of {total:,}" if total is not None else f"{tally.done:,} done"]
    if missing := sum(tally.outcomes[outcome] for outcome in UNANSWERED):
        parts.append(f"{missing:,} without a reply")
    parts += [
        f"{rate:.1f}/s",
        f"{in_flight} in flight",
        f"{tally.prompt_tokens:,} + {tally.completion_tokens:,} tokens",
    ]
    if priced:
        parts.append(f"cost {tally.cost:.4g}")
    if total is not None and rate:
        left = round((total - tally.done) / rate)
        parts.append(f"{left // 3600}:{left // 60 % 60:02}:{left % 60:02} left")
    return " · ".join(parts)
