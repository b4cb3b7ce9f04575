"""`datasets` loads a folder as it loads a name on the hub."""

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.hub import read_hub
from dianjin_ext.questions.readers import BadRow, get_reader

pytest.importorskip("datasets")


def test_every_split_is_read_under_its_name(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "tweets"
    folder.mkdir()
    for split, label in (("train", 1), ("validation", 0)):
        text = f"text,label\n{split} goes up,{label}\n{split} goes on,{label + 7}\n"
        (folder / f"{split}.csv").write_text(text)
    rows = list(read_hub(get_reader("tfns"), str(folder)))
    good = [row for row in rows if not isinstance(row, BadRow)]
    assert [(q.split, q.answer, q.id) for q in good] == [
        ("train", "bullish", "tfns/train/0"),
        ("val", "bearish", "tfns/validation/0"),
    ]
    bad = [str(row) for row in rows if isinstance(row, BadRow)]
    assert bad[0].startswith("train.parquet, row 1, label: expected 0, 1, 2 or bearish")
    assert len(bad) == 2


def test_a_name_that_is_not_there_is_told_in_one_line(tmp_path):
    with pytest.raises(DianjinError, match=r"--hub .*: can't be loaded .* download its files"):
        list(read_hub(get_reader("tfns"), str(tmp_path / "none")))


def test_a_part_of_a_data_set_is_named_after_a_colon(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "tweets"
    folder.mkdir()
    parts = "".join(f"- config_name: {n}\n  data_files: {n}.csv\n" for n in ("one", "two"))
    (folder / "README.md").write_text(f"---\nconfigs:\n{parts}---\n")
    for name in ("one", "two"):
        (folder / f"{name}.csv").write_text(f"text,label\nof {name},1\n")
    (question,) = read_hub(get_reader("tfns"), f"{folder}:two")
    assert question.question.startswith("of two")
    with pytest.raises(DianjinError, match=r"can't be loaded .*one.*two"):
        list(read_hub(get_reader("tfns"), str(folder)))
