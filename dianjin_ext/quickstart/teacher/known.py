"""Questions of files with their gold answers, found by their text in a prompt."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from dianjin_ext.answers.arrays import listed
from dianjin_ext.questions.prompts import with_options
from dianjin_ext.questions.question import Question
from dianjin_ext.quickstart.teacher.known_subject import KnownSubject
from dianjin_ext.quickstart.teacher.opening import opened, opened_answer
from dianjin_ext.rewards.judge.cleaning import clean

_MOST_OTHERS: Final = 50


class Known:
    """Questions by the lines of their texts, so that finding one takes no look at the others.

    Args:
        questions: Those without a gold answer are left out.
    """

    def __init__(self, questions: Iterable[Question]) -> None:
        self._by_line: dict[str, list[KnownSubject]] = defaultdict(list)
        # per source: what other questions have for answers is what a wrong answer looks like
        self._answers: dict[str, list[str]] = defaultdict(list)
        self.number = 0
        for question in questions:
            if question.answer is None:
                continue
            self.number += 1
            self._add(question)
            if (text := opened(question)) is not None:
                source = "cflue_oe" if question.data_source == "cflue_mcq" else "exact"
                answer = opened_answer(question)
                self._add(
                    replace(
                        question,
                        data_source=source,
                        question=text,
                        kind="open",
                        answer=answer,
                        choices={},
                        multiple=None,
                    )
                )

    def _add(self, question: Question) -> None:
        others = self._answers[question.data_source]
        gold = listed(question.answer)
        text = "; ".join(map(str, gold)) if isinstance(gold, list) else str(gold)
        if len(others) < _MOST_OTHERS and text not in others:
            others.append(text)
        subject = KnownSubject(question, others)
        for key in {_key(question.question), _key(clean(question.question))}:
            self._by_line[key].append(subject)

    def find(self, text: str) -> KnownSubject | None:
        """Return the question that a text holds; None for none.

        Of several in the same words, it is the one whose options and context stand there too.
        """
        found: KnownSubject | None = None
        best = 0
        for line in {line.strip() for line in text.splitlines()}:
            for subject in self._by_line.get(line, ()):
                if (much := _held(subject.question, text)) > best:
                    found, best = subject, much
        return found


def _key(text: str) -> str:
    """Return the longest line of a text."""
    return max((line.strip() for line in text.splitlines()), key=len, default="")


def _held(question: Question, text: str) -> int:
    """Return how many characters of a question stand in a text; 0 where the question doesn't."""
    much = 0
    for own in (with_options(question), question.question):
        if own.strip() in text or clean(own) in text:
            much = len(own)
            break
    if much and question.context and question.context.strip() in text:
        much += len(question.context)
    return much
