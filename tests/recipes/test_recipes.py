"""The recipes as data: their stages, and the commands of each."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from dianjin_ext.cli import app
from dianjin_ext.errors import DianjinError
from dianjin_ext.recipes import Run, asking, commands, get_recipe, recipe_names

ROOT = Path(__file__).resolve().parents[2]
SYSTEMS = [
    "deepseek_distill",
    "deepseek_r1",
    "deepseek_r1_zero",
    "dianjin_r1",
    "fin_r1",
    "fino1",
]
STAGES = [(name, stage) for name in SYSTEMS for stage in get_recipe(name).stages]


def typed(name, stage, *extra, model=None, root=ROOT, **given):
    """Return the commands of a stage, as lists of words without the shell's quoting."""
    recipe = get_recipe(name)
    run = Run(**({"size": next(iter(recipe.base)), "root": root} | given))
    return [list(each.argv()) for each in commands(recipe, stage, run, extra, model=model)]


def values(words):
    return dict(word.split("=", 1) for word in words if "=" in word)


def test_all_systems_are_there():
    assert recipe_names() == SYSTEMS


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_file_of_a_group_belongs_to_a_recipe(name):
    for folder, kind in {"recipe": "rl", "data": "data", "eval": "eval"}.items():
        used = {
            stage.config
            for each in SYSTEMS
            for stage in get_recipe(each).stages.values()
            if stage.do == kind
        }
        assert used == {path.stem for path in (ROOT / "configs" / folder).glob("*.yaml")}


@pytest.mark.parametrize(("name", "stage"), STAGES)
def test_a_stage_starts_from_what_an_earlier_one_leaves(name, stage):
    recipe = get_recipe(name)
    left, sets = {recipe.base[next(iter(recipe.base))]}, set()
    for each in recipe.stages:
        done = recipe.stages[each]
        (words, *more) = typed(name, each)
        given = values(words)
        if done.do == "data":
            pipeline = yaml.safe_load((ROOT / words[2]).read_text(encoding="utf-8"))
            sets.add(f"runs/{given.get('name', pipeline['name'])}/set")
            assert given.get("models.student.model", "deepseek-reasoner") in {
                *left,
                "deepseek-reasoner",
            }
        elif done.do == "sft":
            assert given["model_name_or_path"] in left and given["dataset_dir"] in sets
            left.add(given["output_dir"])
        elif done.do == "rl":
            assert given["actor_rollout_ref.model.path"] in left
            assert given["data.train_files"].removesuffix("/rl/train.parquet") in sets
            assert given["data.val_files"].removesuffix("/rl/val.parquet") in sets
            checkpoints = given["trainer.default_local_dir"]
        elif done.do == "merge":
            assert words[2] == f"{checkpoints}/global_step_N"
            left.add(words[3])
        elif done.do == "eval":
            assert words[words.index("--model") + 1] in left
        else:
            assert given["MODEL"] in left
        assert not more
        if each == stage:
            break


@pytest.mark.parametrize("name", SYSTEMS)
def test_what_a_command_says_is_what_the_configuration_has(name):
    """A user who composes configs/rl.yaml without a recipe's commands has the same folders."""
    for stage, done in get_recipe(name).stages.items():
        if done.do == "rl":
            text = (ROOT / "configs/recipe" / f"{done.config}.yaml").read_text(encoding="utf-8")
            given = values(typed(name, stage)[0])
            size = next(iter(get_recipe(name).base)).upper()
            experiment = f"{get_recipe(name).project}-{size}"
            for key in ("trainer.default_local_dir", "actor_rollout_ref.model.path"):
                named = given[key].replace(experiment, "${trainer.experiment_name}")
                assert f": {named}\n" in text or f": {named} #" in text, (done.config, key)


def test_the_newest_checkpoint_and_the_sets_that_were_made_are_named(tmp_path):
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    folder = tmp_path / "experiments/Fin-R1-7B/rl"
    folder.mkdir(parents=True)
    (folder / "latest_checkpointed_iteration.txt").write_text("60")
    made = tmp_path / "runs/fin_r1/set/sft"
    made.mkdir(parents=True)
    for source in ("tfns", "finqa"):
        (made / f"{source}.json").write_text("[]")
    assert typed("fin_r1", "merge", root=tmp_path)[0][2:] == [
        "experiments/Fin-R1-7B/rl/global_step_60",
        "experiments/Fin-R1-7B/rl/merged",
    ]
    given = values(typed("fin_r1", "sft", root=tmp_path)[0])
    assert given["dataset"] == "dianjin_finqa,dianjin_tfns"


def test_methods_sizes_and_platforms():
    rl = typed("dianjin_r1", "rl", "a=b", size="32b", platform="megatron", methods=("lora", "gspo"))
    assert {"size=32b", "platform=megatron", "method=[lora,gspo]"} <= set(rl[0])
    assert rl[0][-1] == "a=b"
    assert values(rl[0])["actor_rollout_ref.model.path"] == "experiments/DianJin-R1-32B/sft/merged"
    train, export = typed("dianjin_r1", "sft", methods=("lora", "gspo"))
    assert {"finetuning_type=lora", "lora_target=all"} <= set(train)
    assert export[1] == "export" and export[-1] == "experiments/DianJin-R1-7B/sft/merged"
    assert export[export.index("--template") + 1] == "dianjin"
    assert typed("dianjin_r1", "merge", methods=("lora",))[0][-1] == "--merge-lora"
    cpu = {"size": "tiny", "platform": "cpu", "base": "model"}
    assert typed("fino1", "rl", **cpu)[0][:3] == ["env", "VERL_PLATFORM=cpu", "python"]
    assert typed("fino1", "serve", **cpu)[0][2] == "dianjin_ext.inference.local"
    tiny = typed("fino1", "sft", **cpu)[0]
    assert "configs/sft_tiny.yaml" in tiny and "learning_rate" not in values(tiny)


def test_sft_has_the_template_of_the_models_vocabulary():
    template = {}
    for name in ("deepseek_r1", "deepseek_distill", "fino1", "dianjin_r1"):
        stage = "cold_start" if name == "deepseek_r1" else "sft"
        for size in (*get_recipe(name).base, "tiny"):
            template[name, size] = values(typed(name, stage, size=size, base="m")[0]).get(
                "template"
            )
    for (_, size), found in template.items():
        assert found == ("dianjin_llama3" if size == "8b" else None)  # None: that of sft.yaml
    for size in ("7b", "8b"):
        given = values(
            typed("fin_r1", "sft", size=size, methods=("qwen3",), base="Qwen/Qwen3-8B")[0]
        )
        assert (given["template"], given["default_system"]) == ("dianjin_qwen3", "null")


def test_no_value_for_llamafactory_has_a_space():
    for name, stage in STAGES:
        if get_recipe(name).stages[stage].do == "sft":
            for size in ("7b", "8b", "32b", "tiny"):
                for words in typed(name, stage, size=size, model="m", methods=("lora",)):
                    assert not [word for word in words if " " in word]


def test_a_model_of_ones_own():
    assert values(typed("fin_r1", "rl", model="m")[0])["actor_rollout_ref.model.path"] == "m"
    assert values(typed("fin_r1", "serve", model="m")[0])["MODEL"] == "m"
    assert values(typed("fin_r1", "sft", base="m")[0])["model_name_or_path"] == "m"
    with pytest.raises(DianjinError, match=r"no model of size 8b \(it has 7b, 32b\)"):
        typed("fin_r1", "sft", size="8b")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("do: rl", "do: reinforce"), "stages.rl.do"),
        (("model: sft", "model: sfd"), "stages.rl.model is 'sfd'; expected an earlier stage"),
        (("data: data", "data: sft"), "stages.sft.data is 'sft'; expected an earlier stage of"),
        (("config: fin_r1, model: sft", "config: fin_r2, model: sft"), "there is no file"),
        (("do: merge, model: rl", "do: merge, model: sft"), "stages.merge.model is 'sft'"),
        (("{do: serve,", "{do: serve, data: data,"), "a stage of kind serve has no data"),
        (("model: base, data: data", "model: base"), "a stage of kind sft needs data"),
        (("stages:", "stages: []\nstage:"), "stages"),
        (("project: Fin-R1", "project: Fin R1/.."), "project"),
        (("about:", "about: x\nabout:"), "'about' is given twice"),
    ],
)
def test_a_mistake_in_a_recipe_is_one_line_with_file_and_key(tmp_path, change, words):
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    file = tmp_path / "configs/stages/fin_r1.yaml"
    text = file.read_text(encoding="utf-8")
    assert change[0] in text
    file.write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(DianjinError) as error:
        get_recipe("fin_r1", tmp_path / "configs")
    assert words in str(error.value) and str(file) in str(error.value)
    assert "\n" not in str(error.value)


def called(*words):
    done = CliRunner().invoke(app, ["recipe", *words])
    return done.exit_code, done.output, done.exception


def test_the_command_lists_shows_and_refuses(monkeypatch):
    monkeypatch.chdir(ROOT)
    for words in ((), ("fin_r1",), ("fin_r1", "rl")):
        code, output, _ = called(*words)
        assert code == 0
        assert ("main_ppo" in output) == bool(words)
    assert "# merge" in called("fin_r1")[1]
    for words, said in (
        (("fin_r2",), "there is no recipe 'fin_r2'; known: deepseek_distill"),
        (("fin_r1", "rll"), "fin_r1 has no stage 'rll'; its stages: data, sft"),
        (("fin_r1", "rl", "--size", "9b"), "there is no size '9b'; known: 32b, 7b"),
        (("fin_r1", "rl", "--method", "x"), "there is no method 'x'; known: cispo"),
        (("fin_r1", "--size", "8b"), "fin_r1 starts from no model of size 8b"),
        (("fin_r1", "--null"), "--null needs a recipe and a stage"),
    ):
        _, output, error = called(*words)
        assert said in str(error) and not output


def test_what_is_shown_can_be_typed(monkeypatch):
    monkeypatch.chdir(ROOT)
    for name, stage in STAGES:
        (line,) = called(name, stage)[1].splitlines()
        shown = subprocess.run(
            ["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, text=True, cwd=ROOT
        ).stdout.split("\0")[:-1]
        assert [word for word in typed(name, stage)[0] if word != "env"] == shown


@pytest.mark.parametrize(("name", "stage"), STAGES)
def test_a_pipeline_loads_and_an_evaluation_is_known(name, stage, tmp_path):
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


def test_one_server_stands_for_all_that_are_asked(tmp_path):
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


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_sources_are_those_of_the_rewards(name):
    from dianjin_ext.rewards.registry import has_reward

    for done in get_recipe(name).stages.values():
        assert all(has_reward(source) for source in done.sources)


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


def test_a_server_samples_as_the_rollouts_of_its_model_did():
    sampled = {}
    for name, stage in STAGES:
        if get_recipe(name).stages[stage].do == "serve":
            given = values(typed(name, stage)[0])
            sampled[name, stage] = (given.get("TEMPERATURE"), given.get("TOP_P"))
    assert sampled == {
        ("deepseek_distill", "serve"): (None, None),  # no RL
        ("deepseek_r1", "serve"): ("0.7", "1"),
        ("deepseek_r1_zero", "serve"): ("1", "1"),
        ("dianjin_r1", "serve"): ("0.6", "0.95"),
        ("fin_r1", "serve"): ("0.6", "0.95"),
        ("fino1", "serve"): ("0.5", "1"),
        ("fino1", "serve_grpo"): ("0.9", "1"),
    }
