"""How the models were trained, and on what."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from dianjin_ext.evaluation.report.sections.common import Facts
from dianjin_ext.pages.blocks import (
    Block,
    Cell,
    Chart,
    Charts,
    Figures,
    Section,
    Table,
    Text,
    Words,
)
from dianjin_ext.pages.words import LANGUAGES

_STEP: Final = Words("step", "步")
_MOST_SERIES: Final = 8
_USES: Final = {
    "sft": Words("SFT rows", "SFT 数据"),
    "rl": Words("RL rows", "RL 数据"),
    "val": Words("validation rows", "验证数据"),
}

_FILTERS: Final = {"both": Words("verify, then select", "verify 再 select")}
_GOOD: Final = {
    "right": Words("right", "答案正确"),
    "right and sound": Words("right and sound", "答案与推理都正确"),
}

Steps = Mapping[str, Sequence[Sequence[float]]]


def curves(facts: Facts) -> Section | None:
    """Return the curves of every log of training."""
    several = len(facts["curves"]) > 2
    charts = [chart for log in facts["curves"] for chart in _charts(log, several)]
    if not charts:
        return None
    return Section("training", Words("Training", "训练过程"), [Charts(charts)])


def sets(facts: Facts) -> Section | None:
    """Return what the cards say of the sets that were trained on."""
    blocks = [block for card in facts["cards"] for block in _card(card)]
    return Section("data", Words("Data", "数据"), blocks) if blocks else None


def _charts(log: Mapping[str, Any], several: bool) -> Iterator[Chart]:
    steps: Steps = log["steps"]
    where = f" · {log['folder']}/{log['name']}" if several else ""

    def chart(en: str, zh: str, of: Mapping[str, Text], shares: bool = False) -> Iterator[Chart]:
        series = [
            (name, [(x, y) for x, y in steps[metric]])
            for metric, name in of.items()
            if steps.get(metric)
        ]
        if series:
            title = Words(en + where, zh + where)
            yield Chart(title, _STEP, series[:_MOST_SERIES], shares=shares)

    if log["kind"] == "sft":
        both: dict[str, Text] = {
            "loss": Words("training", "训练"),
            "eval_loss": Words("validation", "验证"),
        }
        yield from chart("SFT loss", "SFT 损失", both)
        return
    core = [m for m in sorted(steps) if m.startswith("val-core/") and "/acc/mean@" in m]
    reward: dict[str, Text] = {"critic/score/mean": Words("training", "训练")}
    reward |= {
        metric: Words("validation accuracy", "验证正确率")
        if len(core) == 1
        else metric.removeprefix("val-core/")
        for metric in core
    }
    yield from chart("RL reward", "RL 奖励", reward)
    yield from chart(
        "Reward components (mean)", "奖励各分量（均值）", _named(steps, "reward/", "/mean")
    )
    yield from chart(
        "Reasons (share of responses)",
        "评分原因（占比）",
        _named(steps, "reward_reason/", ""),
        True,
    )
    lengths: dict[str, Text] = {
        "response_length/mean": Words("mean", "均值"),
        "response_length/max": Words("longest", "最长"),
        "response_length/min": Words("shortest", "最短"),
    }
    yield from chart("Response length (tokens)", "回答长度（token）", lengths)
    yield from chart("Entropy", "熵", {"actor/entropy": "actor/entropy"})
    kl: dict[str, Text] = {name: name for name in ("actor/kl_loss", "actor/ppo_kl")}
    yield from chart("KL divergence", "KL 散度", kl)


def _named(steps: Steps, prefix: str, suffix: str) -> dict[str, Text]:
    """Return the metrics of a form, each with the part of its name that differs; largest first."""
    found = [name for name in steps if name.startswith(prefix) and name.endswith(suffix)]
    found.sort(key=lambda name: -max(value for _, value in steps[name]))
    return {name: name.removeprefix(prefix).removesuffix(suffix) for name in found}


def _card(card: Mapping[str, Any]) -> Iterator[Block]:
    used = card.get("used") or {}
    figures: list[tuple[Text, Cell]] = [(Words("Set", "数据集"), str(card.get("name", "")))]
    figures += [(_USES[use], int(used[use])) for use in _USES if used.get(use)]
    figures += [
        (label, int(card[key]))
        for key, label in (
            ("questions", Words("Questions", "题目")),
            ("responses", Words("Responses", "回答")),
        )
        if card.get(key)
    ]
    languages = (card.get("by") or {}).get("language") or {}
    figures += [
        (Words(f"Rows in {en}", f"{zh}数据"), sum(languages[name].values()))
        for name, (en, zh) in LANGUAGES.items()
        if languages.get(name)
    ]
    yield Figures(figures)
    if dropped := card.get("dropped"):
        told: list[list[Cell]] = [[str(name), int(many)] for name, many in dropped.items()]
        yield Table([Words("Dropped because", "剔除原因"), Words("Rows", "行数")], told)
    if filters := card.get("filters"):
        heads: list[Text] = [Words("Filter", "过滤"), Words("Good is", "“好”指")]
        heads += [Words("Precision", "精确率"), Words("Without it", "不过滤时")]
        heads += [Words("Recall", "召回率"), Words("Labelled", "有标签")]
        yield Table(heads, [_filter(each) for each in filters])
    rows: list[list[Cell]] = [
        [str(each["set"]), str(each["stated"]), int(each["rows"])] for each in card["licences"]
    ]
    if rows:
        yield Table(
            [Words("Source", "来源"), Words("Licence", "许可证"), Words("Rows", "行数")], rows
        )


def _filter(of: Mapping[str, Any]) -> list[Cell]:
    """Return the row of a filter whose responses the truth is known of."""
    rates = of["precision"], of["keep_all"]["precision"], of["recall"]
    return [
        _FILTERS.get(of["filter"], of["filter"]),
        _GOOD.get(of["positive"], of["positive"]),
        *(None if each is None else _rate(each) for each in rates),
        int(of["labelled"]),
    ]


def _rate(of: Mapping[str, Any]) -> str:
    return f"{of['rate']:.1%} [{100 * of['low']:.1f}, {100 * of['high']:.1f}]"
