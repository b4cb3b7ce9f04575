"""How the set was made: what each step dropped, what it cost, settings, prompts, versions."""

from collections.abc import Mapping
from typing import Any

from dianjin_ext.data.card.process import as_text
from dianjin_ext.data.card.reasons import reason
from dianjin_ext.pages.blocks import (
    Block,
    Cell,
    Code,
    Listing,
    Prose,
    Section,
    Share,
    Table,
    Text,
    Words,
)  # fmt: skip
from dianjin_ext.pages.cells import part

Facts = Mapping[str, Any]


def funnel(facts: Facts) -> Section | None:
    """Return what each step dropped, and why."""
    steps = facts["funnel"]
    if not steps:
        return None
    blocks: list[Block] = [
        Table(
            [
                Words("step", "步骤"), Words("rows that came", "进入"),
                Words("dropped here", "本步剔除"), Words("standing after it", "其后仍保留"),
            ],
            [
                [_named(step), step["rows"], _dropped(step),
                 _standing(step)]
                for step in steps
            ],
        )
    ]  # fmt: skip
    reasons: list[list[Cell]] = [
        [_named(step), Code(why), part(number, max(step["rows"], step["of"])), _meant(step, why)]
        for step in steps
        for why, number in sorted(step.get("dropped", {}).items(), key=lambda item: -item[1])
    ]
    unused: list[list[Cell]] = [
        [_named(step), why, part(number, step["rows"])]
        for step in steps
        for why, number in step.get("unused", {}).items()
        if number
    ]
    if reasons:
        blocks.append(
            Table(
                [
                    Words("step", "步骤"), Words("reason", "原因"), Words("rows", "条数"),
                    Words("that is", "含义"),
                ],
                reasons,
            )
        )  # fmt: skip
    if unused:
        blocks.append(
            Table(
                [
                    Words("step", "步骤"), Words("no use for these questions", "未采用的题目"),
                    Words("questions", "题目数"),
                ],
                unused,
            )
        )  # fmt: skip
    return Section("funnel", Words("What each step dropped", "各步骤的剔除情况"), blocks)


def _meant(step: Mapping[str, Any], why: str) -> Text:
    """Return what a reason means; that of a leak is the file which asks the question too."""
    return reason("asked_for_evaluation" if step["step"] == "decontaminate" else why)


def _dropped(step: Mapping[str, Any]) -> int | None:
    return sum(step["dropped"].values()) if "dropped" in step else None


def _standing(step: Mapping[str, Any]) -> Share:
    """Return how many rows stand after a step, of those that it wrote."""
    bar = part(step["standing"], step["of"])
    return bar._replace(text=f"{bar.text} / {step['of']:,}")


def _named(step: Mapping[str, Any]) -> Code:
    name, kind = step["name"], step["step"]
    return Code(name if name == kind or not name else f"{name} ({kind})")


def cost(facts: Facts) -> Section | None:
    """Return replies, tokens and money, by step and model."""
    spent = facts["spent"]
    if not spent:
        return None
    keys = ("replies", "prompt_tokens", "completion_tokens")
    rows: list[list[Cell]] = [
        [Code(each["name"]), each["role"], Code(str(each.get("model", ""))),
         *(int(each.get(key, 0)) for key in keys), _money(each.get("cost", 0.0))]
        for each in spent
    ]  # fmt: skip
    if len(rows) > 1:
        totals = [sum(int(each.get(key, 0)) for each in spent) for key in keys]
        money = sum(each.get("cost", 0.0) for each in spent)
        rows.append([Words("together", "合计"), "", None, *totals, _money(money)])
    columns = [
        Words("step", "步骤"), Words("role", "角色"), Words("model", "模型"),
        Words("replies", "回复数"), Words("tokens sent", "输入词元"),
        Words("tokens written", "输出词元"), Words("cost", "费用"),
    ]  # fmt: skip
    note = Words(
        "Cost by the prices in the settings, in their currency; empty where none were given. "
        "Replies taken from the journal again count as well.",
        "费用按设置中的单价计算（币种同单价）；未提供单价者留空。从日志中复用的回复同样计入。",
    )
    return Section("cost", Words("Cost", "费用"), [Table(columns, rows), Prose(note)])


def _money(value: float) -> str | None:
    if not value:
        return None
    return f"{value:,.2f}" if value >= 0.01 else f"{value:.6f}"


def how(facts: Facts) -> Section:
    """Return what a repetition needs to know."""
    versions = [f"dianjin-ext {facts['dianjin_ext']}"]
    if facts["written_with"]:
        versions.insert(0, f"dianjin-ext {facts['written_with']}")
    pipeline = facts["pipeline"] or "–"
    blocks: list[Block] = [
        Prose(
            Words(
                f"Pipeline: {pipeline}. Set built with {versions[0]}, card with {versions[-1]}."
                if facts["written_with"]
                else f"Card written with {versions[-1]}; no manifest says how the rows were made.",
                f"流水线：{pipeline}。数据由 {versions[0]} 生成，数据卡由 {versions[-1]} 生成。"
                if facts["written_with"]
                else f"数据卡由 {versions[-1]} 生成；没有清单说明数据的制作过程。",
            )
        )
    ]
    if facts["inputs"]:
        blocks.append(
            Table(
                [Words("input", "输入文件"), "SHA-256"],
                [[Code(name), Code(str(digest))] for name, digest in facts["inputs"].items()],
            )
        )
    if facts["prompts"]:
        blocks.append(
            Table(
                [Words("prompt", "提示词"), Words("method it serves", "所用方法"), "SHA-256"],
                [
                    [Code(each["prompt"]), each["source"], Code(str(each["digest"])[:12])]
                    for each in facts["prompts"]
                ],
            )
        )
    for step in facts["steps"]:
        named = f"{step.get('name', '')} ({step.get('step', '')}, v{step.get('version', '?')})"
        rest = {
            key: step[key]
            for key in ("inputs", "settings", "models", "options", "sha256")
            if key in step
        }
        blocks.append(Listing(named, as_text(rest)))
    return Section("how", Words("How it was made", "制作过程"), blocks)
