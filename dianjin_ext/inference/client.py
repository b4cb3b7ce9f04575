"""One request over HTTP, and what became of it.

It goes through aiohttp, at a quarter of the processor time of the same request through openai's
client (benchmarks/bench_asker.py).
"""

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.connections import open_session
from dianjin_ext.inference.fast_json import dumps, loads
from dianjin_ext.inference.faults import Refused, Transient

__all__ = ["Client", "Endpoint", "error_of", "refusal"]

_FAULTS_OF_SETUP: Final = frozenset({401, 402, 403, 404, 405})
_MAY_PASS: Final = frozenset({408, 409, 425, 429})
_CROWDED: Final = frozenset({429, 503})
_FILTERS: Final = ("content_filter", "data_inspection_failed", "content_policy")
_SHORTEST_SECRET: Final = 8  # a server without keys takes any word, such as EMPTY
_SHOWN: Final = 100  # characters of a reply that can't be read


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
        DianjinError: No endpoint or no key is given, or one that can't be used.
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
        if not _is_address(self.url):
            raise DianjinError(
                f"{role}.base_url is expected as http(s)://HOST[:PORT][/PATH], found "
                f"{self.safe(self.url)}"
            )
        self._session: aiohttp.ClientSession | None = None

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """Send one request; return the reply's body as parsed from JSON.

        Args:
            path: Below the endpoint's address, such as `/chat/completions`; or a whole address.
            body: The request's, to be written as JSON.

        Raises:
            Transient: It failed in a way that may pass.
            Refused: The server refuses this request.
            DianjinError: The server refuses every request: key, address or model are wrong.
        """
        data = dumps(body)
        url = path if "://" in path else f"{self.url}{path}"
        if self._session is None:  # in the loop that it belongs to
            self._session = open_session(self.url, self._key)
        try:
            # A limit for each step of a request would never find a server that drips late.
            async with asyncio.timeout(self._to.timeout_s):
                async with self._session.post(url, data=data) as response:
                    said = await response.read()
        except TimeoutError:
            raise Transient(
                f"no reply within {self._to.role}.timeout_s={self._to.timeout_s:g}"
            ) from None
        except Exception as error:  # whatever a server sends that the client can't read
            unreachable = isinstance(error, OSError | aiohttp.ClientConnectionError)
            raise Transient(
                self.safe(f"{type(error).__name__}: {error}"), unreadable=not unreachable
            ) from None
        if response.status >= 400:
            raise self._refusal(response.status, response.headers, said)
        try:
            return loads(said)
        except (ValueError, RecursionError) as error:
            found = self.without_key(said.decode(errors="replace"))[:_SHOWN]
            raise Transient(
                self.safe(f"the reply is no JSON ({error}): {found!r}"), unreadable=True
            ) from None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def safe(self, message: str) -> str:
        """Return a message without the key, cut to a line's length."""
        return self.without_key(message)[:300]

    def without_key(self, text: str) -> str:
        """Return a text in which the key does not stand."""
        return text if len(self._key) < _SHORTEST_SECRET else text.replace(self._key, "***")

    def _refusal(self, status: int, headers: Mapping[str, str], body: bytes) -> Exception:
        role = self._to.role
        said, code = error_of(body)
        if status in _FAULTS_OF_SETUP:
            # Bodies of 401 and 403 may repeat the key.
            why = "" if status in (401, 403) else self.safe(f": {said}")
            return DianjinError(
                f"the {role} at {self.url} answers HTTP {status}{why}; check {role}.base_url, "
                f"{role}.model ({self._to.model}) and the key in {self._to.api_key_env}"
            )
        message = self.safe(f"HTTP {status}: {said}")
        if status in _MAY_PASS or status >= 500:
            after = _retry_after(headers.get("Retry-After"))
            return Transient(message, after, crowded=status in _CROWDED)
        return refusal(message, said, code)


def refusal(message: str, said: str, code: str) -> Refused:
    """Return that a server will not answer a request.

    Args:
        message: How it is told.
        said: What the server says of it.
        code: What it calls it; empty where it doesn't.
    """
    words = f"{code} {said}".lower()
    return Refused(message, filtered=any(word in words for word in _FILTERS))


def error_of(body: bytes) -> tuple[str, str]:
    """Return what the body of an error says, and its code; OpenAI's has both under `error`."""
    text = body.decode(errors="replace").strip()
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text, ""
    error = found.get("error", found) if isinstance(found, dict) else found
    if not isinstance(error, dict):
        return text if error is found else str(error), ""
    return str(error.get("message") or text), str(error.get("code") or "")


def _is_address(url: str) -> bool:
    try:
        found = urlsplit(url)
        return found.scheme in ("http", "https") and bool(found.hostname) and found.port != 0
    except ValueError:
        return False


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
