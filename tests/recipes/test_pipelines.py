"""The pipelines and evaluations that recipes name."""

from pathlib import Path

import pytest

from dianjin_ext.recipes import get_recipe, recipe_names

ROOT = Path(__file__).resolve().parents[2]
STAGES = [(name, stage) for name in recipe_names() for stage in get_recipe(name).stages]


@pytest.mark.parametrize(("name", "stage"), STAGES)
def test_a_pipeline_loads_and_an_evaluation_is_known(typed, name, stage, tmp_path):
    done = get_recipe(name).stages[stage]
    words = typed(name, stage)[0]
    if done.do == "data":
        pytest.importorskip("omegaconf")
        from dianjin_ext.data.pipeline import load_pipeline

        (tmp_path / "train.json").write_text("[]")
        given = [f"files.finqa={tmp_path}/train.json", "models.judge.model=m", *words[3:]]
        pipeline = load_pipeline(ROOT / words[2], [key for key in given if "judge" not in key])
        assert pipeline.steps[-1].name == "set"
        assert "finqa" in done.sources
    elif done.do == "eval":
        from dianjin_ext.evaluation.benchmarks import get_benchmark
        from dianjin_ext.evaluation.command import load_models
        from dianjin_ext.evaluation.protocol import get_protocol
        from dianjin_ext.rewards.judge.settings import read_judge

        given = load_models(ROOT / words[words.index("--settings") + 1])
        assert [get_benchmark(each).name for each in given["benchmarks"]] == given["benchmarks"]
        rules = [get_protocol(each) for each in given["protocols"]]
        asks = any(rule.of(each).judge for rule in rules for each in given["benchmarks"])
        assert asks == ("judge" in given)
        if asks:
            read_judge(given["judge"])


def test_r1_zeros_data_is_all_for_rl(tmp_path):
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    from dianjin_ext.data.build import build
    from dianjin_ext.data.pipeline import load_pipeline
    from dianjin_ext.questions.question import write_questions
    from dianjin_ext.quickstart.teacher.world_questions import world_questions

    write_questions(world_questions(60, seed=7), tmp_path / "world.parquet")
    given = [
        f"files.cflue={tmp_path}/world.parquet",
        "steps.cflue.dataset=''",
        "steps.cflue.splits=[]",
    ]
    build(load_pipeline(ROOT / "configs/data/deepseek_r1_zero.yaml", given), tmp_path / "out")
    rows = [parquet.read_metadata(tmp_path / f"out/set/rl/{each}.parquet").num_rows for each in
            ("train", "val")]  # fmt: skip
    assert rows[0] > 40 and rows[1] > 0
    assert not list((tmp_path / "out/set/sft").glob("*.json"))
