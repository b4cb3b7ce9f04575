"""What is read first: what was evaluated, how it stands, what to mind."""

from collections.abc import Iterator
from typing import Final

from dianjin_ext.evaluation.report.alike import PARTS
from dianjin_ext.evaluation.report.departures import departures
from dianjin_ext.evaluation.report.sections.common import (
    Facts,
    by_task,
    names,
    points,
    probability,
    rate,
    results,
    task,
)
from dianjin_ext.pages.blocks import Cell, Figures, Mind, Section, Text, Words

_MOST_FIGURES: Final = 8
_MOST_CHANGES: Final = 6

_MADE_UP: Final = Words(
    "The questions are made up by code and the model has half a million parameters: this shows "
    "that every part of the pipeline works and that the reward teaches, not what a real model "
    "would score. The teacher guesses the accounts it does not know; only RL's reward sees the "
    "true answers.",
    "题目由代码生成，模型只有约五十万参数：本页说明整条流水线可用、奖励确实在起作用，不代表真实模型的成绩。"
    "写 SFT 数据的教师对不认识的科目靠猜；只有强化学习的奖励知道正确答案。",
)
_TINY: Final = Words(
    "The questions are real, the model is not: with about a million parameters and no "
    "pre-training it can learn the format of an answer, hardly the answers. Read the accuracy as "
    "guessing.",
    "题目是真实数据，模型则是从零开始的微型模型：它能学会作答格式，几乎学不会答案。请把这里的正确率当作随机猜测。",
)


def title(facts: Facts) -> Words:
    """Return the title."""
    if _is_quickstart(facts):
        called = [name if name == "base" else name.upper() for name in names(facts)]
        return Words(f"From {' to '.join(called)}", "从" + "到".join(called))
    named = names(facts)
    if not named:
        return Words("Training", "训练过程")
    return Words(f"Evaluation of {', '.join(named)}", f"{'、'.join(named)} 评测报告")


def about(facts: Facts) -> Words:
    """Return what was evaluated, in a sentence."""
    tasks = by_task(facts)
    if not tasks:
        return Words("No evaluated model is among the folders.", "所给文件夹中没有评测结果。")
    if _is_quickstart(facts):
        ((_, found),) = tasks.items()
        n = found[0][1]["n"]
        way = " → ".join(f"{100 * result['accuracy']:.1f} %" for _, result in found)
        form = " → ".join(f"{100 * result['format_rate']:.1f} %" for _, result in found)
        return Words(
            f"On the same {n:,} held-out questions, graded by the reward used in training: "
            f"accuracy {way}, right format {form}.",
            f"同一批 {n:,} 道留出题，用训练时的奖励函数评分：正确率 {way}；格式正确率 {form}。",
        )
    responses = sum(result["contradiction"]["responses"] for _, result in results(facts))
    benchmarks = len({key[0] for key in tasks})
    models = len(facts["runs"])
    plural = "s" * (models > 1), "s" * (benchmarks > 1)
    return Words(
        f"{models:,} model{plural[0]} on {benchmarks:,} benchmark{plural[1]}, "
        f"{responses:,} graded responses. Every number stands with its protocol and its 95 % "
        "interval.",
        f"{models:,} 个模型、{benchmarks:,} 个评测集、{responses:,} 条已评分的回答。"
        "每个数字都附有评测协议与 95% 置信区间。",
    )


def glance(facts: Facts) -> Section | None:
    """Return the first section."""
    said = list(_mind(facts))
    figures = list(_figures(facts))
    blocks: list[Figures | Mind] = [Figures(figures)] if figures else []
    if said:
        blocks.append(Mind(said))
    return Section("glance", Words("At a glance", "一览"), blocks) if blocks else None


def _is_quickstart(facts: Facts) -> bool:
    return bool(facts["kinds"] == ["quickstart"])


def _figures(facts: Facts) -> Iterator[tuple[Text, Cell]]:
    tasks = by_task(facts)
    several = len(facts["runs"]) > 1
    shown = [(key, name, result) for key, found in tasks.items() for name, result in found]
    for key, name, result in shown[:_MOST_FIGURES]:
        of = task(key, facts)
        yield (
            f"{name} · {of}" if several and len(tasks) > 1 else name if several else of,
            rate(result["accuracy"], result["accuracy_low"], result["accuracy_high"]),
        )


def _mind(facts: Facts) -> Iterator[Text]:
    for folder in facts["folders"]:
        if folder["kind"] == "quickstart":
            yield _MADE_UP if folder.get("data") == "made-up questions" else _TINY
    surest = sorted(facts["changes"], key=lambda change: change["p_holm"])
    for change in surest[:_MOST_CHANGES]:
        sure = change["p_holm"] < 0.05
        before, after = (names(facts)[change[side]] for side in ("before", "after"))
        where = task((change["benchmark"], change["protocol"]), facts)
        moved = points(change["difference"])
        p = probability(change["p_holm"])
        p = p if p.startswith("<") else f"= {p}"
        yield Words(
            f"{where}: {moved} points from {before} to {after} (p {p}), "
            + ("more than chance explains." if sure else "no more than chance may explain."),
            f"{where}：从 {before} 到 {after} 变化 {moved} 个百分点（p {p}），"
            + ("超出偶然波动。" if sure else "未超出偶然波动。"),
        )
        if different := [PARTS[part] for part in change["apart"]]:
            yield Words(
                f"{where}: {before} and {after} differ in {', '.join(p.en for p in different)}, "
                "so the difference is not that of the models alone.",
                f"{where}：{before} 与 {after} 的{'、'.join(p.zh for p in different)}不同，"
                "因此差异并不只来自模型。",
            )
        if change["only_one"]:
            yield Words(
                f"{where}: {change['only_one']:,} questions were asked of one of {before} and "
                f"{after} only; the comparison leaves them out.",
                f"{where}：有 {change['only_one']:,} 道题只问过 {before} 与 {after} 之一，"
                "比较时不计。",
            )
    if (more := len(surest) - _MOST_CHANGES) > 0:
        yield Words(
            f"{more:,} further comparisons stand under What changed.",
            f"另有 {more:,} 组比较见“变化”一节。",
        )
    for name, result in results(facts):
        if not result["comparable"]:
            what = departures(result["departures"])
            yield Words(
                f"{name}, {result['benchmark']}: not the number of the protocol "
                f"{result['protocol']}: {what.en}.",
                f"{name}，{result['benchmark']}：不等同于协议 {result['protocol']} 的成绩："
                f"{what.zh}。",
            )
