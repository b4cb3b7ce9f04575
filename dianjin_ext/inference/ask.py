"""Ask a model about many rows, from code that is not asynchronous."""

import asyncio
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final

from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.answer import Answer
from dianjin_ext.inference.cycles import sought_seldom
from dianjin_ext.inference.request import Request
from dianjin_ext.inference.settings import AskSettings

__all__ = ["ask"]

_BACKLOG: Final = 1000  # answers that wait for the reader
_POLL_S: Final = 0.01


def ask(
    requests: Iterable[Request],
    settings: AskSettings,
    *,
    journal: Path,
    ordered: bool = False,
    role: str = "model",
    total: int | None = None,
    progress: bool = False,
) -> Iterator[Answer]:
    """Yield the answer to each sample of each request, as they come or in order.

    Every reply is in the journal before it is yielded. The same call with the same journal, after
    whatever ended the last one, asks only what has no reply yet; all others come from the journal.
    Requests go on while the caller works on an answer: they are made in a thread.

    Args:
        requests: Taken lazily, in that thread; there may be any number of them.
        settings: Whom to ask, how fast, and for how much.
        journal: The file that keeps the replies.
        ordered: Yield in the order of `requests`.
        role: What the settings stand under, for messages, such as `teacher`.
        total: Samples in all, for the time left.
        progress: Tell the state on the standard error.

    Raises:
        Unanswered: At the end, when everything else was yielded: some questions have no reply.
        DianjinError: Nothing can be asked: settings, key, address or journal are wrong.
    """
    try:
        from dianjin_ext.inference.asker import Asker
        from dianjin_ext.inference.progress import describe, report
    except ModuleNotFoundError as error:
        raise DianjinError(
            f"asking a model needs {error.name}; pip install 'dianjin-ext[ask]'"
        ) from error

    ready: deque[Answer] = deque()
    changed = threading.Condition()
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []
    ended: list[BaseException | None] = []

    async def run() -> None:
        running.append((asyncio.get_running_loop(), asyncio.current_task()))  # type: ignore[arg-type]
        async with Asker(settings, journal, role=role) as asker:
            priced = settings.prices is not None
            telling = progress and asyncio.create_task(
                report(lambda s: describe(asker.tally, asker.places.in_flight, s, total, priced))
            )
            try:
                async with aclosing(asker.ask(requests, ordered=ordered)) as answers:
                    async for answer in answers:
                        while len(ready) >= _BACKLOG:
                            await asyncio.sleep(_POLL_S)
                        with changed:
                            ready.append(answer)
                            changed.notify()
            finally:
                if telling:
                    telling.cancel()
                    await asyncio.wait([telling])
            asker.tally.check()

    def work() -> None:
        error: BaseException | None = None
        try:
            with sought_seldom():
                asyncio.run(run())
        except BaseException as raised:
            error = raised
        with changed:
            ended.append(error)
            changed.notify()

    thread = threading.Thread(target=work, name="ask", daemon=True)
    thread.start()
    try:
        while True:
            with changed:
                changed.wait_for(lambda: ready or ended)
            while ready:
                yield ready.popleft()
            if ended:
                break
    finally:
        if not ended and running:
            loop, task = running[0]
            loop.call_soon_threadsafe(task.cancel)
        thread.join()
    # what came between the last look and the end
    yield from ready
    if ended[0] is not None:
        raise ended[0]
