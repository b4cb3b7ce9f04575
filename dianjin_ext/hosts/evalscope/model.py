"""A model behind OpenAI's protocol whose text stays whole: `eval_type` `dianjin`."""

import contextlib
from typing import Any, Final

from evalscope.api.model import ChatCompletionChoice, ModelOutput
from evalscope.api.registry import register_model_api
from evalscope.models.openai_compatible import OpenAICompatibleAPI
from openai import APIStatusError
from openai.types.chat import ChatCompletion

from dianjin_ext.hosts.whole_text import FAULTS_OF_SETUP, keep_text, refuse, storable, unusable
from dianjin_ext.inference.faults import Transient

__all__ = ["EVAL_TYPE", "WholeTextAPI"]

EVAL_TYPE: Final = "dianjin"
_TRIES: Final = 3


@register_model_api(EVAL_TYPE)
class WholeTextAPI(OpenAICompatibleAPI):
    """EvalScope's client for OpenAI's protocol; keeps the text that the model wrote."""

    def generate(self, *args: Any, **kwargs: Any) -> ModelOutput:
        """See `ModelAPI.generate`; a reply that can't be read is asked for again."""
        for _ in range(_TRIES - 1):
            with contextlib.suppress(Transient):
                return super().generate(*args, **kwargs)
        return super().generate(*args, **kwargs)

    def chat_choices_from_completion(
        self, completion: ChatCompletion, tools: list[Any]
    ) -> list[ChatCompletionChoice]:
        """Return the choices of a completion; their message keeps its text.

        Raises:
            Transient: It is no reply in OpenAI's protocol.
        """
        reply = storable(completion)
        choices: list[ChatCompletionChoice] = super().chat_choices_from_completion(
            completion, tools
        )
        keep_text(choices[0].message, reply)
        return choices

    def handle_bad_request(self, ex: APIStatusError) -> ModelOutput:
        """Return an empty reply, marked as refused; EvalScope's would say what the error does.

        Raises:
            DianjinError: The server refuses every request.
        """
        if ex.status_code in FAULTS_OF_SETUP:
            raise unusable(ex.status_code) from None  # what it says may repeat the key
        output = ModelOutput.from_content(self.model_name, "", stop_reason="unknown")
        refuse(output.message, ex, str(self.api_key))
        return output
