"""A server that replies after a given time, bare loops that ask it, and what a process takes."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

WIDTH = 200
"""Requests in flight."""

# A protocol of its own: aiohttp's server takes twice the processor time of the loop that asks it.
_SERVER = """
import asyncio, json, re, sys
delay, text = float(sys.argv[1]), sys.stdin.read()
body = json.dumps({"id": "1", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop",
        "message": {"role": "assistant", "content": text}}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 1200, "total_tokens": 1209}}).encode()
reply = (b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\n"
    b"Content-Length: %d\\r\\n\\r\\n" % len(body)) + body
class Connection(asyncio.Protocol):
    asked = b""
    def connection_made(self, transport):
        self.transport = transport
    def data_received(self, data):
        self.asked += data
        head, _, sent = self.asked.partition(b"\\r\\n\\r\\n")
        length = re.search(rb"content-length: *([0-9]+)", head, re.IGNORECASE)
        if length and len(sent) >= int(length[1]):
            self.asked = b""
            asyncio.get_running_loop().call_later(delay, self.transport.write, reply)
async def main():
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


@contextmanager
def serving(text: str, delay: float) -> Iterator[str]:
    """Serve, in a process of its own, a model that says `text` after `delay` seconds."""
    command = [sys.executable, "-c", _SERVER, str(delay)]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        server.stdin.write(text)
        server.stdin.close()
        yield f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
    finally:
        server.terminate()
        server.wait()


def messages(i: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"question {i}"}]


async def openai_loop(url: str, number: int) -> None:
    import openai

    client = openai.AsyncOpenAI(
        base_url=url, api_key="EMPTY", max_retries=0, http_client=openai.DefaultAioHttpClient()
    )
    rows = iter(range(number))

    async def loop() -> None:
        for i in rows:
            await client.chat.completions.create(model="m", messages=messages(i))

    await asyncio.gather(*(loop() for _ in range(WIDTH)))
    await client.close()


async def aiohttp_loop(url: str, number: int) -> None:
    import aiohttp

    headers = {"Authorization": "Bearer EMPTY", "Content-Type": "application/json"}
    rows = iter(range(number))
    async with aiohttp.ClientSession(
        headers=headers, connector=aiohttp.TCPConnector(limit=0)
    ) as session:

        async def loop() -> None:
            for i in rows:
                body = json.dumps({"model": "m", "messages": messages(i)})
                async with session.post(f"{url}/chat/completions", data=body) as response:
                    json.loads(await response.read())

        await asyncio.gather(*(loop() for _ in range(WIDTH)))


LOOPS = {"openai": openai_loop, "aiohttp": aiohttp_loop}


def took(way: str, url: str, number: int) -> list[float]:
    """Run the calling benchmark's `measure` in a process of its own; return what it printed."""
    command = [sys.executable, sys.argv[0], "--measure", way, url, str(number)]
    environment = {**os.environ, "OPENAI_API_KEY": "EMPTY"}
    return json.loads(
        subprocess.check_output(command, env=environment, text=True, stderr=subprocess.DEVNULL)
    )


def measure(
    prepare: Callable[[str, int, Path], Callable[[], object]], url: str, number: int
) -> None:
    """Print the seconds, processor seconds and peak MiB of a way to ask `number` questions.

    Args:
        prepare: Makes, from the server's address, the number and a folder, what is timed.
        url: The server's address.
        number: Of questions.
    """
    with tempfile.TemporaryDirectory() as few, tempfile.TemporaryDirectory() as many:
        prepare(url, 2, Path(few))()  # imports are no part of the rate
        ask = prepare(url, number, Path(many))
        wall, processor = time.perf_counter(), time.process_time()
        ask()
        times = time.perf_counter() - wall, time.process_time() - processor
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps([*times, peak]))
