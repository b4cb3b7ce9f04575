"""One server in the place of all teachers and judges."""

from pathlib import Path

import pytest

from dianjin_ext.recipes import Run, asking, get_recipe, recipe_names

ROOT = Path(__file__).resolve().parents[2]
STAGES = [(name, stage) for name in recipe_names() for stage in get_recipe(name).stages]


def test_one_server_stands_for_all_that_are_asked(typed, values, tmp_path):
    pytest.importorskip("omegaconf")
    from dianjin_ext.data.pipeline import load_pipeline

    (tmp_path / "train.json").write_text("[]")
    server = {"url": "http://127.0.0.1:9/v1", "model": "small"}
    for name, stage in STAGES:
        recipe = get_recipe(name)
        done = recipe.stages[stage]
        words = asking(recipe, stage, Run(size="7b", root=ROOT), **server)
        if done.do == "data":
            own = [word for word in typed(name, stage)[0][3:]]
            given = [f"files.finqa={tmp_path}/train.json", *own, *words]
            pipeline = load_pipeline(ROOT / typed(name, stage)[0][2], given)
            urls = {role: asked.base_url for step in pipeline.steps for role, asked in
                    step.models.items()}  # fmt: skip
            assert set(urls.values()) <= {server["url"], None}
            if done.model:  # a checkpoint of one's own is served meanwhile
                assert urls["student"] is None
        else:
            judged = done.config in ("fin_r1", "fino1", "fino1_grpo", "deepseek_r1_all")
            assert bool(words) == (done.do == "rl" and judged)


@pytest.mark.parametrize("name", ["fin_r1", "fino1"])
def test_a_judge_of_rl_is_asked_without_a_key(name, monkeypatch):
    pytest.importorskip("verl")
    pytest.importorskip("aiohttp")
    from hydra import compose, initialize_config_dir

    from dianjin_ext.rewards.judge import read_judge
    from dianjin_ext.rewards.judge.client import JudgeClient

    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    server = {"url": "http://127.0.0.1:9/v1", "model": "small"}
    words = asking(get_recipe(name), "rl", Run(size="tiny", root=ROOT), **server)
    with initialize_config_dir(str(ROOT / "configs"), version_base=None):
        config = compose("rl", overrides=[f"recipe={name}", *words])
    judge = read_judge(config.reward.custom_reward_function.reward_kwargs.judge)
    assert (judge.base_url, judge.model) == (server["url"], server["model"])
    JudgeClient(judge)  # which asks for a key unless none is wanted
