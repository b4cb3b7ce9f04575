"""Merge each checkpoint to the Hugging Face format after verl has saved it.

    trainer.checkpoint_callback_class=dianjin_ext.hosts.verl.checkpoint.MergeOnSave

`{trainer.default_local_dir}/global_step_N/merged` is then a model that transformers and vLLM load.
It appears complete or not at all. verl's `trainer.max_actor_ckpt_to_keep` never removes it; `keep`
below does.
"""

import importlib
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from omegaconf import OmegaConf
from pydantic import PositiveInt
from verl.trainer.ppo.checkpoint_callback import CheckpointCallback

from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.verl.background_merge import BackgroundMerges, keep_newest, run_merge
from dianjin_ext.merge.settings import parse_size
from dianjin_ext.rewards.policy import Model, build

__all__ = ["MergeOnSave", "MergeOnSaveSettings"]

logger = logging.getLogger(__name__)


class MergeOnSaveSettings(Model):
    """The keys under `trainer.merge_on_save`.

    Attributes:
        fatal: A merge that fails stops the run. Training then waits for each merge; otherwise it
            goes on at once, and waits only for those that are left at its end.
        dtype: `keep` what was trained, or `bf16`, `fp16`, `fp32`.
        io_limit: Bytes written a second at most (as many are read), so that checkpoints and data
            keep their share of the storage.
        keep: How many merged folders stay, counted from the newest; null keeps all.
        hook: `package.module:function`, called with the merged folder (a `Path`) and the step (an
            int) after each merge, in the driver process and one at a time.
    """

    fatal: bool = False
    dtype: Literal["keep", "bf16", "fp16", "fp32"] = "keep"
    io_limit: str = "500MB"
    keep: PositiveInt | None = None
    hook: str | None = None


class MergeOnSave(CheckpointCallback):
    """Merges the actor's shards in a process of its own, beside training.

    A merge or a hook that fails is logged as an error and training goes on: the checkpoint itself
    is safe, and `dianjin merge` can be run on it later. `trainer.merge_on_save` has the settings.

    Raises:
        DianjinError: At the start of a run whose checkpoints could not be merged, or whose settings
            are wrong.
    """

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        actor = config.actor_rollout_ref.actor
        if actor.strategy not in ("fsdp", "fsdp2"):
            raise DianjinError(
                f"MergeOnSave merges FSDP checkpoints; actor_rollout_ref.actor.strategy is "
                f"{actor.strategy!r}: set trainer.checkpoint_callback_class=null"
            )
        if "model" not in actor.checkpoint.save_contents:
            raise DianjinError(
                "MergeOnSave needs the model's shards: add 'model' to "
                "actor_rollout_ref.actor.checkpoint.save_contents"
            )
        self.settings = _read_settings(config)
        self._hook = _load_hook(self.settings.hook)
        self._started: dict[int, float] = {}
        self._merges = BackgroundMerges(self._finish)

    def on_save(
        self,
        trainer: Any,
        global_step: int,
        checkpoint_dir: str,
        async_save: bool = False,
        **kwargs: Any,
    ) -> None:
        """Merge `checkpoint_dir/actor` into `checkpoint_dir/merged`."""
        source, target = Path(checkpoint_dir, "actor"), Path(checkpoint_dir, "merged")
        dtype, io_limit = self.settings.dtype, self.settings.io_limit
        self._started[global_step] = time.monotonic()
        if not self.settings.fatal:
            self._merges.submit(global_step, source, target, dtype=dtype, io_limit=io_limit)
            if global_step >= trainer.total_training_steps:
                self._merges.wait()  # the processes of a run that is over are killed
            return
        try:
            run_merge(source, target, dtype=dtype, io_limit=io_limit)
        except DianjinError as error:
            raise DianjinError(self._failure(global_step, target, error)) from error
        self._finish(global_step, target, None)

    def _finish(self, step: int, target: Path, error: Exception | None) -> None:
        seconds = time.monotonic() - self._started.pop(step)
        if error is not None:
            logger.error(
                self._failure(step, target, error),
                exc_info=None if isinstance(error, DianjinError) else error,
            )
            return
        # verl's log level is WARNING; a line that says where the model is should be seen.
        print(f"Merged step {step} into {target} in {seconds:.1f} s", flush=True)
        try:
            if self._hook is not None:
                self._hook(target, step)
            if self.settings.keep is not None:
                keep_newest(target.parent.parent, self.settings.keep)
        except Exception:
            if self.settings.fatal:
                raise
            logger.exception("step %d: %s was merged, but what follows failed", step, target)

    def _failure(self, step: int, target: Path, error: Exception) -> str:
        message = (
            f"step {step}: the checkpoint {target.with_name('actor')} was saved but not merged: "
            f"{error}"
        )
        nnodes = self.config.trainer.nnodes
        if nnodes > 1:
            message += (
                f" (trainer.nnodes={nnodes}: each node saves its own shards, and only those that "
                "this node sees can be merged. Put trainer.default_local_dir on storage that all "
                "nodes share, or bring the shards together and run `dianjin merge`.)"
            )
        return message


def _read_settings(config: Any) -> MergeOnSaveSettings:
    given = OmegaConf.select(config, "trainer.merge_on_save") or {}
    settings = build(MergeOnSaveSettings, given, "trainer.merge_on_save")
    parse_size(settings.io_limit, "trainer.merge_on_save.io_limit")
    return settings


def _load_hook(name: str | None) -> Callable[[Path, int], Any] | None:
    if name is None:
        return None
    module, _, function = name.partition(":")
    try:
        hook = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise DianjinError(
            f"trainer.merge_on_save.hook={name!r} can't be loaded ({error}); expected "
            "package.module:function, importable in the driver's environment"
        ) from error
    if not callable(hook):
        raise DianjinError(f"trainer.merge_on_save.hook={name!r} is not a function")
    return hook  # type: ignore[no-any-return]
