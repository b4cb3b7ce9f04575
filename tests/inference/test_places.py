"""Places in flight, and blocks of shared places."""

import asyncio
import sqlite3
from random import Random

import pytest

from dianjin_ext.inference.blocks import Blocks
from dianjin_ext.inference.ledger import Ledger, Limits
from dianjin_ext.inference.places import Places


def test_places_double_until_the_first_429_and_halve_once_a_round():
    async def run():
        places = Places(350)
        for expected in (200, 350):
            taken = [await places.take() for _ in range(int(places.limit))]
            for moment in taken:
                places.give(moment, replied=True, crowded=False)
            assert places.limit == expected
        taken = [await places.take() for _ in range(350)]
        for moment in taken:
            places.give(moment, replied=False, crowded=True)
        assert places.limit == 175
        taken = [await places.take() for _ in range(175)]
        for moment in taken:
            places.give(moment, replied=True, crowded=False)
        assert 175.9 < places.limit < 176.1
        assert places.in_flight == 0

    asyncio.run(run())


def test_nobody_gets_more_than_there_are_and_a_cancelled_turn_goes_on():
    async def run():
        places = Places(2)
        taken = [await places.take() for _ in range(2)]
        waiting = [asyncio.create_task(places.take()) for _ in range(3)]
        await asyncio.sleep(0)
        assert places.in_flight == 2
        places.give(taken[0], replied=True, crowded=False)
        waiting[0].cancel()  # its turn has just come
        await asyncio.sleep(0.01)
        assert [task.done() for task in waiting] == [True, True, False]
        assert places.in_flight == 2
        waiting[2].cancel()

    asyncio.run(run())


def test_who_comes_late_stands_behind_who_waits():
    async def run():
        places = Places(1)
        taken = await places.take()
        waiting = asyncio.create_task(places.take())
        await asyncio.sleep(0)
        places.give(taken, replied=True, crowded=False)
        with pytest.raises(TimeoutError):  # before the other has woken up
            async with asyncio.timeout(0.01):
                await places.take()
        assert waiting.done() and places.in_flight == 1
        places.give(waiting.result(), replied=True, crowded=False)
        assert places.in_flight == 0 and await places.take()

    asyncio.run(run())


def test_a_pause_sends_those_away_who_have_just_got_a_place():
    async def run():
        places = Places(2)
        taken = [await places.take() for _ in range(2)]
        waiting = [asyncio.create_task(places.take()) for _ in range(4)]
        await asyncio.sleep(0)
        for moment in taken:
            places.give(moment, replied=True, crowded=False)
        places.pause(0.1)
        await asyncio.sleep(0.02)
        assert places.in_flight == 0 and not any(task.done() for task in waiting)
        await asyncio.sleep(0.15)
        done = [task for task in waiting if task.done()]
        assert places.in_flight == 2 == len(done)
        for task in done:
            places.give(await task, replied=True, crowded=False)
        async with asyncio.timeout(10):
            await asyncio.gather(*waiting)
        assert places.in_flight == 2

    asyncio.run(run())


def test_a_pause_holds_for_all():
    async def run():
        places = Places(4)
        places.pause(0.2)
        start = asyncio.get_running_loop().time()
        moments = await asyncio.gather(*(places.take() for _ in range(4)))
        assert min(moments) >= start + 0.2

    asyncio.run(run())


def test_blocks_keep_the_rate_over_processes(tmp_path):
    async def run():
        ledgers = [Ledger(str(tmp_path), window_s=1.0) for _ in range(3)]
        limits = Limits("http://x", None, 30, 10.0)
        moments = []

        async def calls(ledger):
            blocks = Blocks(ledger, limits)
            for _ in range(25):
                block = await blocks.take()
                moments.append(asyncio.get_running_loop().time())
                await blocks.give(block)
            await blocks.close()

        await asyncio.gather(*map(calls, ledgers))
        return sorted(moments)

    moments = asyncio.run(run())
    assert len(moments) == 75
    for start in moments:
        assert sum(start <= moment < start + 1.0 for moment in moments) <= 30


def test_a_budget_is_given_back_where_it_was_not_used(tmp_path):
    async def run():
        limits = Limits("http://x", None, None, 10.0, run="r", budget=100)
        for _ in range(10):
            blocks = Blocks(Ledger(str(tmp_path)), limits)
            await blocks.give(await blocks.take())
            await blocks.close()
        places, _ = await Ledger(str(tmp_path)).take("last", limits, 1000)
        assert places == 90

    asyncio.run(run())


def test_blocks_keep_the_tokens_over_processes(tmp_path):
    async def run():
        ledgers = [Ledger(str(tmp_path), window_s=1.0) for _ in range(3)]
        limits = Limits("http://x", None, None, 10.0, tokens_per_minute=3000)
        taken = []

        async def calls(ledger, draw):
            blocks = Blocks(ledger, limits)
            for _ in range(20):
                most = draw.randint(50, 200)
                used = draw.randint(10, most)
                block = await blocks.take(most)
                start = asyncio.get_running_loop().time()
                await asyncio.sleep(draw.random() / 50)
                taken.append((start, used))
                await blocks.give(block, most - used)
            await blocks.close()

        await asyncio.gather(*(calls(ledger, Random(i)) for i, ledger in enumerate(ledgers)))
        return taken

    taken = asyncio.run(run())
    assert len(taken) == 60
    for start, _ in taken:
        assert sum(used for moment, used in taken if start <= moment < start + 1.0) <= 3000


def test_tokens_that_a_call_did_not_take_are_free_at_once(tmp_path):
    async def run():
        ledger = Ledger(str(tmp_path))
        limits = Limits("http://x", None, None, 10.0, tokens_per_minute=60_000)
        blocks = Blocks(ledger, limits)
        slow = await blocks.take(100)  # holds its block open
        for _ in range(9):
            await blocks.give(await blocks.take(100), 90)
        large = await blocks.take(40_000)  # another block; the first one's tokens go back
        free, _ = await ledger.take("rest", limits, 10**6, 1)
        assert free == 60_000 - 100 - 9 * 10 - 40_000
        await blocks.give(slow, -50)  # it took more than was thought
        await blocks.give(large, 39_000)
        await blocks.close()
        await ledger.release("rest", free)
        await ledger.refund("rest", free)
        assert (await ledger.take("all", limits, 10**6, 1))[0] == 60_000 - 150 - 90 - 1000

    asyncio.run(run())


def test_a_file_of_counts_without_tokens_goes_on(tmp_path):
    old = sqlite3.connect(tmp_path / "limits.sqlite")
    old.execute(
        "CREATE TABLE blocks "
        "(id TEXT PRIMARY KEY, endpoint TEXT, ends REAL, places INTEGER, flying INTEGER)"
    )
    old.commit()
    old.close()
    limits = Limits("http://x", None, None, 10.0, tokens_per_minute=100)
    for _ in range(2):
        ledger = Ledger(str(tmp_path))
    assert asyncio.run(ledger.take("a", limits, 9, 40)) == (2, 0.0)
    assert asyncio.run(ledger.take("b", limits, 9, 40))[0] == 0
