"""A limit on how fast a merge may go, so that training keeps its share of the disk."""

import time
from collections.abc import Callable


class Throttle:
    """A `progress` function of `merge_checkpoint` that sleeps where the merge is ahead of its rate.

    Args:
        bytes_per_second: How much may be written in a second, on average. As much is read.
        progress: Called as well.
    """

    def __init__(
        self, bytes_per_second: int, progress: Callable[[int, int], None] | None = None
    ) -> None:
        self._rate = bytes_per_second
        self._progress = progress
        self._started = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """Wait until `done` bytes may have been written."""
        if self._progress is not None:
            self._progress(done, total)
        ahead = done / self._rate - (time.monotonic() - self._started)
        if ahead > 0:
            time.sleep(ahead)
