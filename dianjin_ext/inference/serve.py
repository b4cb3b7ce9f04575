"""What small servers of OpenAI's protocol share: how they run and end, and how they refuse."""

import asyncio
import contextlib
import os
import signal
from typing import Any, Final

from aiohttp import web

__all__ = ["refused", "serve"]

_PARENT_S: Final = 0.5
_WAITING: Final = 1024  # connections
_LAST_WORDS_S: Final = 0.5


async def serve(app: web.Application, name: str, port: int, parent: int | None) -> None:
    """Serve on 127.0.0.1 until a signal comes, or until the parent is gone.

    Args:
        app: The application.
        name: Begins the line that says the address, which is printed first.
        port: 0 takes a free one.
        parent: The process that it ends with; None for none.
    """
    runner = web.AppRunner(
        app, handler_cancellation=True, access_log=None, shutdown_timeout=_LAST_WORDS_S
    )
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=_WAITING).start()
    host, bound = runner.addresses[0][:2]
    print(f"{name} at http://{host}:{bound}/v1", flush=True)
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    while not end.is_set() and parent in (None, os.getppid()):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(end.wait(), _PARENT_S)
    await runner.cleanup()


def refused(message: str, status: int = 400) -> web.Response:
    """Return an HTTP 400, or another one, that says why."""
    error: dict[str, Any] = {"message": message, "type": "invalid_request_error", "code": None}
    return web.json_response({"error": error}, status=status)
