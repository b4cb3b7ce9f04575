"""The failures of reward functions: told, counted, and a stop where nothing else comes."""

import logging
import traceback
from collections import Counter

from dianjin_ext.errors import DianjinError

__all__ = ["MAX_IN_A_ROW", "Failures"]

MAX_IN_A_ROW = 64
"""Responses of one data source whose reward failed one after the other, before training stops."""

logger = logging.getLogger(__name__)


class Failures:
    """Counts the failures of one process, by data source and type of exception.

    Of each kind the 1st, 2nd, 4th, 8th … is logged, the first with its traceback, so that a second
    cause shows beside the first.
    """

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self._in_a_row: Counter[str] = Counter()
        self._first: dict[str, str] = {}  # data source to the traceback of its first failure

    def graded(self, data_source: str) -> None:
        """Note that a response was graded: the failures before it were sporadic."""
        self._in_a_row[data_source] = 0

    def failed(self, data_source: str, error: BaseException, *, note: str = "") -> None:
        """Note and perhaps log that a response could not be graded.

        Args:
            data_source: Of the response.
            error: What the reward raised, or what was wrong with its result.
            note: Ends the line in the log: which row, what it is scored.

        Raises:
            DianjinError: It is the 64th in a row. The message has the first traceback of the data
                source, and what to do. It is raised once.
        """
        kind = type(error).__name__
        self.counts[data_source, kind] += 1
        times = self.counts[data_source, kind]
        if not times & (times - 1):
            logger.error(
                "the reward of data_source %r failed with %s: %s. Failure number %d of this kind "
                "in this process. %s",
                data_source,
                kind,
                error,
                times,
                note,
                exc_info=error if times == 1 else None,
            )
        self._first.setdefault(data_source, "".join(traceback.format_exception(error)).rstrip())
        self._in_a_row[data_source] += 1
        if self._in_a_row[data_source] == MAX_IN_A_ROW:
            raise DianjinError(self._stopped(data_source))

    def _stopped(self, data_source: str) -> str:
        kinds = ", ".join(
            f"{times} {kind}" for (source, kind), times in self.counts.items()
            if source == data_source
        )  # fmt: skip
        return (
            f"the reward of data_source {data_source!r} failed on {MAX_IN_A_ROW} responses in a "
            f"row ({kinds}), so training on would be useless. Mend the reward function or the rows "
            "that it can't read (`dianjin check-data FILE`), then start again: a run goes on from "
            f"its last checkpoint. The first failure was:\n{self._first[data_source]}"
        )
