import os
from pathlib import Path

import pytest

from dianjin_ext import resources
from dianjin_ext.errors import DianjinError

ROOT = Path(__file__).resolve().parents[1]


def tree(folder):
    """Return relative paths, for files with their bytes."""
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }


def test_folders_are_those_at_the_top_of_a_checkout():
    for name in resources.FOLDERS:
        assert resources.folder(name) == ROOT / name


def test_copy_out_copies_every_file(tmp_path):
    copied = resources.copy_out(tmp_path / "project")
    for name in resources.FOLDERS:
        assert tree(tmp_path / "project" / name) == tree(ROOT / name)
    assert copied == sorted(p for p in (tmp_path / "project").rglob("*") if p.is_file())
    assert {path.name for path in (tmp_path / "project").iterdir()} == set(resources.FOLDERS)


def test_scripts_can_be_run_even_where_the_wheel_lost_their_mode(tmp_path, monkeypatch):
    package = tmp_path / "package"
    for name in resources.FOLDERS:
        (package / name).mkdir(parents=True)
        (package / name / "run.sh").write_text("#!/bin/sh\n")
        (package / name / "run.sh").chmod(0o644)
        (package / name / "__pycache__").mkdir()
        (package / name / "recipe.yaml").write_text("a: 1\n")
    monkeypatch.setattr(resources, "__file__", str(package / "resources.py"))
    copied = resources.copy_out(tmp_path / "out")
    assert [path.name for path in copied] == ["recipe.yaml", "run.sh"] * 2
    for path in copied:
        assert os.access(path, os.X_OK) == (path.suffix == ".sh")


@pytest.mark.parametrize("name", resources.FOLDERS)
def test_nothing_is_overwritten(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(DianjinError, match=f"{name} exists already"):
        resources.copy_out(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_is_no_destination(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DianjinError, match="is a file; name a directory"):
        resources.copy_out(tmp_path / "file")


def test_an_incomplete_installation_is_told_and_nothing_is_copied(tmp_path, monkeypatch):
    package = tmp_path / "package"
    (package / "configs").mkdir(parents=True)
    (package / "configs" / "a.yaml").write_text("")
    monkeypatch.setattr(resources, "__file__", str(package / "resources.py"))
    with pytest.raises(DianjinError, match=r"examples is missing or empty.*reinstall"):
        resources.copy_out(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_no_parent_folder_is_made(tmp_path):
    with pytest.raises(DianjinError, match="there is no folder"):
        resources.copy_out(tmp_path / "no" / "such")
    assert list(tmp_path.iterdir()) == []
