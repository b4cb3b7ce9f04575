import subprocess
import sys
import time

import pytest

psutil = pytest.importorskip("psutil")

from dianjin_ext.quickstart.meter import Meter  # noqa: E402

WORK = """
import time
start = time.process_time()
while time.process_time() < start + {seconds}:
    pass
"""


def measured(code, every=0.2):
    """Run Python code as the root of a tree; returns its meter."""
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    meter = Meter(process.pid)
    while process.poll() is None:
        time.sleep(every)
        meter.look()
    meter.look()
    return meter


def test_children_that_are_waited_for_count_though_nobody_saw_them():
    work = WORK.format(seconds=0.1)
    code = (
        "import subprocess, sys\n"
        f"for _ in range(5): subprocess.run([sys.executable, '-c', {work!r}])"
    )
    meter = measured(code, every=5.0)
    assert 0.5 <= meter.processor_seconds < 1.5


def test_children_that_nobody_waits_for_count():
    """As Ray's raylet starts its workers: the kernel forgets them and their time."""
    work = WORK.format(seconds=0.6) + "time.sleep(1)"
    code = (
        "import signal, subprocess, sys\n"
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        f"tree = [subprocess.Popen([sys.executable, '-c', {work!r}]) for _ in range(2)]\n"
        "for process in tree: process.wait()"
    )
    meter = measured(code)
    assert 1.2 <= meter.processor_seconds < 2.0


def test_what_outlives_its_parent_counts():
    """In a session of its own, as a daemon."""
    work = WORK.format(seconds=0.8) + "time.sleep(1)"
    start = f"subprocess.Popen([sys.executable, '-c', {work!r}], start_new_session=True, **keep)"
    middle = f"import subprocess, sys, time\nkeep = dict(close_fds=False)\n{start}\ntime.sleep(1)"
    code = (
        "import os, subprocess, sys\n"
        "read, write = os.pipe()\n"
        "os.set_inheritable(write, True)\n"
        f"subprocess.run([sys.executable, '-c', {middle!r}], close_fds=False)\n"
        "os.close(write)\n"
        "os.read(read, 1)"  # until the last holder of the pipe is gone
    )
    meter = measured(code)
    assert 0.8 <= meter.processor_seconds < 1.6


def test_what_others_do_does_not_count():
    other = subprocess.Popen([sys.executable, "-c", WORK.format(seconds=1.0)])
    meter = measured("import time; time.sleep(1.5)")
    other.kill()
    other.wait()
    assert meter.processor_seconds < 0.5


def test_memory_that_processes_share_counts_once():
    code = (
        "import os, time\n"
        "block = bytearray(200 * 2**20)\n"
        "if os.fork() == 0: time.sleep(2); os._exit(0)\n"
        "os.wait()"
    )
    meter = measured(code)
    assert 190 * 2**20 < meter.peak_memory < 300 * 2**20
