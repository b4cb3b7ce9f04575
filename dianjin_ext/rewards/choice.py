"""Multiple choice: the letters of the answer are the letters of the gold answer, as sets.

Letters, their options' texts and words for true or false are read as in
`dianjin_ext.answers.choices`; the gold answer is read by the same rules. There is no credit for a
part of several right letters. Under `dianjin` the published rule decides alone.
"""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from dianjin_ext.answers.arrays import listed
from dianjin_ext.answers.choices import read_choices
from dianjin_ext.answers.reading import Reading
from dianjin_ext.rewards import dianjin
from dianjin_ext.rewards.base import Score
from dianjin_ext.rewards.format import compare, extract
from dianjin_ext.rewards.policy import Policy
from dianjin_ext.rewards.registry import register_reward


@register_reward(
    "cflue_mcq",
    "fineva",
    "financeiq",
    "fineval",
    "choice",
    gold="letters of the row's options such as 'AC' (A to G where the row has none), or an "
    "option's text",
)
def score_choice(
    response: str, ground_truth: Any, *, extra_info: Mapping[str, Any], policy: Policy, **_: Any
) -> Score:
    """Score an answer to a multiple-choice question.

    Args:
        response: The text of the model.
        ground_truth: Letters as a string (`AC`) or as a list of strings.
        extra_info: `choices`, where the row has them: letter to text. Letters whose text is None
            or NaN are no options (parquet stores one column for each letter of the file).
        policy: How the response is read.
    """
    found = extract(response, policy)
    gold = ground_truth if isinstance(ground_truth, str) else _joined(ground_truth)
    if policy.strictness == "dianjin":
        expected = None if gold is None else dianjin.letters(gold)
        return compare(found, expected, lambda found: Reading(dianjin.letters(found.text)))
    options = _options(extra_info.get("choices"))
    expected = None if gold is None else _gold_letters(gold, tuple(options.items()))
    return compare(found, expected, lambda found: read_choices(found.text, options))


@lru_cache(maxsize=4096)  # a row's gold answer is read again for each of its rollouts
def _gold_letters(gold: str, options: tuple[tuple[str, str], ...]) -> str | None:
    return read_choices(gold, dict(options)).value


def _joined(gold: Any) -> str | None:
    """Return a list of letters as one text."""
    items = listed(gold)
    if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
        return None
    return "、".join(items)


def _options(choices: Any) -> dict[str, str]:
    if not isinstance(choices, Mapping):
        return {}
    return {
        letter: str(text)
        for letter, text in choices.items()
        if isinstance(letter, str) and len(letter) == 1 and "A" <= letter <= "Z"
        if text is not None and not (isinstance(text, float) and math.isnan(text))
    }
