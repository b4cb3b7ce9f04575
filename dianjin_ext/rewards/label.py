"""Labels: the answer is the gold label, out of a closed set.

The sets and their words stand in `dianjin_ext.answers.labels`. The set that has the gold answer
decides how the response is read: where the gold answer is `合规`, `是` is no answer, because
whether it means the same depends on the question.
"""

from collections.abc import Mapping
from typing import Any

from dianjin_ext.answers.labels import label_set, read_label
from dianjin_ext.rewards.base import Score
from dianjin_ext.rewards.format import compare, extract
from dianjin_ext.rewards.policy import Policy
from dianjin_ext.rewards.registry import register_reward

SETS = {"tfns": ("sentiment",), "ccc": ("compliance", "yes_no", "true_false")}
"""Data source to the sets that its gold answers come from."""


@register_reward(*SETS, gold="a label such as 'bullish' or '利好' (tfns), '合规' or '否' (ccc)")
def score_label(
    response: str,
    ground_truth: Any,
    *,
    data_source: str,
    extra_info: Mapping[str, Any],
    policy: Policy,
    **_: Any,
) -> Score:
    """Score an answer that is one label.

    Args:
        response: The text of the model.
        ground_truth: A word of one of the sets.
        data_source: A key of `SETS`.
        extra_info: Not used.
        policy: How the response is read.
    """
    found = extract(response, policy)
    gold = ground_truth if isinstance(ground_truth, str) else ""
    name = label_set(gold, SETS[data_source])
    names = SETS[data_source] if name is None else (name,)
    return compare(
        found, read_label(gold, names).value, lambda found: read_label(found.text, names)
    )
