"""A model of known accuracy over HTTP, in OpenAI's protocol.

    python known_accuracy.py QUESTIONS.jsonl --rate 0.5 --spread 2 [--gain 0.1] [--draws 1]

It answers a question right with a probability of the question's own, which is beta-distributed
around the rate: the smaller the spread, the more alike are the samples of a question. A gain makes
every question easier, so that the rate is that much higher. Each reply depends on nothing but the
question, the request's seed and the arguments.

A line of QUESTIONS.jsonl has `asked` (the last message), `right` (the answer) and `wrong` (a list
of answers). The thinking says which it gives, so that a test need not trust who grades.
"""

import argparse
import asyncio
import json
import os
from dataclasses import dataclass
from pathlib import Path
from random import Random

from aiohttp import web

from dianjin_ext.inference.serve import refused, serve

KNOWN, GUESSED = "I know it.", "I guess."


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """How often which question is answered right.

    Attributes:
        rate: On average.
        spread: Of the beta distribution: alpha + beta.
        gain: By how much the rate grows, with the difficulties as they are.
        seed: Of the difficulties.
        draws: Of the replies; another model of the same accuracy has another.
    """

    rate: float
    spread: float = 2.0
    gain: float = 0.0
    seed: int = 0
    draws: int = 0

    def of(self, asked: str) -> float:
        """Return the probability of a right answer to a question."""
        drawn = Random(f"{self.seed}/{asked}")
        own = drawn.betavariate(self.rate * self.spread, (1 - self.rate) * self.spread)
        return own + self.gain * (1 - own) / (1 - self.rate)

    def answer(self, question: dict, sample: int | None) -> tuple[str, str]:
        """Return what a sample thinks, and its answer."""
        drawn = Random(f"{self.draws}/{sample}/{question['asked']}")
        if drawn.random() < self.of(question["asked"]):
            return KNOWN, question["right"]
        return GUESSED, drawn.choice(question["wrong"])


def application(
    questions: dict, accuracy: Accuracy, *, delay: float, apart: bool
) -> web.Application:
    """Return the application; `apart` has the thinking in `reasoning_content`."""

    async def reply(request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        question = questions.get(body["messages"][-1]["content"])
        if question is None:
            return refused("this question is not known")
        await asyncio.sleep(delay)
        thinking, answer = accuracy.answer(question, body.get("seed"))
        said = f"<answer>\n\\boxed{{{answer}}}\n</answer>"
        message = {"role": "assistant", "content": f"<think>\n{thinking}\n</think>\n{said}"}
        if apart:
            message = {"role": "assistant", "content": said, "reasoning_content": thinking}
        return web.json_response(
            {
                "id": "1",
                "object": "chat.completion",
                "created": 1,
                "model": body["model"],
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 9, "completion_tokens": 7, "total_tokens": 16},
            }
        )

    app = web.Application()
    app.router.add_post("/v1/chat/completions", reply)
    return app


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("questions", type=Path)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--spread", type=float, default=2.0)
    parser.add_argument("--gain", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--draws", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--apart", action="store_true")
    given = parser.parse_args()
    lines = given.questions.read_text(encoding="utf-8").splitlines()
    questions = {question["asked"]: question for question in map(json.loads, lines)}
    accuracy = Accuracy(
        rate=given.rate,
        spread=given.spread,
        gain=given.gain,
        seed=given.seed,
        draws=given.draws,
    )
    app = application(questions, accuracy, delay=given.delay, apart=given.apart)
    asyncio.run(serve(app, "known accuracy", port=0, parent=os.getppid()))


if __name__ == "__main__":
    main()
