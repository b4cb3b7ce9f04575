"""How Ray's processes take less, where there are as many as cores several times over.

A run starts a dozen processes, each of which imports torch, transformers and verl. Beside a small
model this is a large part of the work.
"""

import gc
import os

__all__ = ["lighten", "start_fewer"]

_RAY = {
    "RAY_prestart_worker_first_driver": "0",  # processes that no actor of verl can take over
    "RAY_enable_worker_prestart": "0",
    "REPORTER_UPDATE_INTERVAL_MS": "60000",  # milliseconds, for a dashboard that isn't there; 5000
}


def start_fewer() -> None:
    """Let the Ray that this process will start do without what nothing here uses."""
    for name, value in _RAY.items():
        os.environ.setdefault(name, value)


def lighten() -> None:
    """Look for cycles of objects seldom: else a fifth of the time of the imports goes into it.

    Run by Ray at the start of each worker (`worker_process_setup_hook` in platform/cpu.yaml).
    """
    gc.set_threshold(20_000, 50, 100)
