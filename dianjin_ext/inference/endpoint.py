"""A running server that speaks OpenAI's protocol: is it there, what does it serve?"""

import os
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from dianjin_ext.errors import DianjinError

__all__ = ["Said", "Server", "choose"]

_SHOWN: Final = 200  # characters of what a server says


@dataclass(frozen=True)
class Said:
    """What came back.

    Attributes:
        status: Of HTTP.
        body: As parsed from JSON; None where it is none.
        text: The same as text.
    """

    status: int
    body: Any
    text: str

    @property
    def why(self) -> str:
        """The message of an error, in a line's length."""
        error = self.body.get("error", self.body) if isinstance(self.body, dict) else None
        if isinstance(error, dict):
            error = error.get("message") or error.get("detail")
        said = error if isinstance(error, str) else self.text
        return f"HTTP {self.status}: {' '.join(said.split())[:_SHOWN]}"


class Server:
    """Asks a server one thing at a time, with no second attempt.

    Args:
        url: Its address, with /v1 or without.
        api_key_env: The NAME of the environment variable with its key; a server without keys needs
            none.
        timeout_s: Seconds for one request.

    Raises:
        DianjinError: That is no address.
    """

    def __init__(
        self, url: str, *, api_key_env: str = "OPENAI_API_KEY", timeout_s: float = 600.0
    ) -> None:
        address = urlsplit(url if "://" in url else f"http://{url}")
        if address.scheme not in ("http", "https") or not address.hostname:
            raise DianjinError(f"{url} is no address; expected one such as http://127.0.0.1:8901")
        if address.username or address.password:
            raise DianjinError(
                "the address holds a name or a password, which messages would show; leave them out "
                "and export a key"
            )
        path = address.path.rstrip("/") or "/v1"
        self.base_url = f"{address.scheme}://{address.netloc}{path}"
        self.root = self.base_url.removesuffix("/v1")
        self.api_key_env = api_key_env
        self.key = os.environ.get(api_key_env, "").strip()
        headers = {"Authorization": f"Bearer {self.key or 'EMPTY'}"}
        self._http = httpx.Client(headers=headers, timeout=timeout_s, follow_redirects=False)

    def __enter__(self) -> "Server":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def get(self, path: str) -> Said:
        """Ask `path`; see `post`."""
        return self._send("GET", path, None)

    def post(self, path: str, body: dict[str, Any]) -> Said:
        """Send `body` to a path, which begins at the root of the server.

        Raises:
            DianjinError: Nothing answers, or the key is missing or wrong.
        """
        return self._send("POST", path, body)

    def models(self) -> list[dict[str, Any]]:
        """Return what the server says of each model, with its name under `id`.

        Raises:
            DianjinError: As `post`, or this is no server of OpenAI's protocol.
        """
        url = f"{self.base_url}/models"
        said = self.get(url)
        found = said.body.get("data") if isinstance(said.body, dict) else None
        if (
            said.status != 200
            or not isinstance(found, list)
            or not all(isinstance(m, dict) and isinstance(m.get("id"), str) for m in found)
        ):
            raise DianjinError(
                f"{url} lists no models ({said.why}); expected a server of OpenAI's protocol, "
                "whose address ends with /v1 as a rule"
            )
        if not found:
            raise DianjinError(f"{url} lists no models at all; is the server still loading?")
        return found

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> Said:
        url = path if "://" in path else self.root + path
        try:
            answer = self._http.request(method, url, json=body)
            text = answer.text
        except httpx.TimeoutException:
            seconds = self._http.timeout.read
            raise DianjinError(f"{url} doesn't answer within {seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            why = str(error) or type(error).__name__
            raise DianjinError(
                f"nothing answers at {url} ({why}); check the address, or start the server: "
                "bash examples/serve.sh"
            ) from None
        if answer.status_code in (401, 403):  # the body may repeat the key
            have = f"refuses the key in {self.api_key_env}" if self.key else "wants a key"
            raise DianjinError(
                f"{url} {have} (HTTP {answer.status_code}); export {self.api_key_env}=…, or name "
                "another variable with --api-key-env"
            )
        try:
            parsed = answer.json()
        except ValueError:
            parsed = None
        return Said(answer.status_code, parsed, text)


def choose(server: Server, name: str | None) -> dict[str, Any]:
    """Return the model of that name; without a name, the only one.

    Raises:
        DianjinError: As `Server.models`, or there is no such model, or several and no name.
    """
    models = server.models()
    names = ", ".join(model["id"] for model in models)
    if name is None:
        if len(models) > 1:
            raise DianjinError(f"{server.base_url} serves {names}; name one with --model")
        return models[0]
    for model in models:
        if model["id"] == name:
            return model
    raise DianjinError(f"{server.base_url} has no model {name}, only {names}; name one of them")
