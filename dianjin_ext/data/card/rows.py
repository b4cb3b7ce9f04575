"""The rows of a set: those that came to its end, and those that were left out on the way."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from dianjin_ext.data.candidate import Candidate, read_candidates
from dianjin_ext.data.card.source import Source
from dianjin_ext.data.rows_file import holds, read_items
from dianjin_ext.jsonl import BadRowError, Lines, parse
from dianjin_ext.questions.question import Question, read_questions

_PRACTISED = ("rl", "val")


class Counted(NamedTuple):
    """A row, and what the set uses it for.

    Attributes:
        item: The row.
        use: `sft`, `rl`, `val`; `standing`: not dropped, and in no training set; `dropped`; of a
            file of questions `question`.
    """

    item: Question | Candidate
    use: str


def rows(source: Source) -> Iterator[Counted]:
    """Yield the rows of a set: each response once, then the questions for RL and validation.

    A step such as `bands` leaves responses out of its output, so what the models answered is not to
    be had from the last file alone: those that are missing there are taken from the earlier files.
    """
    seen: set[int] = set()
    candidates = holds(source.rows) == "candidates"
    for item in read_items(source.rows):
        if source.folder is not None and candidates:
            seen.add(_key(item))
        yield Counted(item, use_of(item))
    if candidates and source.folder is not None:
        for item in _left_out(source, seen):
            yield Counted(item, use_of(item))
    if source.questions is not None:
        for question in read_questions(source.questions):
            if question.split in _PRACTISED:
                yield Counted(question, question.split)


def use_of(item: Question | Candidate) -> str:
    """Return what a row is used for; see `Counted.use`."""
    if not isinstance(item, Candidate):
        return "question"
    return item.use or ("dropped" if item.dropped else "standing")


def _left_out(source: Source, seen: set[int]) -> Iterator[Candidate]:
    """Yield the responses of earlier steps that later ones have left out, latest state first."""
    why: dict[str, str] = {}
    for step in reversed(source.steps):
        path = source.output(step)
        if path is not None and path != source.rows and holds(path) == "candidates":
            for candidate in read_candidates(path):
                if (key := _key(candidate)) in seen:
                    continue
                seen.add(key)
                gone = why.get(candidate.question.id)
                if gone is not None and not candidate.dropped:
                    candidate = candidate.drop(*gone.split(": ", 1))
                yield candidate
        for entry in removed(source, step):
            reason = entry.get("reason") or "asked_for_evaluation"
            why[str(entry.get("id"))] = f"{step.get('step')}: {reason}"


def removed(source: Source, step: Any) -> Iterator[dict[str, Any]]:
    """Yield what a step says of each question that it removed."""
    path = source.removed(step)
    for line in Lines(path) if path is not None else ():
        try:
            yield parse(line)
        except BadRowError:  # cut by hand, or by a full disk
            continue


def _key(candidate: Candidate) -> int:
    question = candidate.question.id
    texts = candidate.reasoning, candidate.response
    return hash((question, candidate.sample, candidate.model, *texts))
