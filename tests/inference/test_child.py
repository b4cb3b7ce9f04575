"""A server that doesn't watch for its parent ends with it all the same."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

CHILD = [sys.executable, "-m", "dianjin_ext.inference.child"]
SERVER = (  # as vLLM: processes of its own, and work to do before it ends
    "import signal, subprocess, sys, time\n"
    "def end(*_):\n"
    "    print('ended by itself', flush=True); sys.exit(7)\n"
    "signal.signal(signal.SIGTERM, end)\n"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    "print('ready', flush=True)\n"
    "time.sleep(600)\n"
)
STUBBORN = SERVER.replace("print('ended by itself', flush=True); sys.exit(7)", "pass")
PARENT = (
    "import os, subprocess, sys, time\n"
    "child = [*sys.argv[1:4], str(os.getpid()), sys.executable, '-c', sys.argv[4]]\n"
    "subprocess.Popen(child, start_new_session=True)\n"
    "time.sleep(600)\n"
)


def started(*command):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout.readline() == "ready\n"
    return process, psutil.Process(process.pid).children(recursive=True)


@pytest.mark.parametrize("server", [SERVER, STUBBORN])
def test_it_ends_with_its_parent(server):
    parent, others = started(sys.executable, "-c", PARENT, *CHILD, server)
    assert len(others) == 3
    parent.kill()
    _, alive = psutil.wait_procs(others, timeout=60)
    assert not alive
    assert parent.stdout.read() == ("ended by itself\n" if server == SERVER else "")


def test_whoever_stops_it_waits_for_what_the_server_does_last():
    process, others = started(*CHILD, str(os.getpid()), sys.executable, "-c", SERVER)
    os.killpg(process.pid, signal.SIGTERM)
    assert process.stdout.read() == "ended by itself\n"
    assert process.wait(60) == 7
    psutil.wait_procs(others, timeout=60)


def test_a_server_that_ends_gives_its_code():
    given = [*CHILD, str(os.getpid()), sys.executable, "-c", "raise SystemExit(3)"]
    assert subprocess.run(given, start_new_session=True, timeout=60).returncode == 3
