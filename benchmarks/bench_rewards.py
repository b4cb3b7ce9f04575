r"""Speed of `compute_score`: against the published DianJin-R1 rule, and on hostile input.

`python benchmarks/bench_rewards.py` prints both, and exits with 1 if a target is missed: `strict`
must be no slower than the published rule on 4,096-character Chinese responses, and one million
characters of `<think>` must take less than 50 ms. Times are CPU times, the best of several rounds.
"""

import re
import sys
import time
from collections.abc import Callable
from itertools import cycle, islice

from dianjin_ext import compute_score

LENGTH = 4096
HOSTILE_LENGTH = 1_000_000
POLICIES = ("strict", "lenient", "dianjin")
THINK, ANSWER, BOX = (
    re.compile(pattern, re.DOTALL)
    for pattern in ("<think>(.*?)</think>", "<answer>(.*?)</answer>", r"\\boxed\{(.*?)\}")
)
OPTIONS = {"A": "货币市场", "B": "债券市场", "C": "商品市场", "D": "金融衍生品市场"}
PASSAGE = (
    "题目问的是我国金融市场体系的构成。先看选项A，货币市场是一年期以内资金融通的场所；再看选项B，"
    "债券市场属于资本市场的一部分；商品市场交易的是实物，与金融市场并列，因此选项C不符合题意；"
    "最后看选项D，期货、期权和互换都在金融衍生品市场交易，GDP增速与此无关，约占35.7%。\n"
)


def response(answer: str) -> str:
    """Return a well-formed response of `LENGTH` characters whose answer block ends in `answer`."""
    head, tail = "<think>\n", f"\n</think>\n<answer>\n综上所述，答案是 {answer}\n</answer>"
    thought = "".join(islice(cycle(PASSAGE), LENGTH - len(head) - len(tail)))
    return head + thought + tail


def published_rule(response: str, gold: str) -> float:
    """Grade as DianJin-R1 published it: patterns with lazy groups, letters searched in the box."""
    if len(THINK.findall(response)) != 1:
        return 0.0
    answers = ANSWER.findall(response)
    boxes = BOX.findall(answers[0]) if len(answers) == 1 else []
    if not boxes:
        return 0.0
    said, wanted = ([c for c in "ABCDEFG" if c in text] for text in (boxes[-1], gold))
    return float(said == wanted)


def best(call: Callable[[], object], *, calls: int, rounds: int) -> float:
    """Return the seconds of one call, the best of `rounds` means over `calls`."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(calls):
            call()
        times.append((time.process_time() - start) / calls)
    return min(times)


def against_published_rule() -> bool:
    print(f"{LENGTH}-character Chinese responses, microseconds a call")
    print(f"{'answer':<32}{'published':>10}{'strict':>10}{'ratio':>8}")
    met = True
    extra = {"choices": OPTIONS, "question": "我国金融市场体系包括（）。"}
    for answer in (r"\boxed{ABD}", r"\boxed{A、B、D}", r"\boxed{\text{A}, \text{B}, \text{D}}"):
        text = response(answer)
        published = best(lambda text=text: published_rule(text, "ABD"), calls=300, rounds=15)
        strict = best(
            lambda text=text: compute_score("cflue_mcq", text, "ABD", extra), calls=300, rounds=15
        )
        ratio = strict / published
        met &= ratio <= 1
        print(f"{answer:<32}{published * 1e6:>10.1f}{strict * 1e6:>10.1f}{ratio:>8.2f}")
    return met


def hostile_input() -> bool:
    print(f"\n{HOSTILE_LENGTH:,} characters of one piece, milliseconds a call (target: below 50)")
    print(f"{'piece':<12}{'place':<12}" + "".join(f"{p:>10}" for p in POLICIES) + f"{'half':>10}")
    met = True
    for piece in ("<think>", "</think>", "<answer>", r"\boxed{", r"\boxed{}", "{", "7", "A、"):
        text = piece * (HOSTILE_LENGTH // len(piece))
        places = {
            "everything": (text, text[: len(text) // 2]),
            "the box": tuple(
                f"<think>x</think><answer>\\boxed{{{part}}}</answer>"
                for part in (text, text[: len(text) // 2])
            ),
        }
        for place, (whole, half) in places.items():
            times = [grade_time(whole, policy) for policy in POLICIES]
            met &= max(times) < 0.05
            cells = "".join(f"{seconds * 1e3:>10.2f}" for seconds in times)
            print(f"{piece:<12}{place:<12}{cells}{grade_time(half, 'strict') * 1e3:>10.2f}")
    return met


def grade_time(text: str, policy: str) -> float:
    """Return the seconds that grading `text` takes."""
    return best(lambda: compute_score("cflue_mcq", text, "A", strictness=policy), calls=1, rounds=3)


if __name__ == "__main__":
    results = [against_published_rule(), hostile_input()]
    sys.exit(0 if all(results) else 1)
