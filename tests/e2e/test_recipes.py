"""Every stage of every recipe, and every method, run on a CPU by the real hosts for a few steps."""

import importlib.util
import json
import math
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("verl")
import yaml

from dianjin_ext.inference.classifier import is_classifier
from dianjin_ext.merge.verify import check_merged
from dianjin_ext.parquet import read_rows
from dianjin_ext.quickstart.stage import environment
from dianjin_ext.quickstart.teacher.serving import serving_teacher

pytestmark = [pytest.mark.slow, pytest.mark.long]

ROOT = Path(__file__).resolve().parents[2]
_SPEC = importlib.util.spec_from_file_location("cells", ROOT / "tests/recipes/cells.py")
cells = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(cells)

ASKED = 3


@pytest.mark.parametrize(("name", "stage"), cells.STAGES)
def test_a_stage_runs(walk, name, stage):
    runs(walk(name), stage)


@pytest.mark.parametrize(("methods", "stage"), cells.METHOD_RUNS)
def test_methods_run(walk, methods, stage):
    plain, own = walk(cells.RUN_RECIPE), walk(cells.RUN_RECIPE, methods)
    if not own.done:
        plain.to("sft")
        changed = {each for method in methods for each in cells.METHOD_STAGES[method]}
        # an adapter is put on a model that can do something already
        base = "sft" if "lora" in methods else "base"
        for source, target, by in (
            ("questions", "questions", {"questions"}),
            (base, "base", {"model", "pretrain"}),
            ("data", "data", {"data"}),
            ("sft", "sft", {"sft"}),
        ):
            if not by & changed and (plain.plan.out / source).exists():
                shutil.copytree(plain.plan.out / source, own.plan.out / target)
                own.done |= by
    runs(own, stage)


def runs(walk, stage):
    """Run a stage and look at what it leaves."""
    RUNS[walk.plan.of.stages[stage].do](walk, stage)


def data(walk, stage):
    walk.to(stage)
    built = walk.plan.out / walk.plan.run.built(walk.plan.of.stages[stage]) / "set"
    rows = read_rows(built / "rl/train.parquet")
    assert len(list(rows)) >= 8
    texts = [row for file in (built / "sft").glob("*.json") for row in json.loads(file.read_text())]
    trains = any(each.data == stage for each in walk.plan.of.stages.values() if each.do == "sft")
    assert bool(texts) == trains
    blocks = walk.plan.layout == "dianjin_r1"
    assert all(("<answer>" in row["output"]) == blocks for row in texts)


def sft(walk, stage):
    walk.to(stage)
    out = walk.plan.out / stage
    lines = [json.loads(line) for line in (out / "trainer_log.jsonl").read_text().splitlines()]
    assert lines[-1]["current_steps"] == lines[-1]["total_steps"]
    assert f"max_steps={lines[-1]['total_steps']}" in cells.SFT_WORDS
    losses = [line["loss"] for line in lines if "loss" in line]
    assert losses[-1] < losses[0]
    model = walk.plan.out / walk.plan.run.model(walk.plan.of, stage)
    assert (model / "model.safetensors").is_file()


def verifier(walk, stage):
    """Train it for an epoch on the answers of the recipe's set."""
    walk.to(walk.plan.of.stages[stage].data)
    (command,) = walk.commands(stage, "epochs=1")
    walk.start(stage, command)
    out = walk.plan.out / walk.plan.run.trained(walk.plan.of, stage)
    assert is_classifier(out)
    report = json.loads((out / "verifier.json").read_text("utf-8"))
    assert report["labelled_by"].keys() == {"rules", "judge"}  # letters; titles without options
    assert min(report["answers"]["heldout"].values()) >= 20
    assert report["heldout"].keys() == {"all", "open"}


def rl(walk, stage):
    walk.to(stage)
    out = walk.plan.out / stage
    (line,) = map(json.loads, (out / "metrics-0.jsonl").read_text().splitlines())
    assert line["step"] == 1
    assert line["data"]["actor/grad_norm"] > 0
    assert math.isfinite(line["data"]["critic/score/mean"])
    critic = walk.plan.rl(walk.plan.of.stages[stage].config)["algorithm"]["adv_estimator"] == "gae"
    assert ("critic/vf_loss" in line["data"]) == critic
    assert len(list((out / "global_step_1/actor").glob("model_world_size_2_rank_*.pt"))) == 2


def merge(walk, stage):
    walk.to(stage)
    check_merged(walk.plan.out / walk.plan.run.model(walk.plan.of, stage))


def evaluated(walk, stage):
    """Ask questions of FinQA's form by the recipe's protocol; a teacher stands for its judge."""
    walk.to(walk.plan.of.stages[stage].model)
    out = walk.plan.out
    page = {"pre_text": ["The bank reports."], "post_text": [], "table": [["", "x"], ["a", "1"]]}
    rows = [
        {**page, "id": f"BANK/2020/page_{n}.pdf-1",
         "qa": {"question": f"what is the profit of branch {n}?", "exe_ans": 60.0 + n}}
        for n in range(ASKED)
    ]  # fmt: skip
    (out / "finqa.json").write_text(json.dumps(rows))
    given = walk.commands(stage)[0].words
    settings = yaml.safe_load(Path(given[given.index("--settings") + 1]).read_text("utf-8"))
    with serving_teacher() as url:
        if "judge" in settings:
            settings["judge"] |= {"base_url": url, "model": "teacher", "keyless": True}
        (out / "settings.yaml").write_text(yaml.safe_dump(settings))
        few = ("--max-tokens", "48", "--repeats", "1", "--settings", "settings.yaml")
        (command,) = walk.commands(stage, "finqa", "--data", "finqa.json", *few)
        walk.start(stage, command)
    summary = json.loads((out / stage / "summary.json").read_text("utf-8"))
    assert [each["n"] for each in summary["results"]] == [ASKED]


def serve(walk, stage):
    walk.to(walk.plan.of.stages[stage].model)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (command,) = walk.commands(stage, "--port", str(port))
    log = (walk.plan.out / "logs" / f"{stage}.log").open("w")
    server = subprocess.Popen(
        command.words,
        cwd=walk.plan.out,
        env=environment(command, walk.plan),
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        url = f"http://127.0.0.1:{port}/v1"
        model = answered(server, f"{url}/models")["data"][0]["id"]
        asked = {"model": model, "max_tokens": 8, "messages": [{"role": "user", "content": "A?"}]}
        reply = answered(server, f"{url}/chat/completions", asked)
        assert reply["usage"]["completion_tokens"] > 0
        walk.tell(stage, command, {"reply": reply["choices"][0]["message"]["content"]})
    finally:
        server.terminate()
        server.wait(30)
        log.close()


def answered(server, url, body=None, within_s=240):
    """Return what a server says, once it is there."""
    given = {"data": json.dumps(body).encode()} if body else {}
    request = urllib.request.Request(url, headers={"Content-Type": "application/json"}, **given)
    end = time.monotonic() + within_s
    while True:
        assert server.poll() is None and time.monotonic() < end
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return json.load(reply)
        except urllib.error.HTTPError:
            raise
        except OSError:
            time.sleep(0.5)


RUNS = {
    "data": data,
    "sft": sft,
    "verifier": verifier,
    "rl": rl,
    "merge": merge,
    "eval": evaluated,
    "serve": serve,
}
"""How a stage of each kind is run and looked at."""
