"""What the teacher knows about a question, whatever kind of question it is."""

from typing import Final, Protocol

from dianjin_ext.data.steps.select import CRITERIA as CRITERIA
from dianjin_ext.questions.question import Language
from dianjin_ext.quickstart.teacher.draws import Draws

REVISING: Final[dict[Language, tuple[str, ...]]] = {
    "zh": ("等等", "再想想", "不对"),
    "en": ("Wait", "Let me think again", "No,"),
}
"""How a line begins from which on statements replace earlier ones."""


class Subject(Protocol):
    """A question to which the teacher knows the answer."""

    @property
    def language(self) -> Language:
        """Of the question."""

    @property
    def boxed(self) -> bool:
        """Whether the answer goes into a box."""

    @property
    def gold(self) -> str:
        """The right answer, as it stands in the box."""

    def wrong(self, draws: Draws) -> str:
        """Return a wrong answer."""

    def reason(self, answer: str, draws: Draws) -> str:
        """Return reasoning that leads to an answer, right-looking whatever the answer."""

    def tried(self, rate: float, draws: Draws, *, belief: float = 0.0) -> tuple[str, str]:
        """Return reasoning and answer as well as the teacher knows.

        Args:
            rate: How often it guesses what it doesn't know.
            draws: Of this reply.
            belief: How often such a guess is the same as always.
        """

    def broken(self, draws: Draws) -> str:
        """Return reasoning that fails at least one criterion, for a reply with the right answer."""

    def agrees(self, answer: str) -> bool:
        """Return whether an answer is right."""

    def concluded(self, text: str) -> str | None:
        """Return the answer that a text comes to last."""

    def criteria(self, reasoning: str) -> dict[str, bool]:
        """Return whether reasoning meets each of `CRITERIA`."""
