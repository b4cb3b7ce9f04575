"""`dianjin chat` on a real socket, from a pipe and in a terminal of its own."""

import contextlib
import io
import os
import select
import signal
import subprocess
import sys
import time

import pytest

from dianjin_ext.cli import main

COMMAND = [sys.executable, "-c", "from dianjin_ext.cli import main; main()", "chat"]


def piped(talker, text, *arguments):
    return subprocess.run(
        [*COMMAND, "--base-url", talker.base_url, *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def here(monkeypatch, capsys):
    """Run the command in this process, with a pipe for its input."""
    handler = signal.getsignal(signal.SIGTERM)

    def run(text, *arguments):
        monkeypatch.setattr(sys, "argv", ["dianjin", "chat", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, *capsys.readouterr()

    yield run
    signal.signal(signal.SIGTERM, handler)


def thought(text, name="reasoning"):
    return {name: text}


def test_lines_of_a_pipe_are_the_turns(talker):
    talker.script += [
        ["<thi", "nk>\nwhy ", "not\n</th", "ink>\n\n<answer>", "\\boxed{A}</ans", "wer>"],
        [thought("be"), thought("cause"), "so"],
        [thought("or", "reasoning_content"), {"content": "else"}],
        ["<think>and on", "length"],
        [],
    ]
    done = piped(
        talker, "one\n\n  two \nthree\nfour\nfive\n", "--system", "S", "--temperature", "0"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        *("── reasoning", "why not", "── answer", "\\boxed{A}"),
        *("── reasoning", "because", "── answer", "so"),
        *("── reasoning", "or", "── answer", "else"),
        *("── reasoning", "and on", "(cut at the limit of tokens; --max-tokens raises it)"),
        "(an empty reply)",
    ]
    assert all(body["model"] == "m" and body["temperature"] == 0 for body in talker.bodies)
    assert "max_tokens" not in talker.bodies[0]
    told = [(turn["role"], turn["content"]) for turn in talker.bodies[-1]["messages"]]
    assert told == [
        ("system", "S"),
        *(("user", "one"), ("assistant", "<answer>\\boxed{A}</answer>")),
        *(("user", "two"), ("assistant", "so")),
        *(("user", "three"), ("assistant", "else")),
        ("user", "five"),  # what has no answer is no turn
    ]


def test_what_steers_a_terminal_is_shown_as_codes(talker):
    talker.script += [["\x1b]0;title\x07", "\x1b[31mred \ud800", "\u202eabc 😀\n", "end"], ["so"]]
    done = piped(talker, "one\ntwo\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        *("── answer", "\\u001b]0;title\\u0007\\u001b[31mred \\ud800\\u202eabc 😀", "end"),
        *("── answer", "so"),
    ]


def test_the_instruction_of_the_training_and_a_layout(talker):
    from dianjin_ext.questions.prompts import output_format

    talker.script += [["a</think>b"], ["c", "</think>", "d"]]
    arguments = ("--instruct", "--tags", "think_only", "--model", "m")
    done = piped(talker, "净利润是多少？\nWhat is it?\n", *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:4] == ["── reasoning", "a", "── answer", "b"]
    assert done.stdout.splitlines()[4:] == ["── reasoning", "c", "── answer", "d"]
    from dianjin_ext.answers.tags import TAGS

    tags = TAGS["think_only"]
    sent = [body["messages"][-1]["content"] for body in talker.bodies]
    assert sent == [
        f"{output_format('zh', tags)}\n净利润是多少？",
        f"{output_format('en', tags)}\nWhat is it?",
    ]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ((200, "text/html", "<html>welcome</html>"), "sent no events of a chat completion"),
        ((401, "application/json", '{"error": {"message": "bad sk-secret-key"}}'), "HTTP 401"),
        ((500, "text/plain", "it\nbroke sk-secret-key"), "HTTP 500: "),
        ((404, "application/json", '{"error": {"message": "no model"}}'), "HTTP 404"),
        ((200, "text/event-stream", "data: {broken\n\n"), "no reply from"),
        ((200, "text/event-stream", 'data: {"error": {"message": "dead"}}\n\n'), "dead"),
    ],
)
def test_what_goes_wrong_is_one_line(talker, here, monkeypatch, entry, words):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-key")
    talker.script.append(entry)
    code, out, told = here("one\ntwo\n", "--base-url", talker.base_url)
    assert (code, out) == (1, "")
    assert words in told and told.count("\n") == 1
    assert "sk-secret-key" not in told
    assert len(talker.bodies) == 1


def test_whom_it_cannot_reach(talker, here, tmp_path):
    for arguments, words in (
        (("--model", str(tmp_path / "no")), "there is no folder"),
        (("--model", str(tmp_path)), "holds no config.json"),
        (("--instruct",), "no model is named; give --model FOLDER"),
        (("--base-url", "http://127.0.0.1:9"), "nothing answers at http://127.0.0.1:9/v1/models"),
        (
            ("--base-url", talker.base_url, "--model", "x"),
            "has no model x, only m; name one of them",
        ),
        (("--base-url", "ftp://x"), "is no address"),
        (("--tags", "nothing"), "layout 'nothing' is not known"),
    ):
        code, out, told = here("hi\n", *arguments)
        assert (code, out) == (1, "")
        assert words in told and told.count("\n") == 1


class Terminal:
    """A terminal of its own in which the command runs."""

    def __init__(self, *arguments):
        self.fd, theirs = os.openpty()
        self.process = subprocess.Popen(
            [*COMMAND, *arguments],
            preexec_fn=lambda: os.login_tty(theirs),
            env={**os.environ, "TERM": "dumb", "COLUMNS": "100"},
        )
        os.close(theirs)
        self.seen = ""

    def type(self, text):
        os.write(self.fd, text.encode())

    def wait_for(self, text):
        """Read until `text` is there; forget what came before it."""
        deadline = time.monotonic() + 120
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            self._read()
        before, _, self.seen = self.seen.partition(text)
        return before

    def interrupt(self, text):
        """Press Ctrl-C until `text` is there.

        What reads a line sees a Ctrl-C of the moment before it began to wait at the next key only.
        """
        for _ in range(20):
            self.type("\x03")
            until = time.monotonic() + 5
            while text not in self.seen and time.monotonic() < until:
                self._read()
            if text in self.seen:
                break
        self.wait_for(text)

    def _read(self):
        if select.select([self.fd], [], [], 1)[0]:
            self.seen += os.read(self.fd, 4096).decode(errors="replace")

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.fd)


@pytest.fixture
def terminal(talker):
    terminal = Terminal("--base-url", talker.base_url)
    yield terminal
    terminal.close()


def test_a_terminal(talker, terminal):
    talker.script += [
        [thought("hm"), "<answer>4</answer>"],
        ["<think>long", None],
        ["so far", None],
        (500, "text/plain", "broken"),
        ["fine"],
    ]
    terminal.wait_for("> ")
    terminal.type("one\n")
    terminal.wait_for("── answer")
    assert terminal.wait_for("> ").split() == ["4"]
    for text, shown in (("two\n", "long"), ("three\n", "so far")):
        talker.left.clear()
        terminal.type(text)
        terminal.wait_for(shown)
        terminal.interrupt("(stopped)")  # ends the reply, not the chat
        assert talker.left.wait(30)
        terminal.wait_for("> ")
    terminal.interrupt("> ")  # nothing to end
    terminal.type("four\n")
    terminal.wait_for("error: ")
    assert "HTTP 500" in terminal.wait_for("> ")
    terminal.type("five\n")
    terminal.wait_for("fine")
    told = [turn["content"] for turn in talker.bodies[-1]["messages"]]
    assert told == ["one", "<answer>4</answer>", "three", "so far", "five"]
    terminal.wait_for("> ")
    for _ in range(20):
        terminal.type("\x04")
        with contextlib.suppress(subprocess.TimeoutExpired):
            terminal.process.wait(5)
            break
    assert terminal.process.poll() == 0


def test_a_folder_is_served_and_stopped(tmp_path):
    for module in ("aiohttp", "openai", "torch", "transformers"):
        pytest.importorskip(module)
    from dianjin_ext.quickstart.model import build_model, build_tokenizer

    folder = tmp_path / "tiny"
    tokenizer = build_tokenizer(["Which tax is paid?"] * 4, vocabulary=300)
    tokenizer.save_pretrained(folder)
    build_model(tokenizer, hidden=32, layers=2, seed=0).save_pretrained(folder)
    done = subprocess.run(
        [*COMMAND, "--model", str(folder), "--max-tokens", "5", "--temperature", "0"],
        input="Which tax?\nIs it?\n",
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("── answer") == 2
    assert not _serving(folder)


def _serving(folder):
    found = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return [line for line in found.stdout.splitlines() if f"inference.local {folder}" in line]
