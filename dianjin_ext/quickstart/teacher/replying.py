"""From the messages of a request to the teacher's reply."""

from typing import NamedTuple

from dianjin_ext.quickstart.teacher import rewriting, saying, searching
from dianjin_ext.quickstart.teacher.agents import merged_agents
from dianjin_ext.quickstart.teacher.draws import Draws
from dianjin_ext.quickstart.teacher.item import Title, read_item
from dianjin_ext.quickstart.teacher.known import Known
from dianjin_ext.quickstart.teacher.phrases import plain
from dianjin_ext.quickstart.teacher.rates import Rates
from dianjin_ext.quickstart.teacher.saying import Reply
from dianjin_ext.quickstart.teacher.statements import chosen, titles_in
from dianjin_ext.quickstart.teacher.subject import Subject
from dianjin_ext.quickstart.teacher.tasks import ANSWER, JUDGE, Asked
from dianjin_ext.quickstart.teacher.world_subject import WorldSubject


class UnknownError(Exception):
    """The teacher knows no answer to what is asked."""


class Knowledge(NamedTuple):
    """What the teacher knows beside the made-up world, and what it doesn't know of that.

    Attributes:
        known: Questions of files.
        hard: Titles of the world whose elements it may have to guess.
    """

    known: Known | None = None
    hard: frozenset[Title] = frozenset()

    def find(self, text: str, gold: str = "") -> Subject | None:
        """Return what a text asks: a question of the world or of a file; None for neither.

        Args:
            text: The question, with whatever stands around it.
            gold: The gold answer, where the request says it.
        """
        if (item := read_item(text)) is not None:
            return WorldSubject(item, self.hard)
        return self.known.find(text, gold) if self.known is not None else None


def reply(asked: Asked, knowledge: Knowledge, rates: Rates, draws: Draws) -> Reply:
    """Return the reply to what was asked.

    Args:
        asked: As `tasks.recognise` reads it.
        knowledge: Of the answers.
        rates: Of errors.
        draws: Of this reply.

    Raises:
        UnknownError: The question is neither of the world nor of a file, and can't be judged by
            the texts that came with it.
    """
    fields, language = asked.fields, asked.language
    text = fields.get("question", fields.get("instruction", ""))
    subject = knowledge.find(text, fields.get("reference", ""))
    if asked.task == JUDGE:
        right = _agree(subject, fields["reference"], fields["answer"])
        return saying.verdict(right, language, rates, draws)
    if asked.task == "merge_agents":
        gold = subject.gold if subject is not None else None
        given = fields["instruction"], fields["steps"]
        if (merged := merged_agents(gold, *given, language, rates, draws)) is not None:
            return merged
    if subject is None:
        raise UnknownError(
            "the teacher knows no answer to this question; it knows the made-up world and what "
            "--questions FILE holds"
        )
    match asked.task:
        case task if task == ANSWER:
            return saying.answered(subject, rates, draws, asked.tags)
        case "reasoning_check":
            sound = all(subject.criteria(fields["reasoning"]).values())
            return saying.reasoning_check(sound, language, rates, draws)
        case "select":
            return saying.criteria(subject.criteria(fields["reasoning"]), rates, draws)
        case "rewrite":
            others = knowledge.known.opened if knowledge.known is not None else ()
            return rewriting.rewritten(subject, fields["answer"], others, rates, draws)
        case "rewrite_check":
            holds = rewriting.holds(subject, fields["rewritten"])
            return saying.rewrite_check(*holds, rates, draws)
        case "search_merge":
            return searching.merged(subject, fields["thoughts"])
        case "search_answer":
            return searching.replied(subject, fields["thoughts"])
        case task if task.startswith("search_"):
            return searching.thought(subject, task.removeprefix("search_"), rates, draws)
        case task:
            raise UnknownError(f"the teacher does not know what to say to the prompt {task}")


def _agree(subject: Subject | None, reference: str, answer: str) -> bool:
    """Return whether an answer is right; the reference is, even where the teacher knows better."""
    if subject is not None and subject.agrees(reference):
        return subject.agrees(answer)
    if titles := titles_in(reference):
        named = isinstance(subject, WorldSubject) and chosen(subject.item, answer)
        return (named or titles_in(answer)) == titles
    return bool(plain(reference)) and plain(reference) == plain(answer)
