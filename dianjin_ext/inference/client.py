"""One request over HTTP, and what became of it."""

import asyncio
import os
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, Final

import openai

from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.faults import Outage, Refused, Transient, Unclear

__all__ = ["Client", "Endpoint"]

_FAULTS_OF_SETUP: Final = frozenset({401, 402, 403, 404, 405})
_MAY_PASS: Final = frozenset({408, 409, 425, 429})
_CROWDED: Final = frozenset({429, 503})
_FILTERS: Final = ("content_filter", "data_inspection_failed", "content_policy")
_SHORTEST_SECRET: Final = 8  # a server without keys takes any word, such as EMPTY


@dataclass(frozen=True)
class Endpoint:
    """Whom to ask.

    Attributes:
        role: Who it is and what its settings stand under, for messages: `judge`, `teacher`.
        model: The name of the model at the endpoint, for messages.
        base_url: An endpoint that speaks OpenAI's protocol; None takes OPENAI_BASE_URL.
        api_key_env: The NAME of the environment variable that holds the key.
        timeout_s: Seconds for one request, answer included.
        keyless: The server takes any key, so none is looked for.
        hint: Ends the message that there is no endpoint.
    """

    role: str
    model: str
    base_url: str | None
    api_key_env: str = "OPENAI_API_KEY"
    timeout_s: float = 30.0
    keyless: bool = False
    hint: str = ""


class Client:
    """Asks one model at one endpoint, in one event loop.

    Raises:
        DianjinError: No endpoint or no key is given.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._to = endpoint
        role = endpoint.role
        url = endpoint.base_url or os.environ.get("OPENAI_BASE_URL")
        if not url:
            raise DianjinError(
                f"the {role} has no endpoint; set {role}.base_url, export "
                f"OPENAI_BASE_URL{endpoint.hint}"
            )
        self._key = "EMPTY" if endpoint.keyless else os.environ.get(endpoint.api_key_env, "")
        if not self._key:
            raise DianjinError(
                f"the {role} has no key; export {endpoint.api_key_env}=… "
                "(a server without keys takes any, such as EMPTY)"
            )
        if not (self._key.isascii() and self._key.isprintable()) or " " in self._key:
            # no header can carry it, and a message that quotes it would quote it escaped
            raise DianjinError(
                f"the {role}'s key in {endpoint.api_key_env} holds a blank, a line break or a "
                "character outside ASCII; export it again without"
            )
        self.url = url.rstrip("/")
        self._http = openai.AsyncOpenAI(
            base_url=self.url,
            api_key=self._key,
            timeout=endpoint.timeout_s,
            max_retries=0,
            http_client=_transport(endpoint.timeout_s),
        )

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """Send one request; return the reply's body as parsed from JSON.

        Raises:
            Transient: It failed in a way that may pass.
            Refused: The server refuses this request.
            DianjinError: The server refuses every request: key, address or model are wrong.
        """
        try:
            # httpx limits each step of a request; a server that drips would never be late.
            async with asyncio.timeout(self._to.timeout_s):
                return await self._http.post(path, cast_to=object, body=body)
        except (Outage, Unclear, DianjinError):
            raise
        except openai.APIStatusError as error:
            raise self._refusal(error) from None
        except (TimeoutError, openai.APITimeoutError):
            raise Transient(
                f"no reply within {self._to.role}.timeout_s={self._to.timeout_s:g}"
            ) from None
        except Exception as error:  # whatever a server sends that the client can't read
            unreadable = not isinstance(error, openai.APIConnectionError)
            raise Transient(
                self.safe(f"{type(error).__name__}: {error}"), unreadable=unreadable
            ) from None

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    def safe(self, message: str) -> str:
        """Return a message without the key, cut to a line's length."""
        return self.without_key(message)[:300]

    def without_key(self, text: str) -> str:
        """Return a text in which the key does not stand."""
        return text if len(self._key) < _SHORTEST_SECRET else text.replace(self._key, "***")

    def _refusal(self, error: openai.APIStatusError) -> Exception:
        status, role = error.status_code, self._to.role
        if status in _FAULTS_OF_SETUP:
            # Bodies of 401 and 403 may repeat the key.
            why = "" if status in (401, 403) else self.safe(f": {error.message}")
            return DianjinError(
                f"the {role} at {self.url} answers HTTP {status}{why}; check {role}.base_url, "
                f"{role}.model ({self._to.model}) and the key in {self._to.api_key_env}"
            )
        message = self.safe(f"HTTP {status}: {error.message}")
        if status in _MAY_PASS or status >= 500:
            after = _retry_after(error.response.headers.get("retry-after"))
            return Transient(message, after, crowded=status in _CROWDED)
        said = f"{error.code} {error.message}".lower()
        return Refused(message, filtered=any(word in said for word in _FILTERS))


def _transport(timeout_s: float) -> Any:
    """Return openai's client over aiohttp, half as dear as its own; None where that is missing."""
    try:
        import aiohttp  # noqa: F401

        return openai.DefaultAioHttpClient(timeout=timeout_s)
    except (ImportError, AttributeError, RuntimeError):
        return None


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
