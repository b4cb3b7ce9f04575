"""What a text says about account titles: statement by statement, and what it concludes."""

import re
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from dianjin_ext.answers.text import plain
from dianjin_ext.questions.question import Language
from dianjin_ext.quickstart.teacher.item import (
    ELEMENT_OF,
    INDEX,
    NAMED,
    Item,
    Title,
    alternatives,
)
from dianjin_ext.quickstart.teacher.subject import REVISING
from dianjin_ext.quickstart.world import ELEMENTS, LETTERS

_SAYS: Final[dict[Language, str]] = {"zh": r"[：:]\s*|属于|是", "en": r": ?| is (?:an? )?"}
_STATEMENT: Final = {
    language: re.compile(
        rf"(?:(?<![A-Za-z])([A-H])(?:[.、]\s*|是| is ))?({alternatives(NAMED[language])})"
        rf"(?:{_SAYS[language]})({alternatives(n[i] for n in ELEMENTS.values())})(?:\s*([√×]))?"
    )
    for language, i in INDEX.items()
}
_CONCLUSION: Final[dict[Language, re.Pattern[str]]] = {
    "zh": re.compile(r"所以(?:选|是)([^。\n]+)"),
    "en": re.compile(r"\bSo ([^.\n]+)"),
}
_LETTERS: Final = re.compile(r"[A-Ha-h](?:[\s,，、;；]*[A-Ha-h])*")
_LISTED: Final = re.compile(r"[A-H][.、] ?\S")
_REVISING: Final = tuple(word for words in REVISING.values() for word in words)
_TITLE: Final = {language: re.compile(alternatives(NAMED[language])) for language in INDEX}


class Statement(NamedTuple):
    """One statement: a title, the element that it is put to, and its mark if it has one."""

    title: Title
    element: str
    mark: str | None
    language: Language


@dataclass(slots=True)
class Said:
    """What a text says in the end.

    Attributes:
        statements: The last about each title.
        contradicted: Whether two that stand together disagree, or a mark or a letter is not what
            the statement or the question says.
        repeated: Whether one came again without a reason to.
        unread: Whether a line that looks like an option's says nothing that can be read.
        concluded: The titles that it comes to; None where it comes to nothing.
    """

    statements: dict[Title, Statement] = field(default_factory=dict)
    contradicted: bool = False
    repeated: bool = False
    unread: bool = False
    concluded: frozenset[Title] | None = None


def read_statements(item: Item, text: str) -> Said:
    """Read what a text says about the titles of a question, in either language.

    A line that begins as one of `REVISING` begins anew: what it and the lines after it say about a
    title replaces what was said before, contradictions included.
    """
    said, standing = Said(), set[Title]()
    wrong: dict[Title, bool] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith(_REVISING):
            standing = set()
            said.concluded = None
        found = list(_statements(line))
        said.unread |= not found and _LISTED.match(line) is not None
        for statement, letter in found:
            title = statement.title
            off = statement.mark is not None and (
                (statement.mark == "√") != (statement.element == item.element)
            )
            off |= letter is not None and not (
                item.lettered and title in item.titles and item.letter(title) == letter
            )
            if title in standing:
                said.repeated = True
                off |= wrong[title] or statement.element != said.statements[title].element
            standing.add(title)
            said.statements[title], wrong[title] = statement, off
        if (conclusion := last_conclusion(line)) is not None:
            said.concluded = chosen(item, conclusion)
    said.contradicted = any(wrong.values())
    return said


def _statements(line: str) -> list[tuple[Statement, str | None]]:
    return [
        (Statement(NAMED[language][m[2]], ELEMENT_OF[m[3]], m[4], language), m[1])
        for language, pattern in _STATEMENT.items()
        for m in pattern.finditer(line)
    ]


def last_conclusion(text: str) -> str | None:
    """Return what the last conclusion of a text names; None where it has none."""
    found = [match for p in _CONCLUSION.values() for match in p.finditer(text)]
    return max(found, key=lambda match: match.start())[1] if found else None


def chosen(item: Item, answer: str) -> frozenset[Title]:
    """Return the titles that an answer names, by letters or by their texts."""
    answer = plain(answer).strip(" 。.")
    if item.lettered and _LETTERS.fullmatch(answer):
        at = [LETTERS.find(letter) for letter in answer.upper() if letter.isalpha()]
        if all(0 <= i < len(item.titles) for i in at):
            return frozenset(item.titles[i] for i in at)
        return frozenset()
    return titles_in(answer)


def titles_in(text: str) -> frozenset[Title]:
    """Return the titles that stand in a text, in either language."""
    return frozenset(
        NAMED[language][name]
        for language, pattern in _TITLE.items()
        for name in pattern.findall(text)
    )
