"""The shape of a score and the reasons it may give."""

import math
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final, Literal, NamedTuple

from dianjin_ext.answers.reading import Fault
from dianjin_ext.answers.response import LayoutFault
from dianjin_ext.errors import DianjinError

Reason = (
    LayoutFault
    | Fault
    | Literal[
        "correct",
        "wrong",
        "not_boxed",
        "undecided",
        "unjudged",
        "skipped",
        "gold_unusable",
        "error",
        "timeout",
    ]
)

REASONS: Final[dict[str, str]] = {
    "correct": "the answer is right",
    "wrong": "an answer was read, and it is not the gold answer",
    "no_think": "no think block",
    "empty_think": "nothing but blanks in the think block",
    "truncated": "a think or answer block is opened and never closed",
    "repeated_tag": "a think or answer tag occurs more often than once",
    "order": "the blocks are not one think block followed by one answer block",
    "outside_text": "text outside the think and answer blocks",
    "not_boxed": r"no complete, non-empty \boxed{} in the answer block",
    "no_answer": "no answer block, or one that can't be read as an answer of the kind asked for",
    "ambiguous": "several boxes, or one that gives several answers which contradict each other",
    "undecided": "an open answer was read that rules can't decide, or that the judge couldn't",
    "unjudged": "the judge could not be reached; the score is the neutral one",
    "skipped": "the judge could not be reached; training leaves the response out",
    "gold_unusable": "the gold answer itself can't be read; a fault of the data, not of the model",
    "error": "the grader raised an exception; set by whoever catches it",
    "timeout": "the grader ran out of time; set by whoever stops it",
}
"""Every value of `Score.reason`, with its meaning."""

MAX_PRED: Final = 80
"""Characters of `Score.pred`; of a longer answer it has the beginning and a digest of the whole."""


class Score(NamedTuple):
    """What a reward function returns for one response; `_asdict()` is what verl gets.

    Attributes:
        score: The reward. Finite.
        acc: 1.0 when the answer was read under the policies asked for and is right, else 0.0.
        format: 1.0 when the response keeps the layout that the strictness demands, else 0.0.
        pred: The answer in its canonical form (`AC`, `0.125`, `bullish`), so that equal answers
            have equal texts, and no right answer has that of a wrong one to the same gold answer;
            empty when none was read. It is what answers of several samples vote by.
        reason: A key of `REASONS`; `correct` exactly when `acc` is 1.0.
    """

    score: float
    acc: float
    format: float
    pred: str
    reason: Reason


def verdict(right: bool, pred: str, *, layout: float = 1.0) -> Score:
    """Return the score of an answer that was read: 1.0 if right, else 0.0."""
    won = 1.0 if right else 0.0
    return Score(won, won, layout, short_pred(pred), "correct" if right else "wrong")


def zero(reason: Reason, *, layout: float = 0.0, pred: str = "") -> Score:
    """Return the score 0.0 for `reason`; `layout` becomes `format`."""
    return Score(0.0, 0.0, layout, short_pred(pred), reason)


def short_pred(text: str) -> str:
    """Return `text` in at most `MAX_PRED` characters, so that different texts stay different."""
    if len(text) <= MAX_PRED:
        return text
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"{text[: MAX_PRED - 10]}… {digest}"


def _finite(value: Any) -> float | None:
    try:
        number = math.nan if isinstance(value, str | bytes) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def as_score(value: Any, name: str) -> Score:
    """Return what the reward function `name` returned as a `Score`.

    A plain number or bool becomes `score`; `acc` is the same within 0 and 1, `format` is 1.0, and
    `reason` is `correct` from 1.0 on, else `wrong`. So does the `score` of a mapping, whose `acc`
    and `pred` count where it has them.

    Raises:
        DianjinError: The value is of another type, not finite, or has an unknown reason.
    """
    if isinstance(value, Score):
        score = value
    else:
        given = value if isinstance(value, Mapping) else {"score": value}
        number = _finite(given.get("score"))
        acc = _finite(given.get("acc", number))
        if number is None or acc is None:
            raise DianjinError(
                f"reward {name!r} returned {value!r:.80}; expected a Score, a finite number, or a "
                "mapping with score"
            )
        acc = min(max(acc, 0.0), 1.0)
        pred = short_pred(str(given.get("pred", "")))
        score = Score(number, acc, 1.0, pred, "correct" if acc == 1.0 else "wrong")
    if not math.isfinite(score.score + score.acc + score.format):
        raise DianjinError(f"reward {name!r} returned {score}; expected finite numbers")
    if score.reason not in REASONS:
        raise DianjinError(
            f"reward {name!r} gave the reason {score.reason!r}; "
            f"expected one of {', '.join(REASONS)}"
        )
    return score
