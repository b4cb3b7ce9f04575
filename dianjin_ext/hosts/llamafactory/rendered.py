"""LLaMA-Factory's tokens, cut out of what a Jinja text renders."""

import json
from typing import Any, Final

from llamafactory.data.template import Template

from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.llamafactory.modelfile import ollama_template
from dianjin_ext.resources import chat_template

_NO_SYSTEM: Final = 'default_system = ""'


class RenderedTemplate(Template):
    """A template whose tokens are those of its Jinja text.

    Attributes:
        name: Of its file in `configs/template`.
    """

    name: str

    def _encode(
        self,
        tokenizer: Any,
        messages: list[dict[str, str]],
        system: str | None,
        tools: str | None,
    ) -> list[list[int]]:
        """Return the tokens that each message adds; a question's with the header of the reply."""
        turns = self.conversation(messages, system, tools)
        start = len(turns) - len(messages)
        encoded, before = [], ""
        for end, message in enumerate(messages, start + 1):
            rendered = self.render(tokenizer, turns[:end], asking=message["role"] == "user")
            encoded.append(self.tokens(tokenizer, before, rendered))
            before = rendered
        return encoded

    def render(
        self, tokenizer: Any, messages: list[dict[str, str]], *, asking: bool, **options: Any
    ) -> str:
        """Return the text that the Jinja template makes of messages, ready for a reply or not."""
        text: str = tokenizer.apply_chat_template(
            messages,
            chat_template=self._get_jinja_template(tokenizer),
            add_generation_prompt=asking,
            tokenize=False,
            **options,
        )
        return text

    def conversation(
        self, messages: list[dict[str, str]], system: str | None, tools: str | None
    ) -> list[dict[str, str]]:
        """Return the messages, the system prompt first where there is one.

        Raises:
            DianjinError: There are tools or a role that the template has no place for.
        """
        roles = {message["role"] for message in messages} - {"user", "assistant"}
        if tools or roles:
            found = f"role {sorted(roles)[0]}" if roles else "tools"
            raise DianjinError(
                f"template {self.name}: a row has {found}; the template knows system, user and "
                "assistant only: drop the row or choose another template"
            )
        first = [{"role": "system", "content": system}] if system else []
        return [*first, *messages]

    def tokens(self, tokenizer: Any, before: str, rendered: str) -> list[int]:
        """Return the tokens of what is rendered after `before`."""
        assert rendered.startswith(before), (before, rendered)
        text = rendered.removeprefix(before)
        tokens: list[int] = tokenizer.encode(text, add_special_tokens=False)
        return tokens

    def _get_jinja_template(self, tokenizer: Any) -> str:
        # A JSON string is a Jinja string too, except for the surrogate pairs of ensure_ascii.
        literal = json.dumps(self.default_system or "", ensure_ascii=False)
        return chat_template(self.name).replace(_NO_SYSTEM, f"default_system = {literal}", 1)

    def _get_ollama_template(self, tokenizer: Any) -> str:
        return ollama_template(lambda *given, **how: self.render(tokenizer, *given, **how))
