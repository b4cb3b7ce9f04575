"""Where the rows come from, what may be done with them, and whether evaluation sets are in them."""

from collections.abc import Mapping
from typing import Any

from dianjin_ext.data.card.words import ALLOWED, NAMED
from dianjin_ext.pages.blocks import Block, Cell, Code, Example, Prose, Section, Table, Words
from dianjin_ext.pages.cells import part

Facts = Mapping[str, Any]


def licences(facts: Facts) -> Section | None:
    """Return the sources with their licences, and what these allow."""
    sources = facts["licences"]["sources"]
    if not sources:
        return None
    rows: list[list[Cell]] = [
        [
            f"{each['set']} ({each['url']})" if each["url"] else each["set"],
            each["trained"],
            each["stated"] or Words("not stated", "未注明"),
            ALLOWED[each["commercial"]],
            ALLOWED[each["sharing"]],
            NAMED[each["attribution"]],
            Words(each["en"], each["zh"]),
        ]
        for each in sorted(sources, key=lambda each: -each["trained"])
    ]
    if (whole := facts["licences"]["whole"]) is not None and len(sources) > 1:
        rows.append(
            [
                Words("the set as a whole", "数据集整体"),
                sum(each["trained"] for each in sources),
                Words("the strictest of each", "各项取最严"),
                ALLOWED[whole["commercial"]],
                ALLOWED[whole["sharing"]],
                NAMED[whole["attribution"]],
                None,
            ]
        )
    columns = [
        Words("source", "来源"), Words("rows in use", "使用条数"),
        Words("licence, as its authors state it", "许可证（作者声明）"),
        Words("commercial use", "商业用途"), Words("passing it on", "再分发"),
        Words("naming the authors", "署名"), Words("mind", "说明"),
    ]  # fmt: skip
    models = sorted({each["writer"] for each in facts["answers"] if each["writer"]})
    blocks: list[Block] = [Table(columns, rows)]
    if models:
        names = ", ".join(models)
        blocks.append(
            Prose(
                Words(
                    f"What the makers of {names} allow to be done with its output binds too. This "
                    "is no legal advice.",
                    f"{names} 的提供方对其输出的使用条款同样适用。以上不构成法律意见。",
                )
            )
        )
    return Section("licences", Words("Sources and licences", "来源与许可证"), blocks)


def leaks(facts: Facts) -> Section | None:
    """Return what evaluation sets ask too."""
    found, title = facts["leaks"], Words("Leaks of evaluation sets", "评测集泄漏")
    if found is None:
        if not facts["rows"]:
            return None
        text = Words(
            "Not looked for: no step compared this set with sets kept for evaluation "
            "(`dianjin decontaminate`).",
            "未检查：没有任何步骤将其与评测集比对（dianjin decontaminate）。",
        )
        return Section("leaks", title, [Prose(text)])
    blocks: list[Block] = [
        Prose(
            Words(
                f"{found['removed']:,} of {found['rows']:,} rows were removed, because a set kept "
                "for evaluation asks the same, or nearly.",
                f"{found['rows']:,} 条中移除了 {found['removed']:,} 条："
                "评测集中有相同或几乎相同的题目。",
            )
        ),
        Table(
            [Words("compared with", "比对的评测集"), Words("questions removed", "移除题目数")],
            [
                [Code(name), part(found["by_file"].get(name, 0), max(1, found["rows"]))]
                for name in found["against"]
            ],
        ),
    ]
    for row in found["examples"]:
        name, other, file = (str(row.get(key, "")) for key in ("id", "against", "file"))
        alike = row.get("similarity")
        near = f", {alike:.2f}" if isinstance(alike, int | float) else ""
        blocks.append(
            Example(
                name,
                f"≈ {other} ({file}{near})",
                [(Words("question", "题目"), str(row.get("question", ""))[:400])],
                good=False,
            )
        )
    return Section("leaks", title, blocks)
