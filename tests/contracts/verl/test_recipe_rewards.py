"""What each recipe's reward gives, called as verl calls it, with a judge on a local server."""

import asyncio
import inspect
from pathlib import Path

import pytest

pytest.importorskip("verl")
from hydra import compose, initialize_config_dir
from transformers import AutoTokenizer
from verl.trainer.ppo.reward import get_custom_reward_fn

ROOT = Path(__file__).resolve().parents[3]

JUDGE = "reward.custom_reward_function.reward_kwargs.judge"
REASON = "先看条件，再逐一比较四个选项，最后得出结论。"
BLOCKS = "<think>{}</think><answer>\\boxed{{{}}}</answer>"
THINK = "<think>{}</think>\\boxed{{{}}}"
JUDGED = ("fin_r1", "fino1", "fino1_grpo", "deepseek_r1_all")


def composed(name, *overrides):
    with initialize_config_dir(str(ROOT / "configs"), version_base=None):
        return compose("rl", overrides=[f"recipe={name}", *overrides])


@pytest.fixture
def grade(server, tmp_path):
    """Grade a response by a recipe's reward; verl awaits what is a coroutine."""

    def run(name, source, response, gold, **extra):
        own = ()
        if name in JUDGED:
            own = (f"{JUDGE}.base_url={server.base_url}", f"{JUDGE}.api_key_env=OPENAI_API_KEY",
                   f"+{JUDGE}.cache_dir={tmp_path}/judge")  # fmt: skip
        function = get_custom_reward_fn(composed(name, *own))
        given = {"data_source": source, "solution_str": response, "ground_truth": gold}
        called = function(**given, extra_info={"question": "下列哪一项正确？", **extra})
        return asyncio.run(called) if inspect.isawaitable(called) else called

    return run


@pytest.mark.parametrize(
    ("name", "layout", "right", "wrong", "shapeless"),
    [
        ("dianjin_r1", BLOCKS, 1.0, 0.0, 0.0),
        ("fin_r1", BLOCKS, 2.0, 1.0, 1.0),  # accuracy and format are added
        ("fino1", BLOCKS, 1.0, 0.1, 0.0),  # of HuatuoGPT-o1
        ("fino1_grpo", BLOCKS, 2.0, 1.0, 1.0),
        ("deepseek_r1_zero", BLOCKS, 2.0, 1.0, 1.0),
        ("deepseek_r1", THINK, 3.0, 2.0, 1.0),  # and the share of Chinese in the reasoning
        ("deepseek_r1_all", THINK, 3.0, 2.0, 1.0),
    ],
)
def test_a_recipes_reward(grade, server, name, layout, right, wrong, shapeless):
    choices = {"A": "资产", "B": "负债", "C": "权益", "D": "收入"}
    scores = [
        grade(name, "cflue_mcq", response, "B", choices=choices)["score"]
        for response in (layout.format(REASON, "B"), layout.format(REASON, "C"), "\\boxed{B}")
    ]
    assert scores == pytest.approx([right, wrong, shapeless])
    number = grade(name, "finqa", layout.format(REASON, "12.5"), "12.5")
    assert number["score"] == pytest.approx(right)
    assert server.bodies == []  # rules decide


@pytest.mark.parametrize("name", JUDGED)
def test_open_answers_go_to_the_judge(grade, server, name):
    layout = THINK if name.startswith("deepseek") else "<think>{}</think><answer>{}</answer>"
    answer = "在销售环节征收的那一种流转税"
    response = layout.replace("\\boxed{{{}}}", "{}").format(REASON, answer)
    kept = {}
    for verdict in ("correct", "wrong"):
        server.default = verdict
        kept[verdict] = grade(name, "finance_instruct", response, f"增值税{verdict}")
    assert len(server.bodies) == 2
    assert [row["judged"] for row in kept.values()] == [1.0, 1.0]
    assert kept["correct"]["acc"] == 1.0 and kept["wrong"]["acc"] == 0.0
    assert kept["correct"]["score"] > kept["wrong"]["score"]


def test_a_source_without_a_rule_is_judged_in_the_second_rl(grade, server):
    response = "<think>" + REASON + "</think>一首关于春天的诗"
    row = grade("deepseek_r1_all", "desk/writing", response, "写春天的诗")
    assert (row["judged"], row["acc"], len(server.bodies)) == (1.0, 1.0, 1)


def test_r1_zeros_template(tiny_model):
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    tokenizer.chat_template = composed(
        "deepseek_r1_zero"
    ).actor_rollout_ref.model.custom_chat_template
    turns = [{"role": "user", "content": "问？"}, {"role": "assistant", "content": "答。"}]

    def rendered(messages, **options):
        return tokenizer.apply_chat_template(messages, tokenize=False, **options)

    one = rendered(turns[:1], add_generation_prompt=True)
    head, _, rest = one.partition("User: ")
    assert rest == "问？\nAssistant:"
    assert head.endswith("</answer>.\n") and "<think>" in head and head.count("\n") == 1
    whole = rendered(turns)
    assert whole == f"{head}User: 问？\nAssistant: 答。{tokenizer.eos_token}\n"
    assert (
        rendered([*turns, *turns[:1]], add_generation_prompt=True)
        == f"{whole}User: 问？\nAssistant:"
    )
    tokenizer.bos_token = "<|im_start|>"  # a model that was pretrained with one, such as Llama
    assert rendered(turns) == f"<|im_start|>{whole}"
    tokenizer.bos_token = None
    system = [{"role": "system", "content": "只答数字。"}, *turns[:1]]
    assert rendered(system, add_generation_prompt=True) == f"{head}只答数字。\n{one[len(head) :]}"
