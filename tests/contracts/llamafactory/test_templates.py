"""Training, rollout and serving render the same tokens from the same conversation."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

pytest.importorskip("llamafactory")

from llamafactory.data.processor import SupervisedDatasetProcessor
from llamafactory.data.template import TEMPLATES, get_template_and_fix_tokenizer
from llamafactory.hparams import DataArguments
from transformers import AutoTokenizer

from dianjin_ext.errors import DianjinError

ROOT = Path(__file__).resolve().parents[3]
THINK = "<think>先看期限：\n一年以内偿还。</think>\n<answer>\\boxed{B}</answer>"
SYSTEM = {"role": "system", "content": '你是一名财务分析师。 It\'s "quoted" \\ {% y %}'}
ZH = {"role": "user", "content": "下列哪一项属于流动负债？\nA. 存货\nB. 应付账款"}
EN = {"role": "user", "content": "  What was the operating margin?\n\n{{x}} It's 8%? \\boxed{}\n"}
REPLY = {"role": "assistant", "content": THINK}
PROMPTS = {
    "zh": [ZH],
    "en": [EN],
    "system_zh": [SYSTEM, ZH],
    "system_en": [SYSTEM, EN],
    "empty_system": [{"role": "system", "content": ""}, EN],
    "turns": [EN, REPLY, ZH],
    "system_turns": [SYSTEM, ZH, REPLY, EN, REPLY, ZH],
}
DEFAULTS = {
    "none": None,
    "qwen": "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.",
    "awkward": 'It\'s "quoted" \\ \\n\n第二行 😀 {{x}} {% y %} {# z #}',
}


@pytest.fixture(params=DEFAULTS)
def default_system(request, monkeypatch):
    # LLaMA-Factory sets `default_system` on the one template object it has.
    monkeypatch.setattr(TEMPLATES["dianjin"], "default_system", "")
    monkeypatch.setattr(TEMPLATES["qwen"], "default_system", TEMPLATES["qwen"].default_system)
    return DEFAULTS[request.param]


def load(base_model, name, default_system):
    """Return LLaMA-Factory's processor of SFT rows and the tokenizer that it would save."""
    tokenizer = AutoTokenizer.from_pretrained(base_model)
    arguments = DataArguments(template=name, default_system=default_system, cutoff_len=4096)
    template = get_template_and_fix_tokenizer(tokenizer, arguments)
    processor = SupervisedDatasetProcessor(template, tokenizer, None, arguments)
    return processor, tokenizer


def train_tokens(processor, prompt):
    """Return what SFT feeds for a prompt and the reply THINK: (prompt, label) token ids."""
    system = prompt[0]["content"] if prompt[0]["role"] == "system" else ""
    turns = [message for message in prompt if message["role"] != "system"]
    input_ids, labels = processor._encode_data_example(turns, [REPLY], system, "", [], [], [])
    start = max(i for i, label in enumerate(labels) if label == -100) + 1
    assert input_ids[start:] == labels[start:]
    return input_ids[:start], labels[start:]


def render(tokenizer, messages, add_generation_prompt):
    return tokenizer.apply_chat_template(
        messages, add_generation_prompt=add_generation_prompt, return_dict=False
    )


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
def test_saved_tokenizer_renders_what_was_trained(base_model, tmp_path, default_system, prompt):
    processor, tokenizer = load(base_model, "dianjin", default_system)
    tokenizer.save_pretrained(tmp_path)
    saved = AutoTokenizer.from_pretrained(tmp_path)
    trained, label = train_tokens(processor, prompt)
    assert render(saved, prompt, True) == trained
    assert render(saved, [*prompt, REPLY], False) == trained + label
    assert saved.decode(label) == THINK + "<|im_end|>\n"
    assert saved.eos_token == "<|im_end|>"


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
def test_recipe_trains_the_tokens_of_qwen(base_model, default_system, prompt):
    recipe = yaml.safe_load((ROOT / "configs" / "sft.yaml").read_text(encoding="utf-8"))
    ours, _ = load(base_model, recipe["template"], recipe["default_system"])
    seed, _ = load(base_model, "qwen", None)
    assert train_tokens(ours, prompt) == train_tokens(seed, prompt)


def test_generation_prompt_is_appended_only_on_request(base_model, default_system):
    _, tokenizer = load(base_model, "dianjin", default_system)
    without, with_prompt = render(tokenizer, [ZH], False), render(tokenizer, [ZH], True)
    assert with_prompt[: len(without)] == without
    assert tokenizer.decode(with_prompt[len(without) :]) == "<|im_start|>assistant\n"


def test_tools_and_unknown_roles_are_refused_on_both_sides(base_model, default_system):
    processor, tokenizer = load(base_model, "dianjin", default_system)
    with pytest.raises(DianjinError, match="a row has tools"):
        processor._encode_data_example([ZH], [REPLY], "", '[{"name": "f"}]', [], [], [])
    call = {"role": "function", "content": '{"name": "f", "arguments": {}}'}
    with pytest.raises(DianjinError, match="a row has role function"):
        processor._encode_data_example([ZH], [call], "", "", [], [], [])
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    with pytest.raises(Exception, match="no tool calls"):
        tokenizer.apply_chat_template([ZH], tools=[tool])
    with pytest.raises(Exception, match="role tool"):
        render(tokenizer, [ZH, REPLY, {"role": "tool", "content": "x"}], True)


@pytest.mark.slow
def test_verl_rolls_out_what_was_trained(base_model, tmp_path, verl_python, monkeypatch):
    monkeypatch.setattr(TEMPLATES["dianjin"], "default_system", "")
    trained, folders = {}, {}
    for name, default_system in DEFAULTS.items():
        processor, tokenizer = load(base_model, "dianjin", default_system)
        folders[name] = {"path": str(tmp_path / name), "options": {}, "template": None}
        tokenizer.save_pretrained(folders[name]["path"])
        trained[name] = [train_tokens(processor, prompt)[0] for prompt in PROMPTS.values()]
    request = tmp_path / "request.json"
    request.write_text(
        json.dumps({"prompts": list(PROMPTS.values()), "tokenizers": folders}), encoding="utf-8"
    )
    answer = tmp_path / "answer.json"
    subprocess.run(
        [verl_python, Path(__file__).with_name("verl_prompts.py"), request, answer],
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        check=True,
    )
    assert json.loads(answer.read_text(encoding="utf-8")) == trained
