"""The console of a run: which lines are shown, and that nothing is lost on the way."""

import os
import signal
import subprocess
import sys
import time

import pytest

from dianjin_ext.hosts.verl.console_lines import ConsoleLines

RUNNER = [sys.executable, "-m", "dianjin_ext.hosts.verl.console"]
WORKER = "\x1b[36m(TaskRunnerV1 pid=7)\x1b[0m "
OTHER = "\x1b[36m(RewardLoopWorker pid=8, ip=10.0.0.2)\x1b[0m "


def shown(*lines):
    console = ConsoleLines()
    return [line for line in map(console, lines) if line is not None]


def step(number, **metrics):
    values = {
        "reward/score/mean": 0.5,
        "reward/acc/mean": "np.float64(0.25)",
        "reward/format/mean": 1,
        "response_length/mean": 311.6,
        "timing_s/step": 60.0,
        "critic/score/mean": 0.9,
    } | metrics
    return f"{WORKER}step:{number} - " + " - ".join(f"{k}:{v}" for k, v in values.items())


def test_a_step_is_one_line_with_the_time_left():
    total = f"{WORKER}INFO:2026-01-02 03:04:05,678:Total training steps: 150"
    assert shown(total, step(1), step(2, **{"timing_s/step": 30.0, "timing_s/testing": 10.0})) == [
        "step 1/150  reward 0.500  accuracy 0.250  format 1.000  length 312  60.0 s  2:29:00 left",
        "step 2/150  reward 0.500  accuracy 0.250  format 1.000  length 312  30.0 s  2:03:20 left",
    ]


def test_a_step_says_what_failed_and_was_validated():
    extra = {"reward_reason/error": 0.03, "val-core/cflue_mcq/acc/mean@1": "np.float64(0.125)"}
    (line,) = shown(step(10, **extra))
    assert "error 3.0%  validation cflue_mcq 0.125" in line
    assert shown(f"{WORKER}step:0 - val-core/a/b/acc/mean@1:0.5") == [
        "step 0  validation a/b 0.500"
    ]


def test_verls_own_reward_where_there_are_no_components():
    assert shown(f"{WORKER}step:1 - critic/score/mean:-1e-05") == ["step 1  reward -0.000"]


@pytest.mark.parametrize(
    "lines",
    [
        [
            f"{WORKER}/x/site-packages/verl/workers/engine/__init__.py:32: UserWarning: torchtitan "
            "engine is not available: ModuleNotFoundError",
            f'{WORKER}  warnings.warn(f"torchtitan engine is not available")',
        ],
        [f"{WORKER}{{'actor_rollout_ref': {{'actor': 1,", f"{WORKER}   'trainer': 2}}}}"],
        ["", "   "],
        [f"{WORKER}INFO:2026-01-02 03:04:05,678:actor and ref model engine initialized"],
        [f"{WORKER}Training Progress:  33%|███▎      | 1/3 [00:13<00:27, 13.93s/it]"],
        [f"{WORKER}WARNING:2026-01-02 03:04:05,6:Setting TOKENIZERS_PARALLELISM=false for forked"],
    ],
)
def test_the_hosts_noise_is_not_shown(lines):
    assert shown(*lines) == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"{WORKER}WARNING:2026-01-02 03:04:05,6:显存不足", "WARNING: 显存不足"),
        (f"{OTHER}ERROR:2026-01-02 03:04:05,6:broken", "ERROR: broken"),
        (f"{OTHER}what a reward function prints", "what a reward function prints"),
        (f"{OTHER}/home/reward.py:3: UserWarning: mine", "/home/reward.py:3: UserWarning: mine"),
        ("refused before Ray started: x", "refused before Ray started: x"),
        (f"{WORKER}INFO:2026-01-02 03:04:05,6:Resuming from out/global_step_5, x",
         "Resuming from out/global_step_5, x"),
    ],
)  # fmt: skip
def test_what_a_person_needs_is_shown(line, expected):
    assert shown(line) == [expected]


def test_a_traceback_is_whole_also_among_other_processes():
    trace = [
        "Traceback (most recent call last):",
        '  File "/x/site-packages/torch/a.py", line 1, in f',
        "    INFO:ignored()",
        "",
        "torch.OutOfMemoryError: INFO: 100%|███| tried to allocate",
    ]
    mixed = [line for part in trace for line in (WORKER + part, f"{OTHER}INFO:2026: noise")]
    assert shown(*mixed) == trace


def test_a_dump_ends_with_its_bracket_and_hides_nothing_that_is_said():
    dump = [f"{WORKER}{{'actor_rollout_ref': ['a',", f"{WORKER}'b',", f"{WORKER}  'c']}}"]
    assert shown(*dump, f"{WORKER}words") == ["words"]
    broken = f"{WORKER}{{'actor_rollout_ref': {{'text': '{{%['}}}}"
    assert shown(broken, f"{WORKER}ERROR:2026-01-02 03:04:05,6:x", f"{WORKER}y") == [
        "ERROR: x",
        "y",
    ]


def test_a_dump_is_hidden_also_where_a_line_of_it_comes_in_two_among_others():
    first = [f"{WORKER}{{'actor_rollout_ref': {{'actor': {{'_target_': 'a',", WORKER + " " * 30]
    said = f"{WORKER}WARNING:2026-01-02 03:04:05,6:x"
    rest = ["'verl.Config',", "   'steps':", "None},", " 1}}", "[1, 2]"]
    assert shown(*first, said, *(WORKER + line for line in rest)) == ["WARNING: x", "[1, 2]"]


def run(tmp_path, code, *, wait=True, **options):
    log = tmp_path / "logs" / "run.log"
    script = tmp_path / "script.py"
    script.write_text(code, encoding="utf-8")
    process = subprocess.Popen(
        [*RUNNER, str(log), sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        **options,
    )
    if not wait:
        return process, log
    out = process.communicate()[0].decode()
    return process.returncode, out, log.read_text(encoding="utf-8")


@pytest.mark.parametrize("code", [0, 1, 3])
def test_exit_codes_and_chinese_text_come_through(tmp_path, code):
    text = "print('显示中文'); print('INFO: 不显示'); import sys; sys.stdout.write('末行'); "
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0"}
    returned, out, log = run(tmp_path, f"{text}sys.exit({code})", env=environment)
    assert returned == code
    first, *rest = out.splitlines()
    assert first.startswith(f"log: {tmp_path}/logs/run.log")
    assert rest[:2] == ["显示中文", "末行"]
    assert len(rest) == 2 + (code > 0)
    assert "INFO: 不显示" in log and log.endswith("末行")


def test_a_command_that_is_killed_fails(tmp_path):
    returned, out, _ = run(tmp_path, "import os; os.kill(os.getpid(), 9)")
    assert returned == 128 + 9 and "exit code 137" in out


def test_a_process_that_keeps_the_pipe_does_not_keep_the_console(tmp_path):
    child = "import time; time.sleep(600)"
    returned, out, _ = run(
        tmp_path,
        "import subprocess, sys; print('x', flush=True); "
        f"p = subprocess.Popen([sys.executable, '-c', {child!r}]); print(p.pid)",
        start_new_session=True,
    )
    assert returned == 0
    os.kill(int(out.splitlines()[-1]), signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_the_command_and_its_last_words_are_shown(tmp_path, number):
    code = (
        "import signal, time, sys\n"
        "def stop(n, f): print('last words', flush=True); sys.exit(5)\n"
        "signal.signal(signal.SIGINT, stop); signal.signal(signal.SIGTERM, stop)\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)"
    )
    process, log = run(tmp_path, code, wait=False, start_new_session=True)
    while not log.exists() or "ready\n" not in log.read_text():
        time.sleep(0.05)
    # A terminal sends Ctrl-C to both; SIGTERM comes to the one that was started.
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    out = process.communicate()[0].decode()
    assert process.returncode == 5 and "last words" in out


def test_a_terminal_that_is_gone_ends_nothing(tmp_path):
    code = "import time\nfor i in range(50): print(i, flush=True); time.sleep(0.01)"
    process, log = run(tmp_path, code, wait=False)
    process.stdout.close()
    assert process.wait() == 0
    assert log.read_text().splitlines()[-1] == "49"
