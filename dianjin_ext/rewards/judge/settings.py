"""The settings of the judge, as they stand in YAML, and their check."""

from collections.abc import Mapping
from typing import Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, FiniteFloat, PositiveInt, ValidationError, model_validator

from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards.policy import Model

__all__ = ["VERIFIER_REPORT", "JudgeSettings", "fits_classifier", "read_judge"]

VERIFIER_REPORT: Final = "verifier.json"
"""What a verifier that `dianjin train-verifier` wrote says of itself, in its folder."""


class JudgeSettings(Model):
    """What stands under `judge` in the settings of `compute_score_with_judge`.

    Attributes:
        model: The name of the model at the endpoint.
        kind: `chat`: a model that writes its verdict, asked at `{base_url}/chat/completions`.
            `classifier`: a sequence-classification model served by vLLM, asked at `/classify`.
        base_url: An endpoint that speaks OpenAI's protocol, such as `http://127.0.0.1:8000/v1`.
            None takes verl's reward-model router where there is one, else the environment variable
            OPENAI_BASE_URL.
        api_key_env: The NAME of the environment variable that holds the key.
        keyless: The server takes any key, so none is looked for. verl's router always does.
        max_concurrency: Requests under way at the same time, over all processes.
        requests_per_minute: Requests in any 60 seconds, over all processes. None is no limit.
        timeout_s: Seconds for one request, answer included.
        deadline_s: Seconds for one verdict, with queueing, repetitions and pauses. Keep it below
            `reward.reward_kwargs.timeout_s` of verl's reward manager, whose zero is no outage.
        max_attempts: Requests for one verdict, where they fail or their answer can't be read.
        cache_dir: Folder of the cache and of the shared counts, on a local disk. None is a folder
            of the user in the temporary directory, which a restart of the machine may empty.
        budget: Requests that `run` may make in all, repetitions included. None is no limit.
        run: The name that the budget is counted under, also after a restart.
        on_outage: What an answer gets where the judge can't be reached or the budget is spent.
            `skip`: the reason `skipped`, which training leaves out. `neutral`: the reason
            `unjudged` and the value `neutral`. `raise`: an error.
        neutral: See `on_outage`.
        max_answer_chars: A longer answer is not sent and stays `undecided`.
        max_tokens: Tokens of the judge's reply; a model that thinks before it writes needs more.
        threshold: Of a classifier: an answer is right above this probability of the last class.
            0.4 is that of Fino1's verifier.
        template: Of a classifier: its input, with `{question}`, `{gold}` and `{answer}`, as it was
            trained. None is a plain one.
    """

    model: str = Field(min_length=1)
    kind: Literal["chat", "classifier"] = "chat"
    base_url: str | None = None
    api_key_env: str = Field(default="OPENAI_API_KEY", pattern="^[A-Z_][A-Z0-9_]*$")
    keyless: bool = False
    max_concurrency: PositiveInt = 16
    requests_per_minute: PositiveInt | None = None
    timeout_s: float = Field(default=30.0, gt=0, le=1800)
    deadline_s: float = Field(default=50.0, gt=0)
    max_attempts: PositiveInt = 4
    cache_dir: str | None = None
    budget: PositiveInt | None = None
    run: str | None = Field(default=None, min_length=1)
    on_outage: Literal["skip", "neutral", "raise"] = "skip"
    neutral: FiniteFloat | None = None
    max_answer_chars: PositiveInt = 2000
    max_tokens: PositiveInt = 512
    threshold: float = Field(default=0.4, ge=0, lt=1)
    template: str | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.budget is None) != (self.run is None):
            raise ValueError("budget and run go together: run is the name the budget counts under")
        if (self.on_outage == "neutral") != (self.neutral is not None):
            raise ValueError("neutral is the value for on_outage: neutral; give both or neither")
        if self.base_url is not None:
            url = urlsplit(self.base_url)
            if url.scheme not in ("http", "https") or not url.hostname or "@" in url.netloc:
                raise ValueError("base_url is expected as http(s)://HOST[:PORT][/PATH]")
        if self.template is not None and (
            self.kind != "classifier" or not fits_classifier(self.template)
        ):
            raise ValueError("template is for kind: classifier, and holds {gold} and {answer}")
        return self


def read_judge(given: Any) -> JudgeSettings:
    """Check the settings of a judge that come from YAML or Python.

    Raises:
        DianjinError: A key or a value is not known; the message names the key, and no value that
            might be a secret.
    """
    if not isinstance(given, Mapping):
        raise DianjinError(
            "reward_kwargs.judge is expected as a mapping, such as {model: qwen-plus, …}"
        )
    try:
        return JudgeSettings(**dict(given))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(["reward_kwargs.judge", *map(str, first["loc"])])
        if first["type"] == "extra_forbidden":
            raise DianjinError(
                f"{where} is not known; known: {', '.join(JudgeSettings.model_fields)}"
            ) from None
        if "api_key_env" in first["loc"]:
            raise DianjinError(
                f"{where} is expected as the NAME of an environment variable, such as "
                "OPENAI_API_KEY, never as a key itself"
            ) from None
        message = first["msg"].removeprefix("Value error, ")
        raise DianjinError(f"{where}: {message[:1].lower()}{message[1:]}") from None


def fits_classifier(template: str) -> bool:
    """Return whether a template shows a classifier what it compares."""
    return "{gold}" in template and "{answer}" in template
