r"""Speed of `compute_score`: against the published DianJin-R1 rule, and on hostile input.

`python benchmarks/bench_rewards.py` prints both, and exits with 1 if a target is missed: `strict`
must be no slower than the published rule on 4,096-character Chinese responses, and one million
characters of any piece must take less than 50 ms under every reward. Times are CPU times, the best
of several rounds. `--pairs` measures two pieces in turn as well, all with all (about half an hour).
"""

import re
import sys
from collections.abc import Iterator
from itertools import cycle, islice, permutations

from best_of import best

from dianjin_ext import compute_score

LENGTH = 4096
HOSTILE_LENGTH = 1_000_000
POLICIES = ("strict", "lenient", "dianjin")
THINK, ANSWER, BOX = (
    re.compile(pattern, re.DOTALL)
    for pattern in ("<think>(.*?)</think>", "<answer>(.*?)</answer>", r"\\boxed\{(.*?)\}")
)
GOLDS = {"choice": "A", "finqa": "5", "label": "bullish", "exact": "增值税"}
ANSWERS = {
    "choice": (r"\boxed{A}", r"\boxed{A. 货币市场}"),
    "finqa": (r"\boxed{5}", r"\boxed{-1{,}234.5\%}", r"\boxed{三千二百万元}", r"\boxed{5到6}"),
    "label": (r"\boxed{bullish}", r"\boxed{利好（bullish）}", r"\boxed{利好或利空}"),
    "exact": (r"\boxed{增值税}", "增值税和消费税"),
}
PIECES = (
    *(
        "<thinking>",
        "[THINK]",
        "◁think▷",
        "<|channel|>analysis<|message|>",
        "<|end|>",
        "<|im_start|>",
    ),
    *(
        "assistantfinal",
        "<|begin_of_box|>",
        "\\fbox{",
        "\nQuestion:",
        "\n\nQuestion: ",
        "\n ",
        "\\\\}",
    ),
    *(
        "Answer: A\n",
        "故选A。",
        "#### 5\n",
        "however ",
        "5 because ",
        "in millions",
        "下降",
        "\\Large",
    ),
    *("<think>", "</think>", "<answer>", "</answer>", "<", ">", "\\boxed{", "\\boxed", "\\boxed{}"),
    *(
        "\\boxed{{}",
        "{",
        "}",
        "{}",
        "{{}}",
        "{{{{}}}}",
        "\\{",
        "\\}",
        "\\",
        "$",
        "*",
        "**",
        "`",
        "~",
    ),
    *(
        "，",
        "、",
        ",",
        ";",
        "；",
        "。",
        ".",
        "\n",
        " ",
        "\t",
        "　",
        "/",
        "|",
        "-",
        "(",
        ")",
        "[",
        "]",
    ),
    *(
        "7",
        "７",
        "1,",
        "A",
        "Ａ",
        "a",
        "A、",
        "A. x;",
        "e",
        "10^",
        "%",
        "\\%",
        "万",
        "一",
        "十",
        "分之",
    ),
    *(
        "约",
        "至",
        "±",
        "是",
        "不",
        "不是",
        "选",
        "答案是",
        "或",
        "合规",
        "bullish ",
        "利好，",
        "=",
        ":",
        "#",
    ),
    *(
        "\\text{",
        "\\text{A}",
        "\\frac{",
        "\\frac{1}{2}",
        "\\,",
        "\\left(",
        "\\quad",
        "½",
        "²",
        "\x00",
    ),
    *(  # marks of answers in prose, and what takes them back
        "answer is ",
        "Answer: A\n",
        '"answer": "',
        "#### 5\n",
        "I choose ",
        "故选",
        "正确的是",
        "A、C正确，",
        "A is correct. ",
        "sentiment: ",
        "不能判断为",
        "因此，",
        "the tweet is ",
        "however, it should be ",
        "wait, ",
        "更正：",
    ),
    *("\u0301", "\ufeff", "\u2028", "é", "🙂", "ﷺ"),
)
PLACES = {
    "everything": "{}",
    "the thought": "<think>{}</think><answer>\\boxed{{5}}</answer>",
    "the answer": "<think>x</think><answer>{}</answer>",
    "after a box": "<think>x</think><answer>\\boxed{{5}}{}</answer>",
    "the box": "<think>x</think><answer>\\boxed{{{}}}</answer>",
    "an open box": "<think>x</think><answer>\\boxed{{{}</answer>",
}
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


def kinds_of_answers() -> None:
    print(f"\n{LENGTH}-character Chinese responses, microseconds a call")
    print(f"{'reward':<10}{'answer':<26}" + "".join(f"{p:>10}" for p in POLICIES[:2]))
    for name, answers in ANSWERS.items():
        for answer in answers:
            text = response(answer)
            cells = "".join(
                f"{grade_time(text, policy, name, calls=200) * 1e6:>10.1f}"
                for policy in POLICIES[:2]
            )
            print(f"{name:<10}{answer:<26}{cells}")


def hostile_to_every_reward(*, pairs: bool) -> bool:
    pieces = [*PIECES, *map("".join, permutations(PIECES, 2))] if pairs else PIECES
    print(f"\n{HOSTILE_LENGTH:,} characters of one piece, milliseconds a call (target: below 50)")
    print("the worst over all places and policies, of the 20 worst pieces")
    rows = []
    for piece in pieces:
        text = (piece * (HOSTILE_LENGTH // len(piece) + 1))[:HOSTILE_LENGTH]
        rows.append((piece, {name: max(_times(text, name)) for name in GOLDS}))
    rows.sort(key=lambda row: -max(row[1].values()))
    print(f"{'piece':<20}" + "".join(f"{name:>10}" for name in GOLDS))
    for piece, worst in rows[:20]:
        print(f"{piece!r:<20}" + "".join(f"{worst[name] * 1e3:>10.2f}" for name in GOLDS))
    return max(rows[0][1].values()) < 0.05


def _times(text: str, name: str) -> Iterator[float]:
    for place in PLACES.values():
        for policy in POLICIES[:2]:
            hostile = place.format(text)
            seconds = grade_time(hostile, policy, name, rounds=1)
            yield seconds if seconds < 0.02 else grade_time(hostile, policy, name)


def grade_time(
    text: str, policy: str, name: str = "cflue_mcq", *, calls: int = 1, rounds: int = 3
) -> float:
    """Return the seconds that grading `text` takes."""
    gold = GOLDS.get(name, "A")
    return best(
        lambda: compute_score(name, text, gold, strictness=policy), calls=calls, rounds=rounds
    )


if __name__ == "__main__":
    results = [against_published_rule(), hostile_input()]
    kinds_of_answers()
    results.append(hostile_to_every_reward(pairs="--pairs" in sys.argv))
    sys.exit(0 if all(results) else 1)
