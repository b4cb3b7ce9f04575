"""TAT-QA: numbers, spans of text, and lists of either.

The gold answer is a number or a text, or a list of them, as published, or as JSON text where a
column holds texts only; its `scale` stands in the row's `extra_info`. One item is compared as a
number, rounded to its decimals, or as a text. Several must all be given, in any order, as the
published evaluator demands (https://github.com/NExTplusplus/TAT-QA), and nothing else:
`['2018', '2019']`, `2018 and 2019`.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from dianjin_ext.answers.arrays import listed
from dianjin_ext.answers.numbers import read_number
from dianjin_ext.answers.reading import Reading
from dianjin_ext.answers.statement import read_statement
from dianjin_ext.answers.text import key
from dianjin_ext.rewards.base import Score, verdict, zero
from dianjin_ext.rewards.exact import score_exact
from dianjin_ext.rewards.format import Extract, compare, extract
from dianjin_ext.rewards.item_lists import same_lists, text_of_list
from dianjin_ext.rewards.numeric import question_of, rounding, score_numeric
from dianjin_ext.rewards.policy import Policy
from dianjin_ext.rewards.registry import register_reward
from dianjin_ext.rewards.tatqa_em import score_as_tatqa

_ITEM = re.compile(r"""'((?:[^'\\]|'(?=\w))*)'|"([^"]*)"|“([^”]*)”""")
_BETWEEN = re.compile(r"\s*(?:;|\n|、|；|，|,(?![0-9]{3}(?![0-9]))|,?\s+and\s|和|以及)\s*")
_SEMICOLON = re.compile(r"\s*[;；]\s*")
_BRACKETS = ("[]", "()", "{}")
_LONGEST = 2000  # characters


@register_reward(
    "tatqa",
    "spans",
    gold="a number such as '0.97' or '14.68%', a text, or a list of these, as published",
    judges_layout=True,
)
def score_tatqa(
    response: str, ground_truth: Any, *, extra_info: Mapping[str, Any], policy: Policy, **row: Any
) -> Score:
    """Score an answer to a question of TAT-QA.

    Args:
        response: The text of the model.
        ground_truth: The gold answer, or a list of them.
        extra_info: `scale` and `question`, as in `dianjin_ext.rewards.numeric`.
        policy: How the response is read, and when numbers are equal.
        row: Handed on.
    """
    policy = rounding(policy)
    golds = _golds(ground_truth)
    if policy.numbers.parity == "tatqa":
        return score_as_tatqa(
            extract(response, policy, needs_box=False),
            golds,
            extra_info.get("scale"),
            told=policy.numbers.scale == "question",
            split=lambda text: _published_items(text, len(golds)),
        )
    row = {**row, "extra_info": extra_info, "policy": policy}
    if len(golds) != 1:
        found = extract(response, policy)
        asked = question_of(extra_info, policy.numbers)
        return compare(
            found,
            golds or None,
            lambda found: _read_list(found, len(golds)),
            right=lambda items, golds: same_lists(items, golds, policy.numbers, asked),
            show=lambda items: text_of_list(items, golds, policy.numbers, asked),
        )
    if _is_numeric(golds[0]):
        return score_numeric(response, golds[0], **row)
    found = extract(response, policy, needs_box=False)
    stated = Reading[str](None, "no_answer")
    if not found.boxed and policy.strictness == "lenient":
        stated = read_statement(found.text, lambda text: Reading(text.strip(" .'\"[]")))
    if stated.value and key(stated.value) == key(golds[0]):
        return verdict(True, key(golds[0]))
    score = score_exact(response, golds[0], **row)
    if stated.value and score.reason == "undecided":
        return zero("undecided", layout=score.format, pred=key(stated.value))
    return score


def _golds(gold: Any) -> list[str]:
    """Return the items of a gold answer as texts; none where it can't be used."""
    gold = _from_json(listed(gold))
    items = gold if isinstance(gold, list | tuple) else [gold]
    texts = [
        str(item)
        for item in map(listed, items)
        if isinstance(item, str | int | float) and not isinstance(item, bool)
    ]
    return texts if len(texts) == len(items) and all(map(key, texts)) else []


def _from_json(gold: Any) -> Any:
    if not (isinstance(gold, str) and gold.startswith("[") and gold.endswith("]")):
        return gold
    try:
        return json.loads(gold)
    except (ValueError, RecursionError):
        return gold  # a text in brackets


def _is_numeric(text: str) -> bool:
    return read_number(text).value is not None or key(text) in ("yes", "no", "是", "否")


def _read_list(found: Extract, many: int) -> Reading[list[str]]:
    if found.boxed:
        return _items(found.text, many)
    whole = _items(found.text, many)
    return whole if whole.value else read_statement(found.text, lambda text: _items(text, many))


def _items(text: str, many: int) -> Reading[list[str]]:
    """Split a list into `many` items."""
    if len(text) > _LONGEST:
        return Reading(None, "no_answer")
    if quoted := _quoted(text):
        return Reading(quoted) if len(quoted) == many else Reading(None, "no_answer")
    text = text.strip().rstrip(".。")
    if text[:1] + text[-1:] in _BRACKETS:
        text = text[1:-1]
    for between in (_SEMICOLON, _BETWEEN):  # an item may have commas, and an `and`, in it
        items = [item.strip(" .'\"") for item in between.split(text)]
        if len(items) == many and all(items):
            return Reading(items)
    return Reading(None, "no_answer")


def _published_items(text: str, many: int) -> list[str]:
    """Return the items of a list as its prompt asks for it, in quotation marks or by semicolons."""
    return _quoted(text) or (_SEMICOLON.split(text.strip()) if many > 1 else [])


def _quoted(text: str) -> list[str]:
    """Return the items of a list in brackets and quotation marks; none where it is no such list."""
    text = text.strip().rstrip(".。")
    if len(text) > _LONGEST or text[:1] + text[-1:] not in _BRACKETS:
        return []
    return [a or b or c for a, b, c in _ITEM.findall(text[1:-1])]
