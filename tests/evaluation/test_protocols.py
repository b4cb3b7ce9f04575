"""The protocols that are shipped: each asks for everything that belongs to a question."""

import re

import pytest

from dianjin_ext.evaluation.benchmarks import BENCHMARKS
from dianjin_ext.evaluation.protocol import get_protocol, protocol_names
from dianjin_ext.questions.question import Question, Turn
from dianjin_ext.rewards import compute_score

NAMES = ("deepseek_r1", "dianjin_r1", "docmath", "fin_r1", "fino1")
KINDS = [(name, kind) for name, benchmark in BENCHMARKS.items() for kind in benchmark.kinds]


def question(benchmark, language, kind):
    """Return a question of a benchmark with all that its questions may have."""
    texts = {"question": "QUESTION?", "context": "CONTEXT", "language": language}
    if benchmark.name in ("xbrl_math", "math_500", "aime_2024", "gpqa_diamond"):
        texts["context"] = ""  # the question holds all
    if benchmark.name == "convfinqa":
        texts["turns"] = (Turn("EARLIER?", "EARLIER ANSWER"),)
    if kind == "choice":
        texts |= {"choices": {"A": "OPTION A", "B": "OPTION B"}, "multiple": False}
    return Question(data_source=benchmark.rewards[0], kind=kind, answer="1", **texts)


def test_the_five_are_there():
    assert tuple(protocol_names()) == NAMES


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("benchmark", "kind"), KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_a_question_is_lost(name, benchmark, kind, language):
    rules = get_protocol(name).of(benchmark)
    asked = question(BENCHMARKS[benchmark], language, kind)
    messages = rules.messages(asked)
    assert [m["role"] for m in messages] == (["system"] if rules.system else []) + ["user"]
    user = messages[-1]["content"]
    parts = ["QUESTION?", asked.context, *asked.choices.values()]
    parts += [text for turn in asked.turns for text in turn]
    for part in filter(None, parts):
        assert user.count(part) == 1, part
    assert not re.search(r"\{(task|question|context)\}", user)
    assert user == user.strip()


@pytest.mark.parametrize("name", NAMES)
def test_what_a_protocol_says_of_benchmarks_is_of_known_ones(name):
    protocol = get_protocol(name)
    assert set(protocol.benchmarks) <= set(BENCHMARKS)
    assert protocol.about.strip() and protocol.source.startswith("https://")


def test_fin_r1_samples_large_sets_and_has_numbers_judged():
    protocol = get_protocol("fin_r1")
    assert (protocol.common.rows.all_below, protocol.common.rows.sample) == (1000, 1000)
    judged = {name for name in BENCHMARKS if protocol.of(name).judge == "verdict"}
    assert judged == {"finqa", "convfinqa", "finance_instruct"}
    assert protocol.of("tfns").sampling == protocol.common.sampling
    assert "<answer>" in protocol.of("tfns").system.en


def test_dianjin_r1_has_finqa_judged_and_takes_the_last_box_of_cflue_anywhere():
    protocol = get_protocol("dianjin_r1")
    in_the_reasoning = "<think>So \\boxed{AC}, since"
    for benchmark, acc in (("cflue_mcq", 1.0), ("financeiq", 0.0)):
        row = compute_score(
            benchmark,
            in_the_reasoning,
            "AC",
            {"choices": {"A": "x", "B": "y", "C": "z"}},
            **protocol.of(benchmark).grading,
        )
        assert row["acc"] == acc
    assert {name for name in BENCHMARKS if protocol.of(name).judge} == {"finqa"}


@pytest.mark.parametrize(
    ("name", "benchmarks"),
    [
        ("fino1", {"finqa", "docmath_simplong", "docmath_complong", "xbrl_math"}),
        ("docmath", {"docmath_simplong", "docmath_complong"}),
    ],
)
def test_a_model_extracts_one_number_that_the_rule_of_docmath_compares(name, benchmarks):
    protocol = get_protocol(name)
    extracted = {each for each in BENCHMARKS if protocol.of(each).judge == "extract"}
    assert extracted == benchmarks
    for each in benchmarks:
        rules = protocol.of(each)
        assert rules.settings.numbers.parity == "docmath"
        (message,) = rules.extraction(question(BENCHMARKS[each], "en", "number"), "SOLUTION")
        assert message["content"].endswith("Solution:\nSOLUTION")
        assert "QUESTION?" in message["content"]


def test_deepseek_r1_takes_as_many_samples_as_it_reports():
    protocol = get_protocol("deepseek_r1")
    samples = {name: protocol.of(name).sampling.samples for name in BENCHMARKS}
    assert samples.pop("aime_2024") == samples.pop("gpqa_diamond") == 64
    assert samples.pop("math_500") == 16
    assert set(samples.values()) == {4}
    for name in BENCHMARKS:
        rules = protocol.of(name)
        assert rules.sampling.max_tokens == 32768 and rules.system is None


def test_fino1_asks_for_short_greedy_answers():
    sampling = get_protocol("fino1").of("finqa").sampling
    assert (sampling.temperature, sampling.max_tokens, sampling.samples) == (0, 1024, 1)
