"""A model behind OpenAI's protocol whose text stays whole: `--model dianjin/NAME`."""

import os
from typing import Any

from inspect_ai.model import ChatCompletionChoice, GenerateConfig, ModelOutput, modelapi
from inspect_ai.model._providers.openai_compatible import OpenAICompatibleAPI
from openai import APIStatusError
from openai.types.chat import ChatCompletion

from dianjin_ext.hosts.whole_text import FAULTS_OF_SETUP, keep_text, refuse, storable, unusable

__all__ = ["WholeTextAPI"]

_ANY_KEY = "EMPTY"


@modelapi(name="dianjin")
class WholeTextAPI(OpenAICompatibleAPI):
    """inspect-ai's client for OpenAI's protocol; keeps the text that the model wrote.

    The address is `--model-base-url` or OPENAI_BASE_URL, the key OPENAI_API_KEY, which a server
    without keys doesn't need.
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig | None = None,
        **model_args: Any,
    ) -> None:
        super().__init__(
            model_name,
            base_url or os.environ.get("OPENAI_BASE_URL"),
            api_key or os.environ.get("OPENAI_API_KEY") or _ANY_KEY,
            config or GenerateConfig(),
            service="dianjin",
            **model_args,
        )

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

    def handle_bad_request(self, ex: APIStatusError) -> ModelOutput | Exception:
        """Return an empty reply, marked as refused; an error where all requests are refused."""
        if ex.status_code in FAULTS_OF_SETUP:
            return unusable(ex.status_code)
        output = ModelOutput.from_content(self.model_name, "", stop_reason="unknown")
        refuse(output.message, ex, str(self.api_key))
        return output
