"""The `verl.plugins` entry point: imported by `import verl` in the driver and in every Ray worker.

verl imports this module while `verl` itself is still being imported, so whatever is registered
here must be cheap: names and import paths, never the implementations. verl hides an exception
raised here (it is logged at DEBUG); `dianjin doctor` shows it.
"""

import os

__all__ = ["register"]


def register() -> None:
    """Register everything that verl should find by name in this process."""
    if os.environ.get("VERL_PLATFORM", "").strip().lower() == "cpu":
        _register_cpu()


def _register_cpu() -> None:
    """Register the platform `cpu` and the rollout `transformers_cpu`."""
    from dianjin_ext.hosts.verl.cpu import register

    register()


register()
