"""The teacher behind HTTP."""

import asyncio
import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from dianjin_ext.inference.serve import refused
from dianjin_ext.quickstart.teacher.draws import Draws
from dianjin_ext.quickstart.teacher.protocol import completion, read_body, shortened
from dianjin_ext.quickstart.teacher.rates import Rates
from dianjin_ext.quickstart.teacher.replying import Knowledge, UnknownError, reply
from dianjin_ext.quickstart.teacher.tasks import JUDGE, recognise

_MAX_BODY: Final = 16 << 20  # bytes


@dataclass
class Teacher:
    """What the server knows and counts.

    Attributes:
        rates: Of errors.
        seed: Of all draws.
        latency: Seconds that each reply takes.
        knowledge: Of the answers.
        requests: That came, those included that were refused or given up.
        tasks: How many of them for each task; `unknown` for those that were refused.
        bodies: The digests of their bodies.
        in_flight: How many of them wait for their reply now; those of a client that is gone don't.
    """

    rates: Rates
    seed: int = 0
    latency: float = 0.0
    knowledge: Knowledge = field(default_factory=Knowledge)
    requests: int = 0
    tasks: Counter[str] = field(default_factory=Counter)
    bodies: set[bytes] = field(default_factory=set)
    in_flight: int = 0

    async def chat(self, request: web.Request) -> web.Response:
        """POST /v1/chat/completions."""
        data = await request.read()
        self.requests += 1
        self.bodies.add(hashlib.blake2b(data, digest_size=12).digest())
        try:
            body = read_body(data)
            if (asked := recognise(body["messages"])) is None:
                raise UnknownError("the teacher does not know this prompt")
            most = body.get("max_completion_tokens") or body.get("max_tokens")
            # the judge's prompt has a code that is drawn for each request
            said = dict(asked.fields) if asked.task == JUDGE else body["messages"]
            drawn = [Draws.of(self.seed, said, body, index) for index in range(body["n"])]
            given = (reply(asked, self.knowledge, self.rates, draws) for draws in drawn)
            replies = [shortened(each, most) for each in given]
        except (ValueError, UnknownError) as error:
            self.tasks["unknown"] += 1
            return refused(str(error))
        self.tasks[asked.task] += 1
        if self.latency:
            self.in_flight += 1
            try:
                await asyncio.sleep(self.latency)
            finally:
                self.in_flight -= 1
        return web.json_response(completion(body, replies, drawn[0]))

    async def models(self, _: web.Request) -> web.Response:
        """GET /v1/models."""
        model = {"id": "teacher", "object": "model", "owned_by": "dianjin_ext"}
        return web.json_response({"object": "list", "data": [model]})

    async def stats(self, _: web.Request) -> web.Response:
        """GET /stats: what was asked so far."""
        return web.json_response(
            {
                "requests": self.requests,
                "distinct": len(self.bodies),
                "in_flight": self.in_flight,
                "by_task": dict(sorted(self.tasks.items())),
            }
        )

    def application(self) -> web.Application:
        """Return the application."""
        app = web.Application(client_max_size=_MAX_BODY)
        app.router.add_post("/v1/chat/completions", self.chat)
        app.router.add_get("/v1/models", self.models)
        app.router.add_get("/stats", self.stats)
        return app
