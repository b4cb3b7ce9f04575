"""The asker beside bare loops of aiohttp and of openai's client, with 200 requests in flight.

    python benchmarks/bench_asker.py [--requests 3000] [--memory 100000]

A server in a process of its own replies after 50 ms with 6 kB. Rate and processor time are the
best of three runs each, in turns, and the asker's over those of aiohttp's loop. Memory is the peak
(VmHWM) of three processes: one asks 1,000 questions, one 10,000, one `--memory`. What grows is the
journal's index.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SERVER = """
import asyncio, json
from aiohttp import web
body = json.dumps({"id": "1", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop",
        "message": {"role": "assistant", "content": "word " * 1200}}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 1200, "total_tokens": 1209}}).encode()
async def answer(request):
    await request.read()
    await asyncio.sleep(0.05)
    return web.Response(body=body, content_type="application/json")
async def main():
    app = web.Application()
    app.router.add_post("/v1/chat/completions", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
WIDTH = 200


def messages(i: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"question {i}"}]


async def bare(url: str, number: int) -> None:
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


async def bare_aiohttp(url: str, number: int) -> None:
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


def asker(url: str, number: int, folder: Path) -> None:
    from dianjin_ext.inference import AskSettings, Request
    from dianjin_ext.inference.ask import ask

    settings = AskSettings(
        model="m", base_url=url, max_in_flight=WIDTH, state_dir=str(folder / "state")
    )
    requests = (Request(str(i), messages(i)) for i in range(number))
    with tempfile.TemporaryDirectory(dir=folder) as journal:
        assert sum(1 for _ in ask(requests, settings, journal=Path(journal, "j"))) == number


def ask_by(way: str, url: str, number: int, folder: Path) -> None:
    if way == "asker":
        asker(url, number, folder)
    else:
        asyncio.run((bare if way == "openai" else bare_aiohttp)(url, number))


def measure(way: str, url: str, number: int) -> None:
    """Run in a process of its own; prints seconds, processor seconds and peak MiB."""
    with tempfile.TemporaryDirectory() as folder:
        ask_by(way, url, 1, Path(folder))  # imports are no part of the rate
        wall, processor = time.perf_counter(), time.process_time()
        ask_by(way, url, number, Path(folder))
        times = time.perf_counter() - wall, time.process_time() - processor
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps([*times, peak]))


def run(way: str, url: str, number: int) -> list[float]:
    command = [sys.executable, __file__, "--measure", way, url, str(number)]
    environment = {**os.environ, "OPENAI_API_KEY": "EMPTY"}
    return json.loads(subprocess.check_output(command, env=environment, text=True))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--memory", type=int, default=100_000)
    parser.add_argument("--measure", nargs=3)
    given = parser.parse_args()
    if given.measure:
        way, url, number = given.measure
        return measure(way, url, int(number))
    server = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    try:
        url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        ways = ("openai", "aiohttp", "asker")
        runs = [{way: run(way, url, given.requests) for way in ways} for _ in range(3)]
        walls = {way: min(each[way][0] for each in runs) for way in ways}
        costs = {way: min(each[way][1] for each in runs) / given.requests for way in ways}
        for way in ways:
            rate, cost = given.requests / walls[way], 1000 * costs[way]
            print(f"{way:8} {rate:6.0f} requests/s  {cost:5.2f} ms of processor time each")
        print(
            f"rate {walls['aiohttp'] / walls['asker']:.2f} of aiohttp's loop, processor time "
            f"{costs['asker'] / costs['aiohttp']:.2f} of it and "
            f"{costs['asker'] / costs['openai']:.2f} of that of openai's client"
        )
        numbers = (1000, 10_000, given.memory)
        peaks = [run("asker", url, number)[2] for number in numbers]
        sides = " ".join(f"{n:,}: {peak:.1f} MiB" for n, peak in zip(numbers, peaks, strict=True))
        each = 1024 * (peaks[-1] - peaks[0]) / (numbers[-1] - numbers[0])
        print(f"peak memory by requests  {sides}; {each:.2f} kB more a request")
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
