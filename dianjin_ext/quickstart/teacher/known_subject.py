"""What the teacher says about a question of a file: honest words around a known answer.

It has not worked the answer out. Its reasoning quotes the question, its numbers and its terms, says
what is compared, and comes to an answer.
"""

from collections.abc import Sequence
from typing import Final

from dianjin_ext.answers.arrays import listed
from dianjin_ext.questions.language import language_of
from dianjin_ext.questions.prompts import is_long, with_options
from dianjin_ext.questions.question import Language, Question
from dianjin_ext.quickstart.teacher import phrases
from dianjin_ext.quickstart.teacher.boxes import unboxed
from dianjin_ext.quickstart.teacher.draws import Draws
from dianjin_ext.quickstart.teacher.phrases import plain
from dianjin_ext.quickstart.teacher.subject import REVISING
from dianjin_ext.quickstart.teacher.wrong_answers import wrong_answers
from dianjin_ext.rewards import compute_score
from dianjin_ext.rewards.judge.cleaning import clean

_LONG: Final = 40  # characters from which on the beginning of an answer stands for it
_STEPS: Final = 3
_REVISING: Final = tuple(word for words in REVISING.values() for word in words)


class KnownSubject:
    """See `Subject`.

    Args:
        question: Has a gold answer.
        others: Gold answers of other questions of its data source.
    """

    def __init__(self, question: Question, others: Sequence[str]) -> None:
        self.question = question
        self._others = others
        self._gold: str | None = None
        self._wrong: tuple[str, ...] = ()

    @property
    def language(self) -> Language:
        """Of the question."""
        return self.question.language

    @property
    def boxed(self) -> bool:
        """Whether the answer is short enough for a box."""
        return not is_long(self.question)

    @property
    def gold(self) -> str:
        """The gold answer as the reward reads it in a box."""
        if self._gold is None:
            question = self.question
            gold = listed(question.answer)
            self._gold = "、".join(map(str, gold)) if isinstance(gold, list) else str(gold)
        return self._gold

    def wrong(self, draws: Draws) -> str:
        """Return an answer of the same kind that the reward refuses."""
        if not self._wrong:
            self._wrong = wrong_answers(self.question, self._others, self.gold)
        return draws.pick("wrong", self._wrong)

    def reason(self, answer: str, draws: Draws) -> str:
        """Return what is asked, what is given, what is compared, and the answer."""
        return "\n".join(phrases.steps(self.question, answer, self.language))

    def tried(self, rate: float, draws: Draws, *, belief: float = 0.0) -> tuple[str, str]:
        """Return reasoning and the gold answer; of these questions it knows all."""
        return self.reason(self.gold, draws), self.gold

    def broken(self, draws: Draws) -> str:
        """Return reasoning that leads elsewhere, has one step, or is in another language."""
        gold, language = self.gold, self.language
        right = phrases.steps(self.question, gold, language)
        wrong = phrases.steps(self.question, self.wrong(draws), language)
        other = phrases.bare_steps(gold, "en" if language == "zh" else "zh")
        ways = [
            [*right[:-1], wrong[-1]],
            [*wrong[:-1], right[-1]],
            wrong,
            wrong,
            right[-1:],
            [*[right[0]] * 4, right[-1]],
        ]
        if language_of("\n".join(other)) != language:
            ways.append(other)
        return "\n".join(draws.pick("broken", ways))

    def agrees(self, answer: str) -> bool:
        """Return whether an answer is right, by the reward, or by its words for open answers."""
        answer, gold = unboxed(answer), self.gold
        if plain(answer) in {plain(gold), plain(clean(gold))} or self.is_gold(answer):
            return True
        if len(answer) >= _LONG and plain(gold).startswith(plain(answer).rstrip("…")):
            return True
        question = self.question
        text = f"<think>-</think>\n<answer>\\boxed{{{answer}}}</answer>"
        score = compute_score(question.data_source, text, question.answer, question.extra_info)
        return score["acc"] == 1.0

    def is_gold(self, text: str) -> bool:
        """Return whether a text is the gold answer as the judge is told it."""
        choices = self.question.choices
        own = "".join(f"{x}. {choices.get(x)}" for x in self.gold) if choices else self.gold
        return plain(text) in {plain(own), plain(clean(own)), plain(self.question.answer or "")}

    def concluded(self, text: str) -> str | None:
        """Return the answer that a text comes to last."""
        found = phrases.conclusions(text)
        if not found:
            return None
        return self.gold if self.agrees(found[-1]) else found[-1]

    def criteria(self, reasoning: str) -> dict[str, bool]:
        """Return whether reasoning meets each of `CRITERIA`, told from its phrases."""
        lines = [line.strip() for line in reasoning.splitlines() if line.strip()]
        starts = [i for i, line in enumerate(lines) if line.startswith(_REVISING)]
        last = lines[starts[-1] :] if starts else lines
        found, led = phrases.conclusions("\n".join(last)), phrases.leads("\n".join(last))
        right = bool(found) and self.agrees(found[-1])
        consistent = bool(found) and all(plain(each) == plain(found[-1]) for each in led)
        # an answer may be in another language, as of a translation
        words = [
            line for line in lines if not phrases.leads(line) and not phrases.conclusions(line)
        ]
        same = language_of("\n".join(words or lines)) == self.language or self._no_words()
        quoted = phrases.quotes(self.question, reasoning)
        return {
            "internal_consistency": consistent,
            "term_overlap": quoted,
            "reasoning_steps": len(set(lines)) >= _STEPS,
            "logical_consistency": right and consistent and bool(led),
            "content_diversity": len(set(last)) == len(last),
            "task_relevance": quoted or right,
            "instruction_consistency": same,
        }

    def _no_words(self) -> bool:
        """Whether the question's own language can't be told from its text."""
        return language_of(with_options(self.question)) != self.language
