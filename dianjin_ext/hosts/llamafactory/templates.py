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

from typing import Final

from llamafactory.data.template import TEMPLATES, register_template

from dianjin_ext.hosts.llamafactory.rendered import RenderedTemplate
from dianjin_ext.hosts.llamafactory.thinking import AlwaysThinkingTemplate, ThinkingTemplate

_CLASSES: Final[dict[str, type[RenderedTemplate]]] = {
    "dianjin": RenderedTemplate,
    "dianjin_qwen3": ThinkingTemplate,
    "dianjin_qwen3_thinking": AlwaysThinkingTemplate,
    "dianjin_llama3": RenderedTemplate,
    "dianjin_r1_zero": RenderedTemplate,
}
_ENDS: Final = {"dianjin_llama3": "<|eot_id|>", "dianjin_r1_zero": None}
"""What ends a turn, where it isn't ChatML's mark; None: the tokenizer's own end of text."""


def register() -> None:
    """Register the templates in LLaMA-Factory.

    Raises:
        ValueError: LLaMA-Factory has a template of one of the names already.
    """
    for name, kind in _CLASSES.items():
        end = _ENDS.get(name, "<|im_end|>")
        register_template(
            name=name,
            stop_words=[end] if end else [],
            replace_eos=end is not None,
            replace_jinja_template=True,
            template_class=kind,
        )
        TEMPLATES[name].name = name
