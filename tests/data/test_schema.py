import json

import pyarrow.parquet as pq
import pytest

from dianjin_ext.data.schema import sft_row, verl_row, write_parquet, write_sft
from dianjin_ext.errors import DianjinError

CHOICES = {"A": "股票", "B": "债券"}


def row(index=0, choices=CHOICES):
    return verl_row(
        "cflue_mcq", "问题？\nA. 股票", "B", split="train", index=index, question="问题？",
        choices=choices,
    )  # fmt: skip


def test_sft_file_is_a_json_list_with_readable_chinese(tmp_path):
    path = tmp_path / "new" / "rows.json"
    write_sft([sft_row("问题", "<think>因为</think>"), sft_row("q", "r")], path)
    text = path.read_text(encoding="utf-8")
    assert "问题" in text
    assert json.loads(text) == [
        {"instruction": "问题", "output": "<think>因为</think>"},
        {"instruction": "q", "output": "r"},
    ]


def test_verl_row_shape():
    assert row() == {
        "data_source": "cflue_mcq",
        "prompt": [{"role": "user", "content": "问题？\nA. 股票"}],
        "ability": "finance",
        "reward_model": {"style": "rule", "ground_truth": "B"},
        "extra_info": {"split": "train", "index": 0, "question": "问题？", "choices": CHOICES},
    }


def test_parquet_reads_back_with_nulls_for_unused_letters(tmp_path):
    write_parquet([row(7)], tmp_path / "a.parquet")
    (back,) = pq.read_table(tmp_path / "a.parquet").to_pylist()
    choices = back["extra_info"].pop("choices")
    assert {k: v for k, v in choices.items() if v is not None} == CHOICES
    assert list(choices) == list("ABCDEFGHIJ")
    assert back["prompt"] == row()["prompt"]
    info = {key: value for key, value in back["extra_info"].items() if value is not None}
    assert info == {"split": "train", "index": 7, "question": "问题？"}


def test_files_with_and_without_choices_have_one_schema_and_load_together(tmp_path):
    datasets = pytest.importorskip("datasets")
    write_parquet([row()], tmp_path / "a.parquet")
    write_parquet([row(choices=None), row(choices={"C": "c"})], tmp_path / "b.parquet")
    assert pq.read_schema(tmp_path / "a.parquet") == pq.read_schema(tmp_path / "b.parquet")
    # verl reads each file this way and concatenates them.
    parts = [
        datasets.load_dataset("parquet", data_files=str(tmp_path / name), cache_dir=str(tmp_path))
        for name in ("a.parquet", "b.parquet")
    ]
    both = datasets.concatenate_datasets([part["train"] for part in parts])
    assert len(both) == 3
    assert both[0]["extra_info"]["choices"]["A"] == "股票"


def test_unknown_letters_and_keys_are_refused(tmp_path):
    with pytest.raises(DianjinError, match=r"row 3.*'K'.*A to J"):
        row(3, {"A": "a", "K": "k"})
    odd = row()
    odd["extra_info"]["level"] = 2
    with pytest.raises(DianjinError, match="level"):
        write_parquet([odd], tmp_path / "x.parquet")
    wrong_type = row()
    wrong_type["extra_info"]["index"] = "one"
    with pytest.raises(DianjinError, match=r"x\.parquet.*schema"):
        write_parquet([wrong_type], tmp_path / "x.parquet")
    assert list(tmp_path.iterdir()) == []
