"""Open answers: the answer is the gold text, but for width, case, blanks and a final stop.

This is a floor: it never accepts another meaning, and refuses most paraphrases. The answer needs no
box; where there is one, its content counts.
"""

from collections.abc import Mapping
from typing import Any

from dianjin_ext.answers.reading import Reading
from dianjin_ext.answers.text import key
from dianjin_ext.rewards.base import Score
from dianjin_ext.rewards.format import compare, extract
from dianjin_ext.rewards.policy import Policy
from dianjin_ext.rewards.registry import register_reward


@register_reward("cflue_oe", "finance_instruct", gold="a text that is not blank")
def score_exact(
    response: str, ground_truth: Any, *, extra_info: Mapping[str, Any], policy: Policy, **_: Any
) -> Score:
    """Score an open answer.

    Args:
        response: The text of the model.
        ground_truth: The text expected.
        extra_info: Not used.
        policy: How the response is read.
    """
    found = extract(response, policy, needs_box=False)
    gold = _read(ground_truth).value if isinstance(ground_truth, str) else None
    return compare(found, gold, lambda found: _read(found.text))


def _read(text: str) -> Reading[str]:
    said = key(text)
    return Reading(said) if said else Reading(None, "no_answer")
