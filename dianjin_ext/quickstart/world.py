"""A small world of accounting questions, made by code, in Chinese and English.

Thirty account titles belong to five elements of the balance sheet and the income statement. A
question names one element and offers four titles; one (single choice) or several (multiple choice)
belong to it. A reasoning trace goes through the options: the element of each, a tick or a cross.

What the two stages can teach is set apart on purpose. The writer of a trace does not know the
`hard_titles`, as a fallible teacher doesn't, and mostly BELIEVES them to belong to a wrong element:
SFT teaches the format and the titles known to its writer. Only RL's reward, which sees the true
answer, can teach the others. Options are drawn and shuffled at random, so a letter or a position
says nothing.
"""

import random
from dataclasses import dataclass
from typing import Literal

Language = Literal["zh", "en"]
LETTERS = "ABCD"

# element -> its name in Chinese and English
ELEMENTS: dict[str, tuple[str, str]] = {
    "asset": ("资产", "asset"),
    "liability": ("负债", "liability"),
    "equity": ("权益", "equity"),
    "income": ("收入", "income"),
    "expense": ("费用", "expense"),
}
TITLES: dict[str, tuple[tuple[str, str], ...]] = {
    "asset": (
        ("库存现金", "cash on hand"),
        ("应收账款", "trade receivables"),
        ("原材料", "raw materials"),
        ("固定资产", "plant and equipment"),
        ("预付账款", "prepayments"),
        ("无形资产", "patents"),
    ),
    "liability": (
        ("短期借款", "bank overdraft"),
        ("应付账款", "trade payables"),
        ("应付职工薪酬", "wages payable"),
        ("应交税费", "taxes payable"),
        ("预收账款", "customer deposits"),
        ("应付债券", "bonds payable"),
    ),
    "equity": (
        ("实收资本", "share capital"),
        ("资本公积", "share premium"),
        ("盈余公积", "statutory reserve"),
        ("未分配利润", "retained earnings"),
        ("库存股", "treasury shares"),
        ("其他综合收益", "revaluation surplus"),
    ),
    "income": (
        ("主营业务收入", "sales revenue"),
        ("利息收入", "interest earned"),
        ("投资收益", "dividends received"),
        ("租金收入", "rent earned"),
        ("手续费收入", "fees earned"),
        ("营业外收入", "gain on disposal"),
    ),
    "expense": (
        ("管理费用", "office salaries"),
        ("销售费用", "advertising"),
        ("财务费用", "interest paid"),
        ("所得税费用", "income tax charge"),
        ("研发支出", "research costs"),
        ("资产减值损失", "impairment loss"),
    ),
}


TITLE_ELEMENT = {title: element for element, titles in TITLES.items() for title in titles}
STEMS: dict[tuple[Language, bool], tuple[str, ...]] = {
    ("zh", False): ("下列哪一项属于{}？", "以下会计科目中，属于{}的是哪一项？"),
    ("zh", True): ("下列哪些属于{}？", "以下会计科目中，属于{}的有哪些？"),
    ("en", False): ("Which one of these is {}?", "Which single account is classified as {}?"),
    ("en", True): ("Which of these are {}?", "Which accounts are classified as {}?"),
}


@dataclass(frozen=True)
class Question:
    """One question: `options` are (Chinese, English) titles in the order of the letters."""

    language: Language
    element: str
    options: tuple[tuple[str, str], ...]
    stem: str

    @property
    def key(self) -> tuple[str, frozenset[tuple[str, str]]]:
        """What makes two questions the same, whatever the language and the order of options."""
        return self.element, frozenset(self.options)

    @property
    def multiple(self) -> bool:
        """Whether more than one option is right."""
        return len(self.gold) > 1

    @property
    def gold(self) -> str:
        """The letters of the right options, such as `"AC"`."""
        return "".join(
            letter
            for letter, title in zip(LETTERS, self.options, strict=True)
            if TITLE_ELEMENT[title] == self.element
        )

    @property
    def choices(self) -> dict[str, str]:
        """Letter to option text in the language of the question."""
        i = 0 if self.language == "zh" else 1
        return {letter: title[i] for letter, title in zip(LETTERS, self.options, strict=True)}

    @property
    def text(self) -> str:
        """The question without its options."""
        return self.stem.format(_name(self.element, self.language))


def _name(element: str, language: Language) -> str:
    return ELEMENTS[element][0 if language == "zh" else 1]


def questions(count: int, *, seed: int) -> list[Question]:
    """Return `count` questions, no two with the same key: any slices of the list are disjoint."""
    rng = random.Random(seed)
    seen: set[object] = set()
    found: list[Question] = []
    while len(found) < count:
        element = rng.choice(list(ELEMENTS))
        right = rng.choices((1, 2, 3), weights=(50, 40, 10))[0]
        options = rng.sample(TITLES[element], right)
        others = [title for title, home in TITLE_ELEMENT.items() if home != element]
        options += rng.sample(others, len(LETTERS) - right)
        rng.shuffle(options)
        language: Language = rng.choice(("zh", "en"))
        stem = rng.choice(STEMS[language, right > 1])
        question = Question(language, element, tuple(options), stem)
        if question.key not in seen:
            seen.add(question.key)
            found.append(question)
    return found


def hard_titles(*, seed: int) -> frozenset[tuple[str, str]]:
    """The titles that the writer of the traces does not know: one of each element."""
    rng = random.Random(seed)
    return frozenset(rng.choice(titles) for titles in TITLES.values())


def believed(title: tuple[str, str]) -> str:
    """Return the wrong element that a title is put to by one who doesn't know it: the next one."""
    elements = list(ELEMENTS)
    return elements[(elements.index(TITLE_ELEMENT[title]) + 1) % len(elements)]


def trace(
    question: Question,
    hard: frozenset[tuple[str, str]],
    rng: random.Random,
    *,
    belief: float = 0.0,
) -> tuple[str, str]:
    """Return the reasoning and the letters of a writer who doesn't know the `hard` titles.

    Args:
        question: The question.
        hard: Titles whose element is guessed.
        rng: Of the guesses.
        belief: Of these guesses: the same wrong element as always.
    """

    def guessed(title: tuple[str, str]) -> str:
        return believed(title) if rng.random() < belief else rng.choice(list(ELEMENTS))

    named = [guessed(t) if t in hard else TITLE_ELEMENT[t] for t in question.options]
    letters = [c for c, element in zip(LETTERS, named, strict=True) if element == question.element]
    if not letters:  # every right option was guessed wrongly; an answer is owed all the same
        unsure = [c for c, t in zip(LETTERS, question.options, strict=True) if t in hard]
        letters = [rng.choice(unsure)]
    answer = "".join(letters)
    asked = _name(question.element, question.language)
    colon = "：" if question.language == "zh" else ": "
    lines = []
    for (letter, text), element in zip(question.choices.items(), named, strict=True):
        mark = "√" if element == question.element else "×"
        lines.append(f"{letter}. {text}{colon}{_name(element, question.language)} {mark}")
    zh = question.language == "zh"
    first, last = ("题目问{}。", "所以选{}。") if zh else ("Asked: {}.", "So {}.")
    return "\n".join((first.format(asked), *lines, last.format(answer))), answer
