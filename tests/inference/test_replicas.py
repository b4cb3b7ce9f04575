import contextlib
import importlib.util
from pathlib import Path

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.inference import AskSettings, Request
from dianjin_ext.inference.ask import ask
from dianjin_ext.inference.settings import read_settings


@pytest.fixture
def servers(server):
    path = Path(__file__).parents[1] / "rewards/judge/server.py"
    spec = importlib.util.spec_from_file_location("server", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with contextlib.ExitStack() as stack:
        others = [stack.enter_context(module.served()) for _ in range(2)]
        for other in others:
            other.default = server.default
        yield [server, *others]


def run(servers, tmp_path, number=300, **own):
    given = AskSettings(
        model="m",
        base_url=tuple(server.base_url for server in servers),
        state_dir=str(tmp_path / "state"),
        max_in_flight=30,
        **own,
    )
    rows = (Request(str(i), [{"role": "user", "content": str(i)}]) for i in range(number))
    return list(ask(rows, given, journal=tmp_path / "journal", ordered=True))


def test_requests_go_where_fewest_are_under_way(servers, tmp_path):
    servers[0].latency = 0.04
    servers[1].latency = servers[2].latency = 0.01
    answers = run(servers, tmp_path)
    assert [answer.reply.content for answer in answers] == [f"to {i}" for i in range(300)]
    slow, *fast = (len(server.bodies) for server in servers)
    assert slow + sum(fast) == 300 and 0 < slow < min(fast)


def test_one_that_is_down_does_not_draw_every_request(servers, tmp_path, short_pauses):
    servers[0].default = "drop"
    answers = run(servers, tmp_path)
    assert {answer.outcome for answer in answers} == {"answered"}
    assert len(servers[0].bodies) <= 30 + 30  # those under way when it fell, and a second look


def test_one_that_stands_is_enough(servers, tmp_path, short_pauses):
    for server in servers[:2]:
        server.default = "status 500"
    answers = run(servers, tmp_path, number=50)
    assert {answer.outcome for answer in answers} == {"answered"}


def test_a_bad_address_in_a_list_is_told():
    with pytest.raises(DianjinError, match=r"teacher: base_url is expected as http"):
        read_settings({"model": "m", "base_url": ["http://a/v1", "ftp://b"]}, "teacher")
    with pytest.raises(DianjinError, match="teacher: base_url is an empty list"):
        read_settings({"model": "m", "base_url": []}, "teacher")
