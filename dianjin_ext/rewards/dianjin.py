r"""The rule that DianJin-R1 was trained with, for comparing with its published figures.

Restated from https://github.com/aliyun/qwen-dianjin (DianJin-R1, reward_score_cflue.py): the
response has exactly one think block and exactly one answer block, in any order or nesting; the
answer is what follows the last `\boxed{` of the answer block up to the first closing brace; and
of it only the capital letters A to G count. It is kept bit for bit, faults included: `EBITDA` is
ABDE, an empty box equals a gold answer without letters, a prefilled `<think>` scores 0.
"""

from dianjin_ext.answers.response import ANSWER, ANSWER_END, THINK, THINK_END

_LETTERS = "ABCDEFG"


def boxed_content(response: str) -> str | None:
    """Return the content of the last box as DianJin-R1 finds it, or None; in linear time."""
    if len(_blocks(response, THINK, THINK_END, most=2)) != 1:
        return None
    answers = _blocks(response, ANSWER, ANSWER_END, most=2)
    if len(answers) != 1:
        return None
    boxes = _blocks(answers[0], "\\boxed{", "}")
    return boxes[-1] if boxes else None


def letters(text: str) -> str:
    """Return the letters A to G that occur anywhere in `text`, in alphabetical order."""
    return "".join(letter for letter in _LETTERS if letter in text)


def _blocks(text: str, opening: str, closing: str, most: int | None = None) -> list[str]:
    """Return what stands between `opening` and the next `closing`, at most `most` times."""
    found: list[str] = []
    position = 0
    while most is None or len(found) < most:
        start = text.find(opening, position)
        end = text.find(closing, start + len(opening)) if start >= 0 else -1
        if end < 0:
            break
        found.append(text[start + len(opening) : end])
        position = end + len(closing)
    return found
