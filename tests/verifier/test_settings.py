"""Settings of a training: the shipped ones, and what is refused."""

from pathlib import Path

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards.judge.settings import JudgeSettings
from dianjin_ext.verifier.settings import read_settings

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


@pytest.mark.parametrize("name", ["verifier", "verifier_tiny"])
def test_the_shipped_ones_are_read(name):
    found = read_settings(CONFIGS / f"{name}.yaml", ["answers=[a.parquet, b.parquet]", "seed=7"])
    assert found.answers == (Path("a.parquet"), Path("b.parquet"))
    assert found.seed == 7
    assert found.threshold == JudgeSettings(model="m").threshold
    assert found.template == JudgeSettings(model="m").template


def test_texts_stay_texts():
    given = ["model=123", "template={answer}: {gold}", "answers=a=b.parquet"]
    found = read_settings(CONFIGS / "verifier.yaml", given)
    assert (found.model, found.template) == ("123", "{answer}: {gold}")
    assert found.answers == (Path("a=b.parquet"),)
    assert read_settings(CONFIGS / "verifier.yaml", ["template=null"]).template is None


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ("epochs", "'epochs': expected key=value"),
        ("epoch=3", "verifier.yaml.epoch is not known; known: model, answers"),
        ("threshold=1", "verifier.yaml.threshold is 1"),
        ("heldout=0", "verifier.yaml.heldout is 0"),
        ("template={answer}", "template holds {gold} and {answer}"),
        ("batch_size=12", "batch_size is a multiple of micro_batch_size"),
        ("answers=[]", "verifier.yaml.answers"),
        ("answers=[a", "answers=[a: can't be read as YAML"),
        ("tags=nonsense", "tags: "),
        ("tags={think:", "tags: while parsing a flow node"),
        ("seed=-1", "verifier.yaml.seed is -1"),
    ],
)
def test_a_mistake_is_one_line(own, words):
    with pytest.raises(DianjinError) as error:
        read_settings(CONFIGS / "verifier.yaml", [own])
    assert words in str(error.value) and "\n" not in str(error.value)


def test_a_layout_may_be_spelt_out():
    text = "tags={think: ['<seed:think>', '</seed:think>'], answer: null}"
    assert read_settings(CONFIGS / "verifier.yaml", [text]).layout.think[0] == "<seed:think>"


def test_a_file_that_is_none(tmp_path):
    (tmp_path / "x.yaml").write_text("- a\n")
    for name, words in (("x.yaml", "expected a mapping"), ("y.yaml", "can't be read as YAML")):
        with pytest.raises(DianjinError, match=words):
            read_settings(tmp_path / name)
