"""How the benchmarks take a time."""

import time
from collections.abc import Callable


def best(call: Callable[[], object], *, calls: int, rounds: int) -> float:
    """Return the CPU seconds of one call, the best of `rounds` means over `calls`."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(calls):
            call()
        times.append((time.process_time() - start) / calls)
    return min(times)
