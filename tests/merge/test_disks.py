"""Disks that really are full or read-only, and a real limit on the size of files.

The small disk is a tmpfs in a mount namespace of its own.
"""

import shutil
import subprocess
import sys

import pytest

MERGE = """
import resource, subprocess, sys
from pathlib import Path
from dianjin_ext.errors import DianjinError
from dianjin_ext.merge import merge_checkpoint
source, disk, case = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
options = {"max_shard_size": "60KB"}
if case == "file size":
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
if case == "read-only":
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)

def fill(done, total):  # someone else takes the space that was free when the merge began
    if case == "full" and done >= total / 3 and not (disk / "filler").exists():
        with (disk / "filler").open("wb", buffering=0) as filler:
            try:
                while filler.write(bytes(4096)):
                    pass
            except OSError:
                pass

try:
    merge_checkpoint(source, disk / "merged", progress=fill, **options)
    print("merged")
except DianjinError as error:
    print("error:", error)
print(sorted(path.name for path in disk.iterdir()))
"""


def merge_in(disk, source, case):
    disk.mkdir()
    if shutil.which("unshare") is None:
        pytest.skip("no unshare here, which mounts the small disk")
    mount = 'mount -t tmpfs -o size=1m none "$0" && exec "$@"'
    command = [sys.executable, "-c", MERGE, str(source), str(disk), case]
    run = subprocess.run(
        ["unshare", "-rm", "sh", "-c", mount, str(disk), *command], capture_output=True, text=True
    )
    if "unshare" in run.stderr or "mount:" in run.stderr:
        pytest.skip(f"no disk can be mounted here: {run.stderr.strip()}")
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


@pytest.mark.parametrize(
    ("case", "message", "left"),
    [
        ("full", "No space left on device", ["filler"]),
        ("read-only", "Read-only file system", []),
        ("file size", "File too large", []),
        ("ample", None, ["merged"]),
    ],
)
def test_disks(checkpoints, tmp_path, case, message, left):
    outcome, names = merge_in(tmp_path / "disk", checkpoints / "fsdp2-w2-tied", case)
    if message is None:
        assert outcome == "merged"
    else:
        assert outcome.startswith("error: merging into ")
        assert message in outcome
    assert names == str(left)
