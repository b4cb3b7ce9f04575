"""Verdicts on disk, and who is fetching one just now."""

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from sqlite3 import DatabaseError
from typing import Any

import diskcache  # type: ignore[import-untyped]

from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.folder import private_folder
from dianjin_ext.rewards.judge.prompt import VERDICTS, Verdict

__all__ = ["VerdictCache", "cache_key"]

_POLL_S = 0.05


def cache_key(*parts: str) -> str:
    """Return the key of a verdict; equal for texts that are equal character for character."""
    text = json.dumps(parts, ensure_ascii=True)  # a lone surrogate has no UTF-8
    return hashlib.sha256(text.encode()).hexdigest()


class _Texts(diskcache.Disk):  # type: ignore[misc]
    """Reads texts and numbers only: diskcache would load a pickle that it finds in the folder."""

    def fetch(self, mode: int, filename: Any, value: Any, read: bool) -> Any:
        if mode == diskcache.core.MODE_PICKLE:
            return None
        return super().fetch(mode, filename, value, read)


class VerdictCache:
    """The verdicts of all processes of one machine.

    Args:
        cache_dir: See `private_folder`.
        claim_s: Seconds after which whoever fetches a verdict has surely given up.

    Raises:
        DianjinError: The folder can't be used.
    """

    def __init__(self, cache_dir: str | None, claim_s: float) -> None:
        folder = private_folder(cache_dir, "judge.cache_dir") / "verdicts"
        self.claim_s = claim_s
        try:
            self._cache = diskcache.Cache(str(folder), disk=_Texts, timeout=10)
        except (DatabaseError, OSError) as error:
            raise DianjinError(f"{folder}: {error}; remove the folder") from error

    def get(self, key: str) -> Verdict | None:
        """Return a verdict that is there."""
        found = self._cache.get(key)
        return found if found in VERDICTS else None

    def put(self, key: str, verdict: Verdict) -> None:
        """Keep a verdict."""
        self._cache.set(key, verdict)

    @asynccontextmanager
    async def fetching(self, key: str) -> AsyncIterator[Verdict | None]:
        """Become the one who fetches the verdict, or wait for the one who does.

        Yields:
            The verdict, if another fetched it; None to the one who is to fetch it.
        """
        claim = f"{key}/fetching"
        while not self._cache.add(claim, os.getpid(), expire=self.claim_s):
            if found := self.get(key):
                yield found
                return
            holder = self._cache.get(claim)
            if holder is not None and not _alive(holder):
                self._cache.delete(claim)
            await asyncio.sleep(_POLL_S)
        try:
            yield self.get(key)  # it may have come between looking and claiming
        finally:
            self._cache.delete(claim)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is another user's
        return True
    return True
