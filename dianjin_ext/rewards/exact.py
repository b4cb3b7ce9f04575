"""Open answers: the answer is the gold text, but for its typography.

Width, case, blanks outside of numbers, a final stop and quotation marks around it don't matter.

This is a floor: it never accepts another meaning, and what it does not accept it leaves open: a
paraphrase is `undecided`, which is where a judge takes over, and scores 0.0 without one. The answer
needs no box; where there is one, its content counts.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from dianjin_ext.answers.reading import Reading
from dianjin_ext.answers.text import key
from dianjin_ext.rewards.base import MAX_PRED, Score
from dianjin_ext.rewards.format import compare, extract
from dianjin_ext.rewards.policy import Policy
from dianjin_ext.rewards.registry import register_reward

_SAYS_SOMETHING = re.compile(r"[^\W_]")
_HEAD: Final = 20 * MAX_PRED


@register_reward(
    "cflue_oe",
    "finance_instruct",
    "exact",
    gold="a text that is not blank: at least a letter or digit",
    judges_layout=True,
)
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
    score = compare(found, gold, lambda found: _read(found.text, gold))
    return score._replace(reason="undecided") if score.reason == "wrong" else score


def _read(text: str, gold: str | None = None) -> Reading[str]:
    """Return `text` as it is compared; of one far longer than `gold`, only how it begins."""
    if not _SAYS_SOMETHING.search(text):
        return Reading(None, "no_answer")
    if gold is not None and len(text) > _HEAD + 10 * len(gold):
        return Reading(key(text[:_HEAD]) + "…")
    said = key(text)
    return Reading(said) if _SAYS_SOMETHING.search(said) else Reading(None, "no_answer")
