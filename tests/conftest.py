import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

WRITER = Path(__file__).parent / "merge" / "write_checkpoints.py"


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory):
    """Real checkpoints, one folder a case; written once and never changed by a test."""
    if importlib.util.find_spec("verl") is None:
        pytest.skip("verl, which writes the checkpoints, is not in this environment")
    out = tmp_path_factory.mktemp("checkpoints")
    command = [sys.executable, str(WRITER), str(out)]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    run = subprocess.run(command, env=env, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stdout + run.stderr
    return out
