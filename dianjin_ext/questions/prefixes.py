"""Which texts can be near-duplicates, exactly: prefix filtering over character 4-grams."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

SHINGLE = 4

_EPSILON = 1e-9
_BLOCK = 1 << 20  # pairs that are held at a time, but for those of one text
_WORDS = 4  # of a bitmap

Numbers = NDArray[np.int64]


class Prefixes:
    """Proposes every pair that can be as similar as the threshold, and some more.

    Two sets of similarity t share a token among the rarest `|x| - ceil(t |x|) + 1` tokens of each
    (prefix filter; Bayardo et al. 2007, https://doi.org/10.1145/1242572.1242591), so only pairs
    that share such a token are proposed. Tokens of a single text are left out: they are never
    shared.

    Args:
        texts: Normalised texts. One of fewer than 4 characters is its own only token.
        keys: Numbers; texts with different ones share no token. None: all may.
        threshold: Least Jaccard similarity, above 0.
    """

    def __init__(self, texts: Sequence[str], keys: Sequence[int] | None, threshold: float) -> None:
        self._threshold = threshold
        owners, tokens = _tokens(texts, keys)
        # Any order of the tokens will do that is the same for all texts; rare ones first is fast.
        counts = np.bincount(tokens)
        rank = np.empty_like(counts)
        rank[np.argsort(counts, kind="stable")] = np.arange(len(counts))
        alone = int((counts == 1).sum())
        width = max(len(counts), 1)
        rows = np.sort(owners * width + rank[tokens])
        rows = rows[np.diff(rows, prepend=-1) != 0]  # each token once, the rarest first
        owners, tokens = np.divmod(rows, width)
        self._sizes = np.bincount(owners, minlength=len(texts))
        shared = tokens >= alone
        owners, self._tokens = owners[shared], tokens[shared] - alone
        kept = np.bincount(owners, minlength=len(texts))
        self._starts = np.concatenate([[0], np.cumsum(kept)])
        self._mark = np.zeros(width - alone, dtype=bool)
        self._marked = -1
        # Of each text: how many of the tokens that are kept belong to its prefix.
        prefix = self._sizes - np.ceil(threshold * self._sizes - _EPSILON).astype(np.int64) + 1
        prefix = np.clip(prefix - (self._sizes - kept), 0, kept)
        place = np.arange(len(owners)) - self._starts[owners]
        entry = place < prefix[owners]
        self._owners, self._prefix_tokens = owners[entry], self._tokens[entry]
        # Of each text: the last token of its prefix, and how many tokens stand behind it.
        self._last = np.zeros(len(texts), dtype=np.int64)
        self._last[self._owners] = self._prefix_tokens  # the last one written stays
        self._behind = np.ceil(threshold * self._sizes - _EPSILON).astype(np.int64) - 1
        self._kept = kept
        self._bitmaps = _bitmaps(self._tokens, self._starts)

    def candidates(self) -> Iterator[tuple[int, Numbers]]:
        """Yield positions in order, each with those before it that may be similar, ascending."""
        owners = self._owners
        by_token = np.argsort(self._prefix_tokens, kind="stable")  # and then by owner
        listed, token = owners[by_token], self._prefix_tokens[by_token]
        where = np.empty_like(by_token)
        where[by_token] = np.arange(len(by_token))
        begin = np.searchsorted(token, self._prefix_tokens)
        earlier = where - begin  # entries of the same token that stand before
        total = np.concatenate([[0], np.cumsum(earlier)])
        ends = np.flatnonzero(np.diff(owners, append=-1)) + 1  # one past each owner's entries
        start = 0
        while start < len(owners):
            fitting = np.searchsorted(total[ends], total[start] + _BLOCK, side="right")
            end = int(ends[max(fitting - 1, np.searchsorted(ends, start, side="right"))])
            counts = earlier[start:end]
            run = np.repeat(total[start:end] - total[start] - begin[start:end], counts)
            others = listed[np.arange(len(run)) - run]
            yield from self._grouped(np.repeat(owners[start:end], counts), others)
            start = end

    def similarity(self, position: int, other: int) -> float:
        """Return the Jaccard similarity of two texts' character 4-grams."""
        if self._marked != position:
            self._mark[self._row(self._marked)] = False
            self._mark[self._row(position)] = True
            self._marked = position
        shared = int(np.count_nonzero(self._mark[self._row(other)]))
        return shared / (int(self._sizes[position]) + int(self._sizes[other]) - shared)

    def _row(self, position: int) -> Numbers:
        if position < 0:
            return np.empty(0, dtype=np.int64)
        row: Numbers = self._tokens[self._starts[position] : self._starts[position + 1]]
        return row

    def _grouped(self, positions: Numbers, others: Numbers) -> Iterator[tuple[int, Numbers]]:
        """Yield each position with the others that may share enough tokens, each once.

        Of two prefixes, the one that ends with the rarer token lies within the other's range: what
        the texts share of it has been counted, and the rest is what stands behind it. What remains
        is filtered by bitmaps: where they differ, the sets do (Sandes et al. 2017,
        https://arxiv.org/abs/1711.07295).
        """
        pairs, counts = np.unique(positions * len(self._sizes) + others, return_counts=True)
        positions, others = np.divmod(pairs, max(len(self._sizes), 1))
        both = self._sizes[positions] + self._sizes[others]
        least = np.ceil(self._threshold / (1 + self._threshold) * both - _EPSILON)
        first = np.where(self._last[positions] <= self._last[others], positions, others)
        fitting = counts + self._behind[first] >= least
        positions, others, least = positions[fitting], others[fitting], least[fitting]
        differ = np.bitwise_count(self._bitmaps[positions] ^ self._bitmaps[others]).sum(axis=1)
        fitting = self._kept[positions] + self._kept[others] - differ >= 2 * least
        positions, others = positions[fitting], others[fitting]
        cuts = np.flatnonzero(np.diff(positions)) + 1
        for begin, end in zip([0, *cuts], [*cuts, len(positions)], strict=True):
            if begin < end:
                yield int(positions[begin]), others[begin:end]


def _bitmaps(tokens: Numbers, starts: Numbers) -> NDArray[np.uint64]:
    """Return for each set the parity of how many of its tokens fall on each of 256 bits."""
    full = np.flatnonzero(np.diff(starts))
    bitmaps = np.zeros((len(starts) - 1, _WORDS), dtype=np.uint64)
    bits = np.uint64(1) << (tokens // _WORDS % 64).astype(np.uint64)
    for word in range(_WORDS if len(full) else 0):
        chosen = np.where(tokens % _WORDS == word, bits, np.uint64(0))
        bitmaps[full, word] = np.bitwise_xor.reduceat(chosen, starts[full])
    return bitmaps


def _tokens(texts: Sequence[str], keys: Sequence[int] | None) -> tuple[Numbers, Numbers]:
    """Return for each 4-gram of each text the number of the text, and a number for the 4-gram."""
    padded = [text.ljust(SHINGLE, "\0") for text in texts]
    lengths = np.array([len(text) for text in padded], dtype=np.int64) - (SHINGLE - 1)
    joined = "".join(padded).encode("utf-32-le", "surrogatepass")
    characters = np.frombuffer(joined, dtype="<u4")
    present = np.zeros(0x110000, dtype=bool)
    present[characters] = True
    alphabet = int(present.sum())
    coded = (np.cumsum(present) - 1)[characters]
    pairs = coded[:-1] * alphabet + coded[1:]
    if alphabet**SHINGLE > 2**63:
        different, pairs = np.unique(pairs, return_inverse=True)
        size = len(different)
    else:
        size = alphabet**2
    owners = np.repeat(np.arange(len(texts)), lengths)
    starts = np.arange(len(owners)) + owners * (SHINGLE - 1)
    grams = pairs[starts] * size + pairs[starts + 2]
    different, tokens = np.unique(grams, return_inverse=True)
    if keys is not None:
        of_key = np.asarray(keys, dtype=np.int64)[owners]
        tokens = np.unique(of_key * len(different) + tokens, return_inverse=True)[1]
    return owners, tokens
