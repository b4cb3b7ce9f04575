"""The published tables: what they name exists, and the numbers are those that are printed."""

import re
from collections import Counter

import pytest

from dianjin_ext.evaluation.benchmarks import BENCHMARKS
from dianjin_ext.evaluation.published import FILE, every_row, rows_for

PROTOCOLS = {path.stem for path in FILE.with_name("protocols").glob("*.yaml")}


def value(system, benchmark, protocol, metric="accuracy"):
    rows = rows_for(benchmark, protocol=protocol, metric=metric)
    (found,) = {row.value for row in rows if row.system == system}
    return found


def test_every_number_names_a_benchmark_a_protocol_and_a_source():
    assert len(every_row()) == 294
    for row in every_row():
        assert row.benchmark in BENCHMARKS
        assert row.protocol in PROTOCOLS
        assert re.match(r"https://(arxiv\.org/abs|github\.com)/", row.source) and row.place
        assert re.fullmatch(r"accuracy|cons@64", row.metric)
        assert row.size is None or re.fullmatch(r"[0-9.]+B", row.size)
        assert 0 < row.value < 1


def test_values_are_printed_to_two_digits_of_a_per_cent_and_fit_their_number_of_questions():
    for row in every_row():
        assert round(row.value * 100, 2) == pytest.approx(row.value * 100, abs=1e-9)
    fino1 = [row for row in every_row() if row.paper == "Fino1"]
    unfit = [row for row in fino1 if abs(row.value * row.n - round(row.value * row.n)) > 0.06]
    assert {(row.system, row.benchmark) for row in unfit} == {
        ("DianJin-R1-7B", "finqa"),  # 60.20
        ("Llama-3.1-8B-Instruct", "docmath_complong"),  # 14.30 for 43 of 300
    }


def test_no_number_is_there_twice():
    seen = Counter(
        (row.system, row.benchmark, row.protocol, row.metric, row.place) for row in every_row()
    )
    assert max(seen.values()) == 1


@pytest.mark.parametrize(
    ("system", "benchmark", "protocol", "printed"),
    [
        ("DianJin-R1-7B", "cflue_mcq", "dianjin_r1", 0.8032),
        ("DianJin-R1-32B", "ccc", "dianjin_r1", 0.96),
        ("Qwen2.5-7B-Instruct", "finqa", "dianjin_r1", 0.667),
        ("Fin-R1", "finqa", "fin_r1", 0.76),
        ("Fin-R1", "finance_instruct", "fin_r1", 0.629),
        ("Fin-R1", "finqa", "fino1", 0.5874),
        ("Fino1-8B", "docmath_complong", "fino1", 0.2633),
        ("DeepSeek-R1", "aime_2024", "deepseek_r1", 0.798),
        ("DeepSeek-R1-Distill-Qwen-7B", "gpqa_diamond", "deepseek_r1", 0.491),
    ],
)
def test_numbers_that_people_know(system, benchmark, protocol, printed):
    assert value(system, benchmark, protocol) == printed


def test_the_averages_that_the_papers_print_come_out():
    """One wrong digit of these rows would show in the average."""
    printed = {
        ("dianjin_r1", "DianJin-R1-7B"): 73.34,
        ("dianjin_r1", "DianJin-R1-32B"): 82.07,
        ("dianjin_r1", "QwQ-32B"): 74.50,
        ("fin_r1", "Fin-R1"): 75.2,
        ("fin_r1", "DeepSeek-R1"): 78.2,
        ("fin_r1", "Qwen2.5-7B-Instruct"): 65.6,
        ("fino1", "Fino1-8B"): 59.95,
        ("fino1", "DianJin-R1-7B"): 48.30,
        ("fino1", "GPT-4o"): 61.01,
    }
    for (protocol, system), average in printed.items():
        values = [
            row.value for row in every_row() if (row.protocol, row.system) == (protocol, system)
        ]
        assert 100 * sum(values) / len(values) == pytest.approx(average, abs=0.051)


def test_cons_stands_apart_from_accuracy():
    assert value("DeepSeek-R1-Zero", "aime_2024", "deepseek_r1") == 0.71
    assert value("DeepSeek-R1-Zero", "aime_2024", "deepseek_r1", "cons@64") == 0.867


def test_rows_come_best_first():
    values = [row.value for row in rows_for("finqa", protocol="fino1")]
    assert len(values) == 31 and values == sorted(values, reverse=True)
    assert rows_for("own:mine") == []
