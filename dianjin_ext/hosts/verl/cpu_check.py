"""What can't work without an accelerator, found before Ray starts."""

import os
from collections.abc import Iterator
from typing import Any

__all__ = ["cpu_problems"]

_ACTOR = "actor_rollout_ref.actor"
_MODEL = "actor_rollout_ref.model"


def cpu_problems(config: Any) -> Iterator[str]:
    """Yield a line for a platform that is named in one place only, and for what FSDP1 can't do."""
    from omegaconf import OmegaConf

    def get(key: str) -> Any:
        return OmegaConf.select(config, key)

    variable = os.environ.get("VERL_PLATFORM", "").strip().lower()
    if get("trainer.device") != "cpu":
        if variable == "cpu":
            yield (
                f"VERL_PLATFORM=cpu is set, and trainer.device={get('trainer.device')}: unset it, "
                "or choose platform=cpu"
            )
        return
    if variable != "cpu":
        yield "trainer.device=cpu needs VERL_PLATFORM=cpu in the environment of the command"
    instead = "; use strategy=fsdp2, as configs/platform/cpu.yaml does"
    saves = (get("trainer.save_freq") or 0) > 0
    for role in (_ACTOR, "critic"):
        key = f"{role}.checkpoint.save_contents"
        if saves and get(f"{role}.strategy") == "fsdp" and "hf_model" in (get(key) or ()):
            yield (
                f"{key}: FSDP1 can't gather hf_model on the CPU{instead}, or leave it out and run "
                "`dianjin merge`"
            )
    adapter = (get(f"{_MODEL}.lora_rank") or 0) > 0 or get(f"{_MODEL}.lora_adapter_path")
    if adapter and get(f"{_ACTOR}.strategy") == "fsdp" and not get(f"{_MODEL}.lora.merge"):
        yield (
            f"{_MODEL}.lora.merge=false: with FSDP1 on the CPU verl 0.9.1 sends weights that it "
            f"has freed{instead}"
        )
