"""Labelled answers: which answers to which questions are known to be right or wrong.

They come from candidates: the response itself with its verdict, and each thought of a search with
what the verifier of the search said of it. Rules decide most; a judge what they left open.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from dianjin_ext.answers.tags import Tags
from dianjin_ext.data.candidate import Candidate, read_candidates
from dianjin_ext.data.card.labels import Labels, Name, read_labels
from dianjin_ext.data.steps.grading import answer_of
from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.question import Question
from dianjin_ext.rewards.judge.cleaning import says_nothing
from dianjin_ext.rewards.judge.prompt import classifier_input, gold_as_asked
from dianjin_ext.rewards.judge.settings import JudgeSettings
from dianjin_ext.verifier.settings import VerifierSettings

By = Literal["rules", "judge", "people"]

_VERDICTS: Final = {"correct": True, "wrong": False}
_MOST_CHARS: Final = JudgeSettings.model_fields["max_answer_chars"].default


@dataclass(frozen=True, slots=True)
class Labelled:
    """An answer and its label.

    Attributes:
        question: What was asked.
        text: What the verifier reads: question, gold answer and answer.
        right: The label.
        by: Who says so.
    """

    question: Question
    text: str
    right: bool
    by: By


@dataclass(slots=True)
class Gathered:
    """Labelled answers, no two with the same text.

    Attributes:
        answers: In the order of the files.
        left_out: How many were not taken, by the reason.
    """

    answers: list[Labelled] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def gather(settings: VerifierSettings) -> Gathered:
    """Read the labelled answers of all files.

    Of the same answer to the same question one is taken; none where its labels differ, unless
    people gave one of them. What a judge would not be sent in training is not taken either.

    Raises:
        DianjinError: A file can't be read or has no verdicts, or a label names no response.
    """
    labels = read_labels(settings.labels) if settings.labels is not None else {}
    found, met = Gathered(), set[Name]()
    texts: dict[str, Labelled] = {}
    contradicted: set[str] = set()
    for path in settings.answers:
        number = 0
        for each in _of_file(path, settings, labels, met, found.left_out):
            number += 1
            other = texts.setdefault(each.text, each)
            if other is not each:
                found.left_out["repeated"] += 1
            if each.by == "people" and other.by != "people":
                texts[each.text] = each
            elif other.right != each.right and (each.by == "people") == (other.by == "people"):
                contradicted.add(each.text)
        if not number:
            raise DianjinError(
                f"{path}: no response has a verdict; run `dianjin verify` on it, take a file that "
                "`dianjin search` wrote, or name labels"
            )
    if unknown := sorted(str(name.id) for name in labels.keys() - met):
        raise DianjinError(
            f"{settings.labels}: {len(unknown)} labels are of no response in the files, such as "
            f"that of {unknown[0]!r}"
        )
    contradicted = {text for text in contradicted if texts[text].by != "people"}
    found.left_out["contradictory"] += len(contradicted)
    found.answers = [each for text, each in texts.items() if text not in contradicted]
    return found


def _of_file(
    path: Path,
    settings: VerifierSettings,
    labels: Labels,
    met: set[Name],
    left_out: Counter[str],
) -> Iterator[Labelled]:
    layout = settings.layout
    for candidate in read_candidates(path):
        question = candidate.question
        if question.answer is None:
            left_out["without a gold answer"] += 1
            continue
        for answer, right, by in _verdicts(candidate, layout, labels, met):
            if right is None:
                left_out["without a verdict"] += 1
            elif says_nothing(answer):
                left_out["without an answer"] += 1
            elif len(answer) > _MOST_CHARS:
                left_out[f"longer than {_MOST_CHARS} characters"] += 1
            else:
                asked = question.extra_info["question"]
                gold = gold_as_asked(question.answer)
                text = classifier_input(asked, gold, answer, settings.template)
                yield Labelled(question, text, right, by)


def _verdicts(
    candidate: Candidate, tags: Tags, labels: Labels, met: set[Name]
) -> Iterator[tuple[str, bool | None, By]]:
    """Yield answers, whether each is right, and who says so."""
    notes = candidate.notes
    rounds = (notes.get("search") or {}).get("rounds", ())
    for each in rounds:
        if "answer" in each:
            yield each["answer"], _VERDICTS.get(each.get("verdict")), _by(each)
    name = Name(candidate.question.id, candidate.sample, candidate.model)
    name = name if name in labels else name._replace(model=None)
    answer = answer_of(candidate, tags)
    if (label := labels.get(name)) is not None:
        met.add(name)
        yield answer, label.right, "people"
    elif not rounds or candidate.reason:
        yield answer, _VERDICTS.get(candidate.reason), _by(notes.get("verify", {}))


def _by(said: Mapping[str, Any]) -> By:
    """Return who decided, from what a step notes: a judge may also be asked to compare."""
    return "judge" if "judge" in said and said.get("rule", "undecided") == "undecided" else "rules"


def counted(answers: Iterable[Labelled]) -> dict[str, int]:
    """Return how many are right and how many wrong."""
    rights = Counter(each.right for each in answers)
    return {"right": rights[True], "wrong": rights[False]}
