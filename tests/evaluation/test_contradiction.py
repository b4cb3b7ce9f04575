import pytest

from dianjin_ext import compute_score
from dianjin_ext.evaluation.contradiction import stated
from dianjin_ext.evaluation.reads import Reads

CHOICES = {
    "choices": {"A": "rent earned", "B": "wages payable", "C": "sales revenue", "D": "own shares"}
}


def said(response, *, source="cflue_mcq", kind="choice", gold="A", **settings):
    extra_info = CHOICES if kind == "choice" else {}
    pred = compute_score(source, response, gold, extra_info, **settings)["pred"]
    reads = Reads(settings, data_source=source, ground_truth=gold, extra_info=extra_info, kind=kind)
    return tuple(stated(response, reads=reads, pred=pred))


def response(thought, answer):
    return f"<think>{thought}</think>\n<answer>\\boxed{{{answer}}}</answer>"


@pytest.mark.parametrize(
    ("thought", "answer", "expected"),
    [
        ("So the answer is B.", "AC", ("B", True)),
        ("So the answer is A.", "A", ("A", False)),
        ("A is income. 故选A。", "C", ("A", True)),
        ("So the answer is C and A.", "AC", ("AC", False)),
        ("The answer is B. No, wait, the answer is A.", "A", ("A", False)),
        ("The answer is A. Hmm, that is wrong.", "B", (None, False)),
        ("If the answer is B, wages are income.", "A", (None, False)),
        ("B is wrong and D is wrong.", "A", (None, False)),
        ("Rent is income, wages are not.", "A", (None, False)),
        (r"I put \boxed{B} there.", "A", ("B", True)),
        (r"It goes into \boxed{}, in <answer>.", "A", (None, False)),
        ("So A is correct. So C is also correct.", "AC", (None, False)),
        ("因此A对。D选项正确。", "AD", (None, False)),
        ("综上，A、C正确，故选AC。", "AD", ("AC", True)),
        ("正确答案是A吗？不，正确答案是C。", "C", ("C", False)),
        ("题目问的是不正确的选项。答案应选D。", "D", ("D", False)),
        ("The answer must be among A, B.", "A", (None, False)),
        ("", "A", (None, False)),
    ],
)
def test_letters(thought, answer, expected):
    assert said(response(thought, answer)) == expected


@pytest.mark.parametrize(
    ("thought", "answer", "contradicts"),
    [
        ("65 / 145 = 0.44828, so the answer is 0.44828.", "44.8%", False),
        ("So the answer is 44.83%.", "0.448", False),
        ("So the answer is 44.83%.", "44.83", False),
        ("So the answer is 5.2 million.", "5.2", False),
        ("So the answer is 5.2 million.", "5,200,000", False),
        ("So the total is 500.\nThen 60 / 500 = 0.12.", "12%", False),
        ("Therefore, the total is 500. Dividing 60 by it gives 0.12", "0.12", False),
        ("So the answer is a decrease of 5%.", "-5%", False),
        ("因此，答案约为12.3亿元。", "12.3", False),
        ("因此，答案为12.3亿元。", "1.23", True),
        ("So the answer is 12%.", "13%", True),
        ("Therefore, the total is 1,577.", "1,677", True),
        ("So the answer is 12.", "-12", True),
    ],
)
def test_numbers_but_for_rounding_and_scale(thought, answer, contradicts):
    assert said(response(thought, answer), source="finqa", kind="number", gold="1")[1] is (
        contradicts
    )


def test_labels():
    of = {"source": "tfns", "kind": "label", "gold": "bullish"}
    assert said(response("The sentiment is bearish.", "bullish"), **of) == ("bearish", True)
    assert said(response("The sentiment is negative.", "bearish"), **of) == ("bearish", False)
    assert said(response("Prices rise.", "bullish"), **of) == (None, False)


def test_mathematics_counts_boxes_only():
    of = {"source": "math_500", "kind": "math", "gold": "3"}
    assert said(response("So the answer is 4.", "3"), **of) == (None, False)
    assert said(response(r"So \boxed{4}.", "3"), **of)[1]


def test_open_answers_contradict_nothing():
    of = {"source": "cflue_oe", "kind": "open", "gold": "rent"}
    assert said(response(r"So \boxed{wages}.", "rent"), **of) == (None, False)


def test_without_a_think_block_the_text_before_the_box_is_the_reasoning():
    text = r"Rent is income, so the answer is A. Final: \boxed{C}"
    assert said(text, strictness="lenient") == ("A", True)


def test_no_answer_contradicts_nothing():
    assert said("<think>So the answer is B.</think>") == ("B", False)


def test_it_stays_quick_on_a_long_reasoning():
    assert said(response("So the answer is perhaps B. " * 4000, "A")) == (None, False)
