"""One request to the judge, and what became of it."""

import asyncio
import os
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, Final

import openai

from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards.judge.faults import Outage, Transient, Unclear
from dianjin_ext.rewards.judge.prompt import Verdict, classifier_input, messages, read_verdict
from dianjin_ext.rewards.judge.settings import JudgeSettings

__all__ = ["Client"]

_FAULTS_OF_SETUP: Final = frozenset({401, 403, 404, 405})
_MAY_PASS: Final = frozenset({408, 409, 425, 429})


class Client:
    """Asks one model at one endpoint.

    Args:
        settings: The settings of the judge.
        router: `HOST:PORT` of verl's reward-model router; used where `base_url` is not set.

    Raises:
        DianjinError: No endpoint or no key is given.
    """

    def __init__(self, settings: JudgeSettings, router: str | None = None) -> None:
        self.settings = settings
        routed = settings.base_url is None and router is not None
        url = settings.base_url
        if url is None:
            url = f"http://{router}/v1" if routed else os.environ.get("OPENAI_BASE_URL")
        if not url:
            raise DianjinError(
                "the judge has no endpoint; set judge.base_url, export OPENAI_BASE_URL, or give "
                "verl a reward model with reward.reward_model.enable=true"
            )
        self._key = "EMPTY" if routed else os.environ.get(settings.api_key_env)
        if not self._key:
            raise DianjinError(
                f"the judge has no key; export {settings.api_key_env}=… "
                "(a server without keys takes any, such as EMPTY)"
            )
        self.url = url.rstrip("/")
        if settings.kind == "classifier":
            self.url = self.url.removesuffix("/v1")
        self._http = openai.AsyncOpenAI(
            base_url=self.url, api_key=self._key, timeout=settings.timeout_s, max_retries=0
        )

    async def ask(self, question: str, gold: str, answer: str) -> Verdict:
        """Send one request and read the verdict.

        Raises:
            Transient: It failed in a way that may pass.
            Outage: The server refuses this request.
            Unclear: The reply has no verdict in the form that was asked for.
            DianjinError: The server refuses every request: key, address or model are wrong.
        """
        ask = self._ask_chat if self.settings.kind == "chat" else self._ask_classifier
        try:
            # httpx limits each step of a request; a server that drips would never be late.
            async with asyncio.timeout(self.settings.timeout_s):
                return await ask(question, gold, answer)
        except (Outage, Unclear, DianjinError):
            raise
        except openai.APIStatusError as error:
            raise self._refusal(error) from None
        except (TimeoutError, openai.APITimeoutError):
            raise Transient(
                f"no reply within judge.timeout_s={self.settings.timeout_s:g}"
            ) from None
        except Exception as error:  # whatever a server sends that the client can't read
            raise Transient(self._safe(f"{type(error).__name__}: {error}")) from None

    async def _ask_chat(self, question: str, gold: str, answer: str) -> Verdict:
        reply: Any = await self._http.chat.completions.create(
            model=self.settings.model,
            messages=messages(question, gold, answer),  # type: ignore[arg-type]
            temperature=0.0,
            max_tokens=self.settings.max_tokens,
        )
        choice = reply.choices[0]
        text = choice.message.content
        if not isinstance(text, str) or choice.finish_reason == "length":
            raise Unclear(f"cut at judge.max_tokens={self.settings.max_tokens}, or not a text")
        verdict = read_verdict(text)
        if verdict is None:
            raise Unclear(self._safe(f"no verdict in the form asked for: {text!r}"))
        return verdict

    async def _ask_classifier(self, question: str, gold: str, answer: str) -> Verdict:
        body = {
            "model": self.settings.model,
            "input": classifier_input(question, gold, answer, self.settings.template),
            "use_activation": True,  # probabilities; verl's own reward loop asks for logits
        }
        reply: Any = await self._http.post("/classify", cast_to=object, body=body)
        right = reply["data"][-1]["probs"][-1]
        if isinstance(right, bool) or not isinstance(right, int | float):
            raise Transient(self._safe(f"no number as probability: {reply!r}"))
        if not 0.0 <= right <= 1.0:
            raise DianjinError(
                f"{self.url}/classify returned {right} as a probability; the server does not "
                "normalise its scores (expected vLLM with a sequence-classification model)"
            )
        return "correct" if right > self.settings.threshold else "wrong"

    def _refusal(self, error: openai.APIStatusError) -> Exception:
        status = error.status_code
        if status in _FAULTS_OF_SETUP:
            # Bodies of 401 and 403 may repeat the key.
            why = "" if status in (401, 403) else self._safe(f": {error.message}")
            return DianjinError(
                f"the judge at {self.url} answers HTTP {status}{why}; check judge.base_url, "
                f"judge.model ({self.settings.model}) and the key in {self.settings.api_key_env}"
            )
        message = self._safe(f"HTTP {status}: {error.message}")
        if status in _MAY_PASS or status >= 500:
            return Transient(message, _retry_after(error.response.headers.get("retry-after")))
        return Outage(message)

    def _safe(self, message: str) -> str:
        return message.replace(str(self._key), "***")[:300]


def _retry_after(value: str | None) -> float | None:
    """Return the seconds of a Retry-After header: a number, or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time())
    except ValueError:
        return None
