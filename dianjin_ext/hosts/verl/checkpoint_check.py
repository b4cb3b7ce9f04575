"""What a verl run does with checkpoints, checked before Ray starts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dianjin_ext.errors import DianjinError

__all__ = ["callback_problems", "resume_problems"]


def callback_problems(config: Any) -> Iterator[str]:
    """Load what is called after each checkpoint; ours reads its settings too."""
    from omegaconf import OmegaConf
    from verl.utils.import_utils import load_class_from_fqn

    key = "trainer.checkpoint_callback_class"
    name = OmegaConf.select(config, key)
    if not name:
        return
    try:
        callback = load_class_from_fqn(name, "CheckpointCallback")
        if callback.__module__.startswith("dianjin_ext."):
            callback(config=config)
    except DianjinError as error:
        yield str(error)
    except Exception as error:
        yield f"{key}={name} can't be loaded: {str(error).splitlines()[0]}"


def resume_problems(config: Any) -> Iterator[str]:
    """Look for the checkpoint that a run is to go on from."""
    from omegaconf import OmegaConf

    key = "trainer.resume_from_path"
    if OmegaConf.select(config, "trainer.resume_mode") != "resume_path":
        return
    given = OmegaConf.select(config, key)
    path = Path(str(given or ""))
    number = path.name.removeprefix("global_step_")
    if str(given or "").endswith("/") or path.name == number or not number.isdecimal():
        yield f"{key}={given}: expected a checkpoint's folder, global_step_N, without a / behind"
    elif not (path / "actor").is_dir():
        yield f"{key}={given}: there is no checkpoint (no folder {path / 'actor'})"
