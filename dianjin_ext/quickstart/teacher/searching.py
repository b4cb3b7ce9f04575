"""The thoughts of a search: the first, the next by a strategy, the merged text, the reply."""

from typing import Final

from dianjin_ext.questions.question import Language
from dianjin_ext.quickstart.teacher.boxes import box, unboxed, without_boxes
from dianjin_ext.quickstart.teacher.draws import Draws
from dianjin_ext.quickstart.teacher.rates import Rates
from dianjin_ext.quickstart.teacher.saying import Reply
from dianjin_ext.quickstart.teacher.subject import Subject

# each begins as a line that takes back what was said before: see `subject.REVISING`
_OPENERS: Final[dict[str, dict[Language, str]]] = {
    "backtrack": {
        "zh": "等等，退回到前面，从第一处可疑的地方重新推。",
        "en": "Wait, back to the first point that looks doubtful, and on from there.",
    },
    "new_path": {
        "zh": "再想想，换一条思路，从头判断一遍。",
        "en": "Let me think again, by another way, from the beginning.",
    },
    "verify": {
        "zh": "等等，逐条核对一下每一处判断。",
        "en": "Wait, each of these is to be checked, one by one.",
    },
    "correct": {
        "zh": "不对，前面有一处弄错了，应当改正。",
        "en": "No, there is a mistake in this, and it is to be put right.",
    },
    "told": {
        "zh": "再想想，还可以这样看。",
        "en": "Let me think again, it can be looked at like this.",
    },
}
_FIRST: Final[dict[Language, str]] = {"zh": "嗯，", "en": "Hmm. "}
_REPLY: Final[dict[Language, str]] = {"zh": "理由：{}\n{}", "en": "The reason: {}\n{}"}


def thought(subject: Subject, task: str, rates: Rates, draws: Draws) -> Reply:
    """Return a thought, right or wrong, and the line of its answer.

    Args:
        subject: The question.
        task: `think`, a strategy, or `told`, which comes to what it was told.
        rates: Of errors.
        draws: Of this reply.
    """
    wrong = task != "told" and draws.chance("thought", rates.wrong_thought)
    if wrong:
        answer = subject.wrong(draws)
        reasoning = subject.reason(answer, draws)
    else:
        reasoning, answer = subject.tried(
            rates.guess if task != "told" else 0.0, draws, belief=rates.belief
        )
    steps = reasoning.splitlines()
    if opener := _OPENERS.get(task):
        steps.insert(0, opener[subject.language])
    # a box is asked for whatever the answer is, on one line
    return Reply("\n\n".join(steps) + f"\n\n{box(' '.join(answer.split()))}")


def merged(subject: Subject, thoughts: str) -> Reply:
    """Return the thoughts as one text, wrong turns and all, that ends where they end."""
    lines = [line.strip() for line in without_boxes(thoughts).splitlines() if line.strip()]
    return Reply("\n".join([_FIRST[subject.language] + lines[0], *lines[1:]]) if lines else "")


def replied(subject: Subject, thoughts: str) -> Reply:
    """Return the reply that thoughts lead to: a reason, and the box."""
    answer = subject.concluded(thoughts) or unboxed(thoughts)
    lines = [line for line in without_boxes(thoughts).splitlines() if line.strip()]
    answer = " ".join(answer.split())
    return Reply(_REPLY[subject.language].format(lines[-1] if lines else "", box(answer)))
