import sys

import pytest

pytest.importorskip("verl")
pytest.importorskip("psutil")

from dianjin_ext.errors import DianjinError
from dianjin_ext.quickstart import run as quickstart


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start a run whose stages do nothing but leave a file each."""
    monkeypatch.chdir(tmp_path)
    bin_folder = tmp_path / "env" / "bin"
    bin_folder.mkdir(parents=True)
    (bin_folder / "llamafactory-cli").touch()

    def stages(out, **_):
        make = "import sys, pathlib; pathlib.Path(sys.argv[1]).open('a').write('x')"
        fail = f"{make}; sys.exit(pathlib.Path({str(tmp_path / 'fail')!r}).exists())"
        return [
            quickstart.Stage("one", "one", [sys.executable, "-c", make, str(out / "1")]),
            quickstart.Stage("two", "two", [sys.executable, "-c", fail, str(out / "2")]),
        ]

    monkeypatch.setattr(quickstart, "stages", stages)
    monkeypatch.setattr(quickstart, "_report", lambda *_, **__: None)

    def start(out="run", seed=0, data=None, resume=False, python=bin_folder / "python"):
        quickstart.run(
            tmp_path / out, seed=seed, data=data, resume=resume, llamafactory_python=python
        )

    start.folder = tmp_path
    return start


def test_resume_runs_only_what_is_not_done(start):
    (start.folder / "fail").touch()
    with pytest.raises(DianjinError, match="exit code 1"):
        start()
    (start.folder / "fail").unlink()
    start(resume=True)
    start(resume=True)
    assert (start.folder / "run" / "1").read_text() == "x"
    assert (start.folder / "run" / "2").read_text() == "xx"


def test_a_run_is_not_overwritten(start):
    start()
    with pytest.raises(DianjinError, match="--resume"):
        start()


def test_another_seed_or_other_data_is_another_run(start):
    start()
    with pytest.raises(DianjinError, match="same --seed and --data"):
        start(seed=1, resume=True)


def test_a_folder_of_something_else_is_left_alone(start):
    (start.folder / "run").mkdir()
    (start.folder / "run" / "thesis.txt").touch()
    with pytest.raises(DianjinError, match="holds no quickstart run"):
        start(resume=True)


def test_without_llamafactory_the_mend_is_named(start):
    with pytest.raises(DianjinError, match="--llamafactory-python"):
        start(python=None)


@pytest.mark.parametrize("data", ["finqa:x", "cflue:", "cflue:absent.json"])
def test_unknown_data_is_refused_before_anything_is_written(tmp_path, data):
    from dianjin_ext.quickstart.stages import stages

    with pytest.raises(DianjinError, match="--data"):
        stages(tmp_path, seed=0, data=data, llamafactory_python=tmp_path)
