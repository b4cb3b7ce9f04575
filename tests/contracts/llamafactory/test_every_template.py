"""What each template trains is what models' tokenizers render, verl rolls out, a server reads."""

import importlib.util
import json
import os
import subprocess
import sys
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
_SPEC = importlib.util.spec_from_file_location("models", ROOT / "tests/evaluation/make_models.py")
MODELS = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(MODELS)

FAMILIES = {
    "dianjin": "chatml",
    "dianjin_qwen3": "qwen3",
    "dianjin_qwen3_thinking": "qwen3-thinking",
    "dianjin_llama3": "llama3.1",
    "dianjin_r1_zero": "base",
}
SYSTEM = {"role": "system", "content": '  你是一名财务分析师。 It\'s "quoted" \\ {% y %}'}
ZH = {"role": "user", "content": "下列哪一项属于流动负债？\nA. 存货\nB. 应付账款"}
EN = {"role": "user", "content": "  What was the margin?\n\n{{x}} It's 8%? \\boxed{}\n"}
PLAIN = {"role": "assistant", "content": "<answer>\\boxed{B}</answer>"}
THOUGHT = {"role": "assistant", "content": "<think>看期限：\n一年。</think>\n" + PLAIN["content"]}
SPACED = {"role": "assistant", "content": "The margin.  \n"}
PROMPTS = {
    "zh": [ZH],
    "en": [EN],
    "system": [SYSTEM, ZH],
    "turns": [EN, THOUGHT, ZH],
    "plain_turns": [ZH, PLAIN, EN, SPACED, ZH],
    "system_turns": [SYSTEM, ZH, THOUGHT, EN, PLAIN, ZH],
}
DEFAULT = 'It\'s "quoted" \\ \n第二行 😀 {{x}} {% y %}'
# Of a template: whether rows and prompts think, as LLaMA-Factory has it, and the reply.
CASES = [
    ("dianjin", True, THOUGHT),
    ("dianjin", True, SPACED),
    ("dianjin_qwen3", True, THOUGHT),
    ("dianjin_qwen3", True, PLAIN),  # an empty thought is trained
    ("dianjin_qwen3", False, PLAIN),  # and here it is in the prompt
    ("dianjin_qwen3", None, THOUGHT),
    ("dianjin_qwen3", None, SPACED),
    ("dianjin_qwen3_thinking", True, THOUGHT),
    ("dianjin_qwen3_thinking", False, THOUGHT),  # such a model can't be told
    ("dianjin_llama3", True, THOUGHT),
    ("dianjin_llama3", True, SPACED),
    ("dianjin_r1_zero", True, THOUGHT),
    ("dianjin_r1_zero", True, SPACED),
]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A tiny model of each family, with the chat template that such a model brings along."""
    folder = tmp_path_factory.mktemp("models")
    return {name: MODELS.make_model(name, folder / name) for name in FAMILIES.values()}


def load(models, name, thinking=True, default_system=None):
    """Return LLaMA-Factory's processor of SFT rows and the tokenizer that it would save."""
    tokenizer = AutoTokenizer.from_pretrained(models[FAMILIES[name]])
    arguments = DataArguments(
        template=name, default_system=default_system, cutoff_len=4096, enable_thinking=thinking
    )
    template = get_template_and_fix_tokenizer(tokenizer, arguments)
    return SupervisedDatasetProcessor(template, tokenizer, None, arguments), tokenizer


def trained(processor, prompt, reply):
    """Return what SFT feeds: the tokens before the last reply, and those of it."""
    system = prompt[0]["content"] if prompt[0]["role"] == "system" else ""
    turns = [message for message in prompt if message["role"] != "system"]
    given = (turns, [reply], system, "", [], [], [])
    input_ids, labels = processor._encode_data_example(*given)
    start = max(i for i, label in enumerate(labels) if label == -100) + 1
    assert input_ids[start:] == labels[start:]
    return input_ids[:start], labels[start:]


def told(thinking, reply):
    """Return what a rollout or a request tells the chat template."""
    if thinking is None:
        thinking = "<think>" in reply["content"]
    return {} if thinking else {"enable_thinking": False}


def render(tokenizer, messages, asking, **options):
    return tokenizer.apply_chat_template(
        messages, add_generation_prompt=asking, return_dict=False, **options
    )


def test_no_template_is_left_out():
    files = {path.stem for path in (ROOT / "configs/template").glob("*.yaml")}
    assert files == set(FAMILIES) == {name for name, _, _ in CASES}
    assert files == {name for name in TEMPLATES if name.startswith("dianjin")}


@pytest.mark.parametrize("default_system", [None, DEFAULT], ids=["no_default", "default"])
@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
@pytest.mark.parametrize(("name", "thinking", "reply"), CASES)
def test_sft_trains_what_the_own_and_the_saved_tokenizer_render(
    models, tmp_path, name, thinking, reply, prompt, default_system
):
    processor, tokenizer = load(models, name, thinking, default_system)
    tokenizer.save_pretrained(tmp_path)
    saved = AutoTokenizer.from_pretrained(tmp_path)
    before, label = trained(processor, prompt, reply)
    options = told(thinking, reply)
    assert render(saved, prompt, True, **options) == before
    assert render(saved, [*prompt, reply], False) == before + label
    own = AutoTokenizer.from_pretrained(models[FAMILIES[name]])
    if own.chat_template is None:  # a base model
        return
    if default_system and prompt[0] != SYSTEM:
        prompt = [{"role": "system", "content": default_system}, *prompt]
    assert render(own, prompt, True, **options) == before
    assert render(own, [*prompt, reply], False) == before + label


@pytest.mark.parametrize(
    ("name", "thinking", "reply", "before", "after"),
    [
        ("dianjin_qwen3", True, THOUGHT, "assistant\n", "<think>\n看期限：\n一年。\n</think>\n\n"),
        ("dianjin_qwen3", True, PLAIN, "assistant\n", "<think>\n\n</think>\n\n<answer>"),
        ("dianjin_qwen3", False, PLAIN, "assistant\n<think>\n\n</think>\n\n", "<answer>"),
        ("dianjin_qwen3", False, THOUGHT, "assistant\n<think>\n\n</think>\n\n", "<answer>"),
        ("dianjin_qwen3_thinking", True, THOUGHT, "assistant\n<think>\n", "看期限："),
        ("dianjin_llama3", True, SPACED, "<|end_header_id|>\n\n", "The margin.<|eot_id|>"),
        ("dianjin_r1_zero", True, THOUGHT, "\nAssistant:", " <think>看期限："),
    ],
)  # fmt: skip
def test_where_the_reply_begins(models, name, thinking, reply, before, after):
    processor, tokenizer = load(models, name, thinking)
    prompt, label = trained(processor, [ZH], reply)
    assert tokenizer.decode(prompt).endswith(before)
    assert tokenizer.decode(label).startswith(after)


def test_llamas_header_has_a_date_that_a_request_may_change(models):
    processor, tokenizer = load(models, "dianjin_llama3")
    text = tokenizer.decode(trained(processor, [SYSTEM, ZH], PLAIN)[0])
    header = "Cutting Knowledge Date: December 2023\nToday Date: {}\n\n你是一名财务分析师。"
    assert text.startswith("<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting")
    assert text.count("<|begin_of_text|>") == 1 and header.format("26 Jul 2024") in text
    asked = render(tokenizer, [SYSTEM, ZH], True, date_string="1 May 2026")
    assert header.format("1 May 2026") in tokenizer.decode(asked)


@pytest.mark.parametrize("name", ["dianjin_qwen3", "dianjin_qwen3_thinking"])
def test_a_thought_in_the_history_is_neither_read_nor_trained(models, name):
    processor, tokenizer = load(models, name)
    prompt, label = trained(processor, [EN, THOUGHT, ZH], THOUGHT)
    assert "看期限" not in tokenizer.decode(prompt) and "看期限" in tokenizer.decode(label)
    turns = [EN, THOUGHT, ZH]
    _, labels = processor._encode_data_example(turns, [THOUGHT], "", "", [], [], [])
    assert labels[: len(prompt)] == [-100] * len(prompt)


@pytest.mark.parametrize("name", ["dianjin", "dianjin_llama3", "dianjin_r1_zero"])
def test_each_reply_of_the_history_is_trained(models, name):
    processor, tokenizer = load(models, name)
    _, labels = processor._encode_data_example([EN, PLAIN, ZH], [THOUGHT], "", "", [], [], [])
    text = tokenizer.decode([label for label in labels if label != -100])
    assert text.count("\\boxed{B}") == 2


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("dianjin_qwen3_thinking", PLAIN["content"], "no thought, and each prompt opens one"),
        ("dianjin_qwen3_thinking", "<think>看", "without its </think>"),
        ("dianjin_qwen3", "<think>看", "without its </think>"),
        ("dianjin_qwen3", "好。<think>看</think>B", "text before it"),
        ("dianjin_qwen3", "<think>看</think>B<think>再看</think>C", "more than one thought"),
    ],
)
def test_replies_that_would_lose_a_part_are_refused(models, name, content, says):
    processor, _ = load(models, name)
    with pytest.raises(DianjinError, match=says) as error:
        trained(processor, [ZH], {"role": "assistant", "content": content})
    assert name in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("name", FAMILIES)
def test_tools_are_refused_on_both_sides(models, name):
    processor, tokenizer = load(models, name)
    with pytest.raises(DianjinError, match=f"template {name}: a row has tools"):
        processor._encode_data_example([ZH], [THOUGHT], "", '[{"name": "f"}]', [], [], [])
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    with pytest.raises(Exception, match="no tool calls"):
        tokenizer.apply_chat_template([ZH], tools=[tool])
    with pytest.raises(Exception, match="role tool"):
        render(tokenizer, [ZH, PLAIN, {"role": "tool", "content": "x"}], True)


@pytest.mark.parametrize("name", FAMILIES)
def test_chatting_asks_with_an_empty_reply(models, name):
    processor, tokenizer = load(models, name)
    empty = {"role": "assistant", "content": ""}
    prompt, _ = processor.template.encode_oneturn(tokenizer, [EN, PLAIN, ZH, empty])
    assert prompt == render(tokenizer, [EN, PLAIN, ZH], True)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("system", [None, "S"])
def test_ollamas_template_renders_the_same(models, name, system):
    processor, tokenizer = load(models, name)
    template = processor.template._get_ollama_template(tokenizer)
    head, _, rest = template.partition("{{ range .Messages }}")
    turns, opening = rest.removesuffix("{{ end }}"), ""
    turns, _, opening = turns.rpartition("{{ end }}{{ end }}")
    asked, _, replied = turns.partition('{{ else if eq .Role "assistant" }}')
    asked = asked.removeprefix('{{ if eq .Role "user" }}')
    with_system, _, without = head.removeprefix("{{ if .System }}").partition("{{ else }}")
    text = with_system.replace("{{ .System }}", system) if system else without
    text = text.removesuffix("{{ end }}")
    for turn, content in ((asked, "Q"), (replied, "A"), (asked, "R")):
        text += turn.replace("{{ .Content }}", content)
    messages = [{"role": role, "content": said} for role, said in
                (("user", "Q"), ("assistant", "A"), ("user", "R"))]  # fmt: skip
    messages = ([{"role": "system", "content": system}] if system else []) + messages
    rendered = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert text + opening == rendered


def test_the_two_of_qwen3_differ_in_how_they_open_a_reply_alone():
    hybrid, thinking = (
        yaml.safe_load((ROOT / f"configs/template/{name}.yaml").read_text(encoding="utf-8"))
        for name in ("dianjin_qwen3", "dianjin_qwen3_thinking")
    )
    opening = "{{ '<|im_start|>assistant\\n' }}"
    texts = [
        each["actor_rollout_ref"]["model"]["custom_chat_template"] for each in (hybrid, thinking)
    ]
    assert texts[0].split(opening)[0] == texts[1].split(opening)[0]


@pytest.mark.slow
def test_verl_and_the_server_read_what_was_trained(models, tmp_path, verl_python):
    prompts = list(PROMPTS.values())
    expected, tokenizers = {}, {}
    for at, (name, thinking, reply) in enumerate(CASES):
        if thinking is None:
            continue
        processor, tokenizer = load(models, name, thinking)
        tokens = [trained(processor, prompt, reply)[0] for prompt in prompts]
        path = tmp_path / str(at)
        MODELS.make_model(FAMILIES[name], path)
        options = told(thinking, reply)
        group = {"path": str(path), "options": options, "template": name}
        saved = tmp_path / f"{at}-saved"
        MODELS.make_model(FAMILIES[name], saved)
        tokenizer.save_pretrained(saved)
        tokenizers[f"{at} {name} group"] = group  # the base's tokenizer, verl told the template
        tokenizers[f"{at} {name} saved"] = {**group, "path": str(saved), "template": None}
        expected |= {f"{at} {name} {way}": tokens for way in ("group", "saved")}
    request, answer = tmp_path / "request.json", tmp_path / "answer.json"
    asked = {"prompts": prompts, "tokenizers": tokenizers}
    request.write_text(json.dumps(asked), encoding="utf-8")
    for script in ("verl_prompts.py", "served_prompts.py"):
        subprocess.run(
            [verl_python, Path(__file__).with_name(script), request, answer],
            env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
            check=True,
        )
        found = json.loads(answer.read_text(encoding="utf-8"))
        assert found == {name: expected[name] for name in found} and set(found) >= {
            name for name in expected if name.endswith("saved")
        }


@pytest.mark.slow
def test_a_training_saves_the_template_and_an_export_writes_it_for_ollama(models, tmp_path):
    rows = [
        {"instruction": f"第{n}题？\nA. 存货", "output": THOUGHT["content"], "history": history}
        for n, history in enumerate([[], [[EN["content"], THOUGHT["content"]]]] * 8)
    ]
    columns = {"prompt": "instruction", "response": "output", "history": "history"}
    listed = {"rows": {"file_name": "rows.json", "columns": columns}}
    (tmp_path / "rows.json").write_text(json.dumps(rows), encoding="utf-8")
    (tmp_path / "dataset_info.json").write_text(json.dumps(listed), encoding="utf-8")
    given = {
        "model_name_or_path": models["qwen3"],
        "template": "dianjin_qwen3",
        "trust_remote_code": "false",
    }
    trained = tmp_path / "trained"
    training = given | {
        **{"stage": "sft", "do_train": "true", "finetuning_type": "full", "report_to": "none"},
        **{"dataset": "rows", "dataset_dir": tmp_path, "output_dir": trained, "max_steps": 2},
        **{"use_cpu": "true", "bf16": "false", "cutoff_len": 1024, "logging_steps": 1},
        "preprocessing_num_workers": 2,  # each gets the template sent
    }
    exporting = given | {"model_name_or_path": trained, "export_dir": tmp_path / "exported"}
    command = [str(Path(sys.executable).with_name("llamafactory-cli"))]
    for verb, options in (("train", training), ("export", exporting)):
        (tmp_path / f"{verb}.yaml").write_text(
            "".join(f"{key}: {value}\n" for key, value in options.items()), encoding="utf-8"
        )
        done = subprocess.run(
            [*command, verb, tmp_path / f"{verb}.yaml"],
            env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    own = AutoTokenizer.from_pretrained(models["qwen3"])
    for folder in (trained, tmp_path / "exported"):
        saved = AutoTokenizer.from_pretrained(folder)
        for prompt in PROMPTS.values():
            for options in ({}, {"enable_thinking": False}):
                assert render(saved, prompt, True, **options) == render(
                    own, prompt, True, **options
                )
    modelfile = (tmp_path / "exported/Modelfile").read_text(encoding="utf-8")
    assert "<|im_start|>user\n{{ .Content }}<|im_end|>\n" in modelfile
