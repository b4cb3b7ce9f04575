import json

import pytest

pytest.importorskip("llamafactory")

from llamafactory.data.parser import get_dataset_list

from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.llamafactory.datasets import NAMES

ROW = {"instruction": "问", "output": "<think>想</think><answer>\\boxed{A}</answer>"}


@pytest.fixture
def put(tmp_path, monkeypatch):
    """Write rows below tmp_path, which is the current directory; returns the absolute path."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DIANJIN_DATA_DIR", raising=False)

    def write(path, content=(ROW,)):
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        return str(target)

    return write


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("folder", ["data", "data/sft"])
def test_name_stands_for_a_file(put, name, folder):
    path = put(f"{folder}/{name.removeprefix('dianjin_')}.json")
    (attribute,) = get_dataset_list([name], "data")
    assert (attribute.load_from, attribute.dataset_name) == ("file", path)
    assert (attribute.prompt, attribute.response) == ("instruction", "output")
    assert attribute.query is None  # rows have no `input`


def test_environment_variable_is_the_second_place(put, monkeypatch):
    elsewhere = put("elsewhere/sft/finqa.json")
    monkeypatch.setenv("DIANJIN_DATA_DIR", "elsewhere")
    assert get_dataset_list(["dianjin_finqa"], "data")[0].dataset_name == elsewhere
    nearer = put("data/finqa.json")
    assert get_dataset_list(["dianjin_finqa"], "data")[0].dataset_name == nearer


def test_users_own_entry_wins_and_order_is_kept(put):
    oe = put("data/sft/cflue_oe.json")
    put("data/sft/finqa.json")
    put(
        "data/dataset_info.json",
        {
            "mine": {"file_name": "mine.json"},
            "dianjin_finqa": {"file_name": "my_finqa.json", "columns": {"prompt": "q"}},
        },
    )
    names = ["dianjin_finqa", "dianjin_cflue_oe", "mine"]
    attributes = get_dataset_list(names, "data")
    assert [a.dataset_name for a in attributes] == ["my_finqa.json", oe, "mine.json"]
    assert [a.prompt for a in attributes] == ["q", "instruction", "instruction"]


def test_missing_files_are_all_named_with_the_remedy(put):
    put("data/finqa.json")
    with pytest.raises(DianjinError) as caught:
        get_dataset_list(["dianjin_cflue_mcq", "dianjin_finqa", "dianjin_ccc"], "data")
    message = str(caught.value)
    for part in ["dianjin_cflue_mcq", "data/sft/cflue_mcq.json", "data/ccc.json"]:
        assert part in message
    assert "dianjin_finqa" not in message
    assert "dianjin prepare cflue FILE --out data" in message
    assert "DIANJIN_DATA_DIR" in message


def test_unknown_name_lists_the_known_ones(put):
    with pytest.raises(DianjinError, match=r"dianjin_cfleu.*dianjin_cflue_mcq"):
        get_dataset_list(["dianjin_cfleu"], "data")


def test_other_names_are_left_to_llamafactory(put, tmp_path):
    with pytest.raises(ValueError, match="Cannot open data/dataset_info"):
        get_dataset_list(["alpaca"], "data")
    (attribute,) = get_dataset_list(["dianjin_ccc"], "ONLINE")
    assert attribute.load_from.endswith("hub")
    put("data/ccc.json")
    (tmp_path / "data" / "dataset_info.json").write_text("{broken", encoding="utf-8")
    with pytest.raises(ValueError, match="Cannot open data/dataset_info"):
        get_dataset_list(["dianjin_ccc"], "data")
    assert get_dataset_list(None, "data") == []
