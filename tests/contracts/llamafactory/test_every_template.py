"""What each template trains is what models' own tokenizers and the saved ones render."""

import importlib.util
from pathlib import Path

import pytest
import yaml

pytest.importorskip("llamafactory")

from llamafactory.data.template import TEMPLATES
from transformers import AutoTokenizer

from dianjin_ext.errors import DianjinError

ROOT = Path(__file__).resolve().parents[3]
_SPEC = importlib.util.spec_from_file_location(
    "template_cases", Path(__file__).with_name("template_cases.py")
)
cases = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(cases)
FAMILIES, PROMPTS, CASES = cases.FAMILIES, cases.PROMPTS, cases.CASES
SYSTEM, ZH, EN = cases.SYSTEM, cases.ZH, cases.EN
PLAIN, THOUGHT, SPACED = cases.PLAIN, cases.THOUGHT, cases.SPACED
load, trained, told, render = cases.load, cases.trained, cases.told, cases.render
DEFAULT = 'It\'s "quoted" \\ \n第二行 😀 {{x}} {% y %}'


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
