"""The recipes as data: which there are, and what is wrong with a file."""

import shutil
from pathlib import Path

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.recipes import get_recipe, recipe_names

ROOT = Path(__file__).resolve().parents[2]
SYSTEMS = [
    "deepseek_distill",
    "deepseek_r1",
    "deepseek_r1_zero",
    "dianjin_r1",
    "fin_r1",
    "fino1",
]


def test_all_systems_are_there():
    assert recipe_names() == SYSTEMS


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_file_of_a_group_belongs_to_a_recipe(values, name):
    for folder, kind in {"recipe": "rl", "data": "data", "eval": "eval"}.items():
        used = {
            stage.config
            for each in SYSTEMS
            for stage in get_recipe(each).stages.values()
            if stage.do == kind
        }
        assert used == {path.stem for path in (ROOT / "configs" / folder).glob("*.yaml")}


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_sources_are_those_of_the_rewards(values, name):
    from dianjin_ext.rewards.registry import has_reward

    for done in get_recipe(name).stages.values():
        assert all(has_reward(source) for source in done.sources)


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
