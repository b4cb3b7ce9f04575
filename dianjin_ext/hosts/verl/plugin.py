"""The `verl.plugins` entry point: imported by `import verl` in the driver and in every Ray worker.

verl imports this module while `verl` itself is still being imported, so whatever is registered
here must be cheap: names and import paths, never the implementations. verl hides an exception
raised here (it is logged at DEBUG); `dianjin doctor` shows it.
"""

import os
from importlib import import_module

from dianjin_ext.hosts.verl.config_check import check_before_training
from dianjin_ext.hosts.verl.imports import when_imported

__all__ = ["register"]


def register() -> None:
    """Register everything that verl should find by name in this process."""
    if os.environ.get("VERL_PLATFORM", "").strip().lower() == "cpu":
        _register_cpu()
    # The modules on the left take seconds to import: they wait until verl imports them.
    when_imported(
        "verl.experimental.reward_loop.reward_manager",
        lambda: import_module("dianjin_ext.hosts.verl.reward_manager"),
    )
    when_imported("verl.trainer.ppo.v1", lambda: import_module("dianjin_ext.hosts.verl.trainer"))
    when_imported("verl.utils.config", check_before_training)


def _register_cpu() -> None:
    """Register the platform `cpu`, the rollout `transformers_cpu` and the engines."""
    from dianjin_ext.hosts.verl.cpu import register

    register()
    when_imported("verl.workers.engine", lambda: import_module("dianjin_ext.hosts.verl.cpu.engine"))


register()
