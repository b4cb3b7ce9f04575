"""The settings of an asker, as they stand in YAML, and their check."""

from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, model_validator

from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.tokens import most_tokens

__all__ = ["AskSettings", "Prices", "read_settings"]

_OURS = frozenset({"model", "messages", "n", "stream"})


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Prices(_Model):
    """What a million tokens cost, in the currency of the budget."""

    prompt: float = Field(ge=0)
    completion: float = Field(ge=0)

    def cost(self, prompt_tokens: int, completion_tokens: int) -> float:
        """Return the price of one reply."""
        return (prompt_tokens * self.prompt + completion_tokens * self.completion) / 1e6


class AskSettings(_Model):
    """Whom to ask, how fast, and for how much.

    Attributes:
        model: The name of the model at the endpoint.
        base_url: An endpoint that speaks OpenAI's protocol, such as `http://127.0.0.1:8000/v1`, or
            a list of endpoints that serve the same model. None takes the environment variable
            OPENAI_BASE_URL.
        api_key_env: The NAME of the environment variable that holds the key. A server without keys
            needs one too, with any value (`export OPENAI_API_KEY=EMPTY`).
        keyless: The server takes any key, so none is looked for, such as one that
            `dianjin_ext.inference.server` started.
        options: Further fields of each request, such as `temperature`, `max_tokens` or `seed`.
        max_in_flight: The most requests of this process under way at the same time; there are
            fewer while the server says that it gets too much.
        requests_per_minute: Requests in any 60 seconds, over all processes that ask this endpoint
            with the same `state_dir`. None is no limit.
        tokens_per_minute: As `requests_per_minute`, of prompts and replies together. A request
            under way counts with the most that it may take: give `options` a `max_tokens`.
        timeout_s: Seconds for one request, reply included.
        max_attempts: Requests for one reply.
        budget_requests: Requests in all, repetitions included, over all processes of `run`.
        budget_tokens: Tokens in all, prompts included. Replies under way when it is spent come in.
        budget_money: As `budget_tokens`, in the currency of `prices`.
        prices: What tokens cost; needed for `budget_money`, and for the cost to be told.
        run: The name that budgets are counted under, also after a restart.
        state_dir: Folder of the counts that processes share, on a local disk. None is a folder of
            the user in the temporary directory, which a restart of the machine may empty.
        give_up_after: The run ends when so many rows in a row stay without a reply.
    """

    model: str = Field(min_length=1)
    base_url: str | tuple[str, ...] | None = None
    keyless: bool = False
    api_key_env: str = Field(default="OPENAI_API_KEY", pattern="^[A-Z_][A-Z0-9_]*$")
    options: dict[str, Any] = Field(default_factory=dict)
    max_in_flight: PositiveInt = 200
    requests_per_minute: PositiveInt | None = None
    tokens_per_minute: PositiveInt | None = None
    timeout_s: float = Field(default=600.0, gt=0, le=3000)
    max_attempts: PositiveInt = 8
    budget_requests: PositiveInt | None = None
    budget_tokens: PositiveInt | None = None
    budget_money: float | None = Field(default=None, gt=0)
    prices: Prices | None = None
    run: str | None = Field(default=None, min_length=1)
    state_dir: str | None = None
    give_up_after: PositiveInt = 100

    @property
    def has_budget(self) -> bool:
        """Whether anything is limited in all."""
        return any((self.budget_requests, self.budget_tokens, self.budget_money))

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.has_budget != (self.run is not None):
            raise ValueError("run is the name that budgets count under; give both or neither")
        if self.budget_money is not None and self.prices is None:
            raise ValueError("budget_money needs prices: {prompt: …, completion: …} of 1M tokens")
        most = most_tokens(self.options)
        if self.tokens_per_minute is not None and most and most >= self.tokens_per_minute:
            raise ValueError(
                f"tokens_per_minute={self.tokens_per_minute} is less than the prompt and the "
                f"{most} tokens that options allow one reply"
            )
        if taken := _OURS & self.options.keys():
            raise ValueError(f"options may not hold {', '.join(sorted(taken))}")
        urls = (self.base_url,) if isinstance(self.base_url, str) else self.base_url
        if urls == ():
            raise ValueError("base_url is an empty list; name an endpoint")
        for url in map(urlsplit, urls or ()):
            if url.scheme not in ("http", "https") or not url.hostname or "@" in url.netloc:
                raise ValueError("base_url is expected as http(s)://HOST[:PORT][/PATH]")
        return self


def read_settings(given: Any, name: str) -> AskSettings:
    """Check settings that come from YAML or Python.

    Args:
        given: A mapping with the fields of `AskSettings`.
        name: What they stand under, for messages, such as `teacher`.

    Raises:
        DianjinError: A key or a value is not known; the message names the key, and no value that
            might be a secret.
    """
    if not isinstance(given, Mapping):
        raise DianjinError(f"{name} is expected as a mapping, such as {{model: qwen-plus, …}}")
    try:
        return AskSettings(**dict(given))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join([name, *map(str, first["loc"])])
        if first["type"] == "extra_forbidden":
            known = ", ".join(AskSettings.model_fields)
            raise DianjinError(f"{where} is not known; known: {known}") from None
        if "api_key_env" in first["loc"]:
            raise DianjinError(
                f"{where} is expected as the NAME of an environment variable, such as "
                "OPENAI_API_KEY, never as a key itself"
            ) from None
        message = first["msg"].removeprefix("Value error, ")
        raise DianjinError(f"{where}: {message[:1].lower()}{message[1:]}") from None
