"""Templates that take the thoughts out of the history, as Qwen3's."""

from typing import Any

from llamafactory.data.template import ReasoningTemplate

from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.llamafactory.rendered import RenderedTemplate


class ThinkingTemplate(RenderedTemplate, ReasoningTemplate):
    """A template that takes the thoughts out of the history, so only the last reply is trained.

    With `enable_thinking: false` the reply loses its thought and the prompt ends with an empty one;
    with `enable_thinking: null` that holds for rows without a thought alone.
    """

    always: bool = False
    """Whether each prompt opens a thought."""

    def encode_oneturn(
        self,
        tokenizer: Any,
        messages: list[dict[str, str]],
        system: str | None = None,
        tools: str | None = None,
    ) -> tuple[list[int], list[int]]:
        """Return the tokens of all before the last reply, and of that reply."""
        turns = self.conversation(messages, system, tools)
        reply = turns[-1]["content"]
        self._check(reply)
        _, closed, answer = reply.partition("</think>")
        thinking = self.enable_thinking
        if thinking is None:
            thinking = bool(closed) or not reply
        if thinking is False and not self.always:
            answer = answer.lstrip("\n") if closed else reply
            turns = [*turns[:-1], {**turns[-1], "content": answer}]
        options = {} if thinking else {"enable_thinking": False}
        asked = self.render(tokenizer, turns[:-1], asking=True, **options)
        whole = self.render(tokenizer, turns, asking=False)
        return self.tokens(tokenizer, "", asked), self.tokens(tokenizer, asked, whole)

    def encode_multiturn(
        self,
        tokenizer: Any,
        messages: list[dict[str, str]],
        system: str | None = None,
        tools: str | None = None,
        discarding_history_cot: bool = False,
    ) -> list[tuple[list[int], list[int]]]:
        """Return one pair: the history belongs to the prompt."""
        return [self.encode_oneturn(tokenizer, messages, system, tools)]

    def _check(self, reply: str) -> None:
        """Refuse a reply of which the template would lose a part, or that lacks its thought.

        Raises:
            DianjinError: It is such a reply.
        """
        thought, closed, answer = reply.partition("</think>")
        before, opened, _ = thought.rpartition("<think>")
        wrong = ""
        if closed and (before.strip() or "</think>" in answer):
            wrong = "more than one thought, or text before it, which the template would drop"
        elif opened and not closed:
            wrong = "a thought without its </think>"
        elif self.always and reply and not closed:
            wrong = "no thought, and each prompt opens one"
        if wrong:
            raise DianjinError(
                f"template {self.name}: the reply {reply[:40]!r} has {wrong}: "
                "drop the row or choose another template"
            )


class AlwaysThinkingTemplate(ThinkingTemplate):
    """A template whose prompts end with `<think>`."""

    always = True
