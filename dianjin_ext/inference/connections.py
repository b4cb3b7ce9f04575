"""The connections to one endpoint: its headers, the proxy on the way, who is trusted."""

import os
import ssl
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from dianjin_ext import __version__
from dianjin_ext.errors import DianjinError

__all__ = ["open_session"]

_ACCOUNT: Final = {
    "OPENAI_ORG_ID": "OpenAI-Organization",
    "OPENAI_PROJECT_ID": "OpenAI-Project",
}
"""Variables of the environment that say which account of the key is meant, as openai has them."""


def open_session(url: str, key: str) -> aiohttp.ClientSession:
    """Return a session for requests to one endpoint, in the running event loop.

    It has any number of connections, keeps no cookies, sets no limit of time, and goes through the
    proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name.

    Raises:
        DianjinError: The proxy is none for HTTP.
    """
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "Accept": "application/json",
        "User-Agent": f"dianjin-ext/{__version__}",
    }
    headers |= {name: os.environ[each] for each, name in _ACCOUNT.items() if os.environ.get(each)}
    proxy = _proxy(url)
    secure = any(each is not None and each.startswith("https:") for each in (url, proxy))
    return aiohttp.ClientSession(
        headers=headers,
        proxy=proxy,
        connector=aiohttp.TCPConnector(limit=0, ssl=_trusted() if secure else True),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
    )


def _proxy(url: str) -> str | None:
    # read once: aiohttp's trust_env looks for each request, and takes a password of .netrc for ours
    to = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(to.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(to.netloc):
        return None
    if urlsplit(proxy).scheme not in ("http", "https"):
        raise DianjinError(
            f"the proxy for {to.scheme}://{to.netloc} is expected as http://HOST:PORT, found a "
            f"{urlsplit(proxy).scheme} one; export {to.scheme.upper()}_PROXY, or put the host "
            "into NO_PROXY"
        )
    return proxy


def _trusted() -> ssl.SSLContext:
    """Return who is trusted: the system's authorities (SSL_CERT_FILE) and certifi's."""
    context = ssl.create_default_context()
    try:
        import certifi
    except ModuleNotFoundError:
        return context
    context.load_verify_locations(certifi.where())
    return context
