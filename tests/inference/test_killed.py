"""A run that is killed at any moment and started again loses nothing and repeats nothing."""

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.journal import Journal, read_journal

ROWS = 400
WIDTH = 8
RUN = """
import dataclasses, json, sys
from pathlib import Path
from dianjin_ext.inference import AskSettings, Request
from dianjin_ext.inference.ask import ask

journal, out, number, given = json.loads(sys.argv[1])
requests = (
    Request(f"r{i}", [{"role": "user", "content": f"q{i}"}]) for i in range(number)
)
with open(out + ".part", "w") as file:
    for answer in ask(requests, AskSettings(**given), journal=Path(journal), ordered=True):
        row = [answer.request.row, answer.outcome, dataclasses.asdict(answer.reply)]
        file.write(json.dumps(row) + "\\n")
Path(out + ".part").rename(out)
"""


def start(folder, given, number=ROWS):
    arguments = json.dumps([str(folder / "journal"), str(folder / "out"), number, given])
    return subprocess.Popen([sys.executable, "-c", RUN, arguments], stderr=subprocess.PIPE)


@pytest.mark.slow
def test_sigkill_at_random_moments(server, tmp_path):
    server.latency = 0.01
    draw = random.Random(11)
    given = {"model": "m", "base_url": server.base_url, "max_in_flight": WIDTH}
    given["state_dir"] = str(tmp_path / "state")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
    assert start(whole, given).wait(60) == 0

    for _ in range(20):
        server.bodies.clear()
        recorded = {row["row"] for row in _read(killed / "journal")}
        process = start(killed, given)
        # from the first request on, which a busy machine may take long to come to
        while not server.bodies and process.poll() is None:
            time.sleep(0.002)
        time.sleep(draw.uniform(0, 0.04))
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(0.05)  # what is on its way to the server gets there
        asked = [_row(body) for body in server.bodies]
        assert not recorded & set(asked)
        assert max(Counter(asked).values(), default=0) <= 1
        new = {row["row"] for row in _read(killed / "journal")} - recorded
        assert new <= set(asked)
        assert len(asked) - len(new) <= WIDTH
    server.bodies.clear()
    recorded = len(list(_read(killed / "journal")))
    assert start(killed, given).wait(60) == 0
    assert len(server.bodies) == ROWS - recorded
    assert (killed / "out").read_bytes() == (whole / "out").read_bytes()
    lines = [sorted((folder / "journal").read_bytes().splitlines()) for folder in (whole, killed)]
    assert lines[0] == lines[1]


def test_two_processes_on_one_journal(server, tmp_path):
    server.default = "hang"
    given = {"model": "m", "base_url": server.base_url, "state_dir": str(tmp_path / "state")}
    first = start(tmp_path, given, 3)
    try:
        while not server.bodies:
            assert first.poll() is None
            time.sleep(0.02)
        with pytest.raises(DianjinError, match="journal: another process writes to it"):
            Journal(tmp_path / "journal")
    finally:
        first.kill()
        first.wait()
    Journal(tmp_path / "journal").__exit__()


@pytest.mark.parametrize("left", [1, 20, 60])
def test_a_torn_tail_is_cut_off(tmp_path, left):
    path = tmp_path / "j"
    with Journal(path) as journal:
        for i in range(3):
            journal.put(f"{i:032x}", json.dumps({"key": f"{i:032x}", "text": "汉字" * 9}))
    whole = path.read_bytes()
    last = len(whole.splitlines(keepends=True)[-1])
    path.write_bytes(whole[: len(whole) - last + left])
    assert [row["key"] for row in read_journal(path)] == ["0" * 31 + str(i) for i in range(2)]
    with Journal(path) as journal:
        assert len(journal) == 2
        assert "0" * 31 + "2" not in journal
        journal.put(f"{2:032x}", json.dumps({"key": f"{2:032x}", "text": "汉字" * 9}))
        assert journal.get(f"{2:032x}")["text"] == "汉字" * 9
    assert path.read_bytes() == whole


def test_a_file_that_is_no_journal_is_left_alone(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text('{"question": 1}\n')
    with pytest.raises(DianjinError, match=r"data\.jsonl: line 1 is no record of a reply"):
        Journal(path)
    assert path.read_text() == '{"question": 1}\n'


def _read(path):
    return read_journal(path) if path.exists() else []


def _row(body):
    return "r" + body["messages"][-1]["content"][1:]
