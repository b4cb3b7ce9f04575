"""The asker beside bare loops of aiohttp and of openai's client, with 200 requests in flight.

    python benchmarks/bench_asker.py [--requests 3000] [--memory 100000]

A server in a process of its own replies after 50 ms with 6 kB. Rate and processor time are the
best of three runs each, in turns, and the asker's over those of aiohttp's loop. Memory is the peak
(VmHWM) of three processes: one asks 1,000 questions, one 10,000, one `--memory`. What grows is the
journal's index.
"""

import argparse
import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

from served import LOOPS, WIDTH, measure, messages, serving, took

WAYS = ("openai", "aiohttp", "asker")


def asker(url: str, number: int, folder: Path) -> None:
    from dianjin_ext.inference import AskSettings, Request
    from dianjin_ext.inference.ask import ask

    settings = AskSettings(
        model="m", base_url=url, max_in_flight=WIDTH, state_dir=str(folder / "state")
    )
    requests = (Request(str(i), messages(i)) for i in range(number))
    assert sum(1 for _ in ask(requests, settings, journal=folder / "journal")) == number


def prepare(way: str, url: str, number: int, folder: Path) -> Callable[[], object]:
    if way == "asker":
        return partial(asker, url, number, folder)
    return lambda: asyncio.run(LOOPS[way](url, number))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--memory", type=int, default=100_000)
    parser.add_argument("--measure", nargs=3)
    given = parser.parse_args()
    if given.measure:
        way, url, number = given.measure
        return measure(partial(prepare, way), url, int(number))
    with serving("word " * 1200, 0.05) as url:
        runs = [{way: took(way, url, given.requests) for way in WAYS} for _ in range(3)]
        walls = {way: min(each[way][0] for each in runs) for way in WAYS}
        costs = {way: min(each[way][1] for each in runs) / given.requests for way in WAYS}
        for way in WAYS:
            rate, cost = given.requests / walls[way], 1000 * costs[way]
            print(f"{way:8} {rate:6.0f} requests/s  {cost:5.2f} ms of processor time each")
        print(
            f"rate {walls['aiohttp'] / walls['asker']:.2f} of aiohttp's loop, processor time "
            f"{costs['asker'] / costs['aiohttp']:.2f} of it and "
            f"{costs['asker'] / costs['openai']:.2f} of that of openai's client"
        )
        numbers = (1000, 10_000, given.memory)
        peaks = [took("asker", url, number)[2] for number in numbers]
        sides = " ".join(f"{n:,}: {peak:.1f} MiB" for n, peak in zip(numbers, peaks, strict=True))
        each = 1024 * (peaks[-1] - peaks[0]) / (numbers[-1] - numbers[0])
        print(f"peak memory by requests  {sides}; {each:.2f} kB more a request")


if __name__ == "__main__":
    main()
