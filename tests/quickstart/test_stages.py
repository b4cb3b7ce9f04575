"""The stages of a run are those of the recipe, in its order, with a model to show for each."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from dianjin_ext.data.pipeline import load_pipeline
from dianjin_ext.quickstart.plan import Plan
from dianjin_ext.quickstart.stage import environment
from dianjin_ext.quickstart.stages import stages
from dianjin_ext.recipes import recipe_names
from dianjin_ext.resources import folder

pytest.importorskip("pyarrow")

MODELS = {
    "dianjin_r1": ["base", "sft", "grpo"],
    "fin_r1": ["base", "sft", "grpo"],
    "fino1": ["base", "sft", "ppo", "grpo"],
    "deepseek_r1_zero": ["base", "grpo"],
    "deepseek_r1": ["base", "cold_start", "reasoning", "sft", "grpo"],
    "deepseek_distill": ["base", "sft"],
}


def plan(recipe, out, *methods, **given):
    python = Path(sys.executable)
    same = {"methods": methods, "seed": 3, "data": None, "llamafactory": python}
    return Plan(out=out, recipe=recipe, **(same | given))


def test_every_recipe_is_there():
    assert sorted(MODELS) == recipe_names()


@pytest.mark.parametrize("name", MODELS)
def test_each_stage_of_the_recipe_is_run_in_its_order(name, tmp_path):
    made = plan(name, tmp_path)
    found = stages(made)
    names = [stage.name for stage in found]
    assert len(names) == len(set(names))
    left_out = ("eval", "serve", "verifier")  # the teacher is the verifier
    own = [each for each, stage in made.of.stages.items() if stage.do not in left_out]
    assert [each for each in names if each in own] == own
    assert [stage.model for stage in found if stage.model] == MODELS[name]
    for stage in found:
        words = stage.make().words
        assert words[0] in ("python", "dianjin", "llamafactory-cli")
        assert not any(word.startswith("~") for word in words)


@pytest.mark.parametrize("name", MODELS)
def test_what_a_stage_starts_from_is_what_an_earlier_one_leaves(name, tmp_path):
    left = set()
    for stage in stages(plan(name, tmp_path)):
        words = stage.make().words
        given = dict(word.split("=", 1) for word in words if "=" in word)
        starts = [given.get("model_name_or_path"), given.get("actor_rollout_ref.model.path")]
        starts += [given.get("models.student.model")] if "reasoning" in str(words) else []
        starts += [words[words.index("--model") + 1]] if "--model" in words else []
        assert {each for each in starts if each} <= left, stage.name
        if "quickstart.model" in str(words):
            left.add(words[4])
        if "merge" in words[:2]:
            left.add(words[3])
        left |= {given[key] for key in ("output_dir",) if key in given}


@pytest.mark.parametrize("name", MODELS)
def test_pipelines_read_the_made_up_questions(name, tmp_path):
    made = plan(name, tmp_path)
    (tmp_path / "questions").mkdir()
    for file in ("questions", "open"):
        (tmp_path / "questions" / f"{file}.parquet").touch()
    read = set()
    for stage in stages(made):
        words = list(stage.make().words)
        if "build" not in words:
            continue
        words = words[words.index("build") + 1 :]
        places = {"{teacher}": "http://127.0.0.1:1/v1", "=questions/": f"={tmp_path}/questions/"}
        overrides = [word for word in words if "=" in word]
        for name, place in places.items():
            overrides = [word.replace(name, place) for word in overrides]
        pipeline = load_pipeline(Path(words[0]), overrides)
        (mix,) = (step for step in pipeline.steps if step.step == "mix")
        assert mix.settings.seed == 3 and mix.settings.val_rows == 128
        assert any(step.step == "read" for step in pipeline.steps)
        read |= {Path(word).name for word in overrides if word.endswith(".parquet")}
        for step in pipeline.steps:
            for model in step.models.values():
                assert model.base_url == "http://127.0.0.1:1/v1" or "merged" in model.model
    written = made.open_file is not None
    assert read == {"questions.parquet"} | ({"open.parquet"} if written else set())
    assert ("--open" in stages(made)[0].make().words) == written


def test_only_a_base_model_that_is_to_answer_is_pretrained_in_its_template(tmp_path):
    def pretraining(name, *methods, **given):
        found = [s for s in stages(plan(name, tmp_path, *methods, **given)) if s.name == "pretrain"]
        return [word for stage in found for word in stage.make().words if "template=" in word]

    assert pretraining("deepseek_r1_zero") == ["template=dianjin_r1_zero"]
    assert pretraining("dianjin_r1") == pretraining("deepseek_r1") == []
    assert pretraining("dianjin_r1", "lora") == pretraining("fin_r1") == ["template=dianjin"]
    real = {"data": "cflue:knowledge.json"}
    assert pretraining("fin_r1", **real) == []  # no made-up titles
    assert pretraining("fin_r1", "lora", **real) == ["template=dianjin"]


def test_an_adapter_is_put_into_the_model_before_it_is_asked(tmp_path):
    found = {
        stage.name: stage.make().words for stage in stages(plan("dianjin_r1", tmp_path, "lora"))
    }
    assert found["sft-export"][:2] == ("llamafactory-cli", "export")
    assert "--merge-lora" in found["merge"]
    names = list(found)
    assert names.index("sft") < names.index("sft-export") < names.index("evaluate-sft")


def test_the_layout_is_that_of_the_recipes_sets(tmp_path):
    layouts = {name: plan(name, tmp_path).layout for name in MODELS}
    assert {n for n, layout in layouts.items() if layout == "think_only"} == {
        "deepseek_r1",
        "deepseek_distill",
    }
    for name, layout in layouts.items():
        words = stages(plan(name, tmp_path))[0].make().words
        assert words[words.index("--layout") + 1] == layout


@pytest.mark.parametrize("name", [name for name in MODELS if name != "deepseek_r1_zero"])
def test_a_method_with_another_layout_has_it_everywhere(name, tmp_path):
    made = plan(name, tmp_path, "qwen3")
    found = stages(made)
    words = found[0].make().words  # what is held out, and raw text
    assert words[words.index("--layout") + 1] == "think_only" == made.layout
    for stage in found:
        words = stage.make().words
        if "build" in words:
            assert "steps.set.tags=think_only" in words
        if "verl.trainer.main_ppo" in words:
            assert "method=[qwen3]" in words


@pytest.mark.parametrize("name", [name for name in MODELS if name != "deepseek_distill"])
def test_evaluations_allow_as_many_tokens_as_training(name, tmp_path):
    made = plan(name, tmp_path)
    words = stages(made)[0].make().words
    size = yaml.safe_load((folder("configs") / "size/tiny.yaml").read_text("utf-8"))
    for stage in made.of.stages.values():
        file = folder("configs") / "tiny" / f"{stage.config}.yaml"
        own = yaml.safe_load(file.read_text("utf-8")) if file.is_file() else {}
        if stage.do == "rl":
            most = (size["data"] | own.get("data", {}))["max_response_length"]
            assert words[words.index("--max-tokens") + 1] == str(most)


def test_a_judge_of_rl_is_the_teacher_beside_it(tmp_path):
    found = {stage.name: stage.make() for stage in stages(plan("fin_r1", tmp_path))}
    words = found["rl"].words
    assert words[:3] == ("python", "-m", "dianjin_ext.quickstart.teacher.beside")
    url = "reward.custom_reward_function.reward_kwargs.judge.base_url={teacher}"
    assert url in words and any("judge.keyless=true" in word for word in words)
    configured = yaml.safe_load((folder("configs") / "recipe/fin_r1.yaml").read_text("utf-8"))
    assert configured["actor_rollout_ref"]["actor"]["use_kl_loss"] is False


def test_the_environment_is_of_the_host_that_is_run(tmp_path):
    made = plan("dianjin_r1", tmp_path, llamafactory=tmp_path / "lf/bin/python")
    found = {stage.name: environment(stage.make(), made) for stage in stages(made)}
    assert found["sft"]["PATH"].startswith(str(tmp_path / "lf/bin"))
    assert found["rl"]["PATH"].startswith(str(Path(sys.executable).parent))
    assert "RAY_ADDRESS" not in found["rl"]


def test_a_command_beside_a_teacher_hears_where_it_is(tmp_path):
    code = (
        "import sys, urllib.request as u; "
        "print(u.urlopen(sys.argv[1] + '/models').read().decode()); sys.exit(7)"
    )
    beside = [sys.executable, "-m", "dianjin_ext.quickstart.teacher.beside", "--guess", "1"]
    done = subprocess.run(
        [*beside, "--", sys.executable, "-c", code, "{teacher}"], capture_output=True, text=True
    )
    assert done.returncode == 7, done.stderr
    assert '"teacher"' in done.stdout


WITH_RL = [name for name in MODELS if name != "deepseek_distill"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("fino1", "cflue:x.json"),
        *(pytest.param(name, data, marks=pytest.mark.long)
          for name in WITH_RL for data in (None, "cflue:x.json")),
    ],
)  # fmt: skip
def test_rl_is_not_refused_after_an_hour_of_other_stages(name, data, tmp_path):
    pytest.importorskip("verl")
    from hydra import compose, initialize_config_dir

    from dianjin_ext.hosts.verl.batch_check import batch_problems
    from dianjin_ext.hosts.verl.config_check import check_config

    made = [stage.make().words for stage in stages(plan(name, tmp_path, data=data))]
    for words in (list(each) for each in made if "verl.trainer.main_ppo" in each):
        words = words[words.index("--config-name") + 2 :]
        own = [word.replace("{teacher}", "http://h/v1") for word in words if "hydra." not in word]
        with initialize_config_dir(str(folder("configs").absolute()), version_base=None):
            config = compose("rl", overrides=own)
        check_config(config)
        assert list(batch_problems(config)) == []
