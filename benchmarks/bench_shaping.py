"""Speed of the shaping components: on ordinary reasoning, and on hostile input.

`python benchmarks/bench_shaping.py` prints, for responses of 4,096 characters in Chinese and in
English, the microseconds of each component beside a plain formulation of the same, and the sum;
then the milliseconds of each component for a million characters of one piece. It exits with 1 if a
sum is not below 400 us or a piece takes 50 ms. Times are CPU times, the best of several rounds.
"""

import math
import random
import re
import sys
from collections.abc import Callable
from functools import partial

from best_of import best

from dianjin_ext.answers.response import split
from dianjin_ext.rewards.base import zero
from dianjin_ext.rewards.components import Component, Sample, component_names, get_component

LENGTH = 4096
HOSTILE_LENGTH = 1_000_000
TARGET_SUM = 400e-6
TARGET_HOSTILE = 50e-3
NAMES = ("language", "length", "overlong", "repetition", "steps")

CHINESE_WORDS = (
    "公司 本期 营业 收入 同比 增长 主要 由于 产品 销量 上升 而且 价格 稳定 因此 毛利 改善 管理 "
    "费用 下降 财务 支出 减少 现金 流量 充足 负债 比率 合理 存货 周转 加快 应收 账款 回收 良好 "
    "投资 收益 来自 债券 利息 所以 净利 达到 预期 但是 汇率 波动 带来 风险 需要 关注 后续 政策 "
    "变化 选项 错误 正确 题目 要求 计算 根据 公式 代入 数据 得到 结果 比较 各项 可以 判断 市场"
)
ENGLISH_WORDS = (
    "the company revenue increased because higher sales volume and stable prices improved gross "
    "margin while operating expenses declined interest cost was slightly lower cash flow remains "
    "sufficient we need to compute net income from given data then divide by total equity which "
    "gives return on assets compare each option with question formula depreciation inventory "
    "turnover receivables bond yield dividend growth rate discount factor present value market"
)
PIECES = (
    *("<think>", "</think>", "{", "}", "\\", "\\(", "\\[", "\\[\\", "\\a", "$", "$$", "$a", "$a$ "),
    *(
        "`",
        "``",
        "```",
        "7",
        "1,",
        "a",
        "a ",
        "ab ",
        "AB ",
        "正",
        "正 ",
        "，",
        "。",
        "か ",
        "ö ",
        "🚀",
    ),
    *(
        "\u0301\u0316",
        "\ufdfa",
        "\ud800",
        "\u200b",
        "\u3000",
        " ",
        "\n",
        "\n\n1",
        "\n1. ",
        "1. 好的好的好。",
    ),
    *(
        "。首先",
        "\nStep 1",
        "\nStep 1:a",
        "\n#",
        "\n第",
        "一、",
        "(1)",
        "!",
        "http://",
        "\x00",
        "\r",
    ),
)


def reasoning(vocabulary: str, blank: str, stops: str) -> str:
    """Return sentences of words and numbers drawn at random: no n-gram repeats by design."""
    draw = random.Random(0)
    words = vocabulary.split()
    text = ""
    while len(text) < LENGTH:
        some = [draw.choice(words) for _ in range(draw.randint(8, 16))]
        if draw.random() < 0.5:
            some.insert(4, f"{draw.randrange(10**6) / 100:,}")
        text += blank.join(some) + draw.choice(stops) + draw.choice(["\n", blank, blank])
    return text


def sample(text: str, question: str) -> Sample:
    """Return a response of which `text` is the reasoning, cut to `LENGTH` characters in all."""
    head, tail = "<think>\n", "\n</think>\n<answer>\n\\boxed{A}\n</answer>"
    whole = head + text[: LENGTH - len(head) - len(tail)] + tail
    return as_sample(whole, question)


def as_sample(whole: str, question: str = "") -> Sample:
    extra = {"question": question, "response_tokens": 2048, "max_response_tokens": 4096}
    return Sample(whole, split(whole), zero("wrong"), extra)


def plain_language(sample: Sample) -> float:
    """Count character by character what is Chinese and what is a letter."""
    text = sample.parts.think or ""
    chinese = sum("\u4e00" <= character <= "\u9fff" for character in text)
    letters = sum(character.isascii() and character.isalpha() for character in text)
    return chinese / max(chinese + letters, 1)


def plain_repetition(sample: Sample) -> float:
    """Count the slices of four characters."""
    text = sample.text
    total = len(text) - 3
    return len({text[i : i + 4] for i in range(total)}) / total - 1.0


def words_between_blanks(sample: Sample) -> float:
    """Count 3-grams of the words between blanks, in the way of open-r1."""
    words = sample.text.lower().split()
    grams, total = set(), 0
    for gram in zip(*[words[i:] for i in range(3)], strict=False):
        grams.add(gram)
        total += 1
    return len(grams) / max(total, 1) - 1.0


def plain_steps(sample: Sample) -> float:
    """Count marks anywhere, in the way of open-r1."""
    found = re.findall(r"(Step \d+:|^\d+\.|\n-|\n\*|First,|Second,|Next,|Finally,)", sample.text)
    return min(1.0, len(found) / 3)


def plain_length(sample: Sample) -> float:
    """Take the cosine of the number of characters, in the way of open-r1."""
    return -0.5 - 0.5 * (1.0 + math.cos(math.pi * len(sample.text) / 4096)) / 2.0


PLAIN = {
    "language": (plain_language,),
    "repetition": (plain_repetition, words_between_blanks),
    "steps": (plain_steps,),
    "length": (plain_length,),
}


def run(component: Component, graded: Sample) -> Callable[[], float]:
    """Return a call of a component with its default settings."""
    return partial(component.function, graded, component.settings())


def ordinary_reasoning() -> bool:
    samples = {
        "Chinese": sample(reasoning(CHINESE_WORDS, "", "，，。；"), "我国金融市场体系包括（）。"),
        "English": sample(reasoning(ENGLISH_WORDS, " ", ",,.;"), "What is the return on equity?"),
    }
    met = True
    for language, graded in samples.items():
        print(f"{LENGTH}-character response in {language}, microseconds a call")
        print(f"{'component':<12}{'value':>8}{'time':>8}   plain formulations")
        total = 0.0
        for name in NAMES:
            call = run(get_component(name), graded)
            seconds = best(call, calls=100, rounds=20)
            total += seconds
            others = ", ".join(
                f"{other.__name__} {best(partial(other, graded), calls=100, rounds=10) * 1e6:.1f}"
                for other in PLAIN.get(name, ())
            )
            print(f"{name:<12}{call():>8.3f}{seconds * 1e6:>8.1f}   {others}")
        met &= total < TARGET_SUM
        print(f"{'together':<20}{total * 1e6:>8.1f}   target: below {TARGET_SUM * 1e6:.0f}\n")
    return met


def hostile_input() -> bool:
    print(f"{HOSTILE_LENGTH:,} characters of one piece, milliseconds a call (target: below 50)")
    print(f"{'piece':<16}" + "".join(f"{name:>12}" for name in NAMES))
    met = True
    for piece in PIECES:
        text = piece * (HOSTILE_LENGTH // len(piece))
        graded = as_sample(text if "think" in piece else f"<think>{text}</think><answer>A</answer>")
        times = [best(run(get_component(name), graded), calls=1, rounds=3) for name in NAMES]
        met &= max(times) < TARGET_HOSTILE
        print(f"{piece!a:<16}" + "".join(f"{seconds * 1e3:>12.2f}" for seconds in times))
    return met


if __name__ == "__main__":
    missing = set(NAMES) - set(component_names())
    if missing:
        sys.exit(f"not registered: {', '.join(sorted(missing))}")
    results = [ordinary_reasoning(), hostile_input()]
    sys.exit(0 if all(results) else 1)
