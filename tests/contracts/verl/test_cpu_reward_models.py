"""Reward models that a laptop serves: a judge that writes and a classifier, asked in training."""

import asyncio

import pytest

pytest.importorskip("verl")
pytest.importorskip("aiohttp")
pytest.importorskip("diskcache")
pytest.importorskip("openai")
pytest.importorskip("tenacity")

import torch

from dianjin_ext.inference.server import serving
from dianjin_ext.quickstart.model import build_model, build_tokenizer
from dianjin_ext.rewards.judge.prompt import messages
from dianjin_ext.rewards.judged import compute_score_with_judge

pytestmark = pytest.mark.slow

GOLD = "增值税"
ANSWERS = ["流转时征收的增值税", "流转时征收的消费税", "VAT，即增值税", "答案是印花税。"]
TEMPLATE = "{answer}\n{gold}"  # what `tiny_verifier` was trained with


@pytest.fixture(scope="module")
def writing_judge(tmp_path_factory, one_thread):
    """A model that agrees with everything."""
    asked = [messages("是什么税？", GOLD, answer) for answer in ANSWERS]
    tokenizer = build_tokenizer(
        [*(turn["content"] for turn in asked[0]), "VERDICT: correct"] * 5, vocabulary=900
    )
    model = build_model(tokenizer, hidden=32, layers=2, seed=0)
    model.config.max_position_embeddings = 4096
    reply = tokenizer("VERDICT: correct")["input_ids"] + [tokenizer.eos_token_id]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    with one_thread():
        for step in range(40):
            prompt = tokenizer.apply_chat_template(
                asked[step % len(asked)], add_generation_prompt=True, return_dict=False
            )
            ids = torch.tensor([prompt + reply])
            labels = ids.clone()
            labels[:, : len(prompt)] = -100
            loss = model(input_ids=ids, labels=labels).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert loss < 0.1
    folder = tmp_path_factory.mktemp("judge") / "judge"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def judges(writing_judge, tiny_verifier, tmp_path_factory):
    """Settings of both judges, while they are served."""
    folder = tmp_path_factory.mktemp("judges")
    with (
        serving(writing_judge, log=folder / "judge.log", engine="local") as writes,
        serving(tiny_verifier, log=folder / "verifier.log", engine="local") as classifies,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("OPENAI_API_KEY", "EMPTY")
        own = {"cache_dir": str(folder / "cache")}
        yield {
            "chat": own | {"model": "judge", "base_url": writes, "max_tokens": 32},
            "classifier": own
            | {
                "model": "verifier",
                "base_url": classifies,
                "kind": "classifier",
                "template": TEMPLATE,
            },
        }


def test_both_judge_what_rules_leave_open(judges):
    async def grade(kind):
        return await asyncio.gather(
            *(
                compute_score_with_judge(
                    "cflue_oe",
                    f"<think>x</think><answer>{answer}</answer>",
                    GOLD,
                    {"question": "是什么税？"},
                    judge=judges[kind],
                )
                for answer in ANSWERS
            )
        )

    written = asyncio.run(grade("chat"))
    assert [row["reason"] for row in written] == ["correct"] * 4
    classified = asyncio.run(grade("classifier"))
    assert [row["reason"] for row in classified] == ["correct", "wrong"] * 2
    assert all(row["judged"] == 1.0 for row in (*written, *classified))


REWARD = """
from dianjin_ext.rewards.judged import compute_score_with_judge

JUDGES = {judges!r}
ANSWERS = {answers!r}

async def compute_score(data_source, solution_str, ground_truth, extra_info, **settings):
    answer = ANSWERS[len(set(solution_str)) % 4]
    kind = "classifier" if extra_info["index"] % 2 else "chat"
    text = f"<think>x</think><answer>{{answer}}</answer>"
    row = {{"question": "是什么税？"}}
    row = await compute_score_with_judge(
        "cflue_oe", text, {gold!r}, row, judge=JUDGES[kind], **settings
    )
    right = kind == "chat" or answer in ANSWERS[::2]
    return row | {{"right": float(right), "classifier": float(kind == "classifier")}}
"""


@pytest.mark.long
def test_grpo_asks_them(run_verl, assert_learned_on_policy, judges, tmp_path):
    reward = REWARD.format(judges=judges, answers=ANSWERS, gold=GOLD)
    (tmp_path / "judged.py").write_text(reward, encoding="utf-8")
    steps = run_verl(
        tmp_path / "run",
        "trainer.n_gpus_per_node=1",
        "trainer.total_training_steps=2",
        "trainer.val_before_train=false",
        "trainer.test_freq=-1",
        "trainer.v1.trainer_mode=dianjin_sync",
        "reward.reward_manager.name=dianjin",
        f"reward.custom_reward_function.path={tmp_path}/judged.py",
    )
    for step in steps.values():
        assert_learned_on_policy(step)
        assert step["reward/judged/mean"] == 1.0
        assert step["reward_reason/correct"] + step["reward_reason/wrong"] == 1.0
        assert step["reward/acc/mean"] == step["reward/right/mean"] < 1.0
        assert 0 < step["reward/classifier/mean"] < 1
