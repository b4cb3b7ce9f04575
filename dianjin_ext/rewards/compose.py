"""Rewards put together in Python: `weighted` and `gated`.

In a file of your own, named by `reward.custom_reward_function.path`:

    from dianjin_ext import weighted

    reward = weighted({"acc": 1.0, "format": 0.2, "language": 0.1}, components={"language": …})
"""

from collections.abc import Mapping
from typing import Any

from dianjin_ext.rewards.grader import Grader


def weighted(weights: Mapping[str, float], **settings: Any) -> Grader:
    """Return a reward function that adds weight times component.

    Args:
        weights: Component to weight: `acc`, `format`, and the names of `component_names()`. With
            weight 0 a component is a metric only.
        settings: Any other field of `dianjin_ext.rewards.settings.Settings`.

    Raises:
        DianjinError: A component or a setting is not known.
    """
    return Grader({**settings, "weights": weights})


def gated(weights: Mapping[str, float], **settings: Any) -> Grader:
    """Like `weighted`, but accuracy counts only where the format is right, as in DianJin-R1."""
    return Grader({**settings, "weights": weights, "gate": True})
