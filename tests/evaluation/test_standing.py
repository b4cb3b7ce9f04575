"""A number has the name of a published protocol only on the whole published set."""

import json

import pytest

from dianjin_ext.evaluation.plan import Choices, plan


def aime(folder, number, name="aime_2024.jsonl"):
    path = folder / name
    rows = [{"id": n, "problem": f"Find {n}.", "answer": n} for n in range(number)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def departures(path, protocol="deepseek_r1", **choices):
    (task,) = plan(["aime_2024"], [str(protocol)], data=[str(path)], choices=Choices(**choices))
    return task.departures


def test_the_whole_set_is_no_departure(tmp_path):
    assert departures(aime(tmp_path, 30)) == ()


def test_a_part_of_the_set_is_told(tmp_path):
    path = aime(tmp_path, 29)
    assert departures(path) == ("the files have 29 of 30 published questions",)
    assert departures(path, limit=5) == (
        "the files have 29 of 30 published questions",
        "5 of 29 questions",
    )


def test_a_protocol_of_ones_own_is_of_the_files_that_are_given(tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text("about: mine\nsource: none\n", encoding="utf-8")
    assert departures(aime(tmp_path, 3), own) == ()


@pytest.mark.parametrize("number", [1, 1000])
def test_a_set_whose_number_is_not_known_has_no_part(tmp_path, number):
    path = tmp_path / "ccc.jsonl"
    row = json.dumps({"dialogue": "客服：保本。", "answer": "不合规"}, ensure_ascii=False)
    path.write_text(f"{row}\n" * number, encoding="utf-8")
    (task,) = plan(["ccc"], ["dianjin_r1"], data=[str(path)])
    assert task.departures == ()
