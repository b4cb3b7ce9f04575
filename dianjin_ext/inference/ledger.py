"""Who may call the endpoint now: one account for all processes, in a SQLite file.

A call is written down before it is made, with the moment at which it is over at the latest. So a
process that dies holds its place no longer than that. Who makes many calls takes places in blocks.
"""

import contextlib
import math
import random
import sqlite3
import time
from pathlib import Path
from typing import Final, NamedTuple

from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.folder import private_folder

__all__ = ["WINDOW_S", "Ledger", "Limits"]

WINDOW_S: Final = 60.0
"""Seconds that the limit of the rate counts over."""

_POLL_S = 0.03  # how soon a call asks again when all places are taken
_MAX_PAUSE_S = 60.0  # a server's wish for longer must not outlive its reason
_MAX_LEASE_S = 3600.0

_TABLES = """
CREATE TABLE IF NOT EXISTS blocks (
    id TEXT PRIMARY KEY, endpoint TEXT, ends REAL, places INTEGER, flying INTEGER,
    tokens INTEGER DEFAULT 0
);
CREATE INDEX IF NOT EXISTS blocks_by_endpoint ON blocks (endpoint, ends);
CREATE TABLE IF NOT EXISTS pauses (endpoint TEXT PRIMARY KEY, until REAL);
CREATE TABLE IF NOT EXISTS runs (name TEXT PRIMARY KEY, calls INTEGER);
CREATE TABLE IF NOT EXISTS spent (run TEXT PRIMARY KEY, tokens INTEGER, money REAL);
"""


class Limits(NamedTuple):
    """What holds for the calls of one endpoint.

    Attributes:
        endpoint: Calls are counted for each endpoint on its own.
        max_concurrency: Calls under way at the same time, over all processes; None is no limit.
        requests_per_minute: Calls in any `WINDOW_S` seconds.
        lease_s: Seconds after which a call is surely over; an hour at most.
        run: The name that `budget` is counted under.
        budget: Calls in all.
        tokens_per_minute: Tokens in any `WINDOW_S` seconds; None is no limit.
    """

    endpoint: str
    max_concurrency: int | None
    requests_per_minute: int | None
    lease_s: float
    run: str | None = None
    budget: int | None = None
    tokens_per_minute: int | None = None


class Ledger:
    """The account. Methods are `async`, so that it may also live in a Ray actor.

    Nothing is awaited inside them: a transaction takes a fraction of a millisecond, and a task
    that is cancelled can't lose a place that it was just given.

    Args:
        cache_dir: Folder of the file; see `private_folder`.
        window_s: Seconds that the limit of the rate counts over.
        setting: What `cache_dir` is called where the user wrote it, for messages.

    Raises:
        DianjinError: The file can't be used.
    """

    def __init__(
        self, cache_dir: str | None, window_s: float = WINDOW_S, *, setting: str = "judge.cache_dir"
    ) -> None:
        self.path = private_folder(cache_dir, setting) / "limits.sqlite"
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
        _, wait = await self.take(call, limits, 1)
        return wait

    async def take(
        self, block: str, limits: Limits, most: int, tokens: int = 0
    ) -> tuple[int, float]:
        """Take up to `most` places under one name, each with so many tokens.

        Calls and tokens of a block count for the rate until `window_s` after `release`, or after
        the end of its lease, so the block must be given back when its last call is over.

        Returns:
            How many places, at least one, and 0.0; or 0 and what `ask` returns.
        """
        now = time.time()
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            places, wait = self._free(limits, now, most, tokens)
            if places:
                self._db.execute(
                    "INSERT INTO blocks (id, endpoint, ends, places, flying, tokens) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    (
                        *(block, limits.endpoint, now + limits.lease_s, places),
                        # whose places in flight are counted elsewhere has none here
                        0 if limits.max_concurrency is None else places,
                        places * tokens,
                    ),
                )
                if limits.run is not None:
                    self._db.execute(
                        "INSERT INTO runs VALUES (?, ?) "
                        "ON CONFLICT (name) DO UPDATE SET calls = calls + excluded.calls",
                        (limits.run, places),
                    )
        return places, wait

    async def release(self, block: str, unused: int = 0, run: str | None = None) -> None:
        """Note that the calls of `block` are over; does nothing where it has no place.

        Args:
            block: The name of a block, or of a call.
            unused: Places that no call was made for.
            run: Whose budget gets them back.
        """
        now = time.time()
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(
                "UPDATE blocks SET ends = min(ends, ?), places = places - ? WHERE id = ?",
                (now, unused, block),
            )
            if unused and run is not None:
                self._db.execute("UPDATE runs SET calls = calls - ? WHERE name = ?", (unused, run))

    async def refund(self, block: str, tokens: int) -> None:
        """Give back tokens that the calls of `block` turned out not to take; below 0 takes more."""
        with self._db:
            query = "UPDATE blocks SET tokens = tokens - ? WHERE id = ?"
            self._db.execute(query, (tokens, block))

    async def spend(self, run: str, tokens: int, money: float) -> tuple[int, float]:
        """Add to what a run has spent; return its tokens and money so far."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(
                "INSERT INTO spent VALUES (?, ?, ?) ON CONFLICT (run) DO UPDATE SET "
                "tokens = tokens + excluded.tokens, money = money + excluded.money",
                (run, tokens, money),
            )
            query = "SELECT tokens, money FROM spent WHERE run = ?"
            row = self._db.execute(query, (run,)).fetchone()
        return int(row[0]), float(row[1])

    async def pause(self, endpoint: str, seconds: float) -> None:
        """Make no call for so long, as the server asked; a minute at most."""
        until = time.time() + min(seconds, _MAX_PAUSE_S)
        with self._db:
            self._db.execute("INSERT OR REPLACE INTO pauses VALUES (?, ?)", (endpoint, until))

    def _free(self, limits: Limits, now: float, most: int, tokens: int) -> tuple[int, float]:
        free: float = most
        if limits.budget is not None:
            spent = self._number("SELECT calls FROM runs WHERE name = ?", limits.run)
            free = min(free, limits.budget - spent)
            if free <= 0:
                return 0, math.inf
        endpoint = limits.endpoint
        # Entries from the future were written before the clock was set back.
        self._db.execute(
            "DELETE FROM blocks WHERE endpoint = ? AND (ends <= ? OR ends > ?)",
            (endpoint, now - self.window_s, now + _MAX_LEASE_S),
        )
        pause = self._number("SELECT until FROM pauses WHERE endpoint = ?", endpoint) - now
        if 0 < pause <= _MAX_PAUSE_S:
            return 0, min(pause, 1.0)
        flying = "SELECT SUM(flying) FROM blocks WHERE endpoint = ? AND ends > ?"
        if limits.max_concurrency is not None:
            free = min(free, limits.max_concurrency - self._number(flying, endpoint, now))
            if free <= 0:
                return 0, random.uniform(0.5, 1.5) * _POLL_S
        for rate, column, each in (
            (limits.requests_per_minute, "places", 1),
            (limits.tokens_per_minute, "tokens", max(1, tokens)),
        ):
            if rate is None:
                continue
            query = f"SELECT SUM({column}) FROM blocks WHERE endpoint = ?"
            free = min(free, (rate - self._number(query, endpoint)) // each)
            if free <= 0:
                oldest = self._number("SELECT MIN(ends) FROM blocks WHERE endpoint = ?", endpoint)
                return 0, min(max(oldest + self.window_s - now, _POLL_S), 1.0)
        return int(free), 0.0

    def _number(self, query: str, *values: object) -> float:
        row = self._db.execute(query, values).fetchone()
        return float(row[0]) if row and row[0] is not None else 0.0


def _open(path: Path) -> sqlite3.Connection:
    # An actor makes the connection in one thread and uses it in another.
    db = sqlite3.connect(path, timeout=10.0, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA synchronous = OFF")  # safe when a process is killed, not when power fails
    db.executescript(_TABLES)
    if "tokens" not in {row[1] for row in db.execute("PRAGMA table_info(blocks)")}:
        # a file of an earlier version; another process may add it at the same moment
        with contextlib.suppress(sqlite3.OperationalError):
            db.execute("ALTER TABLE blocks ADD COLUMN tokens INTEGER DEFAULT 0")
    return db
