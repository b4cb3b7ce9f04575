"""What is said of answers, verdicts and judgements, and how each of them errs."""

from typing import Final, NamedTuple

from dianjin_ext.answers.tags import Tags
from dianjin_ext.questions.question import Language
from dianjin_ext.quickstart.teacher.boxes import box
from dianjin_ext.quickstart.teacher.draws import Draws
from dianjin_ext.quickstart.teacher.rates import Rates
from dianjin_ext.quickstart.teacher.subject import CRITERIA, Subject

_UNSURE: Final[dict[Language, str]] = {
    "zh": "所给的内容还不足以作答。",
    "en": "There is not enough to go on for an answer.",
}
_REPLY: Final[dict[Language, str]] = {"zh": "答案是 {}。", "en": "The answer is {}."}
_WHY: Final[dict[tuple[Language, bool], str]] = {
    ("zh", True): "逐项核对，没有发现问题。",
    ("zh", False): "逐项核对，有不相符之处。",
    ("en", True): "Checked point by point, and it holds.",
    ("en", False): "Checked point by point, and it does not hold.",
}


class Reply(NamedTuple):
    """A reply of the teacher.

    Attributes:
        content: The text after the thinking.
        reasoning: The thinking, where it is apart.
        finish_reason: `stop` or `length`.
    """

    content: str
    reasoning: str | None = None
    finish_reason: str = "stop"


def answered(subject: Subject, rates: Rates, draws: Draws, tags: Tags | None) -> Reply:
    """Answer a question; `tags` is the layout of a reply that is written as a whole."""
    if draws.chance("cut", rates.cut):
        reasoning = subject.reason(subject.gold, draws)
        reasoning = reasoning[: int(len(reasoning) * (0.2 + 0.7 * draws.unit("cut/at")))]
        if tags is not None:
            return Reply(tags.think[0] + reasoning, None, "length")
        return Reply("", reasoning, "length")
    reasoning, answer = _response(subject, rates, draws)
    if tags is not None:
        return Reply(tags.wrap(reasoning, answer))
    return Reply(answer, reasoning)


def _response(subject: Subject, rates: Rates, draws: Draws) -> tuple[str, str]:
    language = subject.language
    if draws.chance("no_answer", rates.no_answer):
        return subject.reason(subject.gold, draws), _UNSURE[language]
    if draws.chance("wrong", rates.wrong):
        answer = subject.wrong(draws)
        reasoning = subject.reason(answer, draws)
    elif draws.chance("broken", rates.broken):
        answer = subject.gold
        reasoning = subject.broken(draws)
    else:
        reasoning, answer = subject.tried(rates.guess, draws, belief=rates.belief)
    return reasoning, _REPLY[language].format(box(answer)) if subject.boxed else answer


def verdict(right: bool, language: Language, rates: Rates, draws: Draws) -> Reply:
    """Say whether an answer is right, as the judge's prompt asks."""
    right ^= draws.chance("judge", rates.judge_errs)
    word = "correct" if right else "wrong"
    return Reply(_line("VERDICT", word, right, language, rates, draws))


def reasoning_check(sound: bool, language: Language, rates: Rates, draws: Draws) -> Reply:
    """Say whether reasoning is sound."""
    sound ^= draws.chance("judge", rates.judge_errs)
    word = "sound" if sound else "broken"
    return Reply(_line("REASONING", word, sound, language, rates, draws))


def _line(name: str, word: str, holds: bool, language: Language, rates: Rates, draws: Draws) -> str:
    why = _WHY[language, holds]
    if draws.chance("off_form", rates.off_form):
        ways = (f"{name}: {word}\n{why}", f"{why}\n{name} = {word}", why, f"{why} {name}: {word}!")
        return draws.pick("off_form/way", ways)
    return f"{why}\n{name}: {word}"


def rewrite_check(self_contained: bool, same_answer: bool, rates: Rates, draws: Draws) -> Reply:
    """Say whether a rewritten question holds; a turned verdict accepts what it would refuse."""
    if draws.chance("judge", rates.judge_errs):
        if self_contained and same_answer:
            same_answer = False
        else:
            self_contained = same_answer = True
    words = [("no", "yes")[holds] for holds in (self_contained, same_answer)]
    if draws.chance("off_form", rates.off_form):
        return Reply(
            draws.pick("off_form/way", (words[0], f"SELF_CONTAINED: {words[0]}", "yes and no"))
        )
    return Reply(f"SELF_CONTAINED: {words[0]}\nSAME_ANSWER: {words[1]}")


def criteria(holds: dict[str, bool], rates: Rates, draws: Draws) -> Reply:
    """Say which criteria reasoning meets."""
    lines = [
        f"{name}: {int(holds[name] ^ draws.chance(f'criterion/{name}', rates.criteria_err))}"
        for name in CRITERIA
    ]
    if draws.chance("off_form", rates.off_form):
        ways = (lines[:-1], ["Judgement:", *lines], lines[::-1], ["1 1 1 1 1 1 1"])
        lines = draws.pick("off_form/way", ways)
    return Reply("\n".join(lines))
