"""Which texts may be near-duplicates, in little memory: MinHash with banding, by rensa."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash, RMinHashLSH

from dianjin_ext.questions.prefixes import SHINGLE

_PERMUTATIONS = 128
_SEED = 20_26
_ROWS = (1, 2, 4, 8, 16)  # of a band
_MISSED = 1e-3  # of the pairs at the threshold, at most
_BATCH = 256


class MinHash:
    """Proposes nearly every pair that is as similar as the threshold, and some more.

    A pair of similarity s is proposed with the probability `1 - (1 - s^r)^b` for b bands of r
    rows (Leskovec et al., Mining of Massive Datasets, 3.4): 0.9998 for s = 0.7 and 32 bands of 4.

    The arguments are those of `Prefixes`.
    """

    def __init__(self, texts: Sequence[str], keys: Sequence[int] | None, threshold: float) -> None:
        self._texts, self._keys = texts, keys
        fine = [r for r in _ROWS if (1 - threshold**r) ** (_PERMUTATIONS // r) < _MISSED]
        rows = max(fine, default=1)
        self._index = RMinHashLSH(threshold, _PERMUTATIONS, _PERMUTATIONS // rows)
        self._last: tuple[int, frozenset[str]] = (-1, frozenset())

    def candidates(self) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Yield positions in order, each with those before it that may be similar, ascending."""
        for start in range(0, len(self._texts), _BATCH):
            positions = range(start, min(start + _BATCH, len(self._texts)))
            tokens = [self._tokens(position) for position in positions]
            sketches = RMinHash.from_token_sets(tokens, _PERMUTATIONS, _SEED)
            self._index.insert_many(sketches, start)
            for position, found in zip(positions, self._index.query_all(sketches), strict=True):
                earlier = np.array([other for other in found if other < position], dtype=np.int64)
                if len(earlier):
                    yield position, np.unique(earlier)

    def similarity(self, position: int, other: int) -> float:
        """Return the Jaccard similarity of two texts' character 4-grams."""
        if self._last[0] != position:
            self._last = position, frozenset(_shingles(self._texts[position]))
        one, two = self._last[1], frozenset(_shingles(self._texts[other]))
        shared = len(one & two)
        return shared / (len(one) + len(two) - shared)

    def _tokens(self, position: int) -> list[str]:
        shingles = _shingles(self._texts[position])
        if self._keys is None:
            return shingles
        return [f"{self._keys[position]}\0{shingle}" for shingle in shingles]


def _shingles(text: str) -> list[str]:
    return [text[i : i + SHINGLE] for i in range(max(1, len(text) - SHINGLE + 1))]
