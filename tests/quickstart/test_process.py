import json
import os
import subprocess
import sys
import time

import psutil
import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.quickstart.process import run_stage


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_time_and_memory_of_the_whole_tree_are_measured(tmp_path):
    child = "import time; block = bytearray(200 * 2**20); time.sleep(4)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    usage = run_stage(python(code), folder=tmp_path, environment=os.environ, log=tmp_path / "log")
    assert usage.seconds > 3
    assert 0.19 < usage.peak_memory_gib < 1


# A process of its own: the threads that other tests leave in this one are not the monitoring's.
MONITORED = """
import json, os, pathlib, sys, time
from dianjin_ext.quickstart.process import run_stage

folder = pathlib.Path(sys.argv[1])
own = time.process_time()
usage = run_stage(sys.argv[2:], folder=folder, environment=os.environ, log=folder / "log")
print(json.dumps(vars(usage) | {"own": time.process_time() - own}))
"""


@pytest.mark.slow
def test_monitoring_takes_less_than_two_hundredths_of_a_core(tmp_path):
    """Over a stage of a few seconds with as many processes as a training has."""
    child = "import time; block = bytearray(60 * 2**20); time.sleep(5)"
    code = (
        "import subprocess, sys\n"
        f"tree = [subprocess.Popen([sys.executable, '-c', {child!r}]) for _ in range(20)]\n"
        "for process in tree: process.wait()"
    )
    monitor = [*python(MONITORED), str(tmp_path), *python(code)]
    output = subprocess.run(monitor, check=True, capture_output=True, text=True).stdout
    usage = json.loads(output)
    assert usage["own"] < 0.02 * usage["seconds"]
    assert usage["peak_memory_gib"] > 0.5
    assert usage["processor_seconds"] > 0.2


def test_a_short_stage_is_measured_too(tmp_path):
    code = "import time; block = bytearray(50 * 2**20); time.sleep(1.0)"
    usage = run_stage(python(code), folder=tmp_path, environment=os.environ, log=tmp_path / "log")
    assert 0.04 < usage.peak_memory_gib < 1


def test_a_failure_ends_with_the_log(tmp_path):
    with pytest.raises(DianjinError, match=r"(?s)exit code 3.*the reason") as error:
        code = "print('the reason', flush=True); raise SystemExit(3)"
        run_stage(python(code), folder=tmp_path, environment=os.environ, log=tmp_path / "log")
    assert str(tmp_path / "log") in str(error.value)


def test_nothing_runs_on_after_an_interruption(tmp_path):
    child = "import time; time.sleep(600)"
    code = (
        "import subprocess, sys, time; "
        f"p = subprocess.Popen([sys.executable, '-c', {child!r}], start_new_session=True); "
        "print(p.pid, flush=True); time.sleep(600)"
    )
    log = tmp_path / "log"
    start = time.monotonic()

    def tick():
        if (log.read_text() and time.monotonic() - start > 5) or time.monotonic() - start > 60:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_stage(python(code), folder=tmp_path, environment=os.environ, log=log, tick=tick)
    pid = int(log.read_text().split()[0])
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
