"""Lists of numbers and texts: whether one is the gold list, and the text of all its spellings."""

from dianjin_ext.answers.numbers import read_number
from dianjin_ext.answers.question import Asked
from dianjin_ext.answers.text import key
from dianjin_ext.rewards.number_policy import canonical
from dianjin_ext.rewards.number_verdict import right_number, shared_text, text_of_wrong
from dianjin_ext.rewards.policy import NumberPolicy


def same_lists(items: list[str], golds: list[str], policy: NumberPolicy, asked: Asked) -> bool:
    """Whether a list has all gold items, in any order, and nothing else."""
    matches, left = _matches(items, golds, policy, asked)
    return not left and None not in matches


def text_of_list(items: list[str], golds: list[str], policy: NumberPolicy, asked: Asked) -> str:
    """Return one text for all spellings of a list, in whatever order.

    Where a list of that text would get another verdict, the items follow as they were written.
    """
    matches, left = _matches(items, golds, policy, asked)
    numbers = [number for gold in left if (number := read_number(gold).value) is not None]
    texts = []
    for item, match in zip(items, matches, strict=True):
        answer, gold = read_number(item).value, read_number(match or "").value
        if answer is None or (match is not None and gold is None):
            texts.append(key(item))
        elif gold is not None:
            texts.append(shared_text(answer, gold, policy, asked))
        else:
            texts.append(text_of_wrong(answer, numbers, policy, asked))
    texts.sort()
    right = not left and None not in matches
    bare = [_bare_text(text, asked) for text in texts]
    written = "" if same_lists(bare, golds, policy, asked) == right else f" ({'; '.join(items)})"
    return "; ".join(texts) + written


def _bare_text(text: str, asked: Asked) -> str:
    number = read_number(text).value
    if number is None or asked.factor is None or not number.bare:
        return text
    return canonical(number.times(1 / asked.factor))


def _matches(
    items: list[str], golds: list[str], policy: NumberPolicy, asked: Asked
) -> tuple[list[str | None], list[str]]:
    """Return for each item the gold item that it is, or None, and the gold items that are left."""
    left = list(golds)
    matches = []
    for item in items:
        match = next((gold for gold in left if _same(item, gold, policy, asked)), None)
        if match is not None:
            left.remove(match)
        matches.append(match)
    return matches, left


def _same(item: str, gold: str, policy: NumberPolicy, asked: Asked) -> bool:
    answer, wanted = read_number(item).value, read_number(gold).value
    if answer is not None and wanted is not None:
        return bool(right_number(answer, wanted, policy, asked))
    return key(item) == key(gold)
