"""The tables of the four papers: every number with its protocol and its source."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import Field, PositiveInt

from dianjin_ext.rewards.policy import Model, build

FILE: Final = Path(__file__).with_name("published.yaml")


class Published(Model):
    """A number of a paper.

    Attributes:
        paper: The paper, by its own system.
        system: Whose number it is, such as `DianJin-R1-7B`.
        size: As printed, such as `7B`; None where it isn't known.
        own: Whether the system is the paper's; others are what it is compared with.
        benchmark: Name of the benchmark.
        protocol: Name of the protocol.
        metric: `accuracy`, of several samples the mean; or `cons@64`.
        value: A share, 0 to 1.
        n: Questions; None where that isn't known.
        source: Address of the paper or the page.
        place: Table or section there.
    """

    paper: str
    system: str
    size: str | None = None
    own: bool = False
    benchmark: str
    protocol: str
    metric: str = "accuracy"
    value: float = Field(ge=0, le=1)
    n: PositiveInt | None = None
    source: str
    place: str


def rows_for(
    benchmark: str, *, protocol: str | None = None, metric: str = "accuracy"
) -> list[Published]:
    """Return the published numbers of a benchmark, best first.

    Args:
        benchmark: Name of the benchmark.
        protocol: Leave out those of other protocols.
        metric: As in `Published`.
    """
    found = [
        row
        for row in every_row()
        if (row.benchmark, row.metric) == (benchmark, metric) and protocol in (None, row.protocol)
    ]
    return sorted(found, key=lambda row: -row.value)


@cache
def every_row() -> tuple[Published, ...]:
    """Return all published numbers, in the order of the file."""
    content = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return tuple(row for table in content["tables"] for row in _rows(table))


def _rows(table: dict[str, Any]) -> list[Published]:
    common = {name: table[name] for name in ("paper", "protocol", "source", "place")}
    common["metric"] = table.get("metric", "accuracy")
    rows = []
    for system in table["systems"]:
        numbers = zip(table["benchmarks"], system.pop("values"), strict=True)
        for benchmark, value in numbers:
            keys = {
                **common,
                **system,
                "benchmark": benchmark,
                "value": round(value / 100, 6),
                "n": table["n"].get(benchmark),
            }
            rows.append(build(Published, keys, f"{FILE.name}: {system['system']}"))
    return rows
