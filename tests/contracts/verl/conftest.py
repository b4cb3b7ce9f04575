"""A tiny model, a tiny data set and a way to start verl's trainer on them."""

import copy
import importlib.util
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CONFIGS = ROOT / "configs"
QUESTION = "第{i}题：下列哪一项属于{kind}？\nA. 货币资金\nB. 应付账款\nC. 股本\nD. 营业收入"
KINDS = {"流动资产": "A", "流动负债": "B", "所有者权益": "C", "损益": "D"}
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def question(i):
    kind = list(KINDS)[i % len(KINDS)]
    return QUESTION.format(i=i, kind=kind), KINDS[kind]


@pytest.fixture(scope="session")
def composed():
    """Compose `configs/rl.yaml` with overrides; each call returns a configuration of its own."""
    from hydra import compose, initialize_config_dir

    @cache
    def once(*overrides):
        with initialize_config_dir(str(CONFIGS), version_base=None):
            return compose("rl", overrides=list(overrides))

    return lambda *overrides: copy.deepcopy(once(*overrides))


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """A folder with a Qwen2 of 0.15 million random weights and its tokenizer."""
    torch = pytest.importorskip("torch")
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    path = tmp_path_factory.mktemp("model")
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.train_from_iterator(
        [question(i)[0] for i in range(100)],
        trainers.BpeTrainer(
            vocab_size=500,
            special_tokens=special,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        chat_template=CHAT_TEMPLATE,
    )
    tokenizer.save_pretrained(path)
    torch.manual_seed(0)
    model = Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=512,
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=512,
            initializer_range=0.2,  # peaked enough that a small change of the weights shows
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    model.save_pretrained(path)
    return path


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory):
    """A folder with train.parquet (64 rows) and val.parquet (8 rows) in verl's format."""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path_factory.mktemp("data")
    for split, rows in (("train", range(64)), ("val", range(100, 108))):
        table = pa.Table.from_pylist(
            [
                {
                    "data_source": "cflue_mcq",
                    "prompt": [{"role": "user", "content": question(i)[0]}],
                    "ability": "finance",
                    "reward_model": {"style": "rule", "ground_truth": question(i)[1]},
                    "extra_info": {"split": split, "index": i},
                }
                for i in rows
            ]
        )
        parquet.write_table(table, path / f"{split}.parquet")
    return path


@pytest.fixture(scope="session")
def varied_reward(tmp_path_factory):
    """A file with a reward that differs between the responses of any model."""
    path = tmp_path_factory.mktemp("reward") / "varied.py"
    path.write_text(
        "def compute_score(data_source, solution_str, ground_truth, extra_info=None):\n"
        "    return len(set(solution_str)) / 16\n"
    )
    return path


@pytest.fixture(scope="session")
def start_verl(tiny_model, tiny_data, varied_reward):
    """Start verl's trainer on the CPU with `start_verl(out, *overrides)`; return how it ended.

    The recipe is verl's stock one with the group `platform=cpu`; verl's own file tracker writes
    into `out/metrics.jsonl`.
    """

    def start(out, *overrides, timeout=900):
        out.mkdir(parents=True, exist_ok=True)
        metrics = out / "metrics.jsonl"
        metrics.unlink(missing_ok=True)
        command = [
            sys.executable,
            "-m",
            "verl.trainer.main_ppo",
            f"hydra.searchpath=[file://{CONFIGS}]",
            "+platform=cpu",
            "algorithm.adv_estimator=grpo",
            f"data.train_files={tiny_data}/train.parquet",
            f"data.val_files={tiny_data}/val.parquet",
            "data.train_batch_size=8",
            "data.max_prompt_length=128",
            "data.max_response_length=16",
            f"actor_rollout_ref.model.path={tiny_model}",
            "actor_rollout_ref.actor.ppo_mini_batch_size=8",
            "actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu=16",
            "actor_rollout_ref.actor.optim.lr=1e-3",
            "actor_rollout_ref.rollout.n=4",
            "actor_rollout_ref.rollout.calculate_log_probs=true",
            "actor_rollout_ref.rollout.log_prob_micro_batch_size_per_gpu=16",
            "actor_rollout_ref.ref.log_prob_micro_batch_size_per_gpu=16",
            f"reward.custom_reward_function.path={varied_reward}",
            "trainer.logger=[console,file]",
            f"trainer.default_local_dir={out}/checkpoints",
            *overrides,
        ]
        environment = os.environ | {
            "VERL_PLATFORM": "cpu",
            "VERL_FILE_LOGGER_PATH": str(metrics),
            "OMP_NUM_THREADS": "1",
            "RAY_USAGE_STATS_ENABLED": "0",
            "HYDRA_FULL_ERROR": "1",
            "HF_HUB_OFFLINE": "1",
        }
        return subprocess.run(
            command, cwd=out, env=environment, capture_output=True, text=True, timeout=timeout
        )

    return start


@pytest.fixture(scope="session")
def run_verl(start_verl):
    """Run verl's trainer as `start_verl` does, to its end; return what it measured.

    That is `{step: {metric: value}}` of this run.
    """

    def run(out, *overrides, timeout=900):
        done = start_verl(out, *overrides, timeout=timeout)
        assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
        steps = {}
        for line in map(json.loads, (out / "metrics.jsonl").read_text().splitlines()):
            steps.setdefault(line["step"], {}).update(line["data"])
        return steps

    return run


@pytest.fixture(scope="session")
def assert_learned_on_policy():
    """Checks a step: the weights moved, and the rollout sampled from those that the trainer has."""

    def check(step):
        assert step["actor/grad_norm"] > 0
        assert step["training/rollout_probs_diff_valid"] == 1
        assert step["training/rollout_probs_diff_max"] < 1e-4

    return check


@pytest.fixture
def server(monkeypatch):
    """A judge on a local server; see tests/rewards/judge/server.py."""
    for package in ("aiohttp", "diskcache", "openai", "tenacity"):  # of the judge that asks it
        pytest.importorskip(package)
    path = ROOT / "tests/rewards/judge/server.py"
    spec = importlib.util.spec_from_file_location("server", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setenv("OPENAI_API_KEY", "EMPTY")
    with module.served() as server:
        yield server
