"""What the teacher says about a question of the made-up world, in the form of `world.trace`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from dianjin_ext.questions.language import language_of
from dianjin_ext.questions.question import Language
from dianjin_ext.quickstart.teacher import statements
from dianjin_ext.quickstart.teacher.boxes import unboxed
from dianjin_ext.quickstart.teacher.draws import Draws
from dianjin_ext.quickstart.teacher.item import INDEX, Item, Title
from dianjin_ext.quickstart.world import ELEMENTS, TITLE_ELEMENT, believed

_ASKED: Final[dict[Language, str]] = {"zh": "题目问{}。", "en": "Asked: {}."}
_COLON: Final[dict[Language, str]] = {"zh": "：", "en": ": "}
_SO: Final[dict[tuple[Language, bool], str]] = {
    ("zh", True): "所以选{}。",
    ("zh", False): "所以是{}。",
    ("en", True): "So {}.",
    ("en", False): "So {}.",
}
_OTHER: Final[dict[Language, Language]] = {"zh": "en", "en": "zh"}


@dataclass(frozen=True, slots=True)
class WorldSubject:
    """See `Subject`.

    Attributes:
        item: What is asked.
        hard: The titles that the teacher doesn't know when it answers; when it judges, it does.
    """

    item: Item
    hard: frozenset[Title] = frozenset()

    @property
    def language(self) -> Language:
        """Of the question."""
        return self.item.language

    @property
    def boxed(self) -> bool:
        """Always: answers are letters or titles."""
        return True

    @property
    def gold(self) -> str:
        """Letters of options, or titles."""
        return self.item.answer(self.item.right)

    def wrong(self, draws: Draws) -> str:
        """Return as many titles as are right with another in place of one, or one more or fewer."""
        right = list(self.item.right)
        others = [title for title in self.item.titles if title not in right]
        out, added = draws.pick("wrong/out", right), draws.pick("wrong/added", others)
        left = [title for title in right if title != out]
        ways = [[*left, added]]
        if len(right) > 1:  # one alone is asked for as one alone
            ways += [[*right, added], left]
        return self.item.answer(draws.pick("wrong/way", ways))

    def reason(self, answer: str, draws: Draws) -> str:
        """Return the trace of a writer whose mistakes are those that lead to the answer."""
        named = self._elements(statements.chosen(self.item, answer), draws)
        lines = [self._line(title, named[title]) for title in self.item.titles]
        return self._trace(lines, answer)

    def tried(self, rate: float, draws: Draws, *, belief: float = 0.0) -> tuple[str, str]:
        """Return the trace of a writer who guesses elements of `hard` titles, and its answer."""
        named = {title: TITLE_ELEMENT[title] for title in self.item.titles}
        guessed = [
            title
            for title in self.item.titles
            if title in self.hard and draws.chance(f"guess/{title[0]}", rate)
        ]
        for title in guessed:
            if draws.chance(f"belief/{title[0]}", belief):
                named[title] = believed(title)
            else:
                named[title] = draws.pick(f"guess/element/{title[0]}", tuple(ELEMENTS))
        right = [title for title, element in named.items() if element == self.item.element]
        if not right:  # every right title was guessed wrongly; an answer is owed all the same
            right = [draws.pick("guess/answer", guessed)]
        answer = self.item.answer(right)
        return self._trace([self._line(*each) for each in named.items()], answer), answer

    def broken(self, draws: Draws) -> str:
        """Return a trace in which something is wrong, for the right answer."""
        return draws.pick("broken", _BROKEN)(self, draws)

    def agrees(self, answer: str) -> bool:
        """Return whether an answer names the right titles, by letters or texts."""
        return statements.chosen(self.item, unboxed(answer)) == frozenset(self.item.right)

    def concluded(self, text: str) -> str | None:
        """Return the answer that a text comes to last."""
        found = statements.last_conclusion(text)
        return None if found is None else self.item.answer(statements.chosen(self.item, found))

    def criteria(self, reasoning: str) -> dict[str, bool]:
        """Return whether reasoning meets each of `CRITERIA`, told from its statements."""
        item = self.item
        said = statements.read_statements(item, reasoning)
        marked = frozenset(t for t, s in said.statements.items() if s.element == item.element)
        asked = {ELEMENTS[item.element][i] in reasoning for i in INDEX.values()}
        own = [s for s in said.statements.values() if s.language == item.language]
        true = all(TITLE_ELEMENT[t] == s.element for t, s in said.statements.items())
        whole = said.statements.keys() == set(item.titles)
        return {
            "internal_consistency": not said.contradicted and said.concluded == marked,
            "term_overlap": len(own) >= 2,
            "reasoning_steps": len(said.statements) >= 3,
            "logical_consistency": true
            and whole
            and not said.unread
            and not said.contradicted
            and said.concluded == frozenset(item.right),
            "content_diversity": not said.repeated,
            "task_relevance": any(asked) and not said.statements.keys() - set(item.titles),
            "instruction_consistency": language_of(reasoning) == item.language,
        }

    def _elements(self, titles: frozenset[Title], draws: Draws) -> dict[Title, str]:
        """Return the element that a writer puts each title to who takes `titles` for right."""
        others = [element for element in ELEMENTS if element != self.item.element]
        named = {}
        for title in self.item.titles:
            true = TITLE_ELEMENT[title]
            if title in titles:
                named[title] = self.item.element
            elif true == self.item.element:
                named[title] = draws.pick(f"element/{title[0]}", others)
            else:
                named[title] = true
        return named

    def _line(
        self,
        title: Title,
        element: str,
        *,
        language: Language | None = None,
        mark: str | None = None,
    ) -> str:
        language = language or self.item.language
        letter = f"{self.item.letter(title)}. " if self.item.lettered else ""
        mark = mark or ("√" if element == self.item.element else "×")
        name = ELEMENTS[element][INDEX[language]]
        return f"{letter}{self.item.name(title, language)}{_COLON[language]}{name} {mark}"

    def _trace(self, lines: list[str], answer: str, language: Language | None = None) -> str:
        language = language or self.item.language
        asked = _ASKED[language].format(ELEMENTS[self.item.element][INDEX[language]])
        return "\n".join((asked, *lines, _SO[language, self.item.lettered].format(answer)))

    def _lines(self) -> dict[Title, str]:
        return {title: self._line(title, TITLE_ELEMENT[title]) for title in self.item.titles}

    def _wrong_step(self, draws: Draws) -> str:
        """One title is put to a wrong element, and the conclusion goes on as if it were not."""
        lines, title = self._lines(), draws.pick("broken/title", self.item.titles)
        others = [element for element in ELEMENTS if element != TITLE_ELEMENT[title]]
        lines[title] = self._line(title, draws.pick("broken/element", others))
        return self._trace(list(lines.values()), self.gold)

    def _contradiction(self, draws: Draws) -> str:
        """One mark is not what its line says."""
        lines, title = self._lines(), draws.pick("broken/title", self.item.titles)
        true = TITLE_ELEMENT[title]
        mark = "×" if true == self.item.element else "√"
        lines[title] = self._line(title, true, mark=mark)
        return self._trace(list(lines.values()), self.gold)

    def _other_conclusion(self, draws: Draws) -> str:
        """Right steps, and a conclusion that does not follow."""
        return self._trace(list(self._lines().values()), self.wrong(draws))

    def _leads_elsewhere(self, draws: Draws) -> str:
        """Wrong steps that lead to another answer than is given."""
        return self.reason(self.wrong(draws), draws)

    def _one_step(self, draws: Draws) -> str:
        title = draws.pick("broken/title", self.item.titles)
        return self._trace([self._lines()[title]], self.gold)

    def _again(self, draws: Draws) -> str:
        """The same step again and again."""
        title = draws.pick("broken/title", self.item.titles)
        return self._trace([self._lines()[title]] * 4, self.gold)

    def _other_language(self, draws: Draws) -> str:
        other = _OTHER[self.item.language]
        lines = [self._line(t, TITLE_ELEMENT[t], language=other) for t in self.item.titles]
        answer = self.gold
        if not self.item.lettered:
            answer = "; ".join(self.item.name(title, other) for title in self.item.right)
        return self._trace(lines, answer, other)


_BROKEN: Final[tuple[Callable[[WorldSubject, Draws], str], ...]] = (
    WorldSubject._wrong_step,
    WorldSubject._wrong_step,
    WorldSubject._contradiction,
    WorldSubject._other_conclusion,
    WorldSubject._leads_elsewhere,
    WorldSubject._leads_elsewhere,
    WorldSubject._one_step,
    WorldSubject._again,
    WorldSubject._other_language,
)
"""Wrong steps more often than what rules find."""
