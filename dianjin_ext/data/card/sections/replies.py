"""What the models answered: right, wrong, cut, none; and how many of n to each question."""

from collections.abc import Mapping
from typing import Any

from dianjin_ext.data.card.words import OUTCOMES
from dianjin_ext.pages.blocks import Block, Prose, Section, Table, Text, Words
from dianjin_ext.pages.cells import part, rated
from dianjin_ext.pages.words import LANGUAGES

Facts = Mapping[str, Any]


def answers(facts: Facts) -> Section | None:
    """Return what each model answered, and how often it was right on a question."""
    found = facts["answers"]
    if not found:
        return None
    blocks: list[Block] = [
        Prose(
            Words(
                "All responses that were written, dropped ones too, as the grader that trains "
                "(and, for open answers, the judge) reads them. [Brackets: 95 % intervals "
                "(Wilson); responses to one question do not count as independent.]",
                "生成的全部回答（含已剔除者），由训练所用的评分器（开放作答由裁判模型）判定。"
                "［方括号内为 95 % Wilson 区间，同一题目的多个回答不视为独立］",
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
