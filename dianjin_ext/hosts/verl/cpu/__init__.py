"""verl without an accelerator: a platform, an FSDP engine and a rollout for the CPU.

Chosen with `VERL_PLATFORM=cpu` in the environment and `platform=cpu` on the command line
(configs/platform/cpu.yaml). Meant for trying recipes and rewards with a small model.
"""

__all__ = ["ROLLOUT_NAME", "register"]

ROLLOUT_NAME = "transformers_cpu"


def register() -> None:
    """Register the platform and, by import path only, the rollout.

    The engines take seconds to import: they register themselves when verl imports its own.
    """
    from verl.workers.rollout.base import _ROLLOUT_REGISTRY
    from verl.workers.rollout.replica import RolloutReplicaRegistry

    import dianjin_ext.hosts.verl.cpu.platform  # noqa: F401  (registers itself)
    from dianjin_ext.hosts.verl.cpu.processes import start_fewer

    start_fewer()

    _ROLLOUT_REGISTRY[ROLLOUT_NAME, "async"] = "dianjin_ext.hosts.verl.cpu.rollout.ServerAdapter"
    RolloutReplicaRegistry.register(ROLLOUT_NAME, _load_replica)


def _load_replica() -> type:
    from dianjin_ext.hosts.verl.cpu.rollout import Replica

    return Replica
