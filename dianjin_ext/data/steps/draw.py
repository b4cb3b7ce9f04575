"""Draw questions by quota: how many of each source, of each difficulty, and in all."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase

from dianjin_ext.questions.question import Question

Key = Callable[[Question], str]


class Quota:
    """How many questions of each kind may still be taken.

    Args:
        key: The kind of a question; empty for one that no quota is for.
        most: Kind to most questions; empty for no limit.
    """

    def __init__(self, key: Key, most: Mapping[str, int]) -> None:
        self._key = key
        self._limited = bool(most)
        self.left = Counter(dict(most))

    def room(self, questions: Sequence[Question]) -> bool:
        """Return whether all of these may be taken."""
        if not self._limited:
            return True
        asked = Counter(map(self._key, questions))
        return all(name and self.left[name] >= number for name, number in asked.items())

    def take(self, questions: Sequence[Question]) -> None:
        """Count them as taken."""
        if self._limited:
            self.left.subtract(Counter(map(self._key, questions)))


def quota_by_source(sizes: Mapping[str, float], rows: int | None) -> Quota:
    """Return the quota of a mapping of sources.

    Args:
        sizes: Source to most rows, or where `rows` is given, to its weight.
        rows: Rows in all.
    """
    if not sizes:
        everything = {} if rows is None else {"all": rows}
        return Quota(lambda _: "all", everything)
    most = shares(sizes, rows) if rows is not None else _whole(sizes)
    return Quota(lambda question: named(question, sizes), most)


def named(question: Question, sizes: Mapping[str, float]) -> str:
    """Return the source of `sizes` that a question is of; empty for none."""
    names = question.data_source, question.id.partition("/")[0]
    return next((p for p in sizes if any(fnmatchcase(n, p) for n in names)), "")


def shares(weights: Mapping[str, float], rows: int) -> dict[str, int]:
    """Return `rows` divided by weight; what rounding leaves goes to the largest remainders."""
    total = sum(weights.values())
    exact = {name: rows * weight / total for name, weight in weights.items()}
    whole = {name: int(value) for name, value in exact.items()}
    by_remainder = sorted(exact, key=lambda name: whole[name] - exact[name])
    for name in by_remainder[: rows - sum(whole.values())]:
        whole[name] += 1
    return whole


def draw(
    groups: Sequence[Sequence[Question]],
    fits: Callable[[Question], bool],
    quotas: Sequence[Quota],
) -> tuple[list[Question], list[Sequence[Question]]]:
    """Draw groups whole, in their order, as long as every quota has room.

    Returns:
        The questions drawn, and the groups that were not.
    """
    drawn: list[Question] = []
    rest: list[Sequence[Question]] = []
    for group in groups:
        fitting = [question for question in group if fits(question)]
        if fitting and all(quota.room(fitting) for quota in quotas):
            for quota in quotas:
                quota.take(fitting)
            drawn += fitting
        else:
            rest.append(group)
    return drawn, rest


def _whole(sizes: Mapping[str, float]) -> dict[str, int]:
    return {name: int(number) for name, number in sizes.items()}
