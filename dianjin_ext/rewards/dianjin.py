r"""The rule that DianJin-R1 was trained with, for comparing with its published figures.

Restated from https://github.com/aliyun/qwen-dianjin (DianJin-R1, reward_score_cflue.py): the
response has exactly one think block and exactly one answer block, in any order or nesting; the
answer is what follows the last `\boxed{` of the answer block up to the first closing brace; and
of it only the capital letters A to G count. It is kept bit for bit, faults included: `EBITDA` is
ABDE, an empty box equals a gold answer without letters, a prefilled `<think>` scores 0.

Its figures on CFLUE are from another one (src/evaluate/eval.py, `eval_cflue`), which asks for no
tags: the last box anywhere, also in the reasoning, and the gold answer as it is written.
"""

_LETTERS = "ABCDEFG"
_BOX = "\\boxed{"


def boxed_content(response: str) -> str | None:
    """Return the content of the last box as the reward finds it, or None; in linear time."""
    if _only_block(response, "<think>", "</think>") is None:
        return None
    answer = _only_block(response, "<answer>", "</answer>")
    return None if answer is None else last_box(answer)


def last_box(text: str) -> str | None:
    """Return what the last box of `text` holds up to the first closing brace; in linear time."""
    mark = text.rfind(_BOX, 0, max(text.rfind("}"), 0))
    if mark < 0:
        return None
    # Of several marks before one closing brace, the box begins at the first.
    start = text.find(_BOX, text.rfind("}", 0, mark) + 1) + len(_BOX)
    return text[start : text.find("}", mark)]


def letters(text: str) -> str:
    """Return the letters A to G that occur anywhere in `text`, in alphabetical order."""
    return "".join(letter for letter in _LETTERS if letter in text)


def _only_block(text: str, opening: str, closing: str) -> str | None:
    """Return what stands between `opening` and the next `closing`, if that occurs exactly once."""
    start = text.find(opening)
    end = text.find(closing, start + len(opening)) if start >= 0 else -1
    if end < 0:
        return None
    again = text.find(opening, end)
    if again >= 0 and text.find(closing, again) >= 0:
        return None
    return text[start + len(opening) : end]
