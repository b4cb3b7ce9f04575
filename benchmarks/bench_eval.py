"""`dianjin eval` beside bare loops of requests, with 200 in flight at 250 ms and at 50 ms a reply.

    python benchmarks/bench_eval.py [--rows 20000] [--memory 100000]

A server in a process of its own replies after that time with 6 kB. Each way asks as many questions
in a process of its own: a bare loop of aiohttp, one of openai's client, the asker, and the
evaluation, which also reads, grades, counts and writes. A run begins and ends in about a second,
which few rows would count as much. Processor time is of that process, least of two runs, in turns.
The ideal rate is 200 in that time: 800 a second, which one core can do, and 4,000, which not even
the loop of aiohttp does. Memory is the peak (VmHWM) of three evaluations.
"""

import argparse
import asyncio
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from served import LOOPS, WIDTH, measure, serving, took

DELAYS = (0.25, 0.05)  # seconds
WAYS = ("aiohttp", "openai", "asker", "eval")
# half of the questions are answered right; the reasoning states the answer at its end
STEP = "The total of the year before was 12.5 million, by which the change is measured. "
REPLY = f"<think>\n{STEP * 72}So the answer is 7.\n</think>\n<answer>\n\\boxed{{7}}\n</answer>"
PROTOCOL = "about: cost\nsource: none\nsampling: {temperature: 0, max_tokens: 2048}\n"


def questions(number: int) -> Iterator[dict[str, object]]:
    """Rows of 2 kB in DocMath-Eval's format."""
    page = "Assets and liabilities of the year are shown below. " * 40
    for i in range(number):
        yield {
            "question_id": f"simplong-testmini-{i}",
            "question": f"What is number {i} of the page, in millions?",
            "paragraphs": [page],
            "ground_truth": 7.0 if i % 2 else i + 0.5,
        }


def asker(url: str, number: int, folder: Path) -> None:
    from dianjin_ext.inference import AskSettings, Request
    from dianjin_ext.inference.ask import ask

    settings = AskSettings(
        model="m", base_url=url, max_in_flight=WIDTH, state_dir=str(folder / "state")
    )
    requests = (
        Request(str(row["question_id"]), [{"role": "user", "content": json.dumps(row)}])
        for row in questions(number)
    )
    assert sum(1 for _ in ask(requests, settings, journal=folder / "journal")) == number


def evaluation(url: str, number: int, folder: Path) -> None:
    from dianjin_ext.evaluation.plan import plan
    from dianjin_ext.evaluation.run import evaluate
    from dianjin_ext.inference import AskSettings

    settings = AskSettings(
        model="m", base_url=url, max_in_flight=WIDTH, state_dir=str(folder / "state")
    )
    file, protocol = str(folder / "simplong_testmini.jsonl"), str(folder / "cost.yaml")
    [result] = evaluate(
        plan(["docmath_simplong"], [protocol], data=[file]), settings, folder / "out"
    )
    assert result["n"] == number and result["format_rate"] == 1.0
    assert number < 100 or abs(result["accuracy"] - 0.5) < 0.01


def prepare(way: str, url: str, number: int, folder: Path) -> Callable[[], object]:
    if way in LOOPS:
        return lambda: asyncio.run(LOOPS[way](url, number))
    with (folder / "simplong_testmini.jsonl").open("w") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in questions(number))
    (folder / "cost.yaml").write_text(PROTOCOL)
    return partial(asker if way == "asker" else evaluation, url, number, folder)


def compare(url: str, rows: int, ideal: float) -> None:
    """Print rate and processor time of each way."""
    print(f"{ideal:.0f} a second at the most:")
    runs = [{way: took(way, url, rows) for way in WAYS} for _ in range(2)]
    rates = {way: rows / min(each[way][0] for each in runs) for way in WAYS}
    costs = {way: 1000 * min(each[way][1] for each in runs) / rows for way in WAYS}
    for way in WAYS:
        print(
            f"{way:8} {rates[way]:5.0f} responses/s ({rates[way] / ideal:.0%} of the ideal, "
            f"{rates[way] / rates['aiohttp']:.2f} of aiohttp's)  "
            f"{costs[way]:.2f} ms of processor time each"
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--memory", type=int, default=100_000)
    parser.add_argument("--measure", nargs=3)
    given = parser.parse_args()
    if given.measure:
        way, url, number = given.measure
        return measure(partial(prepare, way), url, int(number))
    for delay in DELAYS:
        with serving(REPLY, delay) as url:
            compare(url, given.rows, WIDTH / delay)
    with serving(REPLY, DELAYS[-1]) as url:
        sizes = sorted({1000, 10_000, given.memory})
        peaks = {size: took("eval", url, size)[2] for size in sizes}
        sides = " ".join(f"{size:,}: {peak:.1f} MiB" for size, peak in peaks.items())
        each = 1024 * (peaks[sizes[-1]] - peaks[1000]) / (sizes[-1] - 1000)
        print(f"peak memory by rows  {sides}; {each:.2f} kB more a row")


if __name__ == "__main__":
    main()
