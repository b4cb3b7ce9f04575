"""How far a run over rows is, while it asks."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dianjin_ext.inference.asker import Asker


@dataclass
class Told:
    """How many rows are done."""

    done: int = 0


@asynccontextmanager
async def telling(name: str, askers: "Mapping[str, Asker]", total: int) -> AsyncIterator[Told]:
    """Tell the state of a run on the standard error for as long as the context lasts.

    Args:
        name: Of what runs.
        askers: Whom it asks, by role; without one nothing is told.
        total: Rows in all.
    """
    from dianjin_ext.inference.progress import describe, report

    told = Told()

    def line(seconds: float) -> str:
        parts = [f"{name}: {told.done:,} of {total:,} rows"]
        if told.done and told.done < total:
            left = round((total - told.done) * seconds / told.done)
            parts.append(f"{left // 3600}:{left // 60 % 60:02}:{left % 60:02} left")
        for role, asker in askers.items():
            priced = asker.settings.prices is not None
            state = describe(asker.tally, asker.places.in_flight, seconds, None, priced)
            parts.append(f"{role} {state}")
        return " | ".join(parts)

    if not askers:
        yield told
        return
    task = asyncio.create_task(report(line))
    try:
        yield told
    finally:
        task.cancel()
        await asyncio.wait([task])
