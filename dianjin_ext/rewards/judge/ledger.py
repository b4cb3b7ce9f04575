"""Who may call the endpoint now: one account for all processes, in a SQLite file.

A call is written down before it is made, with the moment at which it is over at the latest. So a
process that dies holds its place no longer than that.
"""

import math
import random
import sqlite3
import time
from pathlib import Path
from typing import Final, NamedTuple

from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards.judge.folder import judge_folder

__all__ = ["WINDOW_S", "Ledger", "Limits"]

WINDOW_S: Final = 60.0
"""Seconds that the limit of the rate counts over."""

_POLL_S = 0.03  # how soon a call asks again when all places are taken
_MAX_PAUSE_S = 60.0  # a server's wish for longer must not outlive its reason
_MAX_LEASE_S = 3600.0

_TABLES = """
CREATE TABLE IF NOT EXISTS calls (id TEXT PRIMARY KEY, endpoint TEXT, ends REAL);
CREATE INDEX IF NOT EXISTS by_endpoint ON calls (endpoint, ends);
CREATE TABLE IF NOT EXISTS pauses (endpoint TEXT PRIMARY KEY, until REAL);
CREATE TABLE IF NOT EXISTS runs (name TEXT PRIMARY KEY, calls INTEGER);
"""


class Limits(NamedTuple):
    """What holds for the calls of one endpoint; see `JudgeSettings`.

    Attributes:
        endpoint: Calls are counted for each endpoint on its own.
        max_concurrency: Calls under way at the same time.
        requests_per_minute: Calls in any `WINDOW_S` seconds.
        lease_s: Seconds after which a call is surely over; an hour at most.
        run: The name that `budget` is counted under.
        budget: Calls in all.
    """

    endpoint: str
    max_concurrency: int
    requests_per_minute: int | None
    lease_s: float
    run: str | None = None
    budget: int | None = None


class Ledger:
    """The account. Methods are `async`, so that it may also live in a Ray actor.

    Nothing is awaited inside them: a transaction takes a fraction of a millisecond, and a task
    that is cancelled can't lose a place that it was just given.

    Args:
        cache_dir: Folder of the file; see `judge_folder`.
        window_s: Seconds that the limit of the rate counts over.

    Raises:
        DianjinError: The file can't be used.
    """

    def __init__(self, cache_dir: str | None, window_s: float = WINDOW_S) -> None:
        self.path = judge_folder(cache_dir) / "limits.sqlite"
        self.window_s = window_s
        try:
            self._db = _open(self.path)
        except sqlite3.Error as error:
            raise DianjinError(f"{self.path}: {error}; remove the file") from error

    async def ask(self, call: str, limits: Limits) -> float:
        """Take a place for `call`, if one is free.

        At any moment at most `max_concurrency` calls are under way. A call counts for the rate
        until `window_s` after its end: the server gets it at some moment before its end, so it
        never gets more than the limit in any window, however long calls are on their way.

        Returns:
            0.0 when the call may be made; seconds after which to ask again; infinity when the
            budget is spent.
        """
        now = time.time()
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            wait = self._wait(limits, now)
            if not wait:
                self._db.execute(
                    "INSERT INTO calls VALUES (?, ?, ?)",
                    (call, limits.endpoint, now + limits.lease_s),
                )
                if limits.run is not None:
                    self._db.execute(
                        "INSERT INTO runs VALUES (?, 1) "
                        "ON CONFLICT (name) DO UPDATE SET calls = calls + 1",
                        (limits.run,),
                    )
        return wait

    async def release(self, call: str) -> None:
        """Note that `call` is over; does nothing where it has no place."""
        now = time.time()
        with self._db:
            self._db.execute(
                "UPDATE calls SET ends = ? WHERE id = ? AND ends > ?", (now, call, now)
            )

    async def pause(self, endpoint: str, seconds: float) -> None:
        """Make no call for so long, as the server asked; a minute at most."""
        until = time.time() + min(seconds, _MAX_PAUSE_S)
        with self._db:
            self._db.execute("INSERT OR REPLACE INTO pauses VALUES (?, ?)", (endpoint, until))

    def _wait(self, limits: Limits, now: float) -> float:
        if limits.budget is not None and limits.budget <= self._number(
            "SELECT calls FROM runs WHERE name = ?", limits.run
        ):
            return math.inf
        endpoint = limits.endpoint
        # Entries from the future were written before the clock was set back.
        self._db.execute(
            "DELETE FROM calls WHERE endpoint = ? AND (ends <= ? OR ends > ?)",
            (endpoint, now - self.window_s, now + _MAX_LEASE_S),
        )
        pause = self._number("SELECT until FROM pauses WHERE endpoint = ?", endpoint) - now
        if 0 < pause <= _MAX_PAUSE_S:
            return min(pause, 1.0)
        count = "SELECT COUNT(*) FROM calls WHERE endpoint = ? AND ends > ?"
        if self._number(count, endpoint, now) >= limits.max_concurrency:
            return random.uniform(0.5, 1.5) * _POLL_S
        rate = limits.requests_per_minute
        if rate is not None and self._number(count, endpoint, 0.0) >= rate:
            oldest = self._number("SELECT MIN(ends) FROM calls WHERE endpoint = ?", endpoint)
            return min(max(oldest + self.window_s - now, _POLL_S), 1.0)
        return 0.0

    def _number(self, query: str, *values: object) -> float:
        row = self._db.execute(query, values).fetchone()
        return float(row[0]) if row and row[0] is not None else 0.0


def _open(path: Path) -> sqlite3.Connection:
    # An actor makes the connection in one thread and uses it in another.
    db = sqlite3.connect(path, timeout=10.0, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA synchronous = OFF")  # safe when a process is killed, not when power fails
    db.executescript(_TABLES)
    return db
