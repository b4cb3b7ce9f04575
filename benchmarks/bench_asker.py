"""The asker beside a bare loop of the same client, with 200 requests in flight.

    python benchmarks/bench_asker.py [--requests 3000] [--memory 100000]

A server in a process of its own replies after 50 ms with 6 kB. Rate and processor time are the
asker's over the loop's, the best of three runs each, in turns. Memory is the peak (VmHWM) of three
processes: one asks 1,000 questions, one 10,000, one `--memory`. What grows is the journal's index.
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


def asker(url: str, number: int, folder: Path) -> None:
    from dianjin_ext.inference import AskSettings, Request
    from dianjin_ext.inference.ask import ask

    settings = AskSettings(
        model="m", base_url=url, max_in_flight=WIDTH, state_dir=str(folder / "state")
    )
    requests = (Request(str(i), messages(i)) for i in range(number))
    with tempfile.TemporaryDirectory(dir=folder) as journal:
        assert sum(1 for _ in ask(requests, settings, journal=Path(journal, "j"))) == number


def measure(which: str, url: str, number: int) -> None:
    """Run in a process of its own; prints seconds, processor seconds and peak MiB."""
    with tempfile.TemporaryDirectory() as folder:
        # imports and the first connection are no part of the rate
        (asker(url, 1, Path(folder)) if which == "asker" else asyncio.run(bare(url, 1)))
        wall, processor = time.perf_counter(), time.process_time()
        if which == "asker":
            asker(url, number, Path(folder))
        else:
            asyncio.run(bare(url, number))
        times = time.perf_counter() - wall, time.process_time() - processor
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps([*times, peak]))


def run(which: str, url: str, number: int) -> list[float]:
    command = [sys.executable, __file__, "--measure", which, url, str(number)]
    environment = {**os.environ, "OPENAI_API_KEY": "EMPTY"}
    return json.loads(subprocess.check_output(command, env=environment, text=True))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--memory", type=int, default=100_000)
    parser.add_argument("--measure", nargs=3)
    given = parser.parse_args()
    if given.measure:
        which, url, number = given.measure
        return measure(which, url, int(number))
    server = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    try:
        url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        runs: list[tuple[list[float], list[float]]] = []
        for _ in range(3):
            runs.append((run("bare", url, given.requests), run("asker", url, given.requests)))
        for i, name in ((0, "bare loop"), (1, "asker")):
            wall, processor = (min(pair[i][k] for pair in runs) for k in (0, 1))
            rate, each = given.requests / wall, 1000 * processor / given.requests
            print(f"{name:10} {rate:6.0f} requests/s  {each:5.2f} ms of processor time each")
        wall, processor = (min(p[1][k] for p in runs) / min(p[0][k] for p in runs) for k in (0, 1))
        print(f"rate {1 / wall:.2f} of the loop's, processor time {processor:.2f} of the loop's")
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
