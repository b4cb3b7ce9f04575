"""The reward server behind LLaMA-Factory's PPO: its rendering, its client, its trainer."""

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("llamafactory")

from dianjin_ext.data.schema import verl_row, write_parquet
from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.llamafactory.prompts import Prompts, read_rows, write_prompts
from dianjin_ext.hosts.llamafactory.reward_server import create_app, read_recipe

ROOT = Path(__file__).resolve().parents[3]
SYSTEM = "You are a helpful assistant."
CHOICES = {"A": "存货", "B": "应付账款"}
GOOD = "<think>一年内偿还。</think>\n<answer>\\boxed{应付账款}</answer>"
BAD = "<think>一年内偿还。</think>\n<answer>\\boxed{A}</answer>"


def row(index, gold="B"):
    question = f"第{index}题：{'甲' * index}哪一项属于流动负债？"  # of different lengths
    return verl_row(
        "cflue_mcq", question, gold, split="train", index=index, question=question, choices=CHOICES
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Rows as verl parquet, and as the prompts that LLaMA-Factory trains on."""
    folder = tmp_path_factory.mktemp("data")
    write_parquet([row(i) for i in range(12)], folder / "train.parquet")
    write_prompts(read_rows(folder / "train.parquet"), folder / "cflue_mcq.json")
    return folder


@pytest.fixture(scope="module")
def model(base_model, tmp_path_factory):
    """The tiny model with a tokenizer that transformers 4 and 5 can read."""
    folder = shutil.copytree(base_model, tmp_path_factory.mktemp("model") / "m")
    config = folder / "tokenizer_config.json"
    settings = json.loads(config.read_text(encoding="utf-8"))
    config.write_text(json.dumps(settings | {"tokenizer_class": "PreTrainedTokenizerFast"}))
    return folder


def recipe(model, data, **more):
    return {
        "model_name_or_path": str(model),
        "dataset": "dianjin_cflue_mcq",
        "dataset_dir": str(data),
        "template": "dianjin",
        "default_system": SYSTEM,
        "cutoff_len": 256,
        **more,
    }


def texts_of_the_trainer(arguments, tmp_path, response):
    """Return what the PPO trainer would send: its own data set's prompts, with a response."""
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.hparams import get_train_args
    from llamafactory.model import load_tokenizer

    model, data, training, _, _ = get_train_args(
        {
            **arguments,
            **{"stage": "ppo", "do_train": True, "finetuning_type": "full"},
            **{"reward_model": "http://x", "reward_model_type": "api"},
            **{"output_dir": str(tmp_path / "out"), "use_cpu": True, "overwrite_cache": True},
        }
    )
    module = load_tokenizer(model)
    tokenizer = module["tokenizer"]
    template = get_template_and_fix_tokenizer(tokenizer, data)
    rows = get_dataset(template, model, data, training, stage="ppo", **module)["train_dataset"]
    said = [*tokenizer.encode(response, add_special_tokens=False), tokenizer.eos_token_id]
    return tokenizer.batch_decode(
        [row["input_ids"] + said for row in rows], skip_special_tokens=False
    )


@pytest.mark.parametrize("template", ["dianjin", "qwen", "alpaca"])
def test_finds_the_rows_of_the_trainers_own_texts(model, data, tmp_path, template):
    arguments = recipe(model, data, template=template)
    prompts = Prompts.render(read_rows(data / "train.parquet"), arguments)
    texts = texts_of_the_trainer(arguments, tmp_path, GOOD)
    assert len(texts) == 12
    for index, text in enumerate(texts):
        found = prompts.find(text)
        assert found.text == GOOD
        assert found.extra_info["index"] == index
        assert not found.extra_info["truncated"]
        assert found.ground_truth == "B"
    cut = prompts.find(texts[0][: texts[0].index("</answer>")])
    assert cut.extra_info["truncated"]
    assert prompts.find("x" + texts[0]) is None
    other = Prompts.render(
        read_rows(data / "train.parquet"), arguments | {"default_system": "Another."}
    )
    assert other.find(texts[0]) is None


def test_prompts_that_the_trainer_cuts_are_left_out(model, data, tmp_path):
    rows = read_rows(data / "train.parquet")
    long = rows[0]._replace(prompt=[{"role": "user", "content": "存货" * 300}])
    assert Prompts.render([*rows, long], recipe(model, data)).too_long == 1
    # The limit is the trainer's: at each cutoff, what it cuts is what we leave out.
    for cutoff in range(60, 200):
        arguments = recipe(model, data, cutoff_len=cutoff)
        prompts = Prompts.render(rows, arguments)
        if 0 < prompts.too_long < len(rows):
            break
    else:
        pytest.fail("no cutoff parts the rows")
    texts = texts_of_the_trainer(arguments, tmp_path, GOOD)
    assert sum(prompts.find(text) is None for text in texts) == prompts.too_long


def test_data_that_do_not_do(model, data, tmp_path):
    write_parquet([row(0), row(0, gold="A")], tmp_path / "two.parquet")
    with pytest.raises(DianjinError, match="two rows have the prompt '第0题"):
        Prompts.render(read_rows(tmp_path / "two.parquet"), recipe(model, data))
    with pytest.raises(DianjinError, match="the recipe's model or template can't be used"):
        Prompts.render([], recipe(tmp_path / "none", data))
    with pytest.raises(DianjinError, match="the recipe's model or template can't be used"):
        Prompts.render([], recipe(model, data, template="dianjing"))
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    with pytest.raises(DianjinError, match="expected rows to train on"):
        read_rows(empty)
    empty.write_text('{"data_source": "finqa", "ground_truth": "1"}\n')
    with pytest.raises(DianjinError, match=r"line 1: prompt: expected to end with a user message"):
        read_rows(empty)
    rows = [r._replace(data_source="cfleu") for r in read_rows(data / "train.parquet")]
    with pytest.raises(DianjinError, match="'cfleu' has no reward"):
        create_app(Prompts.render(rows, recipe(model, data)), {})


def test_recipe_and_overrides(tmp_path):
    read = read_recipe(ROOT / "configs" / "ppo.yaml", ["cutoff_len=99", "template=qwen"])
    assert read["cutoff_len"] == 99
    assert read["template"] == "qwen"
    assert read["stage"] == "ppo"
    with pytest.raises(DianjinError, match=r"none\.yaml: can't be read as a recipe"):
        read_recipe(tmp_path / "none.yaml", [])


@pytest.fixture(scope="module")
def server(model, data, tmp_path_factory):
    """The real command in a process of its own: its address, its recipe and its log."""
    import yaml

    folder = tmp_path_factory.mktemp("server")
    file = folder / "ppo.yaml"
    file.write_text(yaml.safe_dump(recipe(model, data, template="qwen")))
    (folder / "settings.yaml").write_text(
        "weights: {acc: 1.0, format: 0.5}\nvalues: {no_think: 0.25}\n"
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {"data": data / "train.parquet", "recipe": file, "port": port}
    options["settings"] = folder / "settings.yaml"
    arguments = [f"--{name}={value}" for name, value in options.items()]
    code = "from dianjin_ext.cli import main; main()"
    command = [sys.executable, "-c", code, "reward-server", *arguments, "template=dianjin"]
    log = folder / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, env={**os.environ, "OMP_NUM_THREADS": "1"}
        )
    try:
        deadline = time.monotonic() + 120
        while True:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}", log
    finally:
        process.terminate()
        process.wait()


@pytest.mark.slow
def test_answers_the_trainers_own_client(server, model, data, tmp_path):
    # The package around it imports the trainer, which wants another TRL.
    import llamafactory

    path = Path(llamafactory.__file__).parent / "train" / "ppo" / "ppo_utils.py"
    spec = importlib.util.spec_from_file_location("llamafactory.train.ppo.ppo_utils", path)
    client = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(client)

    url, log = server
    with pytest.raises(KeyError):  # nothing was ever matched: the training stops at once
        client.get_rewards_from_server(url, ["<|im_start|>user\n別<|im_end|>\n"])
    assert "no prompt of the data begins this message" in log.read_text()

    good = texts_of_the_trainer(recipe(model, data), tmp_path, GOOD)
    bad = texts_of_the_trainer(recipe(model, data), tmp_path, BAD)
    scores = client.get_rewards_from_server(url, [good[3], "别", bad[7], good[0] + "x"])
    assert scores.tolist() == [1.5, 0.0, 0.5, 0.0]
    assert client.get_rewards_from_server(f"{url}/any/path", good).tolist() == [1.5] * 12


@pytest.mark.slow
def test_llamafactory_trains_with_it(server, model, data, overlay, tmp_path):
    packages = overlay(
        *("trl==0.9.6", "transformers==4.57.6", "huggingface_hub==0.36.2", "tokenizers==0.22.2")
    )
    url, log = server
    before = log.read_text()
    own = {
        **recipe(model, data, output_dir=tmp_path / "out", reward_model=url),
        # What a CPU and a tiny model need; everything else is the recipe.
        **{"deepspeed": "null", "use_cpu": "true", "bf16": "false", "max_steps": 2},
        **{"gradient_accumulation_steps": 2, "per_device_train_batch_size": 2, "ppo_epochs": 1},
        **{"max_new_tokens": 8, "preprocessing_num_workers": 1, "plot_loss": "false"},
    }
    overrides = [f"{name}={value}" for name, value in own.items()]
    module = "dianjin_ext.hosts.llamafactory.ppo"
    run = subprocess.run(
        [sys.executable, "-m", module, ROOT / "configs" / "ppo.yaml", *overrides],
        env={
            **os.environ,
            "PYTHONPATH": str(packages),
            "DISABLE_VERSION_CHECK": "1",
            "OMP_NUM_THREADS": "1",
            "HF_HUB_OFFLINE": "1",
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-4000:]
    log_file = tmp_path / "out" / "trainer_log.jsonl"
    steps = [json.loads(line) for line in log_file.read_text(encoding="utf-8").splitlines()]
    # An untrained model's responses are found and graded, as ones without a think block.
    logged = [(step["current_steps"], step["reward"]) for step in steps if "loss" in step]
    assert logged == [(1, 0.25), (2, 0.25)]
    assert log.read_text() == before
    assert list((tmp_path / "out").glob("*.safetensors"))
