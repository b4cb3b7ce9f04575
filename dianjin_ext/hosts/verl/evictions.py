"""End a run that can't fill a batch because every group of responses is evicted.

`algorithm.filter_groups` (DAPO) evicts groups whose responses all have the same value, and the
asynchronous modes evict groups that failed or came too late. For each verl asks for new prompts,
without end: where the data has no other groups, its trainers wait for ever.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from dianjin_ext.errors import DianjinError

__all__ = ["IN_A_ROW", "bound_evictions"]

IN_A_ROW: Final = 1000
"""Groups evicted in a row before a run ends. If one group in a hundred were of use, so many without
one would come by chance once in 23,000 runs."""


def bound_evictions(buffer: Any, config: Any, most_batches: int) -> None:
    """Let a replay buffer of verl raise where it evicts group after group.

    Args:
        buffer: verl's `ReplayBuffer`, or a class made from it; changed in place.
        config: The composed configuration of the run.
        most_batches: `algorithm.filter_groups.max_num_gen_batches`: the most prompts that one step
            may generate, in batches of `data.train_batch_size`, as in verl's trainers before v1.
            0 and below set no such limit; then `IN_A_ROW` groups without one that can be used end
            the run.
    """
    buffer._evict_terminal_groups = _Bounded(buffer, config, most_batches)


class _Bounded:
    """`ReplayBuffer._evict_terminal_groups`, counting.

    verl calls it whenever it has looked for finished groups, in all of its modes.
    """

    def __init__(self, buffer: Any, config: Any, most_batches: int) -> None:
        self._evict: Callable[..., Any] = buffer._evict_terminal_groups
        self._usable: Callable[..., set[str]] = buffer._sampleable_terminal_keys
        self._metric = buffer.filter_groups_metric
        self._n = config.actor_rollout_ref.rollout.n
        self._batch = config.data.train_batch_size
        self._most_batches = max(0, most_batches)
        self._step: int | None = None
        self._seen: set[str] = set()
        self._start()

    def _start(self) -> None:
        self._why: Counter[str] = Counter()
        self._values: Counter[float] = Counter()

    def __call__(self, global_steps: int, partition_id: str, reasons: Any) -> Any:
        if partition_id == "val":
            return self._evict(global_steps, partition_id, reasons)
        usable = set(self._usable(partition_id, reasons))  # before the evicted ones are gone
        found = usable - self._seen
        self._seen = usable
        # A step's limit counts from its beginning, the other one from the last group of use.
        if global_steps != self._step or (found and not self._most_batches):
            self._start()
        self._step = global_steps
        stale, alike, failed, values = reasons
        self._why.update(
            {
                "alike": len(alike),
                "failed": len(failed - alike),
                "late": len(stale - failed - alike),
            }
        )
        self._values.update(values)
        evicted = self._why.total()
        limit = self._most_batches * self._batch or IN_A_ROW
        if evicted >= limit and len(usable) < self._batch:
            raise DianjinError(self._message(evicted, len(usable)))
        return self._evict(global_steps, partition_id, reasons)

    def _message(self, evicted: int, usable: int) -> str:
        if self._most_batches:
            counted = (
                f"{evicted} groups of responses were evicted in step {self._step}, whose limit is "
                f"algorithm.filter_groups.max_num_gen_batches={self._most_batches} batches of "
                f"{self._batch} prompts, and {usable} of the {self._batch} that it needs were found"
            )
        else:
            counted = f"{evicted} groups of responses in a row were evicted"
        parts = [counted]
        if self._why["alike"]:
            parts.append(self._alike())
        if self._why["failed"]:
            parts.append(
                f"{self._why['failed']} of them failed to be generated; the reasons are above"
            )
        if self._why["late"]:
            parts.append(
                f"{self._why['late']} of them were older than "
                "trainer.v1.sampler.max_off_policy_threshold allows; raise it"
            )
        return ". ".join(parts)

    def _alike(self) -> str:
        """Say what the groups had in common, and what to do."""
        common = ", ".join(f"{value:g} in {count}" for value, count in self._values.most_common(3))
        return (
            f"In {self._why['alike']} of them all {self._n} responses had the same {self._metric} "
            f"({common}): no prompt among them had both right and wrong responses, so there is "
            "nothing to learn from. Take prompts that this model solves now and then (`dianjin "
            "sample`, then `dianjin select`), or raise actor_rollout_ref.rollout.n or its "
            "temperature; where nearly all responses are wrong, train by SFT first, and look at "
            "what the reward says of some of them (`dianjin score`)"
        )
