"""A model that answers over HTTP in every way that models do, and what `dianjin eval` says."""

import csv
import importlib.util
import json
import re
from pathlib import Path
from zlib import crc32

import pytest
import yaml

PROTOCOL = """
about: a test
source: none
system: {zh: 你是金融专家。, en: You are an expert.}
sampling: {temperature: 0.6, top_p: 0.95, max_tokens: 256, samples: 3}
grading: {strictness: lenient}
"""
PAGE = {"pre_text": ["sales rose ."], "post_text": ["."], "table_ori": [["", "9"], ["s", "1"]]}
ROWS = {
    "cflue_mcq": (
        "knowledge.json",
        [
            {
                "task": "单项选择题" if n % 2 else "多项选择题",
                "question": f"第 {n} 项存货是？",
                "choices": "{'A': '资产', 'B': '负债', 'C': '权益'}",
                "answer": "A" if n % 2 else "AC",
                "analysis": None,
            }
            for n in range(8)
        ],
    ),
    "finqa": (
        "test.json",
        [
            {**PAGE, "id": f"page-{n}", "qa": {"question": f"shop {n}?", "exe_ans": n / 8}}
            for n in range(1, 9)
        ],
    ),
    "convfinqa": (
        "dev.json",
        [
            {
                **PAGE,
                "id": f"Single_{n}",
                "annotation": {
                    "dialogue_break": [f"sales of {n}?", "and twice that?", "is that more?"],
                    "exe_ans_list": [n, 2 * n, "yes"],
                },
            }
            for n in range(1, 4)
        ],
    ),
    "tfns": ("sent_valid.csv", [{"text": f"tweet {n}", "label": n % 3} for n in range(8)]),
    "math_500": (
        "test.jsonl",
        [
            {
                "problem": f"What is {n}/4?",
                "solution": "…",
                "answer": f"\\frac{{{n}}}{{4}}",
                "subject": "Algebra",
                "level": 1,
                "unique_id": f"test/{n}.json",
            }
            for n in range(1, 9)
        ],
    ),
    "finance_instruct": (
        "train.json",
        [
            {"system": "", "user": f"What lasts {n} years?", "assistant": f"A loan of {n} years."}
            for n in range(1, 9)
        ],
    ),
}
"""One benchmark for each kind of answer, and one of conversations."""


def ways(gold, wrong):
    """Return what models write: content, reasoning apart or None, and why it ended."""
    box = "\\boxed{%s}"
    return [
        (f"<think>So.</think>\n<answer>{box % gold}</answer>", None, "stop"),
        (f"<answer>{box % gold}</answer>", "It is so.\n", "stop"),
        (f"<think>So.</think>\n<answer>{box % wrong}</answer>", None, "stop"),
        (f"It is so.</think>\n\n<answer>{box % gold}</answer>", None, "stop"),
        (f"<think>It might be {box % gold}, or", None, "length"),
        (f"First {box % wrong}. <think>Wait.</think> So {box % gold}", None, "stop"),
        (f"<think>a</think><think>b</think> {box % gold}", None, "stop"),
        (f"  \n<think>\n\n{wrong}? </think>  {gold}", None, "stop"),
        (f"<think>Perhaps <think>{gold}</think> after all</think> {box % gold}", None, "stop"),
        (None, f"It is {box % gold}", "stop"),
        ("Nobody knows.", None, "stop"),
        ("", "Hm.", "length"),
        (f"\ud800\u2028 {box % gold}\n", "Half a letter: \udfff", "stop"),
    ]


@pytest.fixture
def server(monkeypatch):
    """A server that does what its script says, as the judge's tests have it."""
    for module in ("aiohttp", "openai", "tenacity", "scipy", "pyarrow", "math_verify"):
        pytest.importorskip(module)
    path = Path(__file__).parents[1] / "rewards/judge/server.py"
    spec = importlib.util.spec_from_file_location("server", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-to-be-seen")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with module.served() as server:
        server.completion = module.completion
        yield server


@pytest.fixture
def data(tmp_path):
    """The files of `ROWS`: benchmark to path."""
    paths = {}
    for name, (file, rows) in ROWS.items():
        paths[name] = tmp_path / "data" / name / file
        paths[name].parent.mkdir(parents=True)
        if file.endswith(".csv"):
            with paths[name].open("w", newline="") as stream:
                writer = csv.DictWriter(stream, rows[0])
                writer.writeheader()
                writer.writerows(rows)
        elif file.endswith(".jsonl"):
            paths[name].write_text("".join(json.dumps(row) + "\n" for row in rows))
        else:
            paths[name].write_text(json.dumps(rows))
    return paths


@pytest.fixture
def protocol(tmp_path):
    """A protocol of one's own that samples three replies a question."""
    path = tmp_path / "mine.yaml"
    path.write_text(PROTOCOL)
    return path


class Comparison:
    """What `dianjin eval` says of the model that a host is to ask too."""

    def __init__(self, server, folder):
        self.server, self.folder = server, folder

    def tasks(self, names, data, protocol, **choices):
        from dianjin_ext.evaluation.plan import Choices, plan

        given = [f"{name}={data[name]}" for name in names]
        return plan(names, [str(protocol)], data=given, choices=Choices(**choices))

    def answer_in_every_way(self, tasks):
        """Have the server answer each question in one of `ways`, by question and seed."""
        golds = {}
        for task in tasks:
            asked = [question for unit in task.units() for question in unit]
            for question, other in zip(asked, [*asked[1:], asked[0]], strict=True):
                prompt = task.rules.messages(question)[-1]["content"]
                golds[prompt] = ways(_written(question), _written(other))

        def reply(body):
            prompt = body["messages"][-1]["content"]
            seed = body.get("seed", 0)
            said = golds[prompt][(crc32(prompt.encode()) + 5 * seed) % len(golds[prompt])]
            content, reasoning, finish = said
            body = self.server.completion(content, finish)
            if reasoning is not None:
                body["choices"][0]["message"]["reasoning_content"] = reasoning
            return "json " + json.dumps(body)

        self.server.default = reply

    def evaluate(self, tasks, judge=None):
        """Return the rows of `dianjin eval` by sample, their results, and what was sent."""
        from dianjin_ext.evaluation.run import evaluate
        from dianjin_ext.inference.settings import AskSettings

        model = AskSettings(model="m", base_url=self.server.base_url)
        out = self.folder / "eval"
        results = evaluate(tasks, model, out, judge=judge)
        rows = []
        for result in results:
            text = (out / result["responses"]).read_text(encoding="utf-8")
            rows += [json.loads(line) for line in text.split("\n") if line]
        return self.by_sample(rows), results, self.sent()

    @staticmethod
    def by_sample(rows):
        """Return rows by benchmark, question and sample, less what was asked.

        A host can't write half a character, and neither can this.
        """
        return {
            (row["benchmark"], row["id"], row["sample"]): {
                name: value.encode("utf-8", "replace").decode() if name == "response" else value
                for name, value in row.items()
                if name not in ("messages", "question", "choices")
            }
            for row in rows
        }

    def sent(self):
        """Return what was asked since the last call, in a fixed order; forgets it.

        A request to a judge has a code that is drawn for it.
        """
        bodies = [json.dumps(body, sort_keys=True) for body in self.server.bodies]
        bodies = [re.sub(r"\b[0-9a-f]{16}\b", "CODE", body) for body in bodies]
        self.server.bodies.clear()
        return sorted(bodies)

    def judged(self, judging, data, folder):
        """Have a model decide on the answers to FinQA's questions.

        Returns the protocol, the file that names the judge, and what `evaluate` returns.
        """
        from dianjin_ext.rewards.judge.settings import read_judge

        given = {"about": "a test", "source": "none", "judge": judging}
        if judging == "extract":
            text = "Take out the final answer.\n{response}"
            given["extract"] = {"zh": text, "en": text}
        protocol, settings = folder / "mine.yaml", folder / "settings.yaml"
        protocol.write_text(yaml.safe_dump(given))
        judge = {"model": "judge", "base_url": self.server.base_url}
        settings.write_text(yaml.safe_dump({"judge": judge}))

        def reply(body):
            said = body["messages"][-1]["content"]
            if said.startswith("Take out"):
                return "0.25" if "0.75" in said else "none"
            if body["model"] == "judge":
                return f"VERDICT: {'correct' if '0.75' in str(body['messages']) else 'wrong'}"
            return "<think>So.</think>\n<answer>\\boxed{0.75}</answer>"

        self.server.default = reply
        kept = read_judge({**judge, "cache_dir": str(folder / "judge")})
        found = self.evaluate(self.tasks(["finqa"], data, protocol), kept)
        assert {row["judged"] for row in found[0].values()} == {1.0}
        return protocol, settings, found


def _written(question):
    return json.loads(question.answer)[0] if question.answer[:1] == "[" else question.answer


@pytest.fixture
def comparison(server, tmp_path):
    return Comparison(server, tmp_path)
