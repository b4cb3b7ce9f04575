"""A local model that answers whoever asks, many at a time."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from dianjin_ext.inference import attention
from dianjin_ext.inference.sampling import Request, Response, generate

__all__ = ["Batcher", "Heard"]

Heard = Callable[[int], None]
"""Called with each token as it is drawn, in the event loop."""

_GATHER_S: Final = 0.02  # requests that come together are answered together


class Batcher:
    """Samples from one model, in one event loop and one thread.

    What waits when the model gets free is answered in one batch, as far as it samples alike.

    Args:
        folder: A model and its tokenizer in Hugging Face format.
        most: The most rows of a batch; memory grows with it.
    """

    def __init__(self, folder: Path, most: int = 32) -> None:
        self.folder = folder
        self.most = most
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        self.model: Any = model.eval()
        attention.use(self.model)
        self.context: int = getattr(model.config, "max_position_embeddings", 1 << 30)
        eos = model.generation_config.eos_token_id
        found = [*(eos if isinstance(eos, list) else [eos]), self.tokenizer.eos_token_id]
        self.eos_ids = sorted({token for token in found if token is not None})
        self._waiting: list[tuple[Request, asyncio.Future[Response]]] = []
        self._heard: dict[asyncio.Future[Response], Heard] = {}
        self._work: asyncio.Task[None] | None = None

    async def sample(
        self, requests: Sequence[Request], heard: Sequence[Heard] = ()
    ) -> list[Response]:
        """Return a response to each request.

        Args:
            requests: What is asked.
            heard: One listener for each of them, or none at all.
        """
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[Response]] = [loop.create_future() for _ in requests]
        for future, listener in zip(futures, heard, strict=bool(heard)):
            self._heard[future] = listener
            future.add_done_callback(self._heard.pop)
        self._waiting += zip(requests, futures, strict=True)
        if self._work is None or self._work.done():
            self._work = loop.create_task(self._answer())
        return await asyncio.gather(*futures)

    async def _answer(self) -> None:
        while True:
            await asyncio.sleep(_GATHER_S)
            waiting = [(r, f) for r, f in self._waiting if not f.done()]  # who asked may be gone
            if not waiting:
                self._waiting = []
                return
            alike = defaultdict(list)
            for request, future in waiting:
                how = (request.temperature, request.top_k, request.top_p)
                alike[how].append((request, future))
            # the oldest and those like it; like lengths together, for less padding
            first = next(iter(alike.values()))
            batch = [first[0], *sorted(first[1:], key=lambda one: len(one[0].prompt))][: self.most]
            taken = {id(future) for _, future in batch}
            self._waiting = [one for one in waiting if id(one[1]) not in taken]
            requests = [request for request, _ in batch]
            heard = {i: self._heard[f] for i, (_, f) in enumerate(batch) if f in self._heard}
            try:
                responses = await asyncio.to_thread(self._generate, requests, self._tell(heard))
            except Exception as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), response in zip(batch, responses, strict=True):
                if not future.done():
                    future.set_result(response)

    def _tell(self, heard: dict[int, Heard]) -> Callable[[list[int], list[int]], None] | None:
        """Return what tells the listeners of a batch, from the thread of the model."""
        if not heard:
            return None
        loop = asyncio.get_running_loop()

        def drawn_now(rows: list[int], tokens: list[int]) -> None:
            for row, token in zip(rows, tokens, strict=True):
                if row in heard:
                    loop.call_soon_threadsafe(heard[row], token)

        return drawn_now

    def _generate(
        self,
        requests: list[Request],
        drawn_now: Callable[[list[int], list[int]], None] | None = None,
    ) -> list[Response]:
        found: list[Response] = generate(
            self.model,
            requests,
            eos_ids=self.eos_ids,
            pad_id=self.tokenizer.pad_token_id or 0,
            drawn_now=drawn_now,
        )
        return found
