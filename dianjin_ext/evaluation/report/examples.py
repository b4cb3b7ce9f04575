"""A few responses in full, for Markdown; the page has a browser of them instead."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dianjin_ext.pages.blocks import Example, Section, Text, Words

_MOST: Final = 6
_LONGEST: Final = 1500  # characters


def examples(shown: Mapping[str, Any]) -> list[Section]:
    """Return the section of the first questions that the page's browser shows, side by side.

    Args:
        shown: What `samples.samples` returns.
    """
    found = [_example(question, shown["runs"]) for question in shown["questions"][:_MOST]]
    title = Words("Responses side by side", "回答对照")
    return [Section("samples", title, found)] if found else []


def _example(question: Mapping[str, Any], names: Sequence[str]) -> Example:
    texts: list[tuple[Text, str]] = [(Words("Question", "题目"), _text(question["question"]))]
    if question["choices"]:
        options = "\n".join(f"{letter}. {text}" for letter, text in question["choices"])
        texts.append((Words("Options", "选项"), options))
    right = []
    for nth, answers in question["answers"].items():
        name = names[int(nth)]
        said = "right" if answers[0]["right"] else answers[0]["reason"]
        right.append(f"{name}: {said}")
        texts.append((f"{name}: {said}", _text(answers[0]["text"])))
    gold = question["gold"]
    about = Words(f"gold answer {gold}; {', '.join(right)}", f"标准答案 {gold}；{'，'.join(right)}")
    return Example(question["id"], about, texts, good=True)


def _text(parts: Sequence[Any]) -> str:
    said = "".join(
        part if isinstance(part, str) else part.get("m", f"\n[… {part.get('g')} …]\n")
        for part in parts
    )
    if len(said) <= _LONGEST:
        return said
    half = _LONGEST // 2
    return f"{said[:half]}\n[… {len(said) - 2 * half} …]\n{said[-half:]}"
