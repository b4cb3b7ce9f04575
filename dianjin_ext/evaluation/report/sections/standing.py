"""How the models stand against the numbers that papers print."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dianjin_ext.evaluation.report.departures import departures
from dianjin_ext.evaluation.report.sections.common import (
    ACCURACY,
    PROTOCOL,
    Facts,
    Result,
    accuracy,
    rate,
    results,
)
from dianjin_ext.pages.blocks import Block, Cell, Folded, Prose, Section, Table, Text, Words

_OURS = Words("this report", "本报告")
_MIND = Words("Mind", "注意")
_OURS_DEPARTS = Words("ours departs from this protocol", "本报告的成绩偏离此协议")
_OTHER = Words("another protocol than ours", "与本报告的协议不同")


def published(facts: Facts) -> Section | None:
    """Return for each benchmark with published numbers a table that has ours among them."""
    blocks: list[Block] = []
    for benchmark, found in facts["published"].items():
        ours = [each for each in results(facts) if each[1]["benchmark"] == benchmark]
        blocks += _tables(benchmark, found, ours)
    if not blocks:
        return None
    about = Words(
        "The protocol alone moves a score by up to 17 points: a number under another protocol, or "
        "one that departs from it, is marked and no comparison. Published numbers come without "
        "intervals.",
        "仅协议不同就能让成绩相差多达 17 个百分点：协议不同或有偏离的数字均已标出，不能直接比较。"
        "论文公布的数字不带区间。",
    )
    title = Words("Against published numbers", "与论文公布的成绩对照")
    return Section("published", title, [Prose(about), *blocks])


def _tables(
    benchmark: str, found: Sequence[Mapping[str, Any]], ours: Sequence[tuple[str, Result]]
) -> Iterator[Block]:
    """Yield the numbers under our protocols, best first, and folded those under others."""
    protocols = {result["protocol"] for _, result in ours}
    kept = {result["protocol"] for _, result in ours if result["comparable"]}
    rows: list[tuple[float, list[Cell]]] = []
    others: list[list[Cell]] = []
    for name, result in ours:
        cells: list[Cell] = [f"▶ {name}", result["label"], accuracy(result), _OURS]
        rows.append((result["accuracy"], [*cells, _departures(result)]))
    for row in found:
        source = f"{row['paper']}, {row['place']}"
        cells = [row["system"], row["protocol"], rate(row["value"]), source]
        if row["protocol"] in protocols:
            mind = "" if row["protocol"] in kept else _OURS_DEPARTS
            rows.append((row["value"], [*cells, mind]))
        else:
            others.append([*cells, _OTHER])
    heads: list[Text] = [benchmark, PROTOCOL, ACCURACY, Words("Source", "出处"), _MIND]
    yield Table(heads, [cells for _, cells in sorted(rows, key=lambda each: -each[0])])
    if others:
        title = Words(
            f"{benchmark}: {len(others)} numbers under other protocols",
            f"{benchmark}：其他协议下的 {len(others)} 个数字",
        )
        yield Folded(title, Table(heads, others))


def _departures(result: Any) -> Text:
    if result["comparable"]:
        return ""
    what = departures(result["departures"])
    return Words(f"departs from it: {what.en}", f"偏离协议：{what.zh}")
