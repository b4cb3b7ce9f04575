"""Accuracy: of each model by benchmark, and by kind, language and category of the questions."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from dianjin_ext.evaluation.report.sections.common import (
    ACCURACY,
    BENCHMARK,
    MODEL,
    PROTOCOL,
    Facts,
    Result,
    accuracy,
    by_task,
    columns,
    names,
    rate,
    results,
    task,
    task_of,
)
from dianjin_ext.pages.blocks import Bars, Block, Cell, Prose, Section, Share, Table, Text, Words
from dianjin_ext.pages.cells import percent
from dianjin_ext.pages.words import KINDS, LANGUAGES, word

_FACETS: Final[tuple[tuple[str, Words, Mapping[str, Words]], ...]] = (
    ("kind", Words("Kind of answer", "答案类型"), KINDS),
    ("language", Words("Language", "语言"), LANGUAGES),
    ("category", Words("Category", "类别"), {}),
)
_MOST: Final = 40


def compared(facts: Facts) -> Section | None:
    """Return accuracy side by side, and the numbers that belong to it."""
    tasks = by_task(facts)
    if not tasks:
        return None
    groups = [
        (task(key, facts), [(name, accuracy(result)) for name, result in found])
        for key, found in tasks.items()
    ]
    blocks: list[Block] = [Bars(groups), _table(facts)]
    if any(result["samples"] > 1 for _, result in results(facts)):
        blocks += [_about_samples(), _samples(facts)]
    return Section("accuracy", ACCURACY, blocks)


def by_group(facts: Facts) -> Section | None:
    """Return accuracy by kind, language and category, for each benchmark that has several."""
    blocks: list[Block] = []
    for key, found in by_task(facts).items():
        for facet, head, words in _FACETS:
            table = _grouped(facet, words, found, facts)
            if len(table) > 1:
                heads = columns(
                    [Words(f"{task(key, facts)}: {head.en}", f"{task(key, facts)}：{head.zh}")],
                    facts,
                )
                blocks.append(Table(heads, table[:_MOST]))
                if len(table) > _MOST:
                    blocks.append(
                        Prose(
                            Words(
                                f"{_MOST} of {len(table):,} are shown; report.json has all.",
                                f"仅列出 {len(table):,} 项中的 {_MOST} 项，全部见 report.json。",
                            )
                        )
                    )
    title = Words("By kind, language and category", "按类型、语言与类别")
    return Section("groups", title, blocks) if blocks else None


def _table(facts: Facts) -> Table:
    heads = [
        *(BENCHMARK, PROTOCOL, MODEL, Words("Questions", "题数"), ACCURACY),
        *(Words("Std. error", "标准误"), Words("Format", "格式正确"), Words("Cut", "被截断")),
    ]
    rows: list[list[Cell]] = []
    for found in by_task(facts).values():
        for name, result in found:
            n = f"{result['n']:,}"
            repeats = f" × {result['samples']}" if result["samples"] > 1 else ""
            rows.append(
                [
                    *(result["benchmark"], result["label"], name, n + repeats, accuracy(result)),
                    *(percent(result["error"]), percent(result["format_rate"])),
                    percent(result["truncated"]),
                ]
            )
    return Table(heads, rows)


def _about_samples() -> Prose:
    return Prose(
        Words(
            "Accuracy is the mean over all samples; its interval is clustered by question. pass@k: "
            "whether one of k samples is right, without bias. cons@k: whether the most frequent "
            "answer is, where equal answers vote together, however they are written.",
            "正确率为全部采样的均值，区间按题聚类。pass@k：k 次采样中至少一次正确的无偏估计。"
            "cons@k：按评分器判定的等价答案投票，得票最多者正确的比例。",
        )
    )


def _samples(facts: Facts) -> Table:
    rows: list[list[Cell]] = []
    for name, result in results(facts):
        of = task_of(result, facts)
        for k, found in result["pass_at_k"].items():
            rows.append([of, name, f"pass@{k}", _rated(found)])
        if cons := result["cons_at_k"]:
            rows.append([of, name, f"cons@{cons['k']}", _rated(cons)])
    return Table([BENCHMARK, MODEL, "", ACCURACY], rows)


def _rated(found: Mapping[str, Any]) -> Share:
    return rate(found["value"], found["low"], found["high"])


def _grouped(
    facet: str, words: Mapping[str, Words], found: list[tuple[str, Result]], facts: Facts
) -> list[list[Cell]]:
    every = {name: of["by"].get(facet, {}) for name, of in found}
    sizes: dict[str, int] = {}
    for groups in every.values():
        for value, group in groups.items():
            sizes[value] = max(sizes.get(value, 0), group["n"])
    rows: list[list[Cell]] = []
    for value in sorted(sizes, key=lambda value: -sizes[value]):
        label = word(words, value) if value else Words("none", "无")
        rows.append([_counted(label, sizes[value]), *_cells(value, every, facts)])
    return rows


def _counted(label: Text, n: int) -> Words:
    en, zh = (label.en, label.zh) if isinstance(label, Words) else (label, label)
    return Words(f"{en} ({n:,})", f"{zh}（{n:,}）")


def _cells(value: str, every: Mapping[str, Mapping[str, Any]], facts: Facts) -> Iterator[Cell]:
    for name in names(facts):
        group = every.get(name, {}).get(value)
        yield rate(group["accuracy"], group["low"], group["high"]) if group else None
