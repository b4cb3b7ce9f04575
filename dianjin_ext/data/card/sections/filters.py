"""How good the filters are: precision and recall against labels, beside keeping all."""

from collections.abc import Iterator, Mapping
from typing import Any

from dianjin_ext.data.card.words import FILTERS
from dianjin_ext.pages.blocks import Block, Cell, Prose, Section, Table, Words
from dianjin_ext.pages.cells import rated
from dianjin_ext.pages.words import LANGUAGES, word

_UNEVEN = 2.0
_GOOD: Mapping[str, Words] = {
    "right": Words("right", "答案正确"),
    "right and sound": Words("right and sound", "答案正确且推理可靠"),
}
_COLUMNS = (
    Words("filter: what is good", "筛选步骤：合格标准"),
    Words("precision", "精确率"),
    Words("precision of keeping all", "全部保留的精确率"),
    Words("recall", "召回率"),
    Words("F1", "F1"),
    Words("F1 of keeping all", "全部保留的 F1"),
)
_CELLS = (
    Words("labelled rows", "标注数据"),
    Words("good, kept", "合格且保留"),
    Words("bad, kept", "不合格却保留"),
    Words("good, dropped", "合格却剔除"),
    Words("bad, dropped", "不合格且剔除"),
    Words("labelled of the kept", "保留数据中的标注"),
    Words("labelled of the dropped", "剔除数据中的标注"),
)

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
                "what was kept is good. Recall: how much of what is good was kept; keeping all "
                "keeps all of it. [Brackets: 95 % intervals (Wilson); responses to one question "
                "do not count as independent.]",
                f"标注 {found['labels']:,} 条（{found['file']}），"
                f"其中 {found['met']:,} 条对应本集数据；未标注的数据不计。"
                "精确率：保留数据中合格的比例；"
                "召回率：合格数据中被保留的比例（全部保留即为 100 %）。"
                "［方括号内为 95 % Wilson 区间，同一题目的多个回答不视为独立］",
            )
        )
    ]
    filters = [each for each in found["filters"] if each["overall"]["labelled"]]
    if filters:
        blocks.append(Table(_COLUMNS, [row for each in filters for row in _rates(each)]))
        blocks.append(Table(_CELLS, [_cells(each) for each in filters]))
    if found["decided"]["judge"]["labelled"]:
        blocks.append(_decided(found["decided"]))
    notes = dict.fromkeys(note for each in found["filters"] for note in _notes(each))
    blocks += map(Prose, notes)
    if not found["filters"]:
        blocks.append(Prose(Words("No step filtered this set.", "本集未经过任何筛选步骤。")))
    return Section("quality", Words("How good the filters are", "筛选质量"), blocks)


def _rates(each: Mapping[str, Any]) -> Iterator[list[Cell]]:
    """Yield the rates of one filter: of all rows, then of those of each language."""
    groups = [(_title(each), each["overall"])]
    if len(each["by_language"]) > 1:
        for language, found in each["by_language"].items():
            said = word(LANGUAGES, language)
            words = said if isinstance(said, Words) else Words(said, said)
            groups.append((Words(f"– {words.en}", f"– {words.zh}"), found))
    for title, found in groups:
        plain = found["keep_all"]
        yield [
            title,
            rated(found["precision"]),
            rated(plain["precision"]),
            rated(found["recall"]),
            rated(found["f1"]),
            rated(plain["f1"]),
        ]


def _title(each: Mapping[str, Any]) -> Words:
    """Return the name of a filter, and what is good."""
    name, good = FILTERS[each["filter"]], _GOOD[each["positive"]]
    return Words(f"{name.en}: {good.en}", f"{name.zh}：{good.zh}")


def _decided(found: Mapping[str, Any]) -> Table:
    """Return how good the verdict on the answer is, by who gave it."""
    names = {
        "rules": Words("by rules", "由规则判定"),
        "judge": Words("by the judge, where rules can't", "规则无法判定而由裁判模型判定"),
    }
    columns = [
        Words("verdict on the answer", "对答案的判定"),
        Words("called right and is", "判为正确且确实正确"),
        Words("right and called so", "正确答案中被判为正确"),
        Words("labelled", "标注数"),
    ]
    rows: list[list[Cell]] = [
        [words, rated(own["precision"]), rated(own["recall"]), own["labelled"]]
        for name, words in names.items()
        if (own := found[name])["labelled"]
    ]
    return Table(columns, rows)


def _cells(each: Mapping[str, Any]) -> list[Cell]:
    """Return how many labelled rows of one filter are of which kind."""
    found = each["overall"]
    kept = found["good_kept"] + found["bad_kept"]
    lost = found["good_dropped"] + found["bad_dropped"]
    return [
        _title(each),
        found["good_kept"],
        found["bad_kept"],
        found["good_dropped"],
        found["bad_dropped"],
        f"{kept:,} / {each['kept']:,}",
        f"{lost:,} / {each['dropped']:,}",
    ]


def _notes(each: Mapping[str, Any]) -> Iterator[Words]:
    """Yield what keeps the rates of one filter from being taken at their word."""
    name, found = FILTERS[each["filter"]], each["overall"]
    kept = found["good_kept"] + found["bad_kept"]
    lost = found["good_dropped"] + found["bad_dropped"]
    if not found["labelled"]:
        yield Words(
            f"{name.en}: no row that came to it is labelled.",
            f"{name.zh}：到达该步骤的数据均无标注。",
        )
    elif not lost:
        yield Words(
            f"{name.en}: none of the labelled rows was dropped, so nothing can be said of recall.",
            f"{name.zh}：被剔除的数据没有标注，因此无法估计召回率。",
        )
    elif _uneven(kept, each["kept"], lost, each["dropped"]):
        yield Words(
            f"{name.en}: kept and dropped rows are labelled in different shares, so recall, F1 and "
            "keeping all are those of the labelled rows, not of the set.",
            f"{name.zh}：保留与剔除数据的标注比例相差较大，"
            "召回率、F1 与全部保留的数值仅代表标注数据，不代表整个数据集。",
        )


def _uneven(kept: int, all_kept: int, lost: int, all_lost: int) -> bool:
    """Return whether one side is labelled far more densely than the other."""
    first, second = kept * all_lost, lost * all_kept
    return max(first, second) > _UNEVEN * min(first, second)
