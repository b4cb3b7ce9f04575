"""Which of several responses to a question is trained on, and why."""

import random
from collections.abc import Sequence
from typing import Final

from dianjin_ext.data.candidate import Candidate
from dianjin_ext.errors import DianjinError

WAYS: Final = ("first", "shortest", "longest", "random", "all")


def choose(standing: Sequence[Candidate], way: str, *, seed: int) -> dict[int, str]:
    """Return the places of those that are trained on, each with the reason.

    Args:
        standing: The responses to one question that no step dropped.
        way: One of `WAYS`. Lengths are those of reasoning and response, in characters.
        seed: For `random`.

    Raises:
        DianjinError: `way` is not known.
    """
    if way not in WAYS:
        raise DianjinError(f"choose: expected {', '.join(WAYS)}, found {way!r}")
    if not standing:
        return {}
    number = len(standing)
    if way == "all":
        return dict.fromkeys(range(number), f"each of {number}")
    by_length = sorted(range(number), key=lambda i: _length(standing[i]))
    place = {
        "first": min(range(number), key=lambda i: standing[i].sample),
        "shortest": by_length[0],
        "longest": by_length[-1],
        "random": random.Random(f"{seed}/{standing[0].question.id}").randrange(number),
    }[way]
    return {place: f"{way} of {number}" if number > 1 else "the only one"}


def _length(candidate: Candidate) -> int:
    return len(candidate.reasoning or "") + len(candidate.response)
