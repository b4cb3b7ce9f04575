"""What several parts of a report need."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from dianjin_ext.pages.blocks import Share, Text, Words

Facts = Mapping[str, Any]
Result = Mapping[str, Any]

MODEL: Final = Words("Model", "模型")
BENCHMARK: Final = Words("Benchmark", "评测集")
PROTOCOL: Final = Words("Protocol", "评测协议")
ACCURACY: Final = Words("Accuracy", "正确率")


def names(facts: Facts) -> list[str]:
    """Return the names of the models."""
    return [run["name"] for run in facts["runs"]]


def results(facts: Facts) -> Iterator[tuple[str, Result]]:
    """Yield every result with the name of its model, model by model."""
    for run in facts["runs"]:
        for result in run["results"]:
            yield run["name"], result


def by_task(facts: Facts) -> dict[tuple[str, str], list[tuple[str, Result]]]:
    """Return the results of each benchmark and protocol, in the order of the models."""
    found: dict[tuple[str, str], list[tuple[str, Result]]] = {}
    for name, result in results(facts):
        found.setdefault((result["benchmark"], result["protocol"]), []).append((name, result))
    return found


def task(key: tuple[str, str], facts: Facts) -> str:
    """Return the name of a benchmark, with its protocol where there are several."""
    protocols = {result["protocol"] for _, result in results(facts)}
    return " · ".join(filter(None, key)) if len(protocols) > 1 else key[0]


def task_of(result: Result, facts: Facts) -> str:
    """Return the name of what a result is of; see `task`."""
    return task((result["benchmark"], result["protocol"]), facts)


def rate(value: float, low: float | None = None, high: float | None = None) -> Share:
    """Return a share with its interval."""
    text = f"{100 * value:.1f} %"
    if low is not None and high is not None:
        text += f" [{100 * low:.1f}, {100 * high:.1f}]"
    return Share(value, text, low, high)


def accuracy(result: Result) -> Share:
    """Return the accuracy of a result."""
    return rate(result["accuracy"], result["accuracy_low"], result["accuracy_high"])


def columns(first: Sequence[Text], facts: Facts) -> list[Text]:
    """Return the heads of a table with a column a model."""
    return [*first, *names(facts)]


def points(value: float) -> str:
    """Return a difference of shares in percentage points, with its sign."""
    return f"{100 * value:+.1f}".replace("-", "−")


def probability(p: float) -> str:
    """Return a p value as people read it."""
    return "< 0.0001" if p < 1e-4 else f"{p:.4f}" if p < 0.1 else f"{p:.2f}"
