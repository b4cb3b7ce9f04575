r"""Speed of numeric grading: against math-verify, and on hostile input.

`python benchmarks/bench_numeric.py` prints both, and exits with 1 if a target is missed: on
4,096-character responses `compute_score` must be at least 20 times as fast as math-verify in the
same process, and one million characters of anything repeated must take less than 50 ms. Times are
CPU times, the best of several rounds.
"""

import sys
from itertools import cycle, islice

from best_of import best
from math_verify import parse, verify

from dianjin_ext import compute_score

LENGTH = 4096
HOSTILE_LENGTH = 1_000_000
TARGET = 20
PASSAGES = {
    "English": (
        "Revenue rose from $1,234.5 million in 2018 to $1,400 million in 2019, so that growth was "
        "165.5 / 1,234.5 = 13.4%. The margin is the operating income over revenue, and the tax "
        "rate of 21% applies to the income before taxes.\n"
    ),
    "Chinese": (
        "根据题目给出的数据，公司2018年的营业收入为1234.5万元，2019年为1400万元，增长额为165.5万元，"
        "增长率=165.5÷1234.5=13.4%。再看利润率，它等于营业利润除以营业收入，所得税税率为25%。\n"
    ),
}
ANSWERS = {
    "0.134": "0.134",
    r"13.4\%": "0.134",
    "1,234.5": "1234.5",
    r"\$5.2 \text{ million}": "5200000",
    r"\frac{3}{4}": "0.75",
    "12.5": "12.7",
}
HOSTILE = ("<think>", r"\boxed{", "{", "9", "1,", "-", "万", "三", "5%", "the answer is ", "= ")


def response(passage: str, answer: str) -> str:
    """Return a well-formed response of `LENGTH` characters with `answer` in its box."""
    head = "<think>\n"
    tail = f"\n</think>\n<answer>\nThe answer is $\\boxed{{{answer}}}$\n</answer>"
    return head + "".join(islice(cycle(passage), LENGTH - len(head) - len(tail))) + tail


def against_math_verify() -> bool:
    print(f"{LENGTH}-character responses, microseconds a call")
    print(f"{'text':<10}{'answer':<26}{'math-verify':>12}{'dianjin':>10}{'ratio':>8}")
    met = True
    for language, passage in PASSAGES.items():
        totals = [0.0, 0.0]
        for answer, gold in ANSWERS.items():
            text = response(passage, answer)
            times = (
                best(lambda t=text, g=gold: verify(parse(g), parse(t)), calls=20, rounds=5),
                best(lambda t=text, g=gold: compute_score("finqa", t, g), calls=300, rounds=15),
            )
            totals = [total + seconds for total, seconds in zip(totals, times, strict=True)]
            report(language, answer, *times)
        report(language, "all of these", *totals)
        met &= totals[0] / totals[1] >= TARGET
    return met


def report(language: str, answer: str, theirs: float, ours: float) -> None:
    cells = f"{theirs * 1e6:>12.1f}{ours * 1e6:>10.1f}{theirs / ours:>8.1f}"
    print(f"{language:<10}{answer:<26}{cells}")


def hostile_input() -> bool:
    print(f"\n{HOSTILE_LENGTH:,} characters of one piece, milliseconds a call (target: below 50)")
    print(f"{'piece':<16}{'place':<12}{'strict':>10}{'lenient':>10}")
    met = True
    for piece in HOSTILE:
        text = piece * (HOSTILE_LENGTH // len(piece))
        boxed = f"<think>x</think><answer>\\boxed{{{text}}}</answer>"
        for place, whole in {"everything": text, "the box": boxed}.items():
            times = [
                best(
                    lambda t=whole, s=strictness: compute_score("finqa", t, "5", strictness=s),
                    calls=1,
                    rounds=3,
                )
                for strictness in ("strict", "lenient")
            ]
            met &= max(times) < 0.05
            print(f"{piece:<16}{place:<12}" + "".join(f"{s * 1e3:>10.2f}" for s in times))
    return met


if __name__ == "__main__":
    results = [against_math_verify(), hostile_input()]
    sys.exit(0 if all(results) else 1)
