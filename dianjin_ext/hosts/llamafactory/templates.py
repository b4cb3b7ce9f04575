"""The chat templates `dianjin*`: LLaMA-Factory trains on what `configs/template` renders.

The prompt that SFT trains on must be the one that the policy is rolled out and served with. verl,
vLLM and transformers render the Jinja template in the saved tokenizer, LLaMA-Factory its own
format strings. Here the files of `configs/template` are the one source: LLaMA-Factory's tokens are
cut out of what they render, each tokenizer that is trained with gets them, and verl takes them as
the group `template`.

`default_system` is written into the template, so the saved tokenizer has it. Tool calls are
refused by all sides.

Imported by the hook once `llamafactory.data.template` has been executed.
"""

import json
from functools import lru_cache
from typing import Any, Final

import yaml
from llamafactory.data.formatter import StringFormatter
from llamafactory.data.template import ReasoningTemplate, Template, register_template

from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.llamafactory.modelfile import ollama_template
from dianjin_ext.resources import folder

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
        turns = self._conversation(messages, system, tools)
        start = len(turns) - len(messages)
        encoded, before = [], ""
        for end, message in enumerate(messages, start + 1):
            rendered = self.render(tokenizer, turns[:end], asking=message["role"] == "user")
            encoded.append(self._tokens(tokenizer, before, rendered))
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

    def _conversation(
        self, messages: list[dict[str, str]], system: str | None, tools: str | None
    ) -> list[dict[str, str]]:
        roles = {message["role"] for message in messages} - {"user", "assistant"}
        if tools or roles:
            found = f"role {sorted(roles)[0]}" if roles else "tools"
            raise DianjinError(
                f"template {self.name}: a row has {found}; the template knows system, user and "
                "assistant only: drop the row or choose another template"
            )
        first = [{"role": "system", "content": system}] if system else []
        return [*first, *messages]

    def _tokens(self, tokenizer: Any, before: str, rendered: str) -> list[int]:
        assert rendered.startswith(before), (before, rendered)
        text = rendered.removeprefix(before)
        tokens: list[int] = tokenizer.encode(text, add_special_tokens=False)
        return tokens

    def _get_jinja_template(self, tokenizer: Any) -> str:
        # A JSON string is a Jinja string too, except for the surrogate pairs of ensure_ascii.
        literal = json.dumps(self.default_system or "", ensure_ascii=False)
        return jinja(self.name).replace(_NO_SYSTEM, f"default_system = {literal}", 1)

    def _get_ollama_template(self, tokenizer: Any) -> str:
        return ollama_template(lambda *given, **how: self.render(tokenizer, *given, **how))


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
        turns = self._conversation(messages, system, tools)
        reply = turns[-1]["content"]
        thought, closed, answer = reply.rpartition("</think>")
        if self.always and reply and not thought.replace("<think>", "").strip():
            raise DianjinError(
                f"template {self.name}: the reply {reply[:40]!r} has no thought, and each prompt "
                "opens one: drop the row or choose dianjin_qwen3"
            )
        thinking = self.enable_thinking
        if thinking is None:
            thinking = bool(closed) or not reply
        if thinking is False and not self.always:
            turns = [*turns[:-1], {**turns[-1], "content": answer.lstrip("\n")}]
        options = {} if thinking else {"enable_thinking": False}
        asked = self.render(tokenizer, turns[:-1], asking=True, **options)
        whole = self.render(tokenizer, turns, asking=False)
        return self._tokens(tokenizer, "", asked), self._tokens(tokenizer, asked, whole)

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


class AlwaysThinkingTemplate(ThinkingTemplate):
    """A template whose prompts end with `<think>`."""

    always = True


_CLASSES: Final[dict[str, type[RenderedTemplate]]] = {
    "dianjin": RenderedTemplate,
    "dianjin_qwen3": ThinkingTemplate,
    "dianjin_qwen3_thinking": AlwaysThinkingTemplate,
    "dianjin_llama3": RenderedTemplate,
    "dianjin_r1_zero": RenderedTemplate,
}
_ENDS: Final = {"dianjin_llama3": "<|eot_id|>", "dianjin_r1_zero": None}
"""What ends a turn, where it isn't ChatML's mark; None: the tokenizer's own end of text."""


@lru_cache
def jinja(name: str) -> str:
    """Return the Jinja text of a file of `configs/template`."""
    text = (folder("configs") / "template" / f"{name}.yaml").read_text(encoding="utf-8")
    found: str = yaml.safe_load(text)["actor_rollout_ref"]["model"]["custom_chat_template"]
    return found


def register() -> None:
    """Register the templates in LLaMA-Factory.

    Raises:
        ValueError: LLaMA-Factory has a template of one of the names already.
    """
    for name, kind in _CLASSES.items():
        end = _ENDS.get(name, "<|im_end|>")
        register_template(
            name=name,
            format_assistant=StringFormatter(slots=["{{content}}", end or {"eos_token"}]),
            stop_words=[end] if end else [],
            replace_eos=bool(end),
            replace_jinja_template=True,
            template_class=type(f"{kind.__name__}", (kind,), {"name": name}),
        )
