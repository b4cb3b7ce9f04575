"""One limit for all processes, measured where the requests arrive."""

import asyncio
import json
import signal
import subprocess
import sys
import time

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.ledger import Ledger, Limits

WORKER = """
import asyncio, json, sys
from dianjin_ext.inference import ledger
window_s, first, number, judge = json.loads(sys.argv[1])
ledger.Ledger.__init__.__defaults__ = (window_s,)
from dianjin_ext.rewards.judged import compute_score_with_judge

async def main():
    print("ready", flush=True)
    rows = await asyncio.gather(*(
        compute_score_with_judge(
            "cflue_oe", f"<think>x</think><answer>税种{i}</answer>", "增值税", {"question": "?"},
            judge=judge,
        ) for i in range(first, first + number)
    ))
    print(json.dumps([row["reason"] for row in rows]))

asyncio.run(main())
"""


def worker(settings, first, number, window_s=60.0):
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, json.dumps([window_s, first, number, settings])],
        stdout=subprocess.PIPE,
        text=True,
    )


def reasons(process):
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return json.loads(out.splitlines()[-1])


def test_four_processes_keep_one_limit(server, judge_settings):
    server.latency = 0.02
    faults = ["status 429", "status 500", "html", "truncated", "drop", "wrong"]
    server.script.extend(faults * 4)
    settings = judge_settings(
        max_concurrency=3, requests_per_minute=30, max_attempts=8, deadline_s=60.0
    )
    workers = [worker(settings, 100 * i, 25, window_s=1.0) for i in range(4)]
    found = [reason for process in workers for reason in reasons(process)]
    assert sorted(found) == ["correct"] * 96 + ["wrong"] * 4
    assert len(server.bodies) == 100 + 20
    assert server.most_under_way == 3
    assert server.most_in(1.0) <= 30


def test_a_process_that_is_killed_loses_its_places(server, judge_settings):
    server.default = "hang"
    settings = judge_settings(max_concurrency=2, timeout_s=1.0, max_attempts=1)
    killed = worker(settings, 0, 2)
    while len(server.bodies) < 2:
        assert killed.poll() is None
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    server.default = "correct"
    assert reasons(worker(settings, 0, 4)) == ["correct"] * 4
    assert server.most_under_way == 2


def test_equal_answers_in_several_processes_are_asked_about_once(server, judge_settings):
    server.latency = 0.5
    workers = [worker(judge_settings(), 0, 3) for _ in range(2)]
    for process in workers:
        assert reasons(process) == ["correct"] * 3
    assert len(server.bodies) == 3


# --- the ledger itself


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1_000_000.0

    monkeypatch.setattr(time, "time", lambda: Clock.now)
    return Clock


def granted(ledger, *calls, **limits):
    given = {"max_concurrency": 9, "requests_per_minute": None, "lease_s": 35.0} | limits
    limits = Limits("http://x", **given)
    return [not asyncio.run(ledger.ask(call, limits)) for call in calls]


def test_a_place_is_free_after_release_or_lease(tmp_path, clock):
    ledger = Ledger(str(tmp_path))
    assert granted(ledger, "a", "b", "c", max_concurrency=2) == [True, True, False]
    asyncio.run(ledger.release("a"))
    assert granted(ledger, "c", "d", max_concurrency=2) == [True, False]
    clock.now += 36  # b and c never came back
    assert granted(ledger, "d", "e", "f", max_concurrency=2) == [True, True, False]


def test_a_call_counts_for_the_rate_until_a_window_after_its_end(tmp_path, clock):
    ledger = Ledger(str(tmp_path))
    assert granted(ledger, "a", "b", requests_per_minute=1) == [True, False]
    clock.now += 30
    asyncio.run(ledger.release("a"))
    clock.now += 59.9
    assert granted(ledger, "b", requests_per_minute=1) == [False]
    clock.now += 0.2
    assert granted(ledger, "b", requests_per_minute=1) == [True]


def test_endpoints_do_not_share(tmp_path):
    ledger = Ledger(str(tmp_path))
    for endpoint in ("http://x", "http://y"):
        assert asyncio.run(ledger.ask(endpoint, Limits(endpoint, 1, None, 30.0))) == 0.0


def test_a_clock_that_was_set_back_blocks_nobody(tmp_path, clock):
    ledger = Ledger(str(tmp_path))
    assert granted(ledger, "a", max_concurrency=1) == [True]
    asyncio.run(ledger.pause("http://x", 50))
    clock.now -= 100_000
    assert granted(ledger, "b", max_concurrency=1) == [True]


def test_a_pause_is_bounded(tmp_path, clock):
    ledger = Ledger(str(tmp_path))
    asyncio.run(ledger.pause("http://x", 1e6))
    assert granted(ledger, "a") == [False]
    clock.now += 61
    assert granted(ledger, "a") == [True]


def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "limits.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(DianjinError, match=r"limits\.sqlite: .*; remove the file"):
        Ledger(str(tmp_path))


def test_the_default_folder_is_the_users_own(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = Ledger(None).path.parent
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)
    with pytest.raises(DianjinError, match="may be written by others"):
        Ledger(None)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DianjinError, match=r"judge\.cache_dir: .*file/judge can't be made"):
        Ledger(str(tmp_path / "file/judge"))
