"""verl's trainers, with each reward component as a curve, and without what nobody could judge.

`trainer.v1.trainer_mode=dianjin_sync` (or `dianjin_colocate_async`, `dianjin_separate_async`) is
verl's trainer of that mode in every other respect. verl itself logs reward components for
validation only, and trains on every score; see `dianjin_ext.hosts.verl.skipped`. And it waits for
ever where group filtering leaves nothing; see `dianjin_ext.hosts.verl.evictions`.
"""

from typing import Any, ClassVar

import transfer_queue
from verl.trainer.ppo.v1 import (
    PPOTrainerColocateAsync,
    PPOTrainerSeparateAsync,
    PPOTrainerSync,
    register_trainer,
)

from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.verl.curves import RewardCurves
from dianjin_ext.hosts.verl.evictions import bound_evictions
from dianjin_ext.hosts.verl.skipped import replace_skipped, values
from dianjin_ext.hosts.verl.stop import stop_if_asked

__all__ = ["ColocateAsyncTrainer", "SeparateAsyncTrainer", "SyncTrainer"]


class _WithCurves:
    """Goes in front of one of verl's trainers.

    `trainer.v1.sampler.sampler_kwargs.poll_interval_s` (seconds; verl's own default is 2.0) is how
    often the replay buffer looks for finished rollouts; where a step takes seconds, it matters.
    """

    verl_mode: ClassVar[str]
    config: Any

    def __init__(self, config: Any) -> None:
        # verl compares this key with its own three names in many places.
        config.trainer.v1.trainer_mode = self.verl_mode
        self._most_batches = _take_most_batches(config)
        super().__init__(config)  # type: ignore[call-arg]
        self.reward_curves = RewardCurves()

    def _build_replay_buffer(self) -> Any:
        buffer = super()._build_replay_buffer()  # type: ignore[misc]
        interval = self.config.trainer.v1.sampler.sampler_kwargs.get("poll_interval_s")
        if interval is not None:
            buffer.poll_interval = float(interval)
        bound_evictions(buffer, self.config, self._most_batches)
        wait = buffer._wait_for_next_poll

        def wait_unless_asked_to_stop(*args: Any, **kwargs: Any) -> Any:
            stop_if_asked()
            return wait(*args, **kwargs)

        buffer._wait_for_next_poll = wait_unless_asked_to_stop
        return buffer

    def _validate(self) -> Any:
        metrics = super()._validate()  # type: ignore[misc]
        stop_if_asked()
        return metrics

    def _compute_advantage(self, batch: Any, metrics: dict[str, Any]) -> Any:
        stop_if_asked()
        replace_skipped(batch)
        return super()._compute_advantage(batch, metrics)  # type: ignore[misc]

    def _compute_metrics(self, batch: Any, metrics: dict[str, Any], *args: Any, **kw: Any) -> None:
        super()._compute_metrics(batch, metrics, *args, **kw)  # type: ignore[misc]
        rows = _reward_rows(batch)
        metrics.update(self.reward_curves(rows))
        if rows and all(row.get("reason") == "error" for _, row in rows):
            raise DianjinError(
                f"the reward function failed on all {len(rows)} responses of this step; training "
                "on would be useless. The first failure is above, with its traceback."
            )


def _take_most_batches(config: Any) -> int:
    """Return `max_num_gen_batches`, and leave 0: else verl says that it ignores the key."""
    filtering = config.algorithm.get("filter_groups")
    if not filtering:
        return 0
    most, filtering.max_num_gen_batches = int(filtering.get("max_num_gen_batches") or 0), 0
    return most


def _reward_rows(batch: Any) -> list[tuple[str, dict[str, Any]]]:
    """Return data source and `reward_extra_info` of each trajectory of the step."""
    trajectories = {  # one key per sequence: {uid}_{session}_{sequence}, with one reward in common
        key.rsplit("_", 1)[0]: key
        for key, tag in zip(batch.keys, batch.tags, strict=True)
        if not tag.get("is_padding", False)
    }
    if not trajectories:
        return []
    data = transfer_queue.kv_batch_get(
        keys=list(trajectories.values()),
        partition_id=batch.partition_id,
        select_fields=["data_source", "extra_fields"],
    )
    sources, extra_fields = values(data["data_source"]), values(data["extra_fields"])
    return [
        (str(source), fields.get("reward_extra_info") or {})
        for source, fields in zip(sources, extra_fields, strict=True)
    ]


@register_trainer("dianjin_sync")
class SyncTrainer(_WithCurves, PPOTrainerSync):
    """Rollout and training take turns on the same devices."""

    verl_mode = "sync"


@register_trainer("dianjin_colocate_async")
class ColocateAsyncTrainer(_WithCurves, PPOTrainerColocateAsync):
    """The same devices, with unfinished rollouts carried over to the next step."""

    verl_mode = "colocate_async"


@register_trainer("dianjin_separate_async")
class SeparateAsyncTrainer(_WithCurves, PPOTrainerSeparateAsync):
    """Rollout on devices of its own."""

    verl_mode = "separate_async"
