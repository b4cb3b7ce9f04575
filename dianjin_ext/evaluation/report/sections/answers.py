"""What the responses are like: lengths, reasons for zeros, contradictions, judge and rules."""

from collections.abc import Iterator
from typing import Any

from dianjin_ext.evaluation.report.sections.common import (
    BENCHMARK,
    MODEL,
    Facts,
    by_task,
    names,
    rate,
    results,
    task,
    task_of,
)
from dianjin_ext.intervals import wilson_interval
from dianjin_ext.pages.blocks import (
    Block,
    Cell,
    Chart,
    Charts,
    Folded,
    Prose,
    Section,
    Share,
    Table,
    Text,
    Words,
)
from dianjin_ext.pages.words import REASONS


def lengths(facts: Facts) -> Section | None:
    """Return the pass rate against the length of responses."""
    charts, tables = [], []
    for key, found in by_task(facts).items():
        found = [each for each in found if each[1]["tokens"]["completion"]]
        series = [(name, list(_curve(result["lengths"]))) for name, result in found]
        if any(len(points) > 1 for _, points in series):
            title = Words(
                f"{task(key, facts)}: right by length", f"{task(key, facts)}：各长度的正确率"
            )
            x = Words(
                "tokens of the response, up to (logarithmic)", "回答的 token 数上限（对数刻度）"
            )
            charts.append(Chart(title, x, series, shares=True, logarithmic=True))
        title = Words(f"{task(key, facts)}: as a table", f"{task(key, facts)}：表格")
        tables.append(Folded(title, _length_table(found)))
    if not tables:
        return None
    blocks: list[Block] = [Charts(charts)] if charts else []
    blocks += [_tokens(facts), *(each for each in tables if each.table.rows)]
    return Section("lengths", Words("Length of responses", "回答长度"), blocks)


def reasons(facts: Facts) -> Section | None:
    """Return why responses scored nothing."""
    blocks: list[Block] = []
    for key, found in by_task(facts).items():
        totals: dict[str, int] = {}
        for _, result in found:
            for name, number in result["reasons"].items():
                totals[name] = totals.get(name, 0) + number
        of = dict(found)
        rows: list[list[Cell]] = []
        for name in sorted(totals, key=lambda name: -totals[name]):
            cells: list[Cell] = []
            for run in names(facts):
                counts = of[run]["reasons"] if run in of else {}
                whole, number = sum(counts.values()), counts.get(name, 0)
                cells.append(Share(number / whole, f"{number:,}") if whole else None)
            rows.append([name, REASONS.get(name, ""), *cells])
        heads: list[Text] = [task(key, facts), Words("Meaning", "含义"), *names(facts)]
        blocks.append(Table(heads, rows))
    return Section("reasons", Words("Reasons", "评分原因"), blocks) if blocks else None


def contradictions(facts: Facts) -> Section | None:
    """Return how often the answer is not what the reasoning states last."""
    rows: list[list[Cell]] = []
    for name, result in results(facts):
        of = result["contradiction"]
        share = rate(of["contradicts"] / of["stated"], *_wilson(of)) if of["stated"] else None
        counts = (of["responses"], of["stated"], of["contradicts"], of["right"])
        rows.append([task_of(result, facts), name, *counts, share])
    if not any(result["contradiction"]["stated"] for _, result in results(facts)):
        return None
    about = Words(
        "The last answer that the reasoning states, read by the readers that grade, against the "
        "answer given; rounding, scale and a percent sign make no difference. The samples below "
        "can be filtered by it.",
        "把推理中最后陈述的答案（用评分所用的同一读取器读出）与最终答案比较；四舍五入、数量级与百分号的差异不计。"
        "下方样例可按此筛选。",
    )
    heads: list[Text] = [
        *(BENCHMARK, MODEL, Words("Responses", "回答数")),
        Words("reasoning states an answer", "推理中有明确答案"),
        *(Words("contradicts it", "与之矛盾"), Words("right all the same", "其中仍判对")),
        Words("Share of those stated", "占有明确答案者"),
    ]
    title = Words("Reasoning that contradicts the answer", "推理与答案矛盾")
    return Section("contradictions", title, [Prose(about), Table(heads, rows)])


def judges(facts: Facts) -> Section | None:
    """Return how far judge and rules agree."""
    rows: list[list[Cell]] = []
    for name, result in results(facts):
        if of := result.get("judge"):
            agreement = of["agreement"]
            counts = ("both_right", "both_wrong", "only_judge", "only_rule", "undecided")
            who = " · ".join(filter(None, (of.get("model", ""), of.get("kind", ""))))
            share = rate(agreement) if agreement is not None else None
            verdicts = (of[key] for key in counts)
            rows.append([task_of(result, facts), name, who, share, *verdicts])
    if not rows:
        return None
    heads: list[Text] = [
        *(BENCHMARK, MODEL, Words("Judge", "裁判模型"), Words("Agreement", "一致率")),
        *(Words("both right", "都判对"), Words("both wrong", "都判错")),
        *(
            Words("only the judge says right", "仅裁判判对"),
            Words("only the rules do", "仅规则判对"),
        ),
        Words("undecided", "未判定"),
    ]
    return Section("judge", Words("Judge and rules", "裁判与规则"), [Table(heads, rows)])


def _curve(bins: list[Any]) -> Iterator[tuple[float, float]]:
    for each in bins:
        if each["n"]:
            yield float(each["to"]), each["right"] / each["n"]


def _length_table(found: list[Any]) -> Table:
    ends = sorted({each["to"] for _, result in found for each in result["lengths"]})
    rows: list[list[Cell]] = []
    for end in ends:
        cells: list[Cell] = []
        for _, result in found:
            each = next((each for each in result["lengths"] if each["to"] == end), None)
            if each is None or not each["n"]:
                cells.append(None)
                continue
            share = rate(each["right"] / each["n"], *wilson_interval(each["right"], each["n"]))
            cells.append(share._replace(text=f"{100 * share.value:.1f} % (n = {each['n']:,})"))
        rows.append([f"≤ {end:,}", *cells])
    head = Words("tokens", "token 数")
    return Table([head, *(name for name, _ in found)], rows)


def _tokens(facts: Facts) -> Table:
    heads: list[Text] = [
        *(BENCHMARK, MODEL, Words("mean tokens", "平均 token")),
        *(Words("median", "中位数"), Words("90 %", "90% 分位"), Words("longest", "最长")),
        Words("cut at the limit", "达到上限被截断"),
    ]
    rows: list[list[Cell]] = []
    for name, result in results(facts):
        of = result["tokens"]
        sizes = (_count(of, key) for key in ("mean", "median", "p90", "max"))
        rows.append([task_of(result, facts), name, *sizes, rate(result["truncated"])])
    return Table(heads, rows)


def _count(tokens: Any, key: str) -> int | None:
    """Return a number of tokens; None where the server didn't tell any."""
    return round(tokens[key]) if tokens["completion"] else None


def _wilson(of: Any) -> tuple[float, float]:
    return wilson_interval(of["contradicts"], of["stated"])
