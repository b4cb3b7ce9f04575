"""Groups of near-duplicate texts, exact for a given Jaccard threshold."""

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence

_SHINGLE = 4
_EPSILON = 1e-9  # 0.55 * 100 is above 55 in floating point


def normalize(text: str) -> str:
    """Return the letters and digits of a text: one width, lower case, no punctuation or spaces."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).lower()


def near_duplicates(texts: Sequence[str], threshold: float = 0.7) -> list[list[int]]:
    """Group texts whose sets of character 4-grams overlap by at least `threshold` (Jaccard).

    Two sets of similarity t share a token among the rarest `|x| - ceil(t |x|) + 1` tokens of each
    (prefix filter; Bayardo et al. 2007, https://doi.org/10.1145/1242572.1242591), so only pairs
    that share such a token are compared. Groups are transitive.

    Returns:
        Every position once, in groups; most groups have one member.
    """
    sets = [_shingles(normalize(text)) for text in texts]
    frequency = Counter(token for tokens in sets for token in tokens)
    parent = list(range(len(texts)))
    seen: defaultdict[str, list[int]] = defaultdict(list)
    for position, tokens in enumerate(sets):
        rarest = sorted(tokens, key=lambda token: (frequency[token], token))
        prefix = rarest[: len(tokens) - math.ceil(threshold * len(tokens) - _EPSILON) + 1]
        for candidate in {other for token in prefix for other in seen[token]}:
            shared = len(tokens & sets[candidate])
            union = len(tokens) + len(sets[candidate]) - shared
            if shared >= threshold * union - _EPSILON:
                parent[_root(parent, position)] = _root(parent, candidate)
        for token in prefix:
            seen[token].append(position)
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for position in range(len(texts)):
        groups[_root(parent, position)].append(position)
    return list(groups.values())


def _shingles(text: str) -> frozenset[str]:
    return frozenset(text[i : i + _SHINGLE] for i in range(max(1, len(text) - _SHINGLE + 1)))


def _root(parent: list[int], position: int) -> int:
    while parent[position] != position:
        parent[position] = parent[parent[position]]
        position = parent[position]
    return position
