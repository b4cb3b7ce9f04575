import importlib
import sys

import pytest

from dianjin_ext.hosts.verl.imports import when_imported


@pytest.fixture
def module(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "watched_module.py").write_text("VALUE = 1\n")
    yield "watched_module"
    sys.modules.pop("watched_module", None)


def test_runs_once_after_the_module(module):
    seen = []
    finders = list(sys.meta_path)
    when_imported(module, lambda: seen.append(sys.modules[module].VALUE))
    assert seen == []
    loaded = importlib.import_module(module)
    importlib.import_module(module)
    assert seen == [1]
    assert sys.meta_path == finders
    assert loaded.__spec__.loader is loaded.__loader__
    assert type(loaded.__loader__).__name__ == "SourceFileLoader"


def test_runs_at_once_if_the_module_is_there(module):
    importlib.import_module(module)
    seen = []
    when_imported(module, lambda: seen.append(True))
    assert seen == [True]


def test_several_actions_run(module):
    seen = []
    when_imported(module, lambda: seen.append("a"))
    when_imported(module, lambda: seen.append("b"))
    importlib.import_module(module)
    assert sorted(seen) == ["a", "b"]


def test_an_error_reaches_the_importer(module):
    def fail():
        raise RuntimeError("cannot register")

    when_imported(module, fail)
    with pytest.raises(RuntimeError, match="cannot register"):
        importlib.import_module(module)
