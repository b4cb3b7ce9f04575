"""How good the set is: against labels, the models' answers, the judge against rules."""

from collections.abc import Mapping
from typing import Any

from dianjin_ext.data.card.blocks import Block, Cell, Code, Prose, Section, Table, Text, Words
from dianjin_ext.data.card.cells import part, rated
from dianjin_ext.data.card.words import FILTERS, LANGUAGES, OUTCOMES, word

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
                "[95 % intervals: Wilson]",
                f"标注 {found['labels']:,} 条（{found['file']}），"
                f"其中 {found['met']:,} 条对应本集数据；"
                "未标注的数据不计。精确率：保留数据中合格的比例；召回率：合格数据中被保留的比例。"
                "［方括号内为 95 % Wilson 区间］",
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


def answers(facts: Facts) -> Section | None:
    """Return what each model answered, and how often it was right on a question."""
    found = facts["answers"]
    if not found:
        return None
    blocks: list[Block] = [
        Prose(
            Words(
                "All responses that are in the file, dropped ones too, as the grader that trains "
                "(and, for open answers, the judge) reads them. [95 % intervals: Wilson]",
                "文件中的全部回答（含已剔除者），由训练所用的评分器（开放作答由裁判模型）判定。"
                "［方括号内为 95 % Wilson 区间］",
            )
        ),
        *(_outcomes(each) for each in found),
    ]
    for each in found:
        if not each["passed"]:
            continue
        total = sum(entry["questions"] for entry in each["passed"])
        model_name = each["model"] or "–"
        blocks.append(
            Table(
                [
                    Words(f"right answers of {model_name}", f"{model_name} 答对次数"),
                    Words("questions", "题目数"),
                ],
                [
                    [
                        Words(
                            f"{entry['right']} of {entry['of']}",
                            f"{entry['of']} 次中 {entry['right']} 次",
                        ),
                        part(entry["questions"], total),
                    ]
                    for entry in each["passed"]
                ],
            )
        )
    return Section("answers", Words("What the models answered", "模型作答情况"), blocks)


def _outcomes(each: Mapping[str, Any]) -> Table:
    """Return what the answers of one model are, in all and by language."""
    groups = [(Words("all", "全部"), each["outcomes"])]
    if len(each["by_language"]) > 1:
        groups += [(LANGUAGES[name], own) for name, own in each["by_language"].items()]
    names: list[Text] = [
        Words(*(f"{said}: {own['right']['n']:,}" for said in name)) for name, own in groups
    ]
    return Table(
        [each["model"] or Words("model not named", "模型未注明"), *names],
        [[words, *(rated(own[name]) for _, own in groups)] for name, words in OUTCOMES.items()],
    )


def judge(facts: Facts) -> Section | None:
    """Return how far the judge can be relied on."""
    found = facts["judge"]
    blocks: list[Block] = []
    if (both := found["agreement"]) is not None:
        blocks.append(
            Prose(
                Words(
                    "A part of the rows that rules decide went to the judge too, which shows how "
                    "far it can be relied on where it decides alone. Kappa takes off agreement by "
                    "chance (Cohen); 1 is perfect, 0 is chance.",
                    "规则已能判定的数据有一部分也交给裁判模型，由此可知它单独判定时有多可靠。"
                    "kappa（Cohen）扣除偶然一致：1 为完全一致，0 相当于随机。",
                )
            )
        )
        n = both["same"]["n"] if both["same"] else 0
        blocks.append(
            Table(
                [
                    Words("both decided", "双方均判定"), Words("the same verdict", "判定一致"),
                    "kappa", Words("judge undecided", "裁判未判定"),
                ],
                [[n, rated(both["same"]), _number(both["kappa"]), both["undecided"]]],
            )
        )  # fmt: skip
        judge_says = Words("judge: right", "裁判：正确"), Words("judge: wrong", "裁判：错误")
        blocks.append(
            Table(
                [Words("of these", "其中"), *judge_says],
                [
                    [Words("rules: right", "规则：正确"), both["both_right"], both["rule_alone"]],
                    [Words("rules: wrong", "规则：错误"), both["judge_alone"], both["both_wrong"]],
                ],
            )
        )
    if found["alone"]:
        names = {
            "correct": Words("right", "正确"),
            "wrong": Words("wrong", "错误"),
            "undecided": Words("undecided", "未判定"),
        }
        total = sum(found["alone"].values())
        blocks.append(
            Table(
                [Words("the judge alone said", "仅由裁判判定"), Words("rows", "条数")],
                [[word(names, name), part(n, total)] for name, n in found["alone"].items()],
            )
        )
    if found["reasoning"]:
        names = {
            "sound": Words("sound", "可靠"),
            "broken": Words("broken", "有误"),
            "undecided": Words("undecided", "未判定"),
        }
        blocks.append(
            Table(
                [Words("reasoning of right answers", "正确答案的推理"), Words("share", "比例")],
                [[word(names, name), rated(each)] for name, each in found["reasoning"].items()],
            )
        )
    blocks += _criteria(found)
    return Section("judge", Words("The judge", "裁判模型"), blocks) if blocks else None


def _criteria(found: Mapping[str, Any]) -> list[Block]:
    if not found["criteria"] and not found["undecided"]:
        return []
    blocks: list[Block] = [
        Table(
            [Words("criterion", "标准"), Words("passed", "通过率"), Words("rows", "条数")],
            [[Code(name), rated(each), each["n"]] for name, each in found["criteria"].items()],
        )
    ]
    if found["undecided"]:
        blocks.append(
            Prose(
                Words(
                    f"The judge gave no readable verdict on {found['undecided']:,} rows.",
                    f"有 {found['undecided']:,} 条裁判未给出可读的判定。",
                )
            )
        )
    if found["measures"]:
        blocks.append(
            Table(
                [
                    Words("rule measure", "规则指标"), Words("criterion", "对应标准"),
                    Words("mean where passed", "通过者均值"),
                    Words("mean where failed", "未通过者均值"),
                    Words("failed", "未通过数"),
                    Words("agreement", "一致性"),
                ],
                [
                    [Code(each["measure"]), Code(each["criterion"]), _number(each["mean_passed"]),
                     _number(each["mean_failed"]), each["failed"], _number(each["agreement"])]
                    for each in found["measures"]
                ],
            )
        )  # fmt: skip
        blocks.append(
            Prose(
                Words(
                    "Agreement: how often a row that the judge passed has the better value than "
                    "one that it failed; 0.5 is chance, 1 is perfect.",
                    "一致性：裁判判定通过者的指标优于未通过者的概率；"
                    "0.5 相当于随机，1 为完全一致。",
                )
            )
        )
    return blocks


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"
