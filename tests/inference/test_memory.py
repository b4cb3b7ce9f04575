"""What a run keeps in memory does not grow with what was asked, but for the journal's index."""

import asyncio
import gc
import json
import tracemalloc

from dianjin_ext.inference import Request
from dianjin_ext.inference.journal import Journal

FEW, MANY = 200, 800
TEXT = "word " * 400  # 2 kB a reply


def test_a_request_leaves_a_quarter_of_a_kilobyte(server, settings, tmp_path):
    from dianjin_ext.inference.asker import Asker

    server.default = lambda _: TEXT

    async def held(asker, first, number):
        """Ask, read all answers, return the bytes that are held then."""
        rows = (Request(f"{i}", [{"role": "user", "content": ""}]) for i in range(first, number))
        async for _ in asker.ask(rows):
            for kept in (server.bodies, server.headers, server.arrivals):
                kept.clear()  # what the test's own server keeps
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    async def run():
        async with Asker(settings(max_in_flight=20), tmp_path / "j") as asker:
            before = await held(asker, 0, FEW)
            return await held(asker, FEW, MANY) - before

    tracemalloc.start()
    try:
        grown = asyncio.run(run())
    finally:
        tracemalloc.stop()
    assert grown < (MANY - FEW) * 250 + 30_000  # a reply kept would be ten times that


def test_the_index_takes_what_is_said_of_it(tmp_path):
    number = 20_000
    with Journal(tmp_path / "j") as journal:
        tracemalloc.start()
        try:
            for i in range(number):
                key = f"{i * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128):032x}"
                journal.put(key, json.dumps({"key": key, "reply": TEXT}))
            size = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
    assert size < 200 * number
