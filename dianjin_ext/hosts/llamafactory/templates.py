"""The chat template `dianjin`: plain ChatML that rollout and serving render token for token.

The prompt that SFT trains on must be the one that the policy is rolled out and served with. verl,
vLLM and transformers render the Jinja template in the saved tokenizer, LLaMA-Factory its own
format strings. `dianjin` writes its own Jinja template into every tokenizer that it trains with, so
that the two agree whatever the base model brought along.

Differences from LLaMA-Factory's `qwen` and `chatml`: no default system prompt of its own
(`default_system` in the recipe sets one, and the saved tokenizer carries it); the Jinja template
honours `add_generation_prompt`, which verl relies on when it extends a conversation; tool calls are
refused on both sides instead of being rendered in two ways.

Imported by the hook once `llamafactory.data.template` has been executed.
"""

import json
from typing import Any

from llamafactory.data.formatter import StringFormatter
from llamafactory.data.template import Template, register_template

from dianjin_ext.errors import DianjinError

NAME = "dianjin"

_JINJA = """\
{%- set default_system = DEFAULT_SYSTEM -%}
{%- if tools -%}{{ raise_exception('template dianjin has no tool calls') }}{%- endif -%}
{%- if messages[0]['role'] == 'system' -%}
{%- set system = messages[0]['content'] or default_system -%}{%- set turns = messages[1:] -%}
{%- else -%}
{%- set system = default_system -%}{%- set turns = messages -%}
{%- endif -%}
{%- if system -%}{{ '<|im_start|>system\\n' + system + '<|im_end|>\\n' }}{%- endif -%}
{%- for message in turns -%}
{%- if message['role'] not in ['user', 'assistant'] -%}
{{ raise_exception('template dianjin has no place here for role ' + message['role']) }}
{%- endif -%}
{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}
"""


class ChatMLTemplate(Template):
    """ChatML for reasoning models: the response is trained verbatim, `<think>` included."""

    def _encode(
        self,
        tokenizer: Any,
        messages: list[dict[str, str]],
        system: str | None,
        tools: str | None,
    ) -> list[list[int]]:
        roles = {message["role"] for message in messages} - {"user", "assistant"}
        if tools or roles:
            found = f"role {sorted(roles)[0]}" if roles else "tools"
            raise DianjinError(
                f"template {NAME}: a row has {found}; the template knows system, user and "
                "assistant only: drop the row or choose another template"
            )
        encoded: list[list[int]] = super()._encode(tokenizer, messages, system, tools)
        return encoded

    def _get_jinja_template(self, tokenizer: Any) -> str:
        # A JSON string is a Jinja string too, except for the surrogate pairs of ensure_ascii.
        literal = json.dumps(self.default_system or "", ensure_ascii=False)
        return _JINJA.replace("DEFAULT_SYSTEM", literal)


def register() -> None:
    """Register the template in LLaMA-Factory.

    Raises:
        ValueError: LLaMA-Factory has a template of this name already.
    """
    register_template(
        name=NAME,
        format_user=StringFormatter(
            slots=["<|im_start|>user\n{{content}}<|im_end|>\n<|im_start|>assistant\n"]
        ),
        format_assistant=StringFormatter(slots=["{{content}}<|im_end|>\n"]),
        format_system=StringFormatter(slots=["<|im_start|>system\n{{content}}<|im_end|>\n"]),
        stop_words=["<|im_end|>"],
        replace_eos=True,
        replace_jinja_template=True,
        template_class=ChatMLTemplate,
    )
