"""How good the filters are: precision and recall against labels, beside keeping all."""

from collections.abc import Mapping
from typing import Any

from dianjin_ext.data.card.blocks import Block, Cell, Prose, Section, Table, Words
from dianjin_ext.data.card.cells import rated
from dianjin_ext.data.card.words import FILTERS, LANGUAGES

_UNEVEN = 2.0

Facts = Mapping[str, Any]


def measured(facts: Facts) -> Section | None:
    """Return precision and recall of the filters by labels, beside keeping all."""
    found = facts["quality"]
    if found is None:
        return None
    blocks: list[Block] = [
        Prose(
            Words(
                f"{found['labels']:,} labels ({found['file']}), of which {found['met']:,} name a "
                "row of this set; rows without a label are not counted. Precision: how much of "
                "what was kept is good. Recall: how much of what is good was kept. "
                "[Brackets: 95 % intervals (Wilson); responses to one question do not count as "
                "independent.]",
                f"标注 {found['labels']:,} 条（{found['file']}），"
                f"其中 {found['met']:,} 条对应本集数据；"
                "未标注的数据不计。精确率：保留数据中合格的比例；召回率：合格数据中被保留的比例。"
                "［方括号内为 95 % Wilson 区间，同一题目的多个回答不视为独立］",
            )
        )
    ]
    for each in found["filters"]:
        blocks += _filter(each)
    if not found["filters"]:
        blocks.append(Prose(Words("No step filtered this set.", "本集未经过任何筛选步骤。")))
    return Section("quality", Words("How good the filters are", "筛选质量"), blocks)


def _filter(each: Mapping[str, Any]) -> list[Block]:
    """Return the tables of one filter."""
    overall = each["overall"]
    if not overall["labelled"]:
        text = Words("no row that came to it is labelled.", "到达该步骤的数据均无标注。")
        english, chinese = FILTERS[each["filter"]]
        return [Prose(Words(f"{english}: {text.en}", f"{chinese}：{text.zh}"))]
    sound = each["positive"] != "right"
    good = Words("right and sound", "答案正确且推理可靠") if sound else Words("right", "答案正确")
    kept, lost = (
        overall["good_kept"] + overall["bad_kept"],
        overall["good_dropped"] + overall["bad_dropped"],
    )
    title = FILTERS[each["filter"]]
    rows: list[list[Cell]] = []
    groups = [(Words("all", "全部"), overall)]
    if len(each["by_language"]) > 1:
        groups += [(LANGUAGES[name], found) for name, found in each["by_language"].items()]
    for name, found in groups:
        plain = found["keep_all"]
        rows.append(
            [name, title, *(rated(found[key]) for key in ("precision", "recall", "f1")),
             found["labelled"]],
        )  # fmt: skip
        rows.append(
            [name, Words("keep all", "全部保留"), rated(plain["precision"]), "100 %",
             rated(plain["f1"]), found["labelled"]],
        )  # fmt: skip
    blocks: list[Block] = [
        Table(
            [
                Words("rows", "数据"), Words("what is kept", "保留方式"),
                Words("precision", "精确率"),
                Words("recall", "召回率"), Words("F1", "F1"), Words("labelled", "标注数"),
            ],
            rows,
        ),
        Table(
            [Words("of the labelled rows", "标注数据中"), Words("kept", "保留"),
             Words("dropped", "剔除")],
            [
                [good, overall["good_kept"], overall["good_dropped"]],
                [Words("not so", "不合格"), overall["bad_kept"], overall["bad_dropped"]],
                [Words("labelled, of all", "标注数 / 总数"), f"{kept:,} / {each['kept']:,}",
                 f"{lost:,} / {each['dropped']:,}"],
            ],
        ),
    ]  # fmt: skip
    if not lost:
        blocks.append(
            Prose(
                Words(
                    "None of the labelled rows was dropped, so nothing can be said of recall.",
                    "被剔除的数据没有标注，因此无法估计召回率。",
                )
            )
        )
    elif _uneven(kept, each["kept"], lost, each["dropped"]):
        blocks.append(
            Prose(
                Words(
                    "Kept and dropped rows are labelled in different shares: recall, F1 and keep "
                    "all are those of the labelled rows, not of the set.",
                    "保留与剔除数据的标注比例相差较大：召回率、F1 与“全部保留”"
                    "仅代表标注数据，不代表整个数据集。",
                )
            )
        )
    return blocks


def _uneven(kept: int, all_kept: int, lost: int, all_lost: int) -> bool:
    """Return whether one side is labelled far more densely than the other."""
    first, second = kept * all_lost, lost * all_kept
    return max(first, second) > _UNEVEN * min(first, second)
