"""Labels: the answer is the gold label, out of a closed set.

The row may give the set: `extra_info["labels"]`, a list of labels or a mapping of each label to the
words for it; see `dianjin_ext.answers.labels.own_set`. Else it is the set that has the gold answer,
among those of `dianjin_ext.answers.labels`: where the gold answer is `合规`, `是` is no answer,
because whether it means the same depends on the question.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from dianjin_ext.answers.labels import (
    LABEL_SETS,
    LabelSet,
    label_set,
    label_text,
    named_sets,
    own_set,
    read_label,
    read_word,
)
from dianjin_ext.answers.reading import Reading
from dianjin_ext.answers.stated_labels import contradicts, read_stated_label
from dianjin_ext.rewards.base import Score
from dianjin_ext.rewards.format import Extract, compare, extract
from dianjin_ext.rewards.policy import Policy
from dianjin_ext.rewards.registry import register_reward

SETS: Final[Mapping[str, tuple[str, ...]]] = {
    "tfns": ("sentiment",),
    "ccc": ("compliance", "yes_no", "true_false"),
    "label": tuple(LABEL_SETS),
}
"""Data source to the sets that its gold answers come from."""


@register_reward(
    *SETS,
    gold="one of the row's `labels` where it has them, else a label such as 'bullish' or '利好' "
    "(tfns), '合规' or '否' (ccc)",
    judges_layout=True,
)
def score_label(
    response: str,
    ground_truth: Any,
    *,
    data_source: str = "label",
    extra_info: Mapping[str, Any],
    policy: Policy,
    **_: Any,
) -> Score:
    """Score an answer that is one label.

    Args:
        response: The text of the model.
        ground_truth: A label of the set, or a word for it.
        data_source: A key of `SETS`; any other is taken for `label`.
        extra_info: `labels`, where the row has them (see the module). A field that can't be used
            is reported as `gold_unusable`.
        policy: How the response is read.
    """
    found = extract(response, policy)
    gold = label_text(ground_truth)
    labels = extra_info.get("labels")
    if labels is None or (isinstance(labels, Mapping) and not any(_given(labels))):
        return _among(found, gold, SETS.get(data_source, SETS["label"]))
    words = own_set(labels)
    if words is None:
        return compare(found, None, lambda found: Reading(None, "no_answer"))
    return compare(found, read_word(gold, (words,)).value, lambda found: _read(found, (words,)))


def _among(found: Extract, gold: str, names: tuple[str, ...]) -> Score:
    name, label = _gold(gold, names)
    return compare(found, label, lambda found: _read(found, named_sets((name,))))


def _read(found: Extract, sets: tuple[LabelSet, ...]) -> Reading[str]:
    whole = read_word(found.text, sets)
    if found.boxed:
        if whole.value and found.later and contradicts(found.later, whole.value, sets):
            return Reading(None, "ambiguous")
        return whole
    if whole.value is not None:
        return whole
    stated = read_stated_label(found.text, sets)
    return whole if stated.fault == "no_answer" else stated


@lru_cache(maxsize=4096)  # the same for all rollouts of a row
def _gold(gold: str, names: tuple[str, ...]) -> tuple[str, str | None]:
    """Return the set that has `gold`, and its label; any set, and None, if no set has it."""
    name = label_set(gold, names) or names[0]
    return name, read_label(gold, (name,)).value


def _given(labels: Mapping[Any, Any]) -> list[bool]:
    """Return for each label whether the row has it: parquet gives all of the file, some None."""
    return [words is not None for words in labels.values()]
