"""What a run says of itself: bars on a terminal, else a line a stage and a line a minute."""

import io
import json

import pytest

pytest.importorskip("rich")

from rich.console import Console

from dianjin_ext.quickstart import progress, told


@pytest.fixture
def said():
    return io.StringIO()


def test_without_a_terminal_a_stage_is_a_line_and_a_minute_is_one(said, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(told.time, "monotonic", lambda: now[0])
    with told.telling(Console(file=said, highlight=False)) as shown:
        shown.before("data")
        with shown.running("SFT", lambda: (3, 7)) as tick:
            for second in range(0, 130, 10):
                now[0] = second
                tick()
        with shown.running("merge", progress.none) as tick:
            now[0] += 61
            tick()
    assert said.getvalue().splitlines() == [
        "data: done before",
        *("SFT", "  3 of 7, 60 s", "  3 of 7, 120 s"),
        *("merge", "  61 s"),
    ]


def test_on_a_terminal_a_finished_stage_is_a_full_bar(said):
    console = Console(file=said, force_terminal=True, width=100)
    with told.telling(console) as shown, shown.running("SFT", lambda: (3, 7)) as tick:
        tick()
    last = said.getvalue().rpartition("SFT")[2]
    assert "7/7" in last


def test_how_far_the_hosts_are(tmp_path):
    log = tmp_path / "trainer_log.jsonl"
    read = progress.of_sft(log)
    assert read() is None
    log.write_text('{"current_steps": 10, "total_steps": 250}\n{"current_steps": 20, "tot')
    assert read() == (10, 250)

    metrics, console = tmp_path / "metrics-0.jsonl", tmp_path / "rl.log"
    read = progress.of_verl(metrics, console)
    assert read() is None
    metrics.write_text(json.dumps({"step": 3, "data": {}}) + "\n")
    console.write_text("log: rl/verl.log\nstep 1/40  reward 0.4\nstep 2/40  reward 0.5\n")
    assert read() == (3, 40)
