"""How far a merge is."""

from collections.abc import Callable

Report = Callable[[int, int], None]
"""Called with the bytes done and the bytes in total."""


class Advance:
    """Counts the bytes of a merge, and reports them.

    Args:
        nbytes: Bytes of the merged tensors.
        verify: Whether all of them are read again.
        report: Where to, if anywhere.
    """

    def __init__(self, nbytes: int, *, verify: bool, report: Report | None) -> None:
        self._done, self._total, self._report = 0, nbytes * (2 if verify else 1), report

    def __call__(self, nbytes: int) -> None:
        """Count `nbytes` more."""
        self._done += nbytes
        if self._report is not None:
            self._report(self._done, self._total)
