"""How often the teacher errs, and how."""

from dataclasses import dataclass, field, fields

from dianjin_ext.errors import DianjinError


def _of(default: float, text: str) -> float:
    found: float = field(default=default, metadata={"help": text})
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Each a probability in [0, 1], drawn for each reply by itself.

    Of an answer, `cut`, `no_answer`, `wrong` and `broken` are drawn one after the other, each where
    none before it came: a reply is right and sound with
    (1 - cut) (1 - no_answer) (1 - wrong) (1 - broken). Of these, `guess` makes some wrong, or right
    with a wrong step: the elements of `world.hard_titles` are guessed, each time anew or, at the
    rate of `belief`, as always: an error that no filter turns into a lucky guess.

    Raises:
        DianjinError: One is no probability.
    """

    wrong: float = _of(0.2, "A wrong answer, with right-looking reasoning that leads to it.")
    broken: float = _of(0.15, "The right answer with broken reasoning.")
    cut: float = _of(0.01, "A reply that ends in its thinking; finish_reason is length.")
    no_answer: float = _of(0.02, "A reply that gives no answer.")
    judge_errs: float = _of(0.05, "A verdict of the judge or of a check turned round.")
    criteria_err: float = _of(0.03, "Each criterion of a judgement of quality turned round.")
    off_form: float = _of(0.02, "A reply of the judge that is not in the form asked for.")
    rewrite_errs: float = _of(0.1, "A new question that leaks its answer, needs options, or errs.")
    guess: float = _of(0.0, "The element of a title guessed that it doesn't know.")
    belief: float = _of(0.0, "Of these guesses: the same wrong element as always.")
    wrong_thought: float = _of(0.5, "A thought of a search that leads to a wrong answer.")

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if not isinstance(value, int | float) or not 0 <= value <= 1:
                raise DianjinError(f"{each.name} is {value!r}; expected a probability, 0 to 1")
