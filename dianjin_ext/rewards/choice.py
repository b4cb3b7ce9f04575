"""Multiple choice: the letters of the answer are the letters of the gold answer, as sets.

Letters, their options' texts and words for true or false are read as in
`dianjin_ext.answers.choices`; the gold answer is read by the same rules. There is no credit for a
part of several right letters. Under `dianjin` and `dianjin_eval` the published rule decides alone.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from dianjin_ext.answers.arrays import listed
from dianjin_ext.answers.choices import read_choices
from dianjin_ext.answers.doubt import without_retraction
from dianjin_ext.answers.options import read_options
from dianjin_ext.answers.reading import Reading
from dianjin_ext.answers.stated import contradicts, read_stated_choices
from dianjin_ext.rewards import dianjin
from dianjin_ext.rewards.base import Score, zero
from dianjin_ext.rewards.format import Extract, compare, extract
from dianjin_ext.rewards.policy import Policy
from dianjin_ext.rewards.registry import register_reward

_GOES_ON: Final = frozenset("、，,&和与及或")
"""What a list of letters ends in that was cut."""


@register_reward(
    "cflue_mcq",
    "fineva",
    "financeiq",
    "fineval",
    "choice",
    gold="letters of the row's options such as 'AC' (A to G where the row has none), or an "
    "option's text",
    judges_layout=True,
)
def score_choice(
    response: str, ground_truth: Any, *, extra_info: Mapping[str, Any], policy: Policy, **_: Any
) -> Score:
    """Score an answer to a multiple-choice question.

    Args:
        response: The text of the model.
        ground_truth: Letters as a string (`AC`) or as a list of strings.
        extra_info: `choices`, where the row has them, as in `dianjin_ext.answers.options`. In a
            form that is none of these they are reported as `gold_unusable`. `question`: tells what
            it means that an option is right, where that is all that a response says.
        policy: How the response is read.
    """
    found = extract(response, policy)
    gold = ground_truth if isinstance(ground_truth, str) else _joined(ground_truth)
    if policy.strictness in ("dianjin", "dianjin_eval"):
        expected = None if gold is None else dianjin.letters(gold)
        if policy.strictness == "dianjin_eval" and isinstance(ground_truth, str):
            expected = ground_truth
        return compare(found, expected, lambda found: Reading(dianjin.letters(found.text)))
    options = read_options(extra_info.get("choices"))
    if options is None:
        return zero("gold_unusable", layout=found.format)
    expected = None if gold is None else _gold_letters(gold, tuple(options.items()))
    question = extra_info.get("question")
    asked = question if isinstance(question, str) else ""
    return compare(found, expected, lambda found: _read(found, options, asked))


def _read(found: Extract, options: Mapping[str, str], question: str) -> Reading[str]:
    whole = read_choices(found.text, options)
    if found.boxed:
        if whole.value and found.later and contradicts(found.later, whole.value, options):
            return Reading(None, "ambiguous")
        return whole
    if found.text[-1:] in _GOES_ON:
        return Reading(None, "ambiguous")
    if whole.value is not None and without_retraction(found.text):
        return whole
    stated = read_stated_choices(found.text, options, question)
    return whole if stated.fault == "no_answer" and whole.value is None else stated


@lru_cache(maxsize=4096)  # a row's gold answer is read again for each of its rollouts
def _gold_letters(gold: str, options: tuple[tuple[str, str], ...]) -> str | None:
    return read_choices(gold, dict(options)).value


def _joined(gold: Any) -> str | None:
    """Return a list of letters as one text."""
    items = listed(gold)
    if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
        return None
    return "、".join(items)
