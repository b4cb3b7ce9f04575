"""What is read first: how many rows, how good, what one may do with them, what to mind."""

from collections.abc import Iterator, Mapping
from typing import Any

from dianjin_ext.data.card.words import ALLOWED, FILTERS, USES
from dianjin_ext.pages.blocks import Cell, Figures, Mind, Section, Text, Words
from dianjin_ext.pages.cells import percent, rated
from dianjin_ext.pages.words import LANGUAGES, word

_WEAK_KAPPA = 0.6  # below "substantial" agreement (Landis and Koch 1977, Biometrics 33:159-174)

Facts = Mapping[str, Any]


def about(facts: Facts) -> Words:
    """Return what the set is, in a sentence."""
    responses, questions = facts["responses"], facts["questions"]
    if not facts["rows"]:
        return Words("The set is empty: it holds no row.", "该数据集为空：没有任何数据。")
    if not responses:
        bare = facts["without_gold"]
        return Words(
            f"{questions:,} questions, without responses"
            + (f"; {bare:,} of them have no gold answer." if bare else "."),
            f"共 {questions:,} 道题，不含模型回答"
            + (f"；其中 {bare:,} 道没有标准答案。" if bare else "。"),
        )
    models = sorted({each["writer"] for each in facts["answers"] if each["writer"]})
    by = (f" by {', '.join(models)}", f"由 {'、'.join(models)} 生成，") if models else ("", "")
    return Words(
        f"{responses:,} responses{by[0]}; {questions:,} questions. Every response is kept in the "
        "files of the set, with what became of it and why; the numbers below say how many of them "
        "are trained on.",
        f"{by[1]}共 {responses:,} 条回答、{questions:,} 道题。"
        "全部回答连同其去向与原因都保留在数据文件中，实际用于训练的数量见下。",
    )


def glance(facts: Facts) -> Section:
    """Return the first section."""
    return Section(
        "glance",
        Words("At a glance", "一览"),
        [Figures(list(_figures(facts))), *_minded(list(_points(facts)))],
    )


def _minded(points: list[Text]) -> list[Mind]:
    return [Mind(points)] if points else []


def _figures(facts: Facts) -> Iterator[tuple[Text, Cell]]:
    for use in facts["trained"]:
        yield word(USES, use), facts["used"][use]
    languages = facts["by"].get("language", {})
    if facts["rows"]:
        shares = {
            name: sum(used.get(use, 0) for use in facts["trained"]) or 0
            for name, used in languages.items()
        }
        total = sum(shares.values()) or 1
        english, chinese = (
            ", ".join(
                f"{_said(name, nth)}\u00a0{_whole(number / total)}"
                for name, number in shares.items()
            )
            for nth in (0, 1)
        )
        yield Words("Languages", "语言"), Words(english, chinese)
    sft = facts["lengths"].get("sft", facts["lengths"].get("standing", {}))
    if "whole" in sft:
        yield (
            Words("Tokens to train on, about", "训练词元总数（估计）"),
            sft["whole"]["sum"],
        )
    if (best := _final(facts)) is not None and best["overall"]["precision"] is not None:
        yield (
            Words("Good among what was kept", "保留数据的精确率"),
            rated(best["overall"]["precision"]),
        )
    whole = facts["licences"]["whole"]
    if whole is not None:
        yield Words("Commercial use", "商业用途"), ALLOWED[whole["commercial"]]
        yield Words("Passing it on", "再分发"), ALLOWED[whole["sharing"]]
    if facts["spent"]:
        money = sum(each.get("cost", 0.0) for each in facts["spent"])
        yield (
            Words("Spent on models", "模型费用"),
            f"{money:,.2f}" if money else Words("no prices given", "未提供单价"),
        )


def _whole(share: float) -> str:
    """Return a share in whole per cent, of which a small one is not nothing."""
    return "<\u00a01\u00a0%" if 0 < share < 0.01 else f"{100 * share:.0f}\u00a0%"


def _said(name: str, nth: int) -> str:
    found = word(LANGUAGES, name)
    return found[nth] if isinstance(found, Words) else found


def _final(facts: Facts) -> dict[str, Any] | None:
    """Return the measurement of what comes last."""
    filters = (facts["quality"] or {}).get("filters", [])
    found: dict[str, Any] | None = filters[-1] if filters else None
    return found


def _points(facts: Facts) -> Iterator[Text]:
    told = sum(facts["told_gold"].get(use, 0) for use in facts["trained"])
    if told:
        yield Words(
            f"{told:,} rows of the set were written by a model that had been told the gold answer; "
            "such reasoning may argue towards an answer that it didn't find.",
            f"数据集中有 {told:,} 条由事先被告知标准答案的模型写成，其推理可能是倒推而来。",
        )
    yield from _licence_points(facts)
    if facts["holds"] == "candidates":
        yield from _quality_points(facts)
    if facts["leaks"] is None and facts["rows"]:
        yield Words(
            "No step of this set compared it with sets kept for evaluation; what a model trained "
            "on it scores there may be from memory.",
            "没有任何步骤将本数据集与评测集比对；据此训练的模型在评测集上的成绩可能来自记忆。",
        )
    changed = [each["prompt"] for each in facts["prompts"] if each["same"] is False]
    if changed:
        yield Words(
            f"These prompts were sent in other words than this installation has: "
            f"{', '.join(changed)}.",
            f"以下提示词与当前安装版本中的文字不同：{'、'.join(changed)}。",
        )


def _licence_points(facts: Facts) -> Iterator[Text]:
    sources = [each for each in facts["licences"]["sources"] if each["trained"]]
    asked = sorted(
        {each["set"] for each in sources if "ask" in (each["commercial"], each["sharing"])}
    )
    if asked:
        yield Words(
            f"What the licence allows is not known for {', '.join(asked)}: ask before you publish.",
            f"{'、'.join(asked)} 的许可证所允许的范围未知：发布前请先征询。",
        )
    barred = sorted({each["set"] for each in sources if each["commercial"] == "no"})
    if barred:
        yield Words(
            f"Not for commercial use, because of {', '.join(barred)}.",
            f"因包含 {'、'.join(barred)}，不得用于商业目的。",
        )


def _quality_points(facts: Facts) -> Iterator[Text]:
    if facts["quality"] is None:
        if facts["responses"]:
            yield Words(
                "Nobody's labels say how good the kept rows are; label a part and pass --truth.",
                "没有人工标注来说明保留数据的质量；请标注一部分并用 --truth 传入。",
            )
    else:
        stray = facts["quality"]["labels"] - facts["quality"]["met"]
        if stray:
            yield Words(
                f"{stray:,} labels name no response of this set; look at their id and sample.",
                f"有 {stray:,} 条标注在本数据集中找不到对应的回答；请检查其 id 与 sample。",
            )
        overlapping = {}
        for each in facts["quality"]["filters"]:
            better, plain = each["overall"]["precision"], each["overall"]["keep_all"]["precision"]
            if better and plain and better["low"] <= plain["high"]:
                overlapping[each["filter"]] = word(FILTERS, each["filter"])
        for name in overlapping.values():
            english, chinese = name if isinstance(name, Words) else (name, name)
            yield Words(
                f"The labels don't show that {english} is better than keeping all rows: the "
                "intervals overlap.",
                f"现有标注不足以说明 {chinese} 优于全部保留：两者的区间有重叠。",
            )
    judged = facts["judge"]
    agreement = judged["agreement"]
    alone = sum(judged["alone"].values())
    if alone and agreement is None:
        yield Words(
            f"The judge alone decided {alone:,} rows and was never compared with rules "
            "(`agreement` of verify).",
            f"裁判模型独自判定了 {alone:,} 条，却从未与规则比对（见 verify 的 agreement 设置）。",
        )
    if agreement and agreement["kappa"] is not None and agreement["kappa"] < _WEAK_KAPPA:
        same = percent(agreement["same"]["rate"])
        yield Words(
            f"Judge and rules agree weakly: {same}, kappa {agreement['kappa']:.2f}.",
            f"裁判模型与规则的一致性偏低：{same}，kappa {agreement['kappa']:.2f}。",
        )
