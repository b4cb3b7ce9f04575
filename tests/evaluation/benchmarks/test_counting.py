"""Which split is reported on, and what is said of files that can't be used."""

import json
import subprocess
import sys

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.evaluation.benchmarks import BENCHMARKS, benchmark_files, get_benchmark, survey

MAP = "question: q\nanswer: a\nkind: number\nsplit: 集\ncategory: c\n"


@pytest.fixture
def own(tmp_path):
    def make(rows, mapping=MAP):
        (tmp_path / "map.yaml").write_text(mapping, encoding="utf-8")
        path = tmp_path / "我的题.jsonl"
        path.write_text(
            "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8"
        )
        return get_benchmark("own:我的", mapping=tmp_path / "map.yaml"), [path]

    return make


def rows(**splits):
    return [
        {"q": f"{split}{n}?", "a": n, "集": split, "c": f"c{n % 2}"}
        for split, number in splits.items()
        for n in range(number)
    ]


def test_the_own_split_is_taken_of_several(own):
    counted = survey(*own(rows(训练=5, test=4, val=2)))
    assert (counted.split, counted.questions) == ("test", 4)
    assert counted.splits == {"train": 5, "test": 4, "val": 2}
    assert counted.categories == {"c0": 2, "c1": 2}


def test_another_split_is_taken_if_it_is_the_only_one_or_asked_for(own):
    assert survey(*own(rows(val=2))).split == "val"
    assert survey(*own(rows(train=5, val=2)), split="train").questions == 5


def test_of_several_others_none_is_guessed(own):
    said = r"no gold answers of the split 'test', but of train \(5\), val \(2\); choose .* --split"
    with pytest.raises(DianjinError, match=said):
        survey(*own(rows(train=5, val=2)))


def test_rows_without_a_split_are_one_among_others(own):
    benchmark, files = own([*rows(val=2), {"q": "?", "a": 1, "集": "", "c": ""}])
    with pytest.raises(DianjinError, match=r"but of val \(2\), rows of no split \(1\)"):
        survey(benchmark, files)
    assert survey(benchmark, files, split="").questions == 1


@pytest.mark.parametrize(("split", "what"), [("train", "no questions"), ("dev", "no questions")])
def test_a_split_that_is_not_there_is_told(own, split, what):
    with pytest.raises(DianjinError, match=rf"the split '{split}' has {what}; with some: test"):
        survey(*own(rows(test=1)), split=split)


def test_bad_rows_are_counted_and_the_first_are_kept_without_their_text(own):
    given = rows(test=30) + [{"q": "?", "a": "many", "集": "test", "c": ""}] * 25
    counted = survey(*own(given))
    assert (counted.questions, counted.bad, len(counted.first_bad)) == (30, 25, 20)
    assert counted.first_bad[0].value is None
    assert str(counted.first_bad[0]).startswith("我的题.jsonl, line 31, a: expected a number")


def test_nothing_but_bad_rows_is_told_by_the_first(own):
    with pytest.raises(DianjinError, match=r"none of its questions was found; the first bad row: "):
        survey(*own([{"q": "?", "a": "many", "集": "test", "c": ""}]))


def test_gold_less_files_are_told(tmp_path):
    path = tmp_path / "accounting_test.csv"
    path.write_text("id,question,A,B\n0,问？,一,二\n", encoding="utf-8")
    with pytest.raises(DianjinError, match="with a gold answer, but every question is without one"):
        survey(BENCHMARKS["fineval"], [path])


def test_a_split_without_gold_falls_to_the_only_one_with_some(tmp_path):
    for name, row in (("test", "0,问？,一,二,"), ("val", "0,问？,一,二,A")):
        path = tmp_path / f"accounting_{name}.csv"
        path.write_text(f"id,question,A,B,answer\n{row}\n", encoding="utf-8")
    paths = [tmp_path / "accounting_test.csv", tmp_path / "accounting_val.csv"]
    counted = survey(BENCHMARKS["fineval"], paths)
    assert (counted.split, counted.splits) == ("val", {"test": 0, "val": 1})
    with pytest.raises(DianjinError, match="the split 'test' has no gold answers; with some: val"):
        survey(BENCHMARKS["fineval"], paths, split="test")


def test_a_folder_without_its_files_is_told(tmp_path):
    (tmp_path / "exam.csv").write_text("question\n?\n")
    with pytest.raises(
        DianjinError, match=r"has no file of fineval \(\*_val.csv\); name the files"
    ):
        benchmark_files(BENCHMARKS["fineval"], [tmp_path])


def test_hidden_files_and_folders_are_left_aside(tmp_path):
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache/a_val.csv").touch()
    (tmp_path / "._a_val.csv").touch()
    (tmp_path / "a_val.csv").touch()
    found = benchmark_files(BENCHMARKS["fineval"], [tmp_path])
    assert found == [tmp_path / "a_val.csv"]


def test_a_hidden_folder_above_plays_no_part(tmp_path):
    folder = tmp_path / ".cache/fineval"
    folder.mkdir(parents=True)
    (folder / "a_val.csv").touch()
    assert benchmark_files(BENCHMARKS["fineval"], [folder]) == [folder / "a_val.csv"]


@pytest.mark.parametrize("part", ["", "data", "data/Ant", "data/Ant/金融认知"])
def test_a_part_of_what_is_published_will_do(tmp_path, part):
    """And a folder above that is called as a part of the pattern is none."""
    file = tmp_path / "test/Ant/repository/data/Ant/金融认知/金融情绪识别.csv"
    file.parent.mkdir(parents=True)
    file.touch()
    other = tmp_path / "test/Ant/repository/data/SUFE/val/finance_val.csv"
    other.parent.mkdir(parents=True)
    other.touch()
    repository = tmp_path / "test/Ant/repository"
    assert benchmark_files(BENCHMARKS["fineva"], [repository / part]) == [file]


def test_a_file_twice_is_told(tmp_path):
    path = tmp_path / "a_val.csv"
    path.touch()
    with pytest.raises(DianjinError, match="is named twice"):
        benchmark_files(BENCHMARKS["fineval"], [tmp_path, path])
    with pytest.raises(DianjinError, match="name the files of fineval, or their folder"):
        benchmark_files(BENCHMARKS["fineval"], [])


@pytest.mark.parametrize(
    ("name", "mapping", "said"),
    [
        ("own:", MAP, "expected own:NAME with a name of letters"),
        ("own", MAP, "expected own:NAME"),
        ("own:a/../b", MAP, "expected own:NAME"),
        ("own:mine", None, r"needs the mapping of its columns: --map MAP.yaml"),
        ("own:mine", "question: q\nkind: open\n", "answer: expected the column of the gold"),
        ("finqa", MAP, "--map is for a file of your own: own:NAME, not finqa"),
    ],
)
def test_mistakes_with_a_benchmark_of_ones_own_are_told(tmp_path, name, mapping, said):
    path = None
    if mapping is not None:
        path = tmp_path / "map.yaml"
        path.write_text(mapping, encoding="utf-8")
    with pytest.raises(DianjinError, match=said):
        get_benchmark(name, mapping=path)


def test_every_split_of_the_hub_is_counted(tmp_path, monkeypatch):
    pytest.importorskip("datasets")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "tweets"
    folder.mkdir()
    for split, number in (("train", 3), ("validation", 2)):
        lines = "".join(f"tweet {n},{n % 3}\n" for n in range(number))
        (folder / f"{split}.csv").write_text(f"text,label\n{lines}")
    counted = survey(BENCHMARKS["tfns"], str(folder))
    assert (counted.split, counted.questions, counted.splits) == ("val", 2, {"train": 3, "val": 2})


_MEASURE = """
import json, sys, resource
from pathlib import Path
from dianjin_ext.evaluation.benchmarks import *
path, number = Path(sys.argv[1]), int(sys.argv[2])
text = "x" * 20_000
with path.open("w") as file:
    for n in range(number):
        file.write(json.dumps({"question_id": f"simplong-testmini-{n}", "question": "What?",
                               "paragraphs": [text], "ground_truth": n}) + "\\n")
benchmark = BENCHMARKS["docmath_simplong"]
found = survey(benchmark, [path])
subset = chosen(benchmark, found, sample=number // 2)
asked = sum(1 for _ in subset.of(questions(benchmark, [path])))
assert asked == subset.questions == number // 2
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_texts_are_not_kept(tmp_path):
    """40 MB of text against 1 MB of it: what is kept is a few hundred bytes a row."""
    peaks = []
    for number in (50, 2000):
        given = [sys.executable, "-c", _MEASURE, str(tmp_path / "simplong_testmini.jsonl")]
        done = subprocess.run(
            [*given, str(number)], check=True, capture_output=True, text=True, timeout=300
        )
        peaks.append(int(done.stdout) / 1024)
    assert peaks[1] - peaks[0] < 10  # MiB
