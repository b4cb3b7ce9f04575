"""A conversation with a served model: its history, and a reply as it is written."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import openai

from dianjin_ext.answers.tags import DIANJIN_R1, Tags
from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.chat.splitting import Piece, Splitter

__all__ = ["Conversation", "Partner"]


@dataclass(frozen=True, kw_only=True)
class Partner:
    """Whom to talk to, and how.

    Attributes:
        base_url: An endpoint that speaks OpenAI's protocol.
        model: The name of the model there.
        key: Its key; empty for a server without keys.
        system: The system prompt; None for what the chat template has.
        options: Settings of the model, such as `temperature`; what isn't named is the server's.
        tags: The layout of its responses.
        dress: Makes of what is typed what is sent.
        timeout_s: Seconds until the next piece of a reply.
    """

    base_url: str
    model: str
    key: str = ""
    system: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    tags: Tags = DIANJIN_R1
    dress: Callable[[str], str] = str
    timeout_s: float = 300.0


class Conversation:
    """Keeps the turns. Of a reply the next turn sees what follows its reasoning.

    A reply that was broken off is kept as far as it answered; a question without any answer is
    not.

    Attributes:
        history: The messages so far.
        finish_reason: Why the last reply ended; None where it was broken off.
    """

    def __init__(self, partner: Partner) -> None:
        self._partner = partner
        self._http = openai.OpenAI(
            base_url=partner.base_url,
            api_key=partner.key or "EMPTY",
            timeout=partner.timeout_s,
            max_retries=0,
        )
        self._opened = False
        self.history: list[dict[str, str]] = []
        if partner.system is not None:
            self.history.append({"role": "system", "content": partner.system})
        self.finish_reason: str | None = None

    def ask(self, text: str) -> Iterator[Piece]:
        """Send a turn; yield the reply piece by piece, reasoning and answer apart.

        Raises:
            DianjinError: There is no reply; the history is as it was before.
        """
        self.finish_reason = None
        asked = {"role": "user", "content": self._partner.dress(text)}
        splitter = Splitter(self._partner.tags, opened=self._opened)
        try:
            for delta in self._deltas([*self.history, asked]):
                thought = getattr(delta, "reasoning", None) or getattr(
                    delta, "reasoning_content", None
                )
                if thought:
                    yield from splitter.reason(thought)
                if delta.content:
                    yield from splitter.add(delta.content)
            yield from splitter.end()
        finally:
            self._opened = splitter.opened
            if splitter.content:
                # a lone surrogate could not be sent again
                said = splitter.content.encode("utf-8", "replace").decode()
                self.history += [asked, {"role": "assistant", "content": said}]

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _deltas(self, messages: list[dict[str, str]]) -> Iterator[Any]:
        partner = self._partner
        said = False
        try:
            body: Any = {"model": partner.model, "messages": messages, **partner.options}
            with self._http.chat.completions.create(stream=True, **body) as events:
                for event in events:
                    for choice in event.choices or ():
                        said = True
                        self.finish_reason = choice.finish_reason or self.finish_reason
                        yield choice.delta
        except openai.APIStatusError as error:
            # the bodies of 401 and 403 may repeat the key
            why = "" if error.status_code in (401, 403) else f": {self._safe(error.message)}"
            raise DianjinError(
                f"{partner.base_url} answers HTTP {error.status_code}{why}"
            ) from None
        except openai.APITimeoutError:
            raise DianjinError(
                f"{partner.base_url} sent nothing for {partner.timeout_s:g} s"
            ) from None
        except (openai.APIError, ValueError) as error:  # the connection, or what it carried
            raise DianjinError(
                f"no reply from {partner.base_url}: {self._safe(str(error))}"
            ) from None
        if not said:
            raise DianjinError(
                f"{partner.base_url} sent no events of a chat completion; is this the address of a "
                "server of OpenAI's protocol, with /v1?"
            )

    def _safe(self, text: str) -> str:
        key = self._partner.key
        line = " ".join(text.split())
        return (line.replace(key, "***") if key else line)[:300]
