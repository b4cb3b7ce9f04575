"""`dianjin eval --model FOLDER`: tiny models with their own chat templates, served meanwhile."""

import csv
import importlib.util
import json
import os
import signal
import time
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.slow

REAL = Path(__file__).resolve().parents[3] / "shared/data/tfns_like/sent_valid.csv"
MADE = [(f"$AB{n} - a bank {'cuts' if n % 2 else 'raises'} its target", n % 3) for n in range(12)]
ROWS = 6


@pytest.fixture
def tfns(tmp_path):
    """Tweets in the published format, the real ones where they lie beside the repository."""
    rows = MADE
    if REAL.exists():
        with REAL.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))[1:]
            rows = rows[:: len(rows) // ROWS]
    path = tmp_path / "sent_valid.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows[:ROWS]])
    return path


@pytest.fixture
def make(tmp_path):
    """Make a tiny model of a family."""
    for module in ("torch", "transformers"):
        pytest.importorskip(module)
    path = Path(__file__).with_name("make_models.py")
    spec = importlib.util.spec_from_file_location("make_models", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda name, **how: module.make_model(name, tmp_path / name, **how)


def settings(folder, **model):
    path = folder / "settings.yaml"
    path.write_text(json.dumps({"model": model}))
    return path


def expected(folder, messages, tokens, **template):
    """What transformers itself renders, and its greedy reply to that."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    prompt = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, return_tensors="pt", return_dict=True, **template
    )
    model = AutoModelForCausalLM.from_pretrained(folder)
    whole = model.generate(**prompt, do_sample=False, max_new_tokens=tokens)[0]
    count = prompt["input_ids"].shape[1]
    return count, tokenizer.decode(whole[count:], skip_special_tokens=True)


@pytest.mark.parametrize(
    ("family", "template", "begins", "ends"),
    [
        ("llama3.1", {}, "<|begin_of_text|><|start_h", "assistant<|end_header_id|>\n\n"),
        ("llama3.1", {"date_string": "1 May 2026"}, "<|begin_of_text|><|start_h", "r_id|>\n\n"),
        ("qwen2.5", {}, "<|im_start|>system\nYou are", "<|im_start|>assistant\n"),
        ("qwen3", {}, "<|im_start|>user\n", "<|im_start|>assistant\n"),
        ("qwen3", {"enable_thinking": False}, "<|im_start|>user", "<think>\n\n</think>\n\n"),
        ("qwen3-thinking", {}, "<|im_start|>user\n", "<|im_start|>assistant\n<think>\n"),
        ("opened", {}, "<|im_start|>user\n", "<|im_start|>assistant\n<think>\n"),
    ],
)  # fmt: skip
def test_the_models_own_template_writes_the_prompt(
    evaluate_folder, make, plain, tfns, family, template, begins, ends
):
    from transformers import AutoTokenizer

    folder = make(family)
    evaluate = evaluate_folder(folder)
    arguments = ["tfns", "--data", tfns, "--protocol", plain, "--max-tokens", 8]
    if template:
        given = settings(evaluate.folder, options={"chat_template_kwargs": template})
        arguments += ["--settings", given]
    evaluate(*arguments)
    rows = evaluate.rows("tfns.plain")
    assert len(rows) == ROWS and {row["model"] for row in rows} == {str(folder)}
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for row in rows:
        text = tokenizer.apply_chat_template(
            row["messages"], add_generation_prompt=True, tokenize=False, **template
        )
        assert text.startswith(begins) and text.endswith(ends)
        assert row["question"] in text and row["language"] == "en"
        tokens, reply = expected(folder, row["messages"], 8, **template)
        assert (row["prompt_tokens"], row["response"]) == (tokens, reply)
    [result] = evaluate.results
    told = [said for said in result["departures"] if "chat_template_kwargs" in said]
    assert len(told) == bool(template)


@pytest.mark.long
@pytest.mark.parametrize("family", ["llama3.1", "qwen3", "opened"])
def test_what_a_model_says_is_graded_and_counted(evaluate_folder, make, plain, tfns, family):
    evaluate = evaluate_folder(make(family, parrot=True))
    evaluate("tfns", "--data", tfns, "--protocol", plain)
    rows = evaluate.rows("tfns.plain")
    begun = "" if family == "opened" else "<think>"
    answer = f"{begun}Look it up.</think><answer>\\boxed{{bearish}}</answer>"
    assert {row["response"] for row in rows} == {answer}
    assert all(row["acc"] == (row["ground_truth"] == "bearish") for row in rows)
    [result] = evaluate.results
    share = sum(row["acc"] for row in rows) / ROWS
    assert 0 < share < 1 and result["accuracy"] == pytest.approx(share)
    assert result["format_rate"] == 1.0 and result["truncated"] == 0.0
    assert result["tokens"]["max"] == 5 - (family == "opened")  # what ends a reply is a token
    assert result["comparable"] and result["label"] == "plain"


def started(evaluate, *arguments):
    """Start an evaluation that takes a while, and return it with the servers it has started."""
    process = evaluate.start(*arguments)
    journal = evaluate.folder / "out/journal"
    deadline = time.monotonic() + 300
    while not any(path.stat().st_size for path in journal.glob("*.jsonl")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    return process, psutil.Process(process.pid).children(recursive=True)


def asked(evaluate):
    """The ids that the journal has a reply to."""
    lines = [
        json.loads(line)
        for path in (evaluate.folder / "out/journal").glob("*.jsonl")
        for line in path.read_text().splitlines()
    ]
    return [line["row"] for line in lines]


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGKILL,
        pytest.param(signal.SIGINT, marks=pytest.mark.long),
        pytest.param(signal.SIGTERM, marks=pytest.mark.long),
    ],
)
def test_stopped_the_server_ends_and_the_same_command_goes_on(
    evaluate_folder, make, plain, tfns, number
):
    evaluate = evaluate_folder(make("chatml"))
    arguments = ["tfns", "--data", tfns, "--protocol", plain, "--max-tokens", 400]
    arguments += ["--settings", settings(evaluate.folder, max_in_flight=1)]
    process, servers = started(evaluate, *arguments)
    assert any("dianjin_ext.inference.local" in " ".join(s.cmdline()) for s in servers)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode in (-number, 128 + number) and "Traceback" not in stdout + stderr
    _, alive = psutil.wait_procs(servers, timeout=60)
    assert not alive
    before = asked(evaluate)
    assert 0 < len(before) < ROWS and not (evaluate.folder / "out/summary.json").exists()
    evaluate(*arguments)
    after = asked(evaluate)
    assert after[: len(before)] == before and len(after) == len(set(after)) == ROWS
    assert [row["id"] for row in evaluate.rows("tfns.plain")] == sorted(
        after, key=lambda name: int(name.rsplit("/", 1)[1])
    )


def test_replies_of_other_weights_are_not_taken(evaluate_folder, make, plain, tfns):
    folder = make("chatml", parrot=True)
    evaluate = evaluate_folder(folder)
    arguments = ["tfns", "--data", tfns, "--protocol", plain]
    evaluate(*arguments)
    first = evaluate.rows("tfns.plain")
    evaluate(*arguments)  # nothing is asked again
    assert evaluate.rows("tfns.plain") == first and len(asked(evaluate)) == ROWS
    # a template decides what is asked, as the weights decide what is answered
    for name in ("model.safetensors", "tokenizer_config.json", "generation_config.json"):
        before = (folder / name).stat().st_mtime_ns
        os.utime(folder / name, ns=(before + 10**9, before + 10**9))
        out = evaluate(*arguments, code=1)
        assert "has been written anew since" in out and "choose another folder" in out, name
        os.utime(folder / name, ns=(before, before))
    evaluate(*arguments)
    assert evaluate.rows("tfns.plain") == first


def test_a_prompt_that_does_not_fit_is_refused_and_told(evaluate_folder, make, plain, tfns):
    with tfns.open("a", encoding="utf-8") as file:
        file.write(f"{'sell ' * 1500},0\n")
    evaluate = evaluate_folder(make("qwen2.5", parrot=True))
    out = evaluate("tfns", "--data", tfns, "--protocol", plain)
    rows = evaluate.rows("tfns.plain")
    assert [row["outcome"] for row in rows] == ["answered"] * ROWS + ["refused"]
    assert "the prompt has" in rows[-1]["error"] and rows[-1]["acc"] == 0.0
    [result] = evaluate.results
    assert result["n"] == ROWS + 1 and result["reasons"]["refused"] == 1
    [said] = result["departures"]
    assert said.startswith("1 requests ended with refused and count as wrong") and said in out
    assert "expected 1 to 2047" in said and not result["comparable"]


def test_replies_longer_than_the_context_are_one_error(evaluate_folder, make, plain, tfns):
    folder = make("qwen3")
    evaluate = evaluate_folder(folder)
    out = evaluate("tfns", "--data", tfns, "--protocol", plain, "--max-tokens", 4096, code=1)
    line = f"plain allows tfns replies of 4,096 tokens, but {folder} has room for 2,048"
    assert line in out and "set --max-tokens" in out and out.count("error:") == 1
    assert not asked(evaluate)
