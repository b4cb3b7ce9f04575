import json

import pytest

from dianjin_ext.files import replacing, write_json


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_behind(tmp_path):
    path = tmp_path / "kept.json"
    path.write_text("old")
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["kept.json"]


def test_writes_json_into_a_new_folder(tmp_path):
    write_json(tmp_path / "new" / "x.json", {"题": 1})
    text = (tmp_path / "new" / "x.json").read_text(encoding="utf-8")
    assert "题" in text
    assert json.loads(text) == {"题": 1}
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["x.json"]
