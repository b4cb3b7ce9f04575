"""The table in docs/merge.md against the tests that it names and what the merger does now."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("merge_table", ROOT / "scripts" / "merge_table.py")
script = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = script  # dataclasses look their module up
_spec.loader.exec_module(script)


@pytest.fixture
def rows():
    text = script.DOCS.read_text(encoding="utf-8")
    table = text.partition(script.BEGIN)[2].partition(script.END)[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    assert rows[0] == ["", "`dianjin merge`", "verl 0.9.1", "merge_model.py", "test"]
    return rows[2:]


def test_every_row_names_a_test(rows):
    assert [row[0] for row in rows] == [case.title for case in script.CASES]
    for row, case in zip(rows, script.CASES, strict=True):
        assert row[4] == f"`{case.test}`"
        file, _, name = case.test.partition("::")
        text = Path(__file__).with_name(file).read_text(encoding="utf-8")
        assert re.search(rf"^def {name}\(", text, re.MULTILINE), case.test


def test_our_column_is_what_the_merger_does(rows, checkpoints, models, tmp_path):
    for folder in (*checkpoints.iterdir(), *models.iterdir()):
        if folder.is_dir():
            (tmp_path / folder.name).symlink_to(folder)
    assert script.column(tmp_path, script.ours) == [row[1] for row in rows]
