"""What a step of a data pipeline is: a file of rows in, a file of rows out."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from dianjin_ext.data.candidate import Candidate
from dianjin_ext.inference.asking import Asking
from dianjin_ext.questions.question import Question

Rows = Literal["questions", "candidates"]


class Removed(NamedTuple):
    """A question that a step left out.

    Attributes:
        id: Its name.
        question: Its text.
        reason: Why, in a word that is counted.
        detail: Why this one, in words.
    """

    id: str
    question: str
    reason: str
    detail: str = ""


class Result(NamedTuple):
    """What a step makes of a row.

    Attributes:
        rows: Questions or candidates.
        removed: Why there is no question. Candidates are kept, and say themselves why they are
            dropped.
    """

    rows: Sequence[Question | Candidate]
    removed: Removed | None = None


class RowStep(NamedTuple):
    """A step that looks at one row at a time, and may ask models about it.

    Attributes:
        name: As on the command line.
        version: Grows when the same input and settings give another output.
        takes: What its input holds. A candidate that an earlier step dropped passes by untouched.
        gives: What its output holds.
        roles: The models it may ask.
        needs: Those of them that it can't do without, by its settings.
        prompts: The texts it sends, by name.
        work: The step itself: from a row, its settings and whom to ask to what becomes of it. It
            must depend on nothing else, so that a repetition gives the same.
    """

    name: str
    version: int
    takes: Rows
    gives: Rows
    roles: tuple[str, ...]
    needs: Callable[[Any], tuple[str, ...]]
    prompts: tuple[str, ...]
    work: Callable[[Any, Any, Asking], Awaitable[Result]]


class SetStep(NamedTuple):
    """A step that needs all rows at once, and asks nobody.

    Attributes:
        name: As on the command line.
        version: See `RowStep`.
        takes: What its input must hold; None where it takes both.
        run: From input files, the output file and its settings to what it counted.
    """

    name: str
    version: int
    takes: Rows | None
    run: Callable[[Sequence[Path], Path, Any], dict[str, Any]]
