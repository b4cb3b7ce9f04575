"""Fresh interpreters, a tiny ChatML model made on the spot, other versions, and verl's Python."""

import copy
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CORPUS = [
    "一家公司的流动资产包括货币资金、应收账款与存货。哪一项属于流动负债？\nA. 存货\nB. 应付账款",
    "Revenue rose by 12.5% to $1,234 million; operating margin fell to 8%.\n\nWhat was the profit?",
    "<think>流动负债在一年内偿还，so the answer is B.</think>\n<answer>\\boxed{B}</answer>",
    "You are a helpful assistant. 你是一名财务分析师。 It's \"quoted\" \\ 'single' {{x}} {% y %}",
]

# What Qwen2.5's tokenizer brings along, as far as conversations without tools go.
QWEN_JINJA = (
    "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nYou are Qwen, created by Alibaba "
    "Cloud. You are a helpful assistant.<|im_end|>\n{% endif %}{% for m in messages %}"
    "{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


@pytest.fixture(autouse=True)
def registered_templates():
    """LLaMA-Factory writes the recipe's system prompt into the template that is registered."""
    if importlib.util.find_spec("llamafactory") is None:
        yield
        return
    from llamafactory.data.template import TEMPLATES

    before = copy.deepcopy(TEMPLATES)
    yield
    TEMPLATES.clear()
    TEMPLATES.update(before)


@pytest.fixture(scope="session")
def run_python():
    """A function that runs code in a fresh interpreter and returns the finished process."""

    def run(code, *arguments, python=sys.executable, **environment):
        return subprocess.run(
            [python, "-c", code, *map(str, arguments)],
            env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
            capture_output=True,
            text=True,
        )

    return run


@pytest.fixture(scope="session")
def base_model(tmp_path_factory):
    """A directory with a random Qwen2 model and a byte-level BPE tokenizer, Qwen's template."""
    pytest.importorskip("llamafactory")
    import torch
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    tokenizer = Tokenizer(models.BPE())
    words = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(words), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS * 3, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    fast.chat_template = QWEN_JINJA
    path = tmp_path_factory.mktemp("base")
    fast.save_pretrained(path)
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=len(fast),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=512,
        eos_token_id=fast.eos_token_id,
        pad_token_id=fast.pad_token_id,
    )
    Qwen2ForCausalLM(config).save_pretrained(path)
    return path


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """A tiny model of each family, with the chat template that such a model brings along."""
    pytest.importorskip("llamafactory")
    families = _loaded(Path(__file__).with_name("template_cases.py")).FAMILIES
    make_model = _loaded(ROOT / "tests/evaluation/make_models.py").make_model
    folder = tmp_path_factory.mktemp("models")
    return {name: make_model(name, folder / name) for name in families.values()}


def _loaded(file):
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def verl_python():
    """The Python of the environment that holds verl."""
    path = os.environ.get("DIANJIN_VERL_PYTHON") or ROOT / ".venv" / "verl" / "bin" / "python"
    if not Path(path).is_file():
        pytest.skip(f"no verl environment at {path}; set DIANJIN_VERL_PYTHON")
    return str(path)


@pytest.fixture(scope="session")
def overlay(tmp_path_factory):
    """A function that puts packages into a folder, to go before this environment's on the path."""

    def make(*requirements):
        if not shutil.which("uv"):
            pytest.skip("uv is not installed")
        folder = tmp_path_factory.mktemp("overlay")
        install = ["uv", "pip", "install", "-q", "--no-deps", "--python", sys.executable]
        done = subprocess.run(
            [*install, "--target", folder, *requirements], capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"uv can't get {', '.join(requirements)}: {done.stderr[:300]}")
        return folder

    return make
