"""How good a verifier is on answers that it never saw, beside one that always says the same."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dianjin_ext.intervals import wilson_interval
from dianjin_ext.verifier.labelled import Labelled


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its 95 % interval (Wilson's).

    Attributes:
        value: The share; None where there is nothing to count, as low and high are then.
        low: Lower end.
        high: Upper end.
        n: What it is a share of.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int

    @classmethod
    def of(cls, hits: int, n: int) -> "Rate":
        """Return `hits` of `n`."""
        return cls(hits / n, *wilson_interval(hits, n), n) if n else cls(None, None, None, 0)

    def __str__(self) -> str:
        if self.value is None:
            return "none to count"
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f}, n = {self.n})"


@dataclass(frozen=True, slots=True)
class Measured:
    """What is told of a verifier.

    Attributes:
        accuracy: Of its verdicts.
        commoner: Accuracy of always saying the label that is the commoner in training.
        precision: Of the answers that it takes for right, those that are.
        recall: Of the right answers, those that it takes for right.
    """

    accuracy: Rate
    commoner: Rate
    precision: Rate
    recall: Rate

    @property
    def better(self) -> bool:
        """Whether it is better than the commoner label, the intervals apart."""
        low, high = self.accuracy.low, self.commoner.high
        return low is not None and high is not None and low > high

    def as_json(self) -> dict[str, Any]:
        """Return it for a file."""
        return asdict(self) | {"better": self.better}


def measure(
    probabilities: Sequence[float], right: Sequence[bool], *, threshold: float, commoner: bool
) -> Measured:
    """Return how good probabilities of being right are.

    Args:
        probabilities: Of each answer.
        right: Whether it is.
        threshold: It is taken for right above this.
        commoner: The commoner label in training.
    """
    said = [each > threshold for each in probabilities]
    pairs = list(zip(said, right, strict=True))
    hits = sum(a and b for a, b in pairs)
    return Measured(
        accuracy=Rate.of(sum(a == b for a, b in pairs), len(pairs)),
        commoner=Rate.of(sum(b == commoner for b in right), len(pairs)),
        precision=Rate.of(hits, sum(said)),
        recall=Rate.of(hits, sum(right)),
    )


def measured(
    probabilities: Sequence[float],
    heldout: Sequence[Labelled],
    *,
    trained: Sequence[Labelled],
    threshold: float,
) -> dict[str, Measured]:
    """Return how good a verifier is on `all` held-out answers, and on those that are `open`.

    Open are those that rules did not decide, as all are that a judge is asked about in training;
    where there are none, nothing is said of them.

    Args:
        probabilities: Of being right, of each held-out answer.
        heldout: These answers.
        trained: Those that it was trained on.
        threshold: See `measure`.
    """
    found = {}
    for name, rules in (("all", True), ("open", False)):
        own = [i for i, each in enumerate(heldout) if rules or each.by != "rules"]
        before = [each.right for each in trained if rules or each.by != "rules"]
        if own:
            found[name] = measure(
                [probabilities[i] for i in own],
                [heldout[i].right for i in own],
                threshold=threshold,
                commoner=2 * sum(before) > len(before),
            )
    return found
