"""Killed at any moment: the target is absent or whole, and resuming gives the same bytes."""

import json
import random
import subprocess
import sys
import time

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge import merge_checkpoint
from dianjin_ext.merge.verify import SUMS, check_merged

MERGE = """
import json, sys
from dianjin_ext.merge import merge_checkpoint
options = json.loads(sys.argv[3])
print("ready", flush=True)
merge_checkpoint(sys.argv[1], sys.argv[2], **options)
"""
OPTIONS = {"max_shard_size": "20KB", "verify": True}  # many files, so that many moments differ


def start(source, out, **options):
    arguments = [str(source), str(out), json.dumps({**OPTIONS, **options})]
    process = subprocess.Popen(
        [sys.executable, "-c", MERGE, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    return process


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def written(folder):
    return len(list(folder.iterdir())) if folder.is_dir() else 0


@pytest.mark.slow
def test_killed_at_random_moments(checkpoints, tmp_path):
    source = checkpoints / "fsdp2-w4-columns"
    with start(source, tmp_path / "expected") as process:
        pass
    assert process.returncode == 0
    expected = contents(tmp_path / "expected")
    random_, unfinished, kept = random.Random(), 0, 0
    for number in range(20):
        folder = tmp_path / str(number)
        folder.mkdir()
        out = folder / "merged"
        left = folder / ".merged.merging"
        with start(source, out, resume=bool(number % 2)) as process:
            # by how far it has come, since how fast it is depends on what else the machine does
            while process.poll() is None and written(left) < number * len(expected) / 20:
                time.sleep(0.0002)
            time.sleep(random_.uniform(0, 0.002))
            process.kill()
        if out.exists():  # it was already done
            assert contents(out) == expected
            continue
        if left.exists():
            unfinished += 1
            finished = [path for path in left.iterdir() if path.suffix == ".safetensors"]
            kept += len(finished)
            for path in finished:  # resuming relies on it
                assert path.read_bytes() == expected[path.name]
            if expected.keys() - contents(left).keys() - {SUMS}:
                with pytest.raises(DianjinError):
                    check_merged(left)
        merge_checkpoint(source, out, resume=True, **OPTIONS)
        assert contents(out) == expected
        assert [path.name for path in folder.iterdir()] == ["merged"]
    assert unfinished > 5  # the moments did fall into the merge
    assert kept > 5


def test_two_mergers_at_once(checkpoints, tmp_path):
    source, out = checkpoints / "fsdp2-w4-columns", tmp_path / "merged"
    processes = [start(source, out) for _ in range(2)]
    errors = [process.communicate()[1] for process in processes]
    codes = [process.returncode for process in processes]
    assert sorted(codes) == [0, 1], errors
    refusal = errors[codes.index(1)].splitlines()[-1]
    assert "another process is writing" in refusal or "exists; name a new folder" in refusal
    check_merged(out)
    assert [path.name for path in tmp_path.iterdir()] == ["merged"]
