import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.recipes.files import read_rl
from dianjin_ext.yaml_keys import read_mapping


def test_a_file_is_laid_over_the_one_that_it_begins_from_key_by_key(tmp_path):
    (tmp_path / "recipe").mkdir()
    first = "reward: {path: a, given: {x: 1, y: [1, 2]}}\ntrainer: {epochs: 1}\n"
    (tmp_path / "recipe" / "first.yaml").write_text(first)
    then = "defaults: [first, /template: t, _self_]\nreward: {given: {y: [3]}}\ntrainer: null\n"
    (tmp_path / "recipe" / "then.yaml").write_text(then)
    assert read_rl(tmp_path, "then") == {
        "defaults": ["first", {"/template": "t"}, "_self_"],
        "reward": {"path": "a", "given": {"x": 1, "y": [3]}},
        "trainer": None,
    }


@pytest.mark.parametrize(
    ("text", "said"), [("a: 1\na: 2\n", "given twice"), ("- a\n", "expected a mapping of keys")]
)
def test_what_is_no_mapping_is_named(text, said, tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(text)
    with pytest.raises(DianjinError, match=rf"own\.yaml: .*{said}"):
        read_mapping(file, "of keys")
