"""Merge each checkpoint to the Hugging Face format as soon as verl has saved it.

    trainer.checkpoint_callback_class=dianjin_ext.hosts.verl.checkpoint.MergeOnSave

`{trainer.default_local_dir}/global_step_N/merged` is then a model that transformers and vLLM load.
verl's `trainer.max_actor_ckpt_to_keep` never removes it: merged checkpoints stay.
"""

import logging
import time
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from verl.trainer.ppo.checkpoint_callback import CheckpointCallback

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge import merge_checkpoint

__all__ = ["MergeOnSave"]

logger = logging.getLogger(__name__)


class MergeOnSave(CheckpointCallback):
    """Merges the actor's shards in the driver, while training waits.

    A merge that fails is logged as an error and training goes on: the checkpoint itself is safe
    and `dianjin merge` can be run on it later. `trainer.merge_on_save.fatal=true` stops the run
    instead.

    Raises:
        DianjinError: At the start of a run whose checkpoints could not be merged.
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
        self.fatal = bool(OmegaConf.select(config, "trainer.merge_on_save.fatal", default=False))

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
        started = time.monotonic()
        try:
            # A run that was resumed from an earlier step gets here again.
            merge_checkpoint(source, target, overwrite=True)
        except Exception as error:
            message = (
                f"step {global_step}: the checkpoint {source} was saved but not merged: {error}"
            )
            if self.config.trainer.nnodes > 1:
                message += (
                    f" (trainer.nnodes={self.config.trainer.nnodes}: each node saves its own "
                    "shards, and only those that this node sees can be merged. Put "
                    "trainer.default_local_dir on storage that all nodes share, or bring the "
                    "shards together and run `dianjin merge`.)"
                )
            if self.fatal:
                raise DianjinError(message) from error
            logger.error(message, exc_info=not isinstance(error, DianjinError))
        else:
            # verl's log level is WARNING; a line that says where the model is should be seen.
            print(f"Merged step {global_step} into {target} in {time.monotonic() - started:.1f} s")
