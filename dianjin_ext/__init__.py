"""Financial-reasoning post-training for unforked verl and LLaMA-Factory.

Hosts import this module early, so it imports nothing until a name is asked for.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dianjin_ext.rewards import compute_score, gated, register_reward, weighted

    __version__: str

__all__ = ["__version__", "compute_score", "gated", "register_reward", "weighted"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("dianjin-ext")
    if name in __all__:
        from dianjin_ext import rewards

        return getattr(rewards, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
