"""Verdicts on disk: what makes two answers the same, and who asks."""

import asyncio
import pickle
import sqlite3

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards.judge.cache import VerdictCache, cache_key

OPEN = "在销售环节征收的那一种流转税"


def test_equal_answers_at_the_same_time_are_asked_about_once(server, ask):
    server.latency = 0.2
    rows = ask(*[OPEN] * 8, OPEN + "吧")
    assert [row["judged"] for row in rows] == [1.0] * 9
    assert len(server.bodies) == 2


def test_a_verdict_is_kept_for_the_next_run(server, ask):
    server.default = "wrong"
    assert ask(OPEN)["reason"] == "wrong"
    server.default = "correct"
    assert ask(rf"它是 \boxed{{{OPEN}}}")["reason"] == "wrong"  # the extracted answer counts
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"question": "另一个问题？"},
        {"gold": "另一个答案"},
        {"model": "another"},
        {"answer": OPEN + "！"},
        {"answer": OPEN + " 1"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_makes_a_verdict_another(server, ask, change):
    ask(OPEN)
    answer = change.pop("answer", OPEN)
    ask(answer, **change)
    assert len(server.bodies) == 2


def test_another_prompt_makes_another_verdict(server, ask, monkeypatch):
    ask(OPEN)
    monkeypatch.setattr("dianjin_ext.rewards.judge.judge.PROMPT_VERSION", "next")
    ask(OPEN)
    assert len(server.bodies) == 2


def test_what_could_not_be_read_is_asked_again(server, ask):
    server.default = "no verdict at all"
    assert ask(OPEN, max_attempts=1)["reason"] == "undecided"
    server.default = "correct"
    assert ask(OPEN)["reason"] == "correct"


def test_a_judge_that_does_not_know_is_asked_once(server, ask):
    server.default = "undecided"
    assert ask(OPEN)["reason"] == ask(OPEN)["reason"] == "undecided"
    assert len(server.bodies) == 1


def test_the_key_tells_parts_apart():
    assert cache_key("ab", "c") != cache_key("a", "bc")
    assert cache_key("\ud800") != cache_key("\ud801")


def test_who_fetches_for_too_long_is_replaced(tmp_path):
    cache = VerdictCache(str(tmp_path), claim_s=0.2)

    async def run():
        dead = cache.fetching("k")
        assert await dead.__aenter__() is None
        async with cache.fetching("k") as found:  # after claim_s
            assert found is None
            cache.put("k", "wrong")
        async with cache.fetching("k") as found:
            assert found == "wrong"

    asyncio.run(asyncio.wait_for(run(), 30))


class Trap:
    def __reduce__(self):
        return (print, ("executed",))


def test_a_pickle_in_the_folder_is_not_executed(tmp_path, capsys):
    cache = VerdictCache(str(tmp_path), claim_s=1.0)
    cache.put("k", "wrong")
    (database,) = tmp_path.rglob("cache.db")
    with sqlite3.connect(database) as db:
        db.execute("UPDATE Cache SET mode = 4, value = ?", (pickle.dumps(Trap()),))
    assert cache.get("k") is None
    assert capsys.readouterr().out == ""


def test_a_value_that_is_no_verdict_is_not_one(tmp_path):
    cache = VerdictCache(str(tmp_path), claim_s=1.0)
    cache.put("k", "excellent")
    assert cache.get("k") is None


def test_a_broken_folder_is_named(tmp_path):
    (tmp_path / "verdicts").mkdir()
    (tmp_path / "verdicts/cache.db").write_bytes(b"not a database" * 100)
    with pytest.raises(DianjinError, match=r"verdicts: .*; remove the folder"):
        VerdictCache(str(tmp_path), claim_s=1.0)
