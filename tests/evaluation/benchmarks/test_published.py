"""Every benchmark on the real rows of its set, where these lie beside the repository."""

from pathlib import Path

import pytest

from dianjin_ext.evaluation.benchmarks import (
    BENCHMARKS,
    benchmark_files,
    chosen,
    get_benchmark,
    questions,
    survey,
)
from dianjin_ext.questions.readers import BadRow
from dianjin_ext.rewards import gold_response

DATA = Path(__file__).resolve().parents[4] / "shared/data"

# benchmark: files or folder, split, questions, those without gold, categories
SETS = {
    "cflue_mcq": ("cflue", "", 1500, 0, {"single": 930, "multiple": 437, "true_false": 133}),
    "cflue_application": ("cflue_application", "", 125, 0, 25),
    "finqa": ("finqa_original/finqa_10.json", "", 10, 0, 1),
    "convfinqa": ("convfinqa_cleaned/convfinqa_cleaned_60.json", "", 215, 0,
                  {"simple": 141, "hybrid": 74}),
    "tfns": ("tfns_like", "val", 2388, 0, {"neutral": 1566, "bullish": 475, "bearish": 347}),
    "fineva": ("fineva", "", 284, 981, 4),
    "financeiq": ("financeiq", "test", 150, 0, 10),
    "fineval": ("fineval", "val", 75, 0, 5),
    "tatqa": ("tatqa", "test", 120, 0,
              {"span": 51, "multi-span": 13, "arithmetic": 53, "count": 3}),
    "math_500": ("math500", "test", 150, 0, 34),
}  # fmt: skip


def found(name):
    path = DATA / SETS[name][0]
    if not path.exists():
        pytest.skip(f"the published rows of {name} are not beside the repository")
    benchmark = get_benchmark(name)
    files = benchmark_files(benchmark, [path])
    return benchmark, files, survey(benchmark, files)


@pytest.mark.parametrize("name", SETS)
def test_counts_are_those_of_the_files(name):
    _, split, number, without_gold, categories = SETS[name]
    benchmark, _, counted = found(name)
    assert (counted.split, counted.questions) == (split, number)
    assert benchmark.size is None or number <= benchmark.size
    assert (counted.without_gold, counted.bad, counted.scattered) == (without_gold, 0, "")
    assert sum(counted.categories.values()) == number
    if isinstance(categories, int):
        assert len(counted.categories) == categories
    else:
        assert counted.categories == categories


@pytest.mark.parametrize("name", SETS)
def test_questions_are_those_counted_and_are_what_the_benchmark_says(name):
    benchmark, files, counted = found(name)
    asked = [
        row for row in questions(benchmark, files, split=counted.split) if row.answer is not None
    ]
    assert len(asked) == counted.questions == len({question.id for question in asked})
    assert {question.kind for question in asked} <= set(benchmark.kinds)
    assert {question.data_source for question in asked} <= set(benchmark.rewards)
    assert list(chosen(benchmark, counted).of(asked)) == asked


@pytest.mark.parametrize("name", SETS)
def test_the_gold_of_every_question_can_be_won(name):
    benchmark, files, counted = found(name)
    if "math" in benchmark.kinds:
        pytest.importorskip("math_verify")
    for question in chosen(benchmark, counted).of(questions(benchmark, files)):
        gold_response(question.data_source, question.answer, question.extra_info)


def test_a_hidden_test_set_has_nothing_to_grade():
    path = DATA / "tatqa/tatqa_test_5.json"
    if not path.exists():
        pytest.skip("the published rows of tatqa are not beside the repository")
    rows = list(questions(BENCHMARKS["tatqa"], [path]))
    assert not rows and not any(isinstance(row, BadRow) for row in rows)
    with pytest.raises(Exception, match="tatqa: expected questions with a gold answer, but every"):
        survey(BENCHMARKS["tatqa"], [path])


def test_every_file_of_fineval_at_once_takes_the_split_with_answers():
    folder = DATA / "fineval"
    if not folder.exists():
        pytest.skip("the published rows of fineval are not beside the repository")
    files = sorted(folder.glob("*.csv"))
    counted = survey(BENCHMARKS["fineval"], files)
    assert counted.splits == {"test": 0, "val": 75}  # not the 25 examples of dev
    assert (counted.split, counted.questions, counted.without_gold) == ("val", 75, 0)


def test_every_file_of_tatqa_at_once_takes_the_test_set_with_answers():
    folder = DATA / "tatqa"
    if not folder.exists():
        pytest.skip("the published rows of tatqa are not beside the repository")
    counted = survey(BENCHMARKS["tatqa"], sorted(folder.glob("*.json")))
    assert counted.splits == {"val": 240, "test": 120}
    assert (counted.split, counted.questions, counted.without_gold) == ("test", 120, 30)


@pytest.mark.parametrize("name", ["tfns", "cflue_application"])
def test_the_published_number_is_that_of_the_whole_file(name):
    benchmark, _, counted = found(name)
    assert benchmark.size == counted.questions
