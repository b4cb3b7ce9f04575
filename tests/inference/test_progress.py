"""What a run tells about itself."""

import asyncio
import re

import pytest

pytest.importorskip("rich")

from dianjin_ext.inference import progress
from dianjin_ext.inference.answer import Tally


def tally():
    found = Tally(from_journal=400, prompt_tokens=12_345, completion_tokens=678, cost=1.25)
    found.outcomes.update(answered=990, unreachable=10)
    return found


def test_rate_tokens_cost_time_left_and_in_flight():
    # 600 of this run in 60 seconds; 9,000 left at ten a second
    assert progress.describe(tally(), 7, 60.0, 10_000, True) == (
        "1,000 of 10,000 · 10 without a reply · 10.0/s · 7 in flight · "
        "12,345 + 678 tokens · cost 1.25 · 0:15:00 left"
    )


def test_what_is_not_known_is_not_told():
    line = progress.describe(tally(), 0, 60.0, None, False)
    assert line.startswith("1,000 done · ")
    assert "cost" not in line
    assert "left" not in line
    assert "left" not in progress.describe(Tally(), 0, 0.0, 10, False)


def test_without_a_terminal_it_is_a_line_a_minute(monkeypatch, capfd):
    assert progress._LINE_S == 60.0
    monkeypatch.setattr(progress, "_LINE_S", 0.01)

    async def run():
        state = asyncio.create_task(
            progress.report(lambda s: progress.describe(tally(), 0, s, None, False))
        )
        await asyncio.sleep(0.1)
        state.cancel()
        await asyncio.wait([state])

    asyncio.run(run())
    out, err = capfd.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert len(lines) >= 2
    assert all(re.match(r"1,000 done · .*/s · 0 in flight · ", line) for line in lines)
