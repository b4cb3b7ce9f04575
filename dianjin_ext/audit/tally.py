"""Counts of what graders get wrong on the corpus."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from dianjin_ext.audit.corpus import KINDS, Case, load_cases
from dianjin_ext.audit.graders import Grader


class Tally(NamedTuple):
    """What one grader makes of the cases of one kind that it handles.

    Attributes:
        grader: Its name.
        kind: The kind of answers.
        right: How many cases must be accepted.
        wrong: How many must be refused.
        false_accepts: The cases that it accepts and must not.
        false_rejects: The cases that it refuses and must not.
    """

    grader: str
    kind: str
    right: int
    wrong: int
    false_accepts: tuple[Case, ...]
    false_rejects: tuple[Case, ...]


def audit(
    graders: Iterable[Grader],
    kinds: Sequence[str] = KINDS,
    step: Callable[[], object] = lambda: None,
) -> list[Tally]:
    """Run graders over the corpus.

    Args:
        graders: Those that are not installed are left out.
        kinds: The kinds of answers, of `KINDS`.
        step: Called after each case of each grader.

    Returns:
        One tally for each grader and each kind that it handles, by kind.
    """
    graders = [grader for grader in graders if grader.accepts is not None]
    tallies = []
    for kind in kinds:
        cases = load_cases(kind)
        for grader in graders:
            if kind in grader.kinds:
                tallies.append(_tally(grader, kind, cases, step))
    return tallies


def _tally(grader: Grader, kind: str, cases: Iterable[Case], step: Callable[[], object]) -> Tally:
    accepts = grader.accepts
    assert accepts is not None
    counts = {True: 0, False: 0}
    mistakes: dict[bool, list[Case]] = {True: [], False: []}
    for case in cases:
        if grader.handles(case):
            counts[case.right] += 1
            if accepts(case) != case.right:
                mistakes[case.right].append(case)
        step()
    return Tally(
        grader.name,
        kind,
        counts[True],
        counts[False],
        tuple(mistakes[False]),
        tuple(mistakes[True]),
    )
