"""What the set holds: counts, lengths, samples."""

from collections.abc import Iterator, Mapping
from typing import Any

from dianjin_ext.data.card.counting import BINS
from dianjin_ext.data.card.reasons import reason
from dianjin_ext.data.card.words import FACETS, LENGTHS, USES
from dianjin_ext.pages.blocks import (
    Block,
    Cell,
    Example,
    Prose,
    Section,
    Share,
    Table,
    Text,
    Words,
)
from dianjin_ext.pages.cells import part
from dianjin_ext.pages.words import KINDS, LANGUAGES, word

_MOST_VALUES = 15
_MOST_GROUPS = 14
_MOST_TEXT = 1600
_PROMPTS_ALONE = ("rl", "val")  # of these rows nothing else is trained on

Facts = Mapping[str, Any]


def counts(facts: Facts) -> Section | None:
    """Return how many rows there are of each kind, by use."""
    if not facts["rows"]:
        return None
    uses = [use for use in USES if facts["used"].get(use)]
    trained = facts["trained"] or uses
    whole = sum(facts["used"][use] for use in trained)
    head = [word(USES, use) for use in uses] if len(uses) > 1 else []
    blocks: list[Block] = []
    for facet, title in FACETS.items():
        values = facts["by"].get(facet, {})
        if not any(values) or (facet == "category" and len(values) < 2):
            continue
        words = {"language": LANGUAGES, "kind": KINDS}.get(facet, {})
        ordered = sorted(
            values,
            key=lambda value: (
                -sum(values[value].get(use, 0) for use in trained),
                -sum(values[value].values()),
            ),
        )
        rows: list[list[Cell]] = []
        groups: list[tuple[Text, list[str]]] = [
            (word(words, value) if value else _NOT_STATED, [value]) for value in ordered
        ]
        if rest := ordered[_MOST_VALUES:]:
            others = Words(f"{len(rest)} others", f"其余 {len(rest)} 类")
            groups[_MOST_VALUES:] = [(others, rest)]
        for name, group in groups:
            by_use = {use: sum(values[value].get(use, 0) for value in group) for use in uses}
            own = [by_use[use] for use in uses] if len(uses) > 1 else []
            rows.append([name, part(sum(by_use[use] for use in trained), whole), *own])
        blocks.append(Table([title, Words("rows of the set", "数据集条数"), *head], rows))
    return Section("counts", Words("What is in it", "数据构成"), blocks)


def lengths(facts: Facts) -> Section | None:
    """Return token lengths, and how they are spread."""
    if not facts["lengths"]:
        return None
    note = Words(
        "Lengths are estimated with this project's token counter, rather too many than too few, "
        "except where the server counted. Dropped rows are left aside.",
        "除注明由服务端计数者外，长度为本项目的估计值（宁多勿少）；已剔除的数据不计。",
    )
    blocks: list[Block] = [Prose(note)]
    for use, measured in facts["lengths"].items():
        names = [name for name in LENGTHS if name in measured]
        if use in _PROMPTS_ALONE:
            names = ["prompt"]
        title = word(USES, use)
        columns = [title, *(Words(*w) for w in _SUMMARY)]
        rows: list[list[Cell]] = [
            [LENGTHS[name], *(measured[name][key] for key in ("n", "median", "p90", "max"))]
            for name in names
        ]
        blocks.append(Table(columns, rows))
        spread = [name for name in names if not name.endswith("_counted")]
        blocks.append(
            Table(
                [Words("tokens", "词元数"), *(LENGTHS[name] for name in spread)],
                list(_bins([measured[name] for name in spread])),
            )
        )
    return Section("lengths", Words("Token lengths", "词元长度"), blocks)


_SUMMARY = (("rows", "条数"), ("median", "中位数"), ("p90", "90 % 分位"), ("max", "最大"))


def _bins(measured: list[dict[str, Any]]) -> Iterator[list[Cell]]:
    """Yield a row for each bin, from the first to the last that has rows."""
    filled = [any(each["bins"][nth] for each in measured) for nth in range(len(BINS) + 1)]
    if not any(filled):
        return
    first, last = filled.index(True), len(filled) - 1 - filled[::-1].index(True)
    for nth in range(first, last + 1):
        start = BINS[nth - 1] if nth else 0
        name = f"{start:,} – {BINS[nth] - 1:,}" if nth < len(BINS) else f"≥ {start:,}"
        yield [name, *(_bar(each["bins"][nth], each["n"]) for each in measured)]


def _bar(number: int, n: int) -> Share | None:
    return part(number, n) if number else None


def samples(facts: Facts) -> Section | None:
    """Return a few rows of each kind."""
    groups = facts["samples"]
    order = [use for use in USES if use in groups]
    dropped = [group for group in groups if group not in USES]
    shown = [*order, *dropped][:_MOST_GROUPS]
    if not shown and not facts["removed"]:
        return None
    blocks: list[Block] = [
        Prose(
            Words(
                "Drawn by the hash of their names, not chosen. Long texts are cut.",
                "按名称的哈希值抽取，未经挑选；过长的文字已截断。",
            )
        )
    ]
    for group in shown:
        for row in groups[group]:
            blocks.append(_example(group, row))
    for row in facts["removed"][:_MOST_GROUPS]:
        why = " – ".join(filter(None, (str(row.get("reason", "")), str(row.get("detail", "")))))
        blocks.append(
            Example(
                Words(f"removed by {row['name']}: {why}", f"被 {row['name']} 移除：{why}"),
                str(row.get("id", "")),
                [(_QUESTION, _cut(str(row.get("question", ""))))],
                good=False,
            )
        )
    left = len(order) + len(dropped) - len(shown)
    if left:
        note = Words(f"{left} rarer reasons are not shown.", f"另有 {left} 种较少见的原因未列出。")
        blocks.append(Prose(note))
    return Section("samples", Words("Samples", "样例"), blocks)


_QUESTION = Words("question", "题目")
_NOT_STATED = Words("not stated", "未注明")
_GOLD = Words("gold answer", "标准答案")


def _example(group: str, row: Mapping[str, Any]) -> Example:
    question = row.get("question")
    asked = question if isinstance(question, Mapping) else row
    options = "".join(f"\n{letter}. {text}" for letter, text in asked["choices"].items())
    parts = [
        (Words("about", "材料"), asked["context"]),
        (_QUESTION, asked["question"] + options),
        (_GOLD, asked["answer"] or ""),
        (Words("reasoning", "推理"), row.get("reasoning") or ""),
        (Words("response", "回答"), row.get("response") or row.get("reply") or ""),
    ]
    texts = [(name, _cut(text)) for name, text in parts if text]
    if group in USES:
        title = word(USES, group)
        if row.get("dropped"):
            title = Words(*(f"{each} ({row['dropped']})" for each in USES[group]))
    else:
        step, _, why = group.partition(": ")
        meant = reason(why)
        english, chinese = meant if isinstance(meant, Words) else (meant, meant)
        title = Words(
            f"dropped by {step}: {why}" + (f" – {english}" if english else ""),
            f"被 {step} 剔除：{why}" + (f" – {chinese}" if chinese else ""),
        )
    return Example(title, _about(asked, row), texts, good=group in USES)


def _about(asked: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """Return the name and the numbers of a row, in one line."""
    parts = [asked["id"]]
    if "sample" in row:
        parts += [f"#{row['sample']}", row["model"]]
        if row["of"]:
            parts.append(f"{row['right']}/{row['of']}")
        if row["told_gold"]:
            parts.append("told_gold")
        if row["why"]:
            parts.append(row["why"])
    return " · ".join(filter(None, parts))


def _cut(text: str) -> str:
    text = text.strip()
    if len(text) <= _MOST_TEXT:
        return text
    return f"{text[:_MOST_TEXT]} … (+{len(text) - _MOST_TEXT:,})"
