"""How far the judge can be relied on: beside rules, and by criterion."""

from collections.abc import Mapping
from typing import Any

from dianjin_ext.pages.blocks import Block, Code, Prose, Section, Table, Words
from dianjin_ext.pages.cells import part, rated
from dianjin_ext.pages.words import word

Facts = Mapping[str, Any]


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
