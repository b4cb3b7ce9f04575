"""A step at work: what holds it up, what ends it, and what is never paid twice."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dianjin_ext.data.rows_file import number_of_rows, write_items
from dianjin_ext.data.run_step import run_step
from dianjin_ext.data.steps import SETTINGS, get_step
from dianjin_ext.data.steps.base import Result
from dianjin_ext.data.work import Work
from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.alone import alone
from dianjin_ext.inference.answer import Unanswered
from dianjin_ext.questions.question import write_questions

from .steps.conftest import models, said, server  # noqa: F401
from .steps.test_mix import question


@pytest.fixture
def distil(models, tmp_path):  # noqa: F811
    """Run `distill` on the questions of some numbers, with settings of the teacher."""

    def run(numbers, out="out.parquet", source=None, **own):
        path = tmp_path / (source or "in.parquet")
        if source is None:
            write_questions([question(i) for i in numbers], path)
        return run_step(
            get_step("distill"),
            [path],
            tmp_path / out,
            settings=SETTINGS["distill"](),
            models=models("teacher", **own),
            journal=tmp_path / "journal",
        )

    return run


def answer(body):
    return said("\\boxed{B}", "思考")


def test_a_slow_row_holds_up_no_other_and_the_order_stays(models, tmp_path):  # noqa: F811
    others = []

    async def work(row, settings, asking):
        if row == 0:
            while len(others) < 200:  # far more than may be under way
                await asyncio.sleep(0)
        else:
            others.append(row)
        return Result([row])

    async def run():
        step = get_step("distill")._replace(work=work)
        async with Work(step, None, models("teacher", max_in_flight=1), tmp_path / "j") as at_work:
            return [done.result.rows[0] async for done in at_work.all(range(300))]

    assert asyncio.run(asyncio.wait_for(run(), 60)) == list(range(300))


def test_an_error_of_one_row_ends_the_step(models, tmp_path):  # noqa: F811
    begun = []

    async def work(row, settings, asking):
        begun.append(row)
        await asyncio.sleep(0)
        if row == 5:
            raise DianjinError("the disk is full")
        return Result([row])

    async def run():
        step = get_step("distill")._replace(work=work)
        async with Work(step, None, models("teacher", max_in_flight=1), tmp_path / "j") as at_work:
            return [done async for done in at_work.all(range(10_000))]

    with pytest.raises(DianjinError, match="the disk is full"):
        asyncio.run(run())
    assert len(begun) < 100


def test_rows_that_can_not_be_read_end_the_step(models, tmp_path):  # noqa: F811
    async def work(row, settings, asking):
        return Result([row])

    def rows():
        yield 1
        raise DianjinError("row 2 is broken")

    async def run():
        step = get_step("distill")._replace(work=work)
        async with Work(step, None, models("teacher"), tmp_path / "j") as at_work:
            return [done async for done in at_work.all(rows())]

    with pytest.raises(DianjinError, match="row 2 is broken"):
        asyncio.run(run())


def test_what_is_recorded_is_written_also_when_no_more_is_asked(server, distil, tmp_path):  # noqa: F811
    server.default = answer
    budget = {"run": "r", "budget_tokens": 36}  # two replies
    own = {"prices": None, "max_in_flight": 1, **budget}
    with pytest.raises(Unanswered, match=r"2 of 9 rows are done: budget_tokens.*larger one to go"):
        distil(range(9), **own)
    asked = len(server.bodies)
    with pytest.raises(Unanswered, match="2 of 9 rows are done"):
        distil(range(9), **own)
    assert number_of_rows([tmp_path / "out.partial.parquet"]) == 2
    assert distil(range(2), out="all.parquet", **own)["written"] == 2
    assert len(server.bodies) == asked


def test_a_budget_that_ends_with_the_last_row_leaves_it_done(server, distil):  # noqa: F811
    server.default = answer
    assert distil(range(2), run="r", budget_tokens=36, max_in_flight=1)["written"] == 2


def test_a_second_start_asks_nothing(server, distil, tmp_path):  # noqa: F811
    server.default = answer
    with (
        alone(tmp_path / "journal", "distill"),
        pytest.raises(DianjinError, match=r"journal: another distill writes to it; wait"),
    ):
        distil(range(3))
    assert not server.bodies
    assert distil(range(3))["written"] == 3


def test_an_unfinished_set_is_not_written_over_while_it_is_read(server, distil, tmp_path):  # noqa: F811
    write_items([question(1)], tmp_path / "out.partial.parquet", "questions")
    with pytest.raises(DianjinError, match=r"out\.partial\.parquet: .*choose another name than"):
        distil([], source="out.partial.parquet")
    assert number_of_rows([tmp_path / "out.partial.parquet"]) == 1


@pytest.mark.parametrize(
    ("number", "word"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated")]
)
def test_a_signal_leaves_what_is_done_and_the_same_call_goes_on(
    server, tmp_path, number, word  # noqa: F811
):  # fmt: skip
    server.default, server.latency = answer, 0.05
    write_questions([question(i) for i in range(60)], tmp_path / "in.parquet")
    teacher = {"model": "t", "base_url": server.base_url, "keyless": True, "max_in_flight": 2}
    teacher["state_dir"] = str(tmp_path / "state")
    (tmp_path / "models.yaml").write_text(json.dumps({"teacher": teacher}))
    # a shell that starts it in the background would have it ignore Ctrl-C
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    code += "from dianjin_ext.cli import main; main()"
    command = [sys.executable, "-c", code, "distill", "in.parquet", "out.parquet"]
    command += ["--models", "models.yaml"]
    own = {"cwd": tmp_path, "stderr": subprocess.PIPE, "text": True}
    own["env"] = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(command, **own) as process:
        while len(server.bodies) < 10 and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(number)
        _, said_ = process.communicate(timeout=60)
    assert process.returncode == 1 and "Traceback" not in said_
    line = " ".join(said_.split())
    assert re.search(rf"error: distill: \d+ of 60 rows are done: {word}; run the same", line)
    assert 0 < number_of_rows([tmp_path / "out.partial.parquet"]) < 60
    recorded = (tmp_path / "out.journal/teacher-0.jsonl").read_text().count("\n")
    server.bodies.clear()
    assert subprocess.run(command, **own, check=False).returncode == 0
    assert number_of_rows([tmp_path / "out.parquet"]) == 60
    assert len(server.bodies) == 60 - recorded


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="files have no limit of size here")
def test_a_full_disk_is_one_line_and_the_same_call_goes_on(server, distil):  # noqa: F811
    import resource

    server.default = lambda body: said("\\boxed{B}", "思考" * 10_000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, before[1]))
    try:
        with pytest.raises(DianjinError, match=r"can't be written"):
            distil(range(60), max_in_flight=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    asked = len(server.bodies)
    assert 0 < asked < 60
    assert distil(range(60))["written"] == 60
    assert 60 <= len(server.bodies) <= 60 + 2 * 2  # those that were under way


def test_a_file_that_can_not_be_written_is_named(tmp_path):
    from dianjin_ext.parquet import pyarrow, write_rows

    schema = pyarrow().schema({"a": pyarrow().string()})

    def rows():
        yield {"a": "x"}
        raise OSError(28, "No space left on device")

    with pytest.raises(DianjinError, match=r"a\.parquet: can't be written .*disk full"):
        write_rows(rows(), tmp_path / "a.parquet", schema)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("reasoning", "warns"), [(None, True), ("思考", False)])
def test_where_nothing_comes_of_it_it_says_so_early(server, distil, capsys, reasoning, warns):  # noqa: F811
    server.default = lambda body: said("\\boxed{B}", reasoning)
    distil(range(60))
    told = capsys.readouterr().err
    line = "distill: the first 50 rows are all dropped (no_reasoning 50); if that is not what"
    assert (line in told) is warns


def test_a_file_that_is_no_parquet_is_named_before_anybody_is_asked(server, distil, tmp_path):  # noqa: F811
    (tmp_path / "exam.xlsx").write_bytes(b"PK rows")
    with pytest.raises(DianjinError, match=r"exam\.xlsx: can't be read as parquet .*`dianjin prep"):
        distil([], source="exam.xlsx")
    assert not server.bodies
