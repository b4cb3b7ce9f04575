"""What changed between two models on the same questions."""

from typing import Any

from dianjin_ext.evaluation.report.sections.common import (
    BENCHMARK,
    Facts,
    names,
    points,
    probability,
    task,
)
from dianjin_ext.pages.blocks import Block, Cell, Prose, Section, Table, Text, Words
from dianjin_ext.pages.words import KINDS, LANGUAGES, word

_FACETS = {
    "category": Words("Category", "类别"),
    "kind": Words("Kind of answer", "答案类型"),
    "language": Words("Language", "语言"),
}
_NUMBERS = (
    Words("Points", "百分点"),
    Words("Gained", "由错变好"),
    Words("Lost", "由好变错"),
    "p",
    Words("p (Holm)", "p（Holm 校正）"),
)


def changes(facts: Facts) -> Section | None:
    """Return the differences with their tests, and where they come from."""
    found = facts["changes"]
    if not found:
        return None
    blocks: list[Block] = [Prose(_about(found)), _table(facts), _moved(facts)]
    blocks += [block for change in found for block in _parts(change, facts)]
    return Section("changes", Words("What changed", "变化"), blocks)


def _about(found: list[Any]) -> Words:
    tests = " / ".join(dict.fromkeys(change["test"] for change in found))
    n = len(found)
    return Words(
        f"On the questions that both answered; gained and lost count questions. Test: {tests}. "
        + (
            f"The p values of the {n} comparisons are corrected together (Holm 1979); those of "
            "the parts of a comparison are corrected among themselves."
            if n > 1
            else "Those of its parts below are corrected among themselves (Holm 1979)."
        ),
        f"仅比较双方都答过的题；“由错变好/由好变错”按题计数。检验方法：{tests}。"
        + (
            f"{n} 组比较的 p 值一并做 Holm（1979）校正；同一比较内各分组另行校正。"
            if n > 1
            else "下列各分组的 p 值做 Holm（1979）校正。"
        ),
    )


def _table(facts: Facts) -> Table:
    rows = []
    for change in facts["changes"]:
        rows.append(
            [_way(change, facts), _task(change, facts), f"{change['n']:,}", *_numbers(change)]
        )
    return Table(
        [Words("From → to", "从 → 到"), BENCHMARK, Words("Questions", "题数"), *_NUMBERS], rows
    )


def _moved(facts: Facts) -> Table:
    """Return how many questions went from right to wrong and the other way round."""
    ways = (
        ("wrong_right", Words("wrong → right", "错 → 对")),
        ("right_wrong", Words("right → wrong", "对 → 错")),
        ("right_right", Words("right → right", "对 → 对")),
        ("wrong_wrong", Words("wrong → wrong", "错 → 错")),
    )
    rows: list[list[Cell]] = [
        [_way(change, facts), _task(change, facts), *(change[way] for way, _ in ways)]
        for change in facts["changes"]
    ]
    heads: list[Text] = [Words("From → to", "从 → 到"), BENCHMARK, *(text for _, text in ways)]
    return Table(heads, rows)


def _parts(change: Any, facts: Facts) -> list[Table]:
    """Return what changed in the parts of one comparison."""
    tables = []
    words = {"kind": KINDS, "language": LANGUAGES}
    for facet, groups in change["by"].items():
        rows: list[list[Cell]] = [
            [word(words.get(facet, {}), value) or "–", f"{of['n']:,}", *_numbers(of)]
            for value, of in groups.items()
        ]
        where, way = _task(change, facts), _way(change, facts)
        head = Words(f"{where}, {way}: {_FACETS[facet].en}", f"{where}，{way}：{_FACETS[facet].zh}")
        tables.append(Table([head, Words("Questions", "题数"), *_NUMBERS], rows))
    return tables


def _numbers(change: Any) -> list[Cell]:
    low, high = points(change["low"]), points(change["high"])
    return [
        f"{points(change['difference'])} [{low}, {high}]",
        *(change["gained"], change["lost"]),
        *(probability(change["p"]), probability(change["p_holm"])),
    ]


def _way(change: Any, facts: Facts) -> str:
    named = names(facts)
    return f"{named[change['before']]} → {named[change['after']]}"


def _task(change: Any, facts: Facts) -> str:
    return task((change["benchmark"], change["protocol"]), facts)
