"""Which questions of a benchmark are asked: all, the first ones, or a sample by category.

A sample has the categories in the proportions of the whole, by largest remainder, and of each at
least one question where there is room. In a category the questions are ordered by a digest of seed
and name, and the first are taken: the sample is the same whatever the order of the rows, a larger
one of the same category holds the smaller, and a row more or less changes little.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from heapq import heapify, heappop, heappush
from operator import itemgetter

from dianjin_ext.evaluation.benchmarks.base import Benchmark
from dianjin_ext.evaluation.benchmarks.counting import Survey, digest
from dianjin_ext.questions.question import Question
from dianjin_ext.questions.readers import BadRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Subset:
    """The questions that are asked.

    Attributes:
        benchmark: The benchmark.
        split: The split they are of.
        questions: Their number.
        digests: Of their names; None for all.
    """

    benchmark: Benchmark
    split: str
    questions: int
    digests: frozenset[int] | None

    def of(self, rows: Iterable[Question | BadRow]) -> Iterator[Question]:
        """Yield those of `dianjin_ext.evaluation.benchmarks.questions` that are asked."""
        for row in rows:
            if isinstance(row, BadRow) or row.answer is None or row.split != self.split:
                continue
            if self.digests is None or digest(self.benchmark, row) in self.digests:
                yield row


def chosen(
    benchmark: Benchmark,
    found: Survey,
    *,
    limit: int | None = None,
    sample: int | None = None,
    seed: int = 0,
) -> Subset:
    """Choose the questions to ask.

    Conversations stay whole, so that there may be fewer than asked for, and more where the first
    conversation is longer than that.

    Args:
        benchmark: The benchmark.
        found: What its files hold.
        limit: Ask at most so many: the first, in the order of the files.
        sample: Sample so many, by category; `limit` then takes the first of the sample.
        seed: Of the sample.
    """
    units = found.units
    taken: Iterable[int] = range(len(units.digests))
    if sample is not None and sample < found.questions:
        taken = sorted(_sampled(found, sample, seed))
    if limit is not None:
        taken = _up_to(limit, taken, units.sizes)
    taken = list(taken)
    everything = len(taken) == len(units.digests)
    return Subset(
        benchmark=benchmark,
        split=found.split,
        questions=sum(units.sizes[each] for each in taken),
        digests=None if everything else frozenset(units.digests[each] for each in taken),
    )


def _sampled(found: Survey, number: int, seed: int) -> Iterator[int]:
    units = found.units
    strata: list[list[int]] = [[] for _ in found.categories]
    for place, stratum in enumerate(units.strata):
        strata[stratum].append(place)

    def rank(place: int) -> bytes:
        return blake2b(f"{seed}/{units.digests[place]}".encode(), digest_size=16).digest()

    by_name = sorted(zip(found.categories.items(), strata, strict=True), key=itemgetter(0))
    shares = allocation([size for (_, size), _ in by_name], number)
    for (_, places), share in zip(by_name, shares, strict=True):
        yield from _up_to(share, sorted(places, key=rank), units.sizes)


def _up_to(number: int, places: Iterable[int], sizes: Sequence[int]) -> Iterator[int]:
    """Yield the first places whose sizes add up to at most a number; one where it is above 0."""
    total = 0
    for place in places:
        if total + sizes[place] > number and (total or not number):
            return
        total += sizes[place]
        yield place


def allocation(sizes: Sequence[int], number: int) -> list[int]:
    """Share out a number in proportion to sizes, by largest remainder.

    Each gets at least one if there are enough, which the larger ones pay for; none gets more than
    its size. Of equal claims the larger one's counts, then the earlier one's.

    Args:
        sizes: Each above 0.
        number: What is shared out; at most the sum of the sizes.
    """
    total, enough = sum(sizes), number >= len(sizes)
    shares = [max(number * size // total, int(enough)) for size in sizes]
    short = number - sum(shares)

    def wanted(place: int) -> int:
        """Return by how much its share is too small, in parts of the total."""
        return number * sizes[place] - shares[place] * total

    def first_to_get(place: int) -> tuple[int, ...]:
        return -wanted(place), -sizes[place], place

    def first_to_pay(place: int) -> tuple[int, ...]:
        return wanted(place), -sizes[place], place

    for place in sorted(range(len(sizes)), key=first_to_get)[: max(short, 0)]:
        shares[place] += 1
    richest = [first_to_pay(place) for place, share in enumerate(shares) if share > 1]
    heapify(richest)
    for _ in range(-short):
        place = heappop(richest)[-1]
        shares[place] -= 1
        if shares[place] > 1:
            heappush(richest, first_to_pay(place))
    return shares
