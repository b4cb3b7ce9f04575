"""Many questions over HTTP: order, faults, budgets, the key."""

import json
import random
import threading
from collections import Counter

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.inference import Request
from dianjin_ext.inference.answer import Unanswered
from dianjin_ext.inference.ask import ask
from dianjin_ext.inference.journal import read_journal
from dianjin_ext.inference.settings import read_settings

KEY = "sk-not-to-be-seen"


def rows(number, **own):
    return [Request(f"r{i}", [{"role": "user", "content": f"q{i}"}], **own) for i in range(number)]


def texts(answers):
    return [(a.request.row, a.sample, a.reply.content) for a in answers]


def test_each_row_gets_its_own_reply_in_order(server, settings, tmp_path):
    server.latency = 0.01
    answers = ask(rows(300), settings(max_in_flight=40), journal=tmp_path / "j", ordered=True)
    assert texts(answers) == [(f"r{i}", 0, f"to q{i}") for i in range(300)]
    assert server.most_under_way <= 40


def test_samples_are_asked_one_by_one_each_with_its_seed(server, settings, tmp_path):
    given = settings(options={"seed": 7, "temperature": 0.5})
    answers = list(ask(rows(2, samples=3), given, journal=tmp_path / "j", ordered=True))
    assert [(a.request.row, a.sample) for a in answers] == [
        (row, sample) for row in ("r0", "r1") for sample in range(3)
    ]
    assert sorted(body["seed"] for body in server.bodies) == [7, 7, 8, 8, 9, 9]


def test_what_is_recorded_is_not_asked_again_but_a_changed_question_is(server, settings, tmp_path):
    journal = tmp_path / "j"
    first = texts(ask(rows(20), settings(), journal=journal, ordered=True))
    assert texts(ask(rows(20), settings(), journal=journal, ordered=True)) == first
    assert len(server.bodies) == 20
    for changed, given in (
        (rows(20), settings(options={"temperature": 0.5})),
        (rows(20), settings(model="another")),
        (rows(20, round=1), settings()),
        (rows(20, options={"max_tokens": 5}), settings()),
    ):
        before = len(server.bodies)
        list(ask(changed, given, journal=journal))
        assert len(server.bodies) == before + 20


def test_a_slow_reply_holds_up_nobody(server, settings, tmp_path):
    release = threading.Event()
    seen = []

    def reply(body):
        seen.append(body)
        return "hang" if body["messages"][-1]["content"] == "q0" else "fine"

    server.default = reply
    given = settings(max_in_flight=4, timeout_s=6.0, max_attempts=1)
    answers = ask(rows(200), given, journal=tmp_path / "j")
    got = [next(answers) for _ in range(199)]  # while the first row hangs
    assert "r0" not in {a.request.row for a in got}
    release.set()
    with pytest.raises(Unanswered, match=r"1 questions have no reply \(r0\): no reply within"):
        assert [a.outcome for a in answers] == ["unreachable"]


@pytest.mark.usefixtures("short_pauses")
def test_faults_in_a_third_of_the_replies_lose_nothing(server, settings, tmp_path):
    draw = random.Random(3)
    faults = ["status 429", "status 500", "status 503", "hang", "cut", "html", "binary", "drop"]
    faults += ["truncated", "json {}", "json null", "retry-after 0.05"]

    def reply(body):
        if draw.random() < 0.3:
            return draw.choice(faults)
        answered[body["messages"][-1]["content"]] += 1
        return f"to {body['messages'][-1]['content']}"

    answered = Counter()

    server.default = reply
    server.latency = 0.005
    given = settings(max_in_flight=12, timeout_s=2.0, max_attempts=30)
    answers = list(ask(rows(300), given, journal=tmp_path / "j", ordered=True))
    assert texts(answers) == [(f"r{i}", 0, f"to q{i}") for i in range(300)]
    assert server.most_under_way <= 12
    recorded = [row["row"] for row in read_journal(tmp_path / "j")]
    assert sorted(recorded) == sorted(f"r{i}" for i in range(300))
    assert answered == {f"q{i}": 1 for i in range(300)}  # what has a reply is not asked again


@pytest.mark.usefixtures("short_pauses")
@pytest.mark.parametrize(
    ("word", "outcome", "recorded"),
    [
        ("status 400", "refused", True),
        ("long", "cut", True),
        (
            'json {"choices": [{"message": {"content": null}, "finish_reason": "content_filter"}]}',
            "content_filter",
            True,
        ),
        ("html", "unreadable", False),
        ("status 500", "unreachable", False),
        ("drop", "unreachable", False),
    ],
)
def test_reasons_are_told_apart(server, settings, tmp_path, word, outcome, recorded):
    server.default = word
    journal = tmp_path / "j"
    answers = ask(rows(1), settings(max_attempts=2), journal=journal)
    assert next(answers).outcome == outcome
    if recorded:
        assert list(answers) == []
    else:
        with pytest.raises(Unanswered, match="run the same command again"):
            next(answers)
    assert [row["outcome"] for row in read_journal(journal)] == [outcome] * recorded
    server.default = "fine"
    again = list(ask(rows(1), settings(max_attempts=2), journal=journal))
    assert again[0].outcome == (outcome if recorded else "answered")


@pytest.mark.parametrize(
    ("message", "content", "reasoning"),
    [
        ({"content": "4", "reasoning_content": "2+2"}, "4", "2+2"),
        ({"content": "4", "reasoning": "2+2"}, "4", "2+2"),
        ({"content": "2+2\n</think>\n\n4"}, "4", "2+2"),
        ({"content": "<think>2+2</think>4"}, "4", "2+2"),
        ({"content": "<think>2+2"}, "<think>2+2", None),
        ({"content": "4"}, "4", None),
        ({"content": None, "reasoning": "2+"}, "", "2+"),
    ],
)
def test_thinking_wherever_it_stands(server, settings, tmp_path, message, content, reasoning):
    body = {"choices": [{"message": message, "finish_reason": "stop"}]}
    server.default = "json " + json.dumps(body)
    (answer,) = ask(rows(1), settings(), journal=tmp_path / "j")
    assert (answer.reply.content, answer.reply.reasoning) == (content, reasoning)


@pytest.mark.usefixtures("short_pauses")
def test_the_key_stands_nowhere(server, settings, tmp_path, caplog, capfd):
    caplog.set_level("DEBUG")
    body = {"choices": [{"message": {"content": f"it is {KEY}"}, "finish_reason": "stop"}]}
    said = []
    for word in ("json " + json.dumps(body), "status 400", "status 500", "status 401", KEY):
        server.default = word
        try:
            given = settings(max_attempts=1)
            answers = ask(rows(2, round=len(said)), given, journal=tmp_path / "j", progress=True)
            said += [repr(answer) for answer in answers]
        except DianjinError as error:
            said.append(str(error))
    written = [p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()]
    assert KEY.encode() not in b"".join(written)
    assert KEY not in "".join([*said, caplog.text, *capfd.readouterr()])
    assert "it is ***" in "".join(said)


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_a_wrong_setup_ends_the_run_at_once(server, settings, tmp_path, status):
    server.default = f"status {status}"
    with pytest.raises(DianjinError, match=rf"the teacher at .* HTTP {status}.*teacher\.base_url"):
        list(ask(rows(500), settings(), journal=tmp_path / "j", role="teacher"))
    assert len(server.bodies) <= 100  # what was under way


def test_options_that_every_request_is_refused_for_end_the_run(server, settings, tmp_path):
    server.default = "status 400"
    with pytest.raises(DianjinError, match=r"first 2. requests were all refused: HTTP 400"):
        list(ask(rows(500), settings(max_in_flight=2), journal=tmp_path / "j"))


@pytest.mark.usefixtures("short_pauses")
def test_a_dead_server_ends_the_run_and_the_same_call_goes_on(server, settings, tmp_path):
    server.default = "status 500"
    given = settings(max_attempts=2, give_up_after=10, max_in_flight=2)
    with pytest.raises(Unanswered, match="the last 10 questions stayed without a reply: HTTP 500"):
        list(ask(rows(500), given, journal=tmp_path / "j"))
    assert len(server.bodies) < 60
    server.default = "fine"
    assert len(list(ask(rows(500), given, journal=tmp_path / "j"))) == 500


@pytest.mark.parametrize(
    ("budget", "most"),
    [
        ({"budget_requests": 30}, 30),
        ({"budget_tokens": 60}, 34),  # two tokens a reply, and what was under way
        ({"budget_money": 60e-6, "prices": {"prompt": 1, "completion": 1}}, 34),
    ],
)
def test_a_budget_ends_the_run_and_a_larger_one_goes_on(server, settings, tmp_path, budget, most):
    journal = tmp_path / "j"
    given = settings(run="r", max_in_flight=4, **budget)
    with pytest.raises(Unanswered, match=f"{next(iter(budget))}: .* of the run 'r' are spent"):
        list(ask(rows(100), given, journal=journal))
    assert 30 <= len(server.bodies) <= most
    with pytest.raises(Unanswered):
        list(ask(rows(100), given, journal=journal))
    assert len(server.bodies) <= most
    larger = {**budget, next(iter(budget)): 1000}
    assert len(list(ask(rows(100), settings(run="r", **larger), journal=journal))) == 100
    assert len(server.bodies) == 100


@pytest.mark.parametrize("key", [f"{KEY}\n", f"{KEY}\r\nX: y", f"Bearer {KEY}", f"{KEY}密"])
def test_a_key_that_no_header_can_carry(server, settings, tmp_path, monkeypatch, key):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(DianjinError, match="key in OPENAI_API_KEY holds a blank") as caught:
        list(ask(rows(1), settings(), journal=tmp_path / "j"))
    assert KEY not in str(caught.value)
    assert not server.bodies


def test_a_budget_of_tokens_at_a_server_that_counts_none(server, settings, tmp_path):
    body = {"choices": [{"message": {"content": "4"}, "finish_reason": "stop"}]}
    server.default = "json " + json.dumps(body)
    given = settings(run="r", budget_tokens=10, max_in_flight=2)
    with pytest.raises(Unanswered, match="the server counts no tokens"):
        list(ask(rows(50), given, journal=tmp_path / "j"))
    assert len(server.bodies) <= 4
    assert len(list(ask(rows(50), settings(), journal=tmp_path / "j"))) == 50


def test_tokens_a_minute(server, settings, tmp_path, monkeypatch):
    from dianjin_ext.inference import ledger

    monkeypatch.setattr(ledger.Ledger.__init__, "__defaults__", (1.0,))  # a minute of one second
    usage = {"prompt_tokens": 20, "completion_tokens": 30}
    body = {"choices": [{"message": {"content": "4"}, "finish_reason": "stop"}], "usage": usage}
    server.default = "json " + json.dumps(body)
    given = settings(tokens_per_minute=1000, options={"max_tokens": 60})
    assert len(list(ask(rows(50), given, journal=tmp_path / "j"))) == 50
    assert server.most_in(1.0) * 50 <= 1000


def test_tokens_a_minute_that_no_request_can_keep():
    given = {"model": "m", "tokens_per_minute": 1000, "options": {"max_tokens": 1000}}
    with pytest.raises(DianjinError, match="teacher: tokens_per_minute=1000 is less than"):
        read_settings(given, "teacher")


def test_a_reader_that_stops_early_ends_the_requests(server, settings, tmp_path):
    def endless():
        for i in range(10**9):
            yield Request(f"r{i}", [{"role": "user", "content": f"q{i}"}])

    answers = ask(endless(), settings(max_in_flight=8), journal=tmp_path / "j")
    for _ in range(100):
        next(answers)
    answers.close()
    assert server.under_way == 0 or len(server.bodies) < 5000
    assert all(row["outcome"] == "answered" for row in read_journal(tmp_path / "j"))
