"""Questions of files with their gold answers, found by their text in a prompt."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Final, NamedTuple

from dianjin_ext.answers.arrays import listed
from dianjin_ext.questions.prompts import task, with_options
from dianjin_ext.questions.question import Question
from dianjin_ext.quickstart.teacher.known_subject import KnownSubject
from dianjin_ext.quickstart.teacher.opening import opened, opened_answer
from dianjin_ext.rewards.judge.cleaning import clean

_MOST_OTHERS: Final = 50


class _Entry(NamedTuple):
    """A question and the texts by which it is told: all of it, with its options, and alone."""

    subject: KnownSubject
    texts: tuple[str, ...]


class Known:
    """Questions by a line of their texts, so that finding one takes no look at the others.

    Args:
        questions: Those without a gold answer are left out.

    Attributes:
        number: Of questions with a gold answer.
        opened: The texts of those that the teacher can open.
    """

    def __init__(self, questions: Iterable[Question]) -> None:
        # per source: what other questions have for answers is what a wrong answer looks like
        self._answers: dict[str, list[str]] = defaultdict(list)
        self._by_line: dict[str, list[_Entry]] = defaultdict(list)
        given = [question for question in questions if question.answer is not None]
        self.number = len(given)
        new = [question for question in map(_opened, given) if question is not None]
        self.opened = [question.question for question in new]
        given += new
        common = Counter(line for question in given for line in set(_lines(question.question)))
        for question in given:
            entry = _Entry(KnownSubject(question, self._others(question)), _texts(question))
            lines = _lines(question.question)
            key = max(lines, key=lambda line: (-common[line], len(line)), default="")
            for line in {key, clean(key)}:
                self._by_line[line].append(entry)

    def _others(self, question: Question) -> list[str]:
        others = self._answers[question.data_source]
        gold = listed(question.answer)
        text = "; ".join(map(str, gold)) if isinstance(gold, list) else str(gold)
        if len(others) < _MOST_OTHERS and text not in others:
            others.append(text)
        return others

    def find(self, text: str, gold: str = "") -> KnownSubject | None:
        """Return the question that a text holds; None for none.

        Of several in the same words, it is the one of which most stands there, context, options and
        earlier turns; then the one with the gold answer.

        Args:
            text: The question, with whatever stands around it.
            gold: The gold answer, where the request says it.
        """
        found = {
            id(entry): entry
            for line in {line.strip() for line in text.splitlines()}
            for entry in self._by_line.get(line, ())
        }
        if not found:
            return None
        measured = [(_held(entry, text), entry.subject) for entry in found.values()]
        most = max(held for held, _ in measured)
        alike = [subject for held, subject in measured if held == most and held[0]]
        if len(alike) > 1 and gold:
            alike.sort(key=lambda subject: not subject.is_gold(gold))
        return alike[0] if alike else None


def _opened(question: Question) -> Question | None:
    """Return a multiple-choice question as the teacher opens it, as the step `rewrite` does."""
    text = opened(question)
    if text is None:
        return None
    return replace(
        question,
        data_source="cflue_oe" if question.data_source == "cflue_mcq" else "exact",
        question=text,
        kind="open",
        answer=opened_answer(question),
        choices={},
        multiple=None,
    )


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _texts(question: Question) -> tuple[str, ...]:
    whole = task(question), with_options(question), question.question
    found = dict.fromkeys(each for text in whole for each in (text.strip(), clean(text)))
    return tuple(found)


def _held(entry: _Entry, text: str) -> tuple[int, int]:
    """Return how many characters of a question stand in a text, 0 where the question doesn't.

    Then how much of the question that is: an open question stands there as a whole where a choice
    in the same words lacks its options.
    """
    found = next((i for i, own in enumerate(entry.texts) if own in text), None)
    if found is None:
        return 0, 0
    much = len(entry.texts[found])
    context = entry.subject.question.context.strip()
    if much < len(context) and context in text:
        much += len(context)
    return much, -found
