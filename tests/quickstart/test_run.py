import signal

import pytest

pytest.importorskip("verl")
pytest.importorskip("psutil")

from dianjin_ext.errors import DianjinError
from dianjin_ext.quickstart import run as quickstart
from dianjin_ext.quickstart import summary
from dianjin_ext.quickstart.stage import Stage
from dianjin_ext.recipes import Command


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start a run whose stages do nothing but leave a file each."""
    monkeypatch.chdir(tmp_path)
    bin_folder = tmp_path / "env" / "bin"
    bin_folder.mkdir(parents=True)
    (bin_folder / "llamafactory-cli").touch()

    def stages(plan):
        make = "import sys, pathlib; pathlib.Path(sys.argv[1]).open('a').write('x')"
        fail = f"{make}; sys.exit(pathlib.Path({str(tmp_path / 'fail')!r}).exists())"
        commands = {
            "one": Command(("python", "-c", make, str(plan.out / "1"))),
            "two": Command(("python", "-c", fail, str(plan.out / "2"))),
        }
        return [Stage(name, name, lambda made=made: made) for name, made in commands.items()]

    monkeypatch.setattr(quickstart, "stages", stages)
    monkeypatch.setattr(summary, "write_summary", lambda *_, **__: None)

    def start(out="run", python=bin_folder / "python", **given):
        quickstart.run(tmp_path / out, llamafactory_python=python, **given)

    start.folder = tmp_path
    return start


def test_resume_runs_only_what_is_not_done(start, capsys):
    (start.folder / "fail").touch()
    with pytest.raises(DianjinError, match="exit code 1"):
        start()
    (start.folder / "fail").unlink()
    start(resume=True)
    start(resume=True)
    assert (start.folder / "run" / "1").read_text() == "x"
    assert (start.folder / "run" / "2").read_text() == "xx"
    # without a terminal: a line a stage
    assert capsys.readouterr().out.splitlines() == [
        *("one", "two"),
        *("one: done before", "two"),
        *("one: done before", "two: done before"),
    ]


def test_ctrl_c_says_how_to_go_on(start, monkeypatch):
    def interrupted(stage, *_):
        if stage.name == "two":
            signal.raise_signal(signal.SIGINT)
        return begin(stage, *_)

    begin = quickstart.start
    monkeypatch.setattr(quickstart, "start", interrupted)
    with pytest.raises(DianjinError, match="two: interrupted; the same command with --resume"):
        start()
    assert (start.folder / "run" / "1").exists()


def test_a_run_is_not_overwritten(start):
    start()
    with pytest.raises(DianjinError, match="--resume"):
        start()


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"recipe": "fin_r1"}, {"methods": ("lora",)}], ids=str
)
def test_anything_else_is_another_run(start, other):
    start()
    with pytest.raises(DianjinError, match="holds a run of recipe dianjin_r1, seed 0, not of"):
        start(resume=True, **other)


def test_a_folder_of_something_else_is_left_alone(start):
    (start.folder / "run").mkdir()
    (start.folder / "run" / "thesis.txt").touch()
    with pytest.raises(DianjinError, match="holds no quickstart run"):
        start(resume=True)


@pytest.mark.parametrize("content", ["{", "[]", '{"run": {}}', "\ufeff"])
def test_a_state_that_is_none_is_named(start, content):
    (start.folder / "run").mkdir()
    (start.folder / "run" / "state.json").write_text(content)
    with pytest.raises(DianjinError, match=r"state\.json is not what a quickstart writes"):
        start(resume=True)
    assert (start.folder / "run" / "state.json").read_text() == content


def test_without_llamafactory_the_mend_is_named(start):
    with pytest.raises(DianjinError, match="--llamafactory-python"):
        start(python=None)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"data": "finqa:x"}, "--data finqa:x: expected cflue:FILE"),
        ({"data": "cflue:"}, "--data cflue:: expected cflue:FILE"),
        ({"data": "cflue:absent.json"}, "there is no file absent.json"),
        ({"recipe": "dianjin_r2"}, "there is no recipe 'dianjin_r2'; known: deepseek_distill,"),
        ({"methods": ("lora", "loro")}, "there is no method 'loro'; known: cispo, dapo,"),
        (
            {"recipe": "deepseek_r1_zero", "methods": ("qwen3",)},
            "template asks for <think> and <answer> blocks, and a method for the layout think_only",
        ),
        ({"recipe": "fino1", "methods": ("dapo",)}, "fino1's rl is PPO, which has no groups"),
        ({"methods": ("gspo", "cispo")}, "gspo and cispo are losses"),
        ({"methods": ("lora", "lora")}, "lora is named twice"),
        (
            {"recipe": "deepseek_distill", "methods": ("gspo",)},
            "deepseek_distill has no RL, and the method gspo changes nothing else",
        ),
        (
            {"recipe": "deepseek_distill", "methods": ("qwen3", "gspo")},
            "deepseek_distill has no RL, and the method gspo changes nothing else",
        ),
    ],
    ids=str,
)
def test_what_is_not_known_is_refused_before_anything_is_written(start, given, said):
    with pytest.raises(DianjinError, match=said):
        start(**given)
    assert not (start.folder / "run").exists()
