"""Near-duplicate texts: groups of them, and for each the first that stands before it."""

import re
import unicodedata
from collections.abc import Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from dianjin_ext.errors import DianjinError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

THRESHOLD = 0.7
EXACT_LIMIT = 100_000
"""Most different texts of which all pairs are compared; above, MinHash proposes the pairs."""

_EPSILON = 1e-9  # 0.55 * 100 is above 55 in floating point


class Near(NamedTuple):
    """Two texts at least as similar as the threshold; the similarity is between 0 and 1."""

    position: int
    earlier: int
    similarity: float


class Comparison(Protocol):
    """Proposes pairs of texts, and says exactly how similar they are."""

    def candidates(self) -> "Iterator[tuple[int, NDArray[np.int64]]]":
        """Yield positions in order, each with those before it that may be similar, ascending."""

    def similarity(self, position: int, other: int) -> float:
        """Return the Jaccard similarity of two texts' character 4-grams."""


def normalize(text: str) -> str:
    """Return the letters and digits of a text: one width, lower case, no punctuation or spaces."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).lower()


def near_duplicates(texts: Sequence[str], threshold: float = THRESHOLD) -> list[list[int]]:
    """Group texts whose sets of character 4-grams overlap by at least `threshold` (Jaccard).

    Exact up to `EXACT_LIMIT` different texts. Above, MinHash proposes pairs, which are then
    compared exactly: no pair is wrong, about one in a thousand at the threshold may be missed.
    Groups are transitive.

    Returns:
        Every position once, in groups; most groups have one member.

    Raises:
        DianjinError: numpy is missing, or above `EXACT_LIMIT` rensa.
    """
    first: dict[str, int] = {}
    members: list[list[int]] = []
    for position, text in enumerate(texts):
        number = first.setdefault(normalize(text), len(members))
        if number == len(members):
            members.append([])
        members[number].append(position)
    comparison = _comparison(list(first), None, threshold)
    labels = _Labels(len(members))
    for number, earlier in comparison.candidates():
        # Those of the same group need no comparison, or many alike would take for ever.
        others = labels.apart(number, earlier)
        while len(others):
            other, others = int(others[0]), others[1:]
            if comparison.similarity(number, other) >= threshold - _EPSILON:
                labels.join(number, other)
                others = labels.apart(number, others)
    groups = [
        sorted(p for number in numbers for p in members[number]) for numbers in labels.members
    ]
    return sorted(numbers for numbers in groups if numbers)


def near_earlier(
    texts: Sequence[str], *, keys: Sequence[Hashable], threshold: float = THRESHOLD
) -> Iterator[Near]:
    """Yield for each text the first of those before it that is a near-duplicate of it, if any.

    Similarity, exactness and errors are those of `near_duplicates`.

    Args:
        texts: Texts as `normalize` returns them.
        keys: Texts with different keys are never compared.
        threshold: Least similarity.
    """
    comparison = _comparison(texts, keys, threshold)
    for position, earlier in comparison.candidates():
        for other in earlier.tolist():
            similarity = comparison.similarity(position, other)
            if similarity >= threshold - _EPSILON:
                yield Near(position, other, similarity)
                break


class _Labels:
    """Groups of numbers, which join; each number has the label of its group."""

    def __init__(self, size: int) -> None:
        import numpy as np

        self._labels = np.arange(size)
        self.members = [[number] for number in range(size)]

    def apart(self, number: int, others: "NDArray[np.int64]") -> "NDArray[np.int64]":
        """Return those of the others that are not in the number's group."""
        apart: NDArray[np.int64] = others[self._labels[others] != self._labels[number]]
        return apart

    def join(self, one: int, two: int) -> None:
        """Make one group of two; the smaller takes the other's label."""
        labels = int(self._labels[one]), int(self._labels[two])
        small, large = sorted(labels, key=lambda label: len(self.members[label]))
        self._labels[self.members[small]] = large
        self.members[large] += self.members[small]
        self.members[small] = []


def _comparison(
    texts: Sequence[str], keys: Sequence[Hashable] | None, threshold: float
) -> Comparison:
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold is {threshold}; expected above 0 and at most 1")
    numbers: dict[Hashable, int] = {}
    numbered = None if keys is None else [numbers.setdefault(key, len(numbers)) for key in keys]
    try:
        if len(texts) > EXACT_LIMIT:
            from dianjin_ext.questions.minhash import MinHash

            return MinHash(texts, numbered, threshold)
        from dianjin_ext.questions.prefixes import Prefixes

        return Prefixes(texts, numbered, threshold)
    except ModuleNotFoundError as error:
        raise DianjinError(
            f"comparing {len(texts):,} texts needs {error.name}; pip install 'dianjin-ext[data]'"
        ) from error
