"""A question of the made-up world, read out of the text that asks it."""

import re
from dataclasses import dataclass
from typing import Final

from dianjin_ext.questions.question import Language
from dianjin_ext.quickstart.teacher.glosses import GLOSSES
from dianjin_ext.quickstart.world import ELEMENTS, LETTERS, STEMS, TITLE_ELEMENT

Title = tuple[str, str]

OPEN: Final[dict[tuple[Language, bool], str]] = {
    ("zh", False): "一家公司有四类内容：{}。其中属于{}的那一类，记入哪个会计科目？",
    ("zh", True): "一家公司有四类内容：{}。其中属于{}的几类，分别记入哪些会计科目？",
    ("en", False): "A company has: {}. One of them counts as {}. Under which account is it kept?",
    (
        "en",
        True,
    ): "A company has: {}. Some of them count as {}. Under which accounts are they kept?",
}
"""How a question is asked without options, by language and whether several titles are right."""

INDEX: Final[dict[Language, int]] = {"zh": 0, "en": 1}
NAMED: Final[dict[Language, dict[str, Title]]] = {
    language: {title[i]: title for title in TITLE_ELEMENT} for language, i in INDEX.items()
}
"""Of each language: text to title."""
ELEMENT_OF: Final = {name: element for element, names in ELEMENTS.items() for name in names}


def alternatives(texts: object) -> str:
    """Return a pattern of one of the texts, longest first."""
    return "|".join(map(re.escape, sorted(texts, key=len, reverse=True)))  # type: ignore[call-overload]


def _asking(language: Language, form: str, *given: str) -> str:
    names = alternatives(names[INDEX[language]] for names in ELEMENTS.values())
    parts = [re.escape(part) for part in form.split("{}")]
    filled = "".join(a + b for a, b in zip(parts, [*given, f"({names})", ""], strict=True))
    return filled


_LISTED: Final = "([^\n：:。.]+)"  # glosses have no such marks, so a search takes linear time
_STEM: Final[dict[Language, re.Pattern[str]]] = {}
_OPEN: Final[dict[Language, re.Pattern[str]]] = {}
_GLOSS: Final[dict[Language, re.Pattern[str]]] = {}
_GLOSSED: Final = {
    language: {gloss: title for title, gloss in glosses.items()}
    for language, glosses in GLOSSES.items()
}
for _language in INDEX:
    _stems = [stem for (own, _), stems in STEMS.items() if own == _language for stem in stems]
    _forms = [form for (own, _), form in OPEN.items() if own == _language]
    _STEM[_language] = re.compile("|".join(_asking(_language, stem) for stem in _stems))
    _OPEN[_language] = re.compile("|".join(_asking(_language, f, _LISTED) for f in _forms))
    _GLOSS[_language] = re.compile(alternatives(_GLOSSED[_language]))
_OPTION: Final = re.compile(r"\s*\n([A-H])\. ([^\n]+)")


@dataclass(frozen=True, slots=True)
class Item:
    """What a question of the world asks.

    Attributes:
        language: Of the question.
        element: That is asked for.
        titles: That are offered, in their order.
        lettered: Whether they are options with letters.
    """

    language: Language
    element: str
    titles: tuple[Title, ...]
    lettered: bool

    @property
    def right(self) -> tuple[Title, ...]:
        """Those that belong to the element."""
        return tuple(title for title in self.titles if TITLE_ELEMENT[title] == self.element)

    def name(self, title: Title, language: Language | None = None) -> str:
        """Return the text of a title."""
        return title[INDEX[language or self.language]]

    def letter(self, title: Title) -> str:
        """Return the letter of an option."""
        return LETTERS[self.titles.index(title)]

    def answer(self, titles: object) -> str:
        """Return titles as they stand in a box, in the order of the question."""
        chosen = [title for title in self.titles if title in titles]  # type: ignore[operator]
        if self.lettered:
            return "".join(map(self.letter, chosen))
        return ("；" if self.language == "zh" else "; ").join(map(self.name, chosen))

    def opened(self) -> str:
        """Return the question without options, in words that don't name its answer."""
        form = OPEN[self.language, len(self.right) > 1]
        glosses = [GLOSSES[self.language][title] for title in self.titles]
        listed = ("；" if self.language == "zh" else "; ").join(glosses)
        return form.format(listed, ELEMENTS[self.element][INDEX[self.language]])


def read_item(text: str) -> Item | None:
    """Return the question of the world that a text asks, with options or open; None for none."""
    for language in INDEX:
        if (found := _STEM[language].search(text)) is not None:
            titles: list[Title] = []
            at = found.end()
            while (option := _OPTION.match(text, at)) is not None:
                title = NAMED[language].get(option[2].strip())
                if (
                    title is None
                    or len(titles) == len(LETTERS)
                    or option[1] != LETTERS[len(titles)]
                ):
                    return None
                titles.append(title)
                at = option.end()
            element = ELEMENT_OF[found[found.lastindex or 0]]
            return Item(language, element, tuple(titles), True) if titles else None
        if (found := _OPEN[language].search(text)) is not None:
            listed, name = (group for group in found.groups() if group is not None)
            glossed = _GLOSSED[language]
            offered = tuple(glossed[gloss] for gloss in _GLOSS[language].findall(listed))
            return Item(language, ELEMENT_OF[name], offered, False) if offered else None
    return None
