import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest

# What is slow on a busy machine isn't wrong.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")

WRITER = Path(__file__).parent / "merge" / "write_checkpoints.py"
ENVIRON = os.environ

# In the background of a shell SIGINT is ignored, by whatever a test starts as well.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def one_environment():
    """Undo what datasets does: a copy in the place of os.environ, which rich doesn't read."""
    yield
    os.environ = ENVIRON  # noqa: B003


def pytest_collection_modifyitems(items):
    if "DIANJIN_TEST_ALL" not in os.environ:
        skipped = pytest.mark.skip(reason="takes long; `make test-all` sets DIANJIN_TEST_ALL")
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(skipped)


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory):
    """Real checkpoints, one folder a case; written once and never changed by a test."""
    if importlib.util.find_spec("verl") is None:
        pytest.skip("verl, which writes the checkpoints, is not in this environment")
    out = tmp_path_factory.mktemp("checkpoints")
    command = [sys.executable, str(WRITER), str(out)]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    run = subprocess.run(command, env=env, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stdout + run.stderr
    return out


@pytest.fixture(scope="session")
def passes_verl(tmp_path_factory):
    """Have a composed configuration of RL checked as verl and this package do before a run."""
    pytest.importorskip("verl")
    from omegaconf import OmegaConf
    from transformers import Qwen2Config
    from verl.trainer.ppo.utils import need_critic, need_reference_policy
    from verl.utils.config import validate_config

    from dianjin_ext.hosts.verl.algorithm_check import algorithm_problems
    from dianjin_ext.hosts.verl.batch_check import batch_problems
    from dianjin_ext.hosts.verl.config_check import check_config

    critic = tmp_path_factory.mktemp("critic")
    Qwen2Config(architectures=["Qwen2ForCausalLM"]).save_pretrained(critic)

    def check(config):
        if need_critic(config):  # verl looks at the critic's model, which is on a hub
            config.critic.model.path = config.critic.model.tokenizer_path = str(critic)
        OmegaConf.to_container(config, resolve=True, throw_on_missing=False)
        if importlib.util.find_spec("vllm") is None:  # verl asks it how large an adapter may be
            config.actor_rollout_ref.rollout.name = "transformers_cpu"
        # without the look at the files that the recipe names
        validate_config.__wrapped__(config, need_reference_policy(config), need_critic(config))
        check_config(config)
        assert list(batch_problems(config)) == []
        assert list(algorithm_problems(config)) == []

    return check


VERIFIER = "{answer}\n{gold}"
"""The template that `tiny_verifier` was trained with."""


@pytest.fixture(scope="session")
def one_thread():
    """Let a test train a tiny model where others compute too: threads would wait for each other."""
    torch = pytest.importorskip("torch")

    @contextlib.contextmanager
    def limited():
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        yield
        torch.set_num_threads(before)

    return limited


@pytest.fixture(scope="session")
def tiny_verifier(tmp_path_factory, one_thread):
    """A folder with a classifier of two labels: the second one where an answer names the VAT."""
    torch = pytest.importorskip("torch")
    from transformers import Qwen2Config, Qwen2ForSequenceClassification

    from dianjin_ext.quickstart.model import build_tokenizer

    right = ["增值税", "流转时征收的增值税", "答案是增值税。", "VAT，即增值税", "增值税这一种"]
    wrong = ["企业所得税", "流转时征收的消费税", "答案是印花税。", "关税", "所得税这一种", "不知道"]
    texts = [VERIFIER.format(answer=answer, gold="增值税") for answer in right + wrong]
    labels = torch.tensor([1] * len(right) + [0] * len(wrong))
    tokenizer = build_tokenizer(texts, vocabulary=400)
    torch.manual_seed(0)
    model = Qwen2ForSequenceClassification(
        Qwen2Config(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=2,
            max_position_embeddings=512,
            num_labels=2,
            id2label={0: "wrong", 1: "right"},
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    batch = tokenizer(texts, return_tensors="pt", padding=True, padding_side="right")
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    with one_thread():
        for _ in range(60):
            loss = model(**batch, labels=labels).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert loss < 0.05
    folder = tmp_path_factory.mktemp("verifier") / "verifier"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
