"""The commands of each stage."""

import shutil
from pathlib import Path

import pytest
import yaml

from dianjin_ext.errors import DianjinError
from dianjin_ext.recipes import get_recipe, recipe_names

ROOT = Path(__file__).resolve().parents[2]
STAGES = [(name, stage) for name in recipe_names() for stage in get_recipe(name).stages]


@pytest.mark.parametrize(("name", "stage"), STAGES)
def test_a_stage_starts_from_what_an_earlier_one_leaves(typed, values, name, stage):
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
        elif done.do == "verifier":
            assert given["answers"].removesuffix("/candidates.parquet") in sets
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


@pytest.mark.parametrize("name", recipe_names())
def test_what_a_command_says_is_what_the_configuration_has(typed, values, name):
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


def test_the_newest_checkpoint_and_the_sets_that_were_made_are_named(typed, values, tmp_path):
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


def test_methods_sizes_and_platforms(typed, values):
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


def test_sft_has_the_template_of_the_models_vocabulary(typed, values):
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


def test_a_recipe_may_have_values_of_its_own_at_a_size(typed, values):
    rates = {
        size: values(typed("deepseek_distill", "sft", size=size)[0])["learning_rate"]
        for size in ("7b", "32b", "8b")
    }
    assert rates == {"7b": "8e-05", "32b": "6e-05", "8b": "5e-05"}  # DeepSeek-R1's Table 6
    (words, _) = typed("deepseek_distill", "sft", size="8b", methods=("lora",))
    assert values(words)["learning_rate"] == "0.0001"


def test_no_value_for_llamafactory_has_a_space(typed):
    for name, stage in STAGES:
        if get_recipe(name).stages[stage].do == "sft":
            for size in ("7b", "8b", "32b", "tiny"):
                for words in typed(name, stage, size=size, model="m", methods=("lora",)):
                    assert not [word for word in words if " " in word]


def test_a_model_of_ones_own(typed, values):
    assert values(typed("fin_r1", "rl", model="m")[0])["actor_rollout_ref.model.path"] == "m"
    assert values(typed("fin_r1", "serve", model="m")[0])["MODEL"] == "m"
    assert values(typed("fin_r1", "sft", base="m")[0])["model_name_or_path"] == "m"
    with pytest.raises(DianjinError, match=r"no model of size 8b \(it has 7b, 32b\)"):
        typed("fin_r1", "sft", size="8b")


def test_a_server_samples_as_the_rollouts_of_its_model_did(typed, values):
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
        ("fino1", "serve_grpo"): ("0.7", "1"),
    }


def test_a_method_with_another_layout_has_it_in_the_data_too(typed, values):
    for name, stage in STAGES:
        done = get_recipe(name).stages[stage]
        if done.do != "data":
            continue
        plain, other = (values(typed(name, stage, methods=m)[0]) for m in ((), ("gspo", "qwen3")))
        text = (ROOT / f"configs/data/{done.config}.yaml").read_text(encoding="utf-8")
        steps = yaml.safe_load(text)["steps"]
        laid_out = ("distill", "verify", "sample", "search", "merge-agents", "mix")
        assert other.keys() - plain.keys() == {
            f"steps.{step}.tags" for step, own in steps.items() if own["step"] in laid_out
        }
        assert {other[key] for key in other.keys() - plain.keys()} == {"think_only"}


def test_a_verifier_has_a_model_of_its_own_but_where_all_is_tiny(typed, values):
    (words,) = typed("fino1", "verifier", "epochs=3")
    assert words[:3] == ["dianjin", "train-verifier", "configs/verifier.yaml"]
    assert words[-1] == "epochs=3" and "model" not in values(words)
    assert values(words)["out"] == "experiments/Fino1-8B/verifier"
    assert values(typed("fino1", "verifier", model="m")[0])["model"] == "m"
    (words,) = typed("fino1", "verifier", size="tiny", platform="cpu", base="b")
    assert words[2] == "configs/verifier_tiny.yaml" and values(words)["model"] == "b"
