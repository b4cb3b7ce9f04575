"""What a request asks for, told by the fixed words of the prompts."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from dianjin_ext.answers.tags import TAGS, Tags
from dianjin_ext.data import prompts
from dianjin_ext.questions.prompts import output_format
from dianjin_ext.questions.question import Language
from dianjin_ext.rewards.judge.prompt import messages as judge_messages

ANSWER: Final = "answer"
JUDGE: Final = "judge"

_FIELD: Final = re.compile(r"\{([a-z_]+)\}")
_LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")
_NONCE: Final = "NONCE"


class Asked(NamedTuple):
    """What a request asks for.

    Attributes:
        task: `answer`, `judge`, or the name of a prompt.
        language: Of the prompt.
        fields: What is filled in, by the prompt's names. Fields with nothing but a line break
            between them, as a question and its options, are one, by the name of the first.
        tags: The layout of an answer that is written as a whole, thinking included; None where
            thinking and answer are apart.
    """

    task: str
    language: Language
    fields: Mapping[str, str]
    tags: Tags | None = None


class _Form(NamedTuple):
    """The fixed words of a prompt, `literals`, and between each two of them a field."""

    name: str
    language: Language
    literals: tuple[str, ...]
    fields: tuple[str, ...]


def recognise(messages: Sequence[Mapping[str, Any]]) -> Asked | None:
    """Return what messages ask for; None where they hold no prompt of this package."""
    user = next((m["content"] for m in reversed(messages) if m["role"] == "user"), "").strip()
    system = messages[0]["content"] if messages[0]["role"] == "system" else ""
    for head, language in _judges().items():
        if system.startswith(head):
            return _judged(user, language)
    for form in _forms():
        if (fields := _filled(form, user)) is not None:
            return Asked(form.name, form.language, fields)
    for head, (language, tags) in _layouts().items():
        if user.startswith(head):
            return Asked(ANSWER, language, {"question": user[len(head) :].strip()}, tags)
    return None


@cache
def _forms() -> tuple[_Form, ...]:
    found = []
    for name in prompts.names():
        for language in _LANGUAGES:
            parts = _FIELD.split(prompts.load(name).texts[language]["user"].strip())
            literals: list[str] = [parts[0]]
            fields: list[str] = []
            for field, literal in zip(parts[1::2], parts[2::2], strict=True):
                if fields and literals[-1].isspace():
                    literals[-1] = literal
                else:
                    fields.append(field)
                    literals.append(literal)
            found.append(_Form(name, language, tuple(literals), tuple(fields)))
    return tuple(found)


def _filled(form: _Form, text: str) -> dict[str, str] | None:
    """Return the fields of a text; None where it is not this prompt."""
    first, *middle, last = form.literals
    if not (text.startswith(first) and text.endswith(last)):
        return None
    found, at, end = {}, len(first), len(text) - len(last)
    for field, literal in zip(form.fields, [*middle, ""], strict=True):
        to = text.find(literal, at, end) if literal else end
        if to < at:
            return None
        found[field] = text[at:to].strip()
        at = to + len(literal)
    return found


@cache
def _judges() -> dict[str, Language]:
    """Return the start of the judge's instructions, up to its code, in each language."""
    heads = {}
    for text, language in (("问", "zh"), ("Q", "en")):
        system = judge_messages(text, "", "", nonce=_NONCE)[0]["content"]
        heads[system.partition(_NONCE)[0]] = language
    return heads  # type: ignore[return-value]


def _judged(user: str, language: Language) -> Asked | None:
    fields, at = {}, 0
    nonce = user.partition(">")[0].rpartition(" ")[2]
    for name in ("question", "reference", "answer"):
        opening, closing = f"<{name} {nonce}>", f"</{name} {nonce}>"
        start, end = user.find(opening, at), user.find(closing, at)
        if start < 0 or end < start:
            return None
        fields[name] = user[start + len(opening) : end].strip()
        at = end
    return Asked(JUDGE, language, fields)


@cache
def _layouts() -> dict[str, tuple[Language, Tags | None]]:
    """Return the first sentence of a prompt that asks a question, for each layout."""
    heads: dict[str, tuple[Language, Tags | None]] = {}
    for tags in TAGS.values():
        whole = tags if tags.answer is not None and not tags.think[0].startswith("<|") else None
        for language in _LANGUAGES:
            for boxed in (True, False):
                heads[output_format(language, tags, boxed=boxed)] = language, whole
    return heads
