"""On what, and with what, something was measured."""

import os
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

__all__ = ["hardware", "versions"]

_PACKAGES: Final = (
    *("dianjin-ext", "aiohttp", "math-verify", "scipy", "numpy"),
    *("torch", "transformers", "vllm", "verl", "ray"),
)


@cache
def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that are here."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@cache
def hardware() -> dict[str, Any]:
    """Return processors, memory in GiB and the names of the GPUs of this machine."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "memory_gib": round(pages / 2**30, 1),
        "gpus": _gpus(),
    }


def _gpus() -> list[str]:
    query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        said = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in said.stdout.splitlines() if line.strip()]
