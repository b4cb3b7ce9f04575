"""One request to the judge, and the verdict it brings."""

from typing import Any

from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.client import Client, Endpoint
from dianjin_ext.inference.faults import Transient, Unclear
from dianjin_ext.inference.reply import read_reply
from dianjin_ext.rewards.judge.prompt import Verdict, classifier_input, messages, read_verdict
from dianjin_ext.rewards.judge.settings import JudgeSettings

__all__ = ["JudgeClient"]


class JudgeClient:
    """Asks one judge.

    Args:
        settings: The settings of the judge.
        router: `HOST:PORT` of verl's reward-model router; used where `base_url` is not set.

    Raises:
        DianjinError: No endpoint or no key is given.
    """

    def __init__(self, settings: JudgeSettings, router: str | None = None) -> None:
        self.settings = settings
        routed = settings.base_url is None and router is not None
        endpoint = Endpoint(
            role="judge",
            model=settings.model,
            base_url=f"http://{router}/v1" if routed else settings.base_url,
            api_key_env=settings.api_key_env,
            timeout_s=settings.timeout_s,
            keyless=routed or settings.keyless,
            hint=", or give verl a reward model with reward.reward_model.enable=true",
        )
        self._client = Client(endpoint)
        self.url = self._client.url
        if settings.kind == "classifier":
            self.url = self.url.removesuffix("/v1")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def ask(self, question: str, gold: str, answer: str) -> Verdict:
        """Send one request and read the verdict.

        Raises:
            Transient: It failed in a way that may pass.
            Outage: The server refuses this request.
            Unclear: The reply has no verdict in the form that was asked for.
            DianjinError: The server refuses every request: key, address or model are wrong.
        """
        ask = self._ask_chat if self.settings.kind == "chat" else self._ask_classifier
        return await ask(question, gold, answer)

    async def _ask_chat(self, question: str, gold: str, answer: str) -> Verdict:
        body = {
            "model": self.settings.model,
            "messages": messages(question, gold, answer),
            "temperature": 0.0,
            "max_tokens": self.settings.max_tokens,
        }
        reply = read_reply(await self._client.post("/chat/completions", body))
        if reply.finish_reason == "length":
            raise Unclear(f"cut at judge.max_tokens={self.settings.max_tokens}")
        verdict = read_verdict(reply.content)
        if verdict is None:
            raise Unclear(self._client.safe(f"no verdict in the form asked for: {reply.content!r}"))
        return verdict

    async def _ask_classifier(self, question: str, gold: str, answer: str) -> Verdict:
        body = {
            "model": self.settings.model,
            "input": classifier_input(question, gold, answer, self.settings.template),
            "use_activation": True,  # probabilities; verl's own reward loop asks for logits
        }
        reply: Any = await self._client.post(f"{self.url}/classify", body)
        try:
            right = reply["data"][-1]["probs"][-1]
        except (KeyError, IndexError, TypeError):
            right = None
        if isinstance(right, bool) or not isinstance(right, int | float):
            raise Transient(self._client.safe(f"no number as probability: {reply!r}"))
        if not 0.0 <= right <= 1.0:
            raise DianjinError(
                f"{self.url}/classify returned {right} as a probability; the server does not "
                "normalise its scores (expected vLLM with a sequence-classification model)"
            )
        return "correct" if right > self.settings.threshold else "wrong"
