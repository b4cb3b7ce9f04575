"""What the checks of a server share: whom they ask, and what."""

from dataclasses import dataclass
from typing import Any

from dianjin_ext.answers.tags import Tags
from dianjin_ext.inference.endpoint import Said, Server
from dianjin_ext.questions.prompts import format_response, prompt
from dianjin_ext.questions.question import Question

__all__ = ["PROBE", "Asked", "exchange"]

Messages = list[dict[str, str]]

PROBE = Question(
    id="probe",
    data_source="cflue_mcq",
    language="zh",
    question="某投资者的持仓亏损了20%，要回到原来的市值，需要上涨（）。",
    kind="choice",
    choices={"A": "20%", "B": "25%", "C": "30%", "D": "40%"},
    multiple=False,
    answer="B",
)


@dataclass(frozen=True)
class Asked:
    """A model at a server.

    Attributes:
        server: The server.
        name: What it calls the model.
        context: The most tokens of prompt and reply; None where the server doesn't say.
        tags: The layout of the model's responses.
    """

    server: Server
    name: str
    context: int | None
    tags: Tags

    def chat(self, messages: Messages, **options: Any) -> Said:
        """Ask for a reply.

        Raises:
            DianjinError: Nothing answers, or the key is wrong.
        """
        body = {"model": self.name, "messages": messages, **options}
        return self.server.post(f"{self.server.base_url}/chat/completions", body)

    def tokenize(self, messages: Messages, *, prompted: bool) -> list[int] | None:
        """Return the tokens that the served template makes of messages; None where it won't say.

        Raises:
            DianjinError: As `chat`.
        """
        body = {"model": self.name, "messages": messages, "add_generation_prompt": prompted}
        said = self.server.post("/tokenize", body)
        tokens = said.body.get("tokens") if isinstance(said.body, dict) else None
        if said.status == 200 and isinstance(tokens, list) and tokens:
            return tokens if all(isinstance(token, int) for token in tokens) else None
        return None


def exchange(tags: Tags) -> tuple[str, str]:
    """Return a question as training asks it, and a reply in the layout of `tags`."""
    return prompt(PROBE, tags), format_response("0.8 × 1.25 = 1。", "B", tags)
