"""Peak memory does not grow with the model."""

import subprocess
import sys

import pytest

MERGE = """
import re, sys
from pathlib import Path
from dianjin_ext.merge import merge_checkpoint
options = {"dtype": sys.argv[4], "verify": sys.argv[5] == "verify"}
merge_checkpoint(sys.argv[1], sys.argv[2], base_model=sys.argv[3], **options)
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.parametrize(
    ("dtype", "verify", "limit"), [("keep", "", 64), ("keep", "verify", 64), ("bf16", "", 100)]
)
def test_peak_is_the_same_for_any_size(tmp_path, bare_model, dtype, verify, limit):
    """The small model fills every buffer; the large one is four times as large. In MiB."""
    torch = pytest.importorskip("torch")
    peaks = []
    for name, megabytes in (("small", 48), ("large", 192)):
        source = tmp_path / name
        source.mkdir()
        weights = {"w": torch.ones(megabytes, 1 << 18), "b": torch.ones(3)}
        torch.save(weights, source / "model_world_size_1_rank_0.pt")
        arguments = [str(source), str(tmp_path / f"{name}-merged"), str(bare_model), dtype, verify]
        command = [sys.executable, "-c", MERGE, *arguments]
        run = subprocess.run(command, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        peaks.append(int(run.stdout) / 1024)
    assert peaks[1] < limit
    assert peaks[1] < 1.1 * peaks[0]
