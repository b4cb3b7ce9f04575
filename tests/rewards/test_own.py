import importlib
import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from dianjin_ext import compute_score, register_reward
from dianjin_ext.audit.corpus import load_cases
from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards import PRESETS, own, plugins, registry, verdict

GOOD = "<think>x</think><answer>上报</answer>"
LAYOUT = {"no_think", "empty_think", "truncated", "repeated_tag", "order", "outside_text"}


@pytest.fixture(autouse=True)
def forget(monkeypatch):
    monkeypatch.setattr(registry, "_REWARDS", dict(registry._REWARDS))
    monkeypatch.setattr(own, "_loaded", set())


def write(path, text):
    path.write_text(f"from dianjin_ext import register_reward\n{text}", encoding="utf-8")
    return str(path)


REWARD = """
@register_reward("desk/notes")
def notes(response, ground_truth, **row):
    return float(ground_truth in response)
"""


def test_a_file_is_loaded_once(tmp_path):
    file = write(tmp_path / "my_rewards.py", REWARD)
    for _ in range(2):
        assert compute_score("desk/notes", GOOD, "上报", rewards=file)["score"] == 1.0
    own.load_rewards([file])
    assert compute_score("desk/notes", GOOD, "不报", rewards=[file])["score"] == 0.0


def test_two_files_of_one_name(tmp_path):
    (tmp_path / "other").mkdir()
    first = write(tmp_path / "rewards.py", REWARD)
    second = write(tmp_path / "other" / "rewards.py", REWARD.replace("desk/notes", "desk/other"))
    own.load_rewards([first, second])
    assert {"desk/notes", "desk/other"} <= set(registry.reward_names())


def test_a_module_that_was_imported_before(tmp_path, monkeypatch):
    write(tmp_path / "bank_imported_before.py", REWARD)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("bank_imported_before")
    own.load_rewards("bank_imported_before")
    assert compute_score("desk/notes", GOOD, "上报")["score"] == 1.0


def test_a_module(tmp_path, monkeypatch):
    write(tmp_path / "bank_rewards.py", REWARD)
    monkeypatch.syspath_prepend(tmp_path)
    own.load_rewards("bank_rewards")
    assert registry.has_reward("desk/notes")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def f(:\n", "line 2: SyntaxError"),
        ("\nimport no_such_package\n", "line 3: ModuleNotFoundError"),
        ("\n\n1 / 0\n", "line 4: ZeroDivisionError"),
        ("\nraise SystemExit(3)\n", "line 3: SystemExit"),
        ("\nx = 1\n", "registers no reward"),
        ("\n@register_reward('finqa')\ndef f(r, g, **row): ...\n", "'finqa' is registered already"),
        ("\n@register_reward('a/b')\ndef f(r): ...\n", r"f\(r\) can't be called; expected def my_"),
        ("\n@register_reward('a/b')\ndef f(r, g): ...\n", "can't be called"),
        ("\n@register_reward('a/b')\ndef f(r, g, *, x, **row): ...\n", "can't be called"),
        ("\n@register_reward('a/b')\nasync def f(r, g, **row): ...\n", "async"),
        ("\n@register_reward('a/b')\nclass F: ...\n", "no function"),
        (
            "\nclass F:\n    async def __call__(self, r, g, **row): ...\n\n"
            "register_reward('a/b')(F())\n",
            "async",
        ),
        ("\n@register_reward('a/b')\ndef f(solution_str): ...\n", "can't be called"),
        ("\n@register_reward\ndef f(r, g, **row): ...\n", "register_reward needs the data sources"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(tmp_path, text, words):
    file = write(tmp_path / "my_rewards.py", text)
    before = registry.reward_names()
    with pytest.raises(DianjinError, match=words) as error:
        own.load_rewards(file)
    assert "my_rewards.py" in str(error.value)
    assert "\n" not in str(error.value)
    assert registry.reward_names() == before


def test_a_file_that_failed_is_tried_again_and_leaves_nothing(tmp_path):
    file = write(tmp_path / "my_rewards.py", REWARD + "\n1 / 0\n")
    with pytest.raises(DianjinError, match="ZeroDivision"):
        own.load_rewards(file)
    assert not registry.has_reward("desk/notes")
    write(tmp_path / "my_rewards.py", REWARD)
    own.load_rewards(file)
    assert registry.has_reward("desk/notes")


@pytest.mark.parametrize("name", ["missing.py", "folder/missing.py", "no_such_module", "", 3])
def test_what_is_no_file(name):
    with pytest.raises(DianjinError, match=r"no such file|no module|expected a file"):
        own.load_rewards([name])


VERL = [
    "def f(data_source, solution_str, ground_truth, extra_info=None): return 1.0",
    "def f(data_source, solution_str, ground_truth, extra_info, **kwargs): return 1.0",
    "def f(data_source, solution_str, ground_truth): return {'score': 1.0, 'acc': True}",
    "def f(solution_str, ground_truth, **kwargs): return {'score': 1, 'pred': '上报'}",
]


@pytest.mark.parametrize("text", VERL)
def test_functions_written_for_verl(text, tmp_path):
    own.load_rewards(write(tmp_path / "mine.py", f"\n@register_reward('verl/f')\n{text}\n"))
    row = compute_score("verl/f", GOOD, "上报", {"question": "?"})
    assert (row["score"], row["acc"], row["format"], row["reason"]) == (1.0, 1.0, 1.0, "correct")


def test_the_layout_is_judged_for_rewards_of_ones_own():
    register_reward("x/f")(lambda response, ground_truth, **row: 1.0)
    assert compute_score("x/f", "上报", "上报")["format"] == 0.0
    assert compute_score("x/f", GOOD, "上报")["format"] == 1.0
    assert compute_score("x/f", "上报", "上报", preset="dianjin_r1")["score"] == 0.0
    assert compute_score("x/f", GOOD, "上报", preset="dianjin_r1")["score"] == 1.0
    assert compute_score("x/f", "上报", "上报", preset="fin_r1")["score"] == 1.0
    assert compute_score("x/f", GOOD, "上报", preset="fin_r1")["score"] == 2.0
    gated = compute_score("x/f", "上报", "上报", preset="dianjin_r1")
    assert (gated["acc"], gated["reason"]) == (0.0, "no_think")
    loose = compute_score("x/f", "上报", "上报", strictness="lenient")
    assert loose["format"] == 1.0


def test_a_reward_may_judge_the_layout_itself():
    register_reward("x/own", judges_layout=True)(lambda r, g, **row: verdict(True, "x"))
    assert compute_score("x/own", "上报", "上报", preset="fin_r1")["format"] == 1.0
    register_reward("x/number", judges_layout=True)(lambda r, g, **row: 1.0)
    assert compute_score("x/number", "上报", "上报")["format"] == 0.0  # no Score, no verdict
    register_reward("x/more")(lambda r, g, **row: verdict(True, "x", layout=0.0))
    assert compute_score("x/more", GOOD, "上报")["format"] == 0.0


@pytest.mark.parametrize("preset", [None, *PRESETS])
def test_without_the_layout_none_gets_format(preset):
    """The cases of the audit whose layout is at fault, for a reward that takes anything."""
    register_reward("x/any")(lambda response, ground_truth, **row: 1.0)
    base = {} if preset is None else {"preset": preset}
    wrong = right = 0
    for case in load_cases("format"):
        settings = {**base, **case.settings}
        said = compute_score(
            case.data_source, case.response, case.ground_truth, case.extra_info, **settings
        )
        own_row = compute_score("x/any", case.response, case.ground_truth, **settings)
        strict = compute_score(case.data_source, case.response, case.ground_truth, **case.settings)
        if strict["reason"] in LAYOUT:
            wrong += 1
            assert own_row["format"] == 0.0, case.id
        elif said["format"]:
            right += 1
            assert own_row["format"] == 1.0, case.id
    assert wrong > 80 and right > 80


def test_a_plugin_whose_name_is_taken_is_told(monkeypatch, caplog):
    point = EntryPoint("late", "late_rewards", plugins.GROUP)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [point])

    def load(self):
        register_reward("finqa")(lambda r, g, **row: 1.0)

    monkeypatch.setattr(EntryPoint, "load", load)
    plugins.load_plugins.cache_clear()
    try:
        assert "'finqa' is registered already" in plugins.load_plugins()["late"]
        assert "'late'" in caplog.text and "Traceback" not in caplog.text
    finally:
        plugins.load_plugins.cache_clear()


def test_commands_take_a_file(tmp_path):
    file = write(tmp_path / "my_rewards.py", REWARD)
    rows = tmp_path / "rows.jsonl"
    rows.write_text(
        '{"data_source": "desk/notes", "response": "<think>x</think><answer>上报</answer>", '
        '"ground_truth": "上报", "extra_info": {"question": "?"}}\n',
        encoding="utf-8",
    )
    command = [sys.executable, "-c", "from dianjin_ext.cli import main; main()"]
    for arguments in (
        ["score", str(rows), "--out", str(tmp_path / "out.jsonl"), "--workers", "2"],
        ["check-data", str(rows)],
    ):
        done = subprocess.run(
            [*command, *arguments, "--rewards", file], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert '"score": 1.0' in (tmp_path / "out.jsonl").read_text(encoding="utf-8")
