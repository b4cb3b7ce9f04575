"""Which account the processes of a run share."""

import sys
from typing import Any

from dianjin_ext.inference.ledger import Ledger, Limits

__all__ = ["RayLedger", "open_account"]


def open_account(cache_dir: str | None, setting: str) -> "Ledger | RayLedger":
    """Return a file's account, or an actor's where Ray runs on several machines.

    Args:
        cache_dir: Folder of the file; see `private_folder`.
        setting: What it is called where the user wrote it, for messages.
    """
    ray = sys.modules.get("ray")
    if ray is not None and ray.is_initialized():
        machines = sum(node["Alive"] for node in ray.nodes())
        if machines > 1:
            return RayLedger(cache_dir)
    return Ledger(cache_dir, setting=setting)


class RayLedger:
    """A `Ledger` in one actor on Ray's head node, for the processes of all machines."""

    NAME = "dianjin_judge_ledger"

    def __init__(self, cache_dir: str | None) -> None:
        self._cache_dir = cache_dir
        self._actor: Any = None

    async def ask(self, call: str, limits: Limits) -> float:
        """See `Ledger.ask`."""
        wait: float = await self._call("ask", call, limits)
        return wait

    async def take(
        self, block: str, limits: Limits, most: int, tokens: int = 0
    ) -> tuple[int, float]:
        """See `Ledger.take`."""
        taken: tuple[int, float] = await self._call("take", block, limits, most, tokens)
        return taken

    async def release(self, block: str, unused: int = 0, run: str | None = None) -> None:
        """See `Ledger.release`."""
        await self._call("release", block, unused, run)

    async def refund(self, block: str, tokens: int) -> None:
        """See `Ledger.refund`."""
        await self._call("refund", block, tokens)

    async def spend(self, run: str, tokens: int, money: float) -> tuple[int, float]:
        """See `Ledger.spend`."""
        spent: tuple[int, float] = await self._call("spend", run, tokens, money)
        return spent

    async def pause(self, endpoint: str, seconds: float) -> None:
        """See `Ledger.pause`."""
        await self._call("pause", endpoint, seconds)

    async def _call(self, method: str, *arguments: Any) -> Any:
        from ray.exceptions import RayActorError

        try:
            return await getattr(self._found(), method).remote(*arguments)
        except RayActorError:  # it ends with the process that made it; its file stays
            self._actor = None
            return await getattr(self._found(), method).remote(*arguments)

    def _found(self) -> Any:
        import ray

        if self._actor is None:
            self._actor = (
                ray.remote(Ledger)
                .options(
                    name=self.NAME,
                    get_if_exists=True,
                    num_cpus=0,
                    resources={"node:__internal_head__": 0.001},
                    max_restarts=-1,
                )
                .remote(self._cache_dir)
            )
        return self._actor
