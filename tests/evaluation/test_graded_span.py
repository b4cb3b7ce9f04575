import json
from pathlib import Path

import pytest

from dianjin_ext import compute_score
from dianjin_ext.evaluation.graded_span import LEAD, span
from dianjin_ext.evaluation.reads import Reads

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
CHOICES = {
    "choices": {"A": "rent earned", "B": "wages payable", "C": "sales revenue", "D": "own shares"}
}
KINDS = {
    "cflue_mcq": "choice",
    "finqa": "number",
    "tfns": "label",
    "ccc": "label",
    "math_500": "math",
    "cflue_oe": "open",
}


def found(response, *, source, gold, extra_info=None, **settings):
    extra_info = extra_info or {}
    pred = compute_score(source, response, gold, extra_info, **settings)["pred"]
    reads = Reads(
        settings, data_source=source, ground_truth=gold, extra_info=extra_info, kind=KINDS[source]
    )
    place = span(response, reads=reads, pred=pred)
    return place and response[slice(*place)]


@pytest.mark.parametrize(
    ("source", "gold", "strictness", "response", "expected"),
    [
        ("cflue_mcq", "AC", "strict", r"<think>AC</think><answer>\boxed{AC}</answer>", "AC"),
        ("cflue_mcq", "A", "strict", r"<think>A</think><answer>A: \boxed{ A }, A</answer>", "A"),
        ("cflue_mcq", "AC", "dianjin", r"<think>x</think><answer>\boxed{AC}</answer>", "AC"),
        ("cflue_mcq", "C", "dianjin_eval", r"<think>\boxed{A}</think>\boxed{B} or \boxed{C", "B"),
        (
            "cflue_mcq",
            "C",
            "dianjin_eval",
            r"<think>A</think><answer>\boxed{A}</answer>\boxed{C}",
            "C",
        ),
        ("cflue_mcq", "AC", "dianjin_eval", r"<think>So \boxed{AC}, since", "AC"),
        ("cflue_mcq", "B", "lenient", "The answer is B. wages payable.", "B. wages payable"),
        ("cflue_mcq", "C", "lenient", "<think>A. 故选A。</think>因此，本题选C。", "C"),
        ("cflue_mcq", "B", "lenient", "B\nExplanation: the wages are not paid yet.", "B"),
        ("cflue_mcq", "C", "lenient", "只有选项C是对的", "C"),
        ("cflue_mcq", "B", "lenient", "The answer is wages payable", "wages payable"),
        ("cflue_mcq", "AC", "lenient", "<think>hm</think>A、C", "A、C"),
        ("finqa", "5200000", "lenient", "It was $4. The answer is $5.2 million.", "$5.2 million"),
        ("finqa", "0.4", "lenient", "<think>x</think>Therefore, the ratio is 40%", "40%"),
        ("finqa", "1577000000", "lenient", "The expenditure is $1,577 million", "$1,577 million"),
        ("finqa", "0.125", "lenient", "<|begin_of_box|>12.5%<|end_of_box|>", "12.5%"),
        ("finqa", "-0.05", "lenient", "Sales fell by 5%. So the answer is -5%.", "-5%"),
        ("finqa", "2019", "lenient", "2019 was larger than 2018. So the answer is:\n2019", "2019"),
        ("finqa", "5", "strict", "<think>5</think><answer>5 = \\boxed{5}</answer>", "5"),
        ("tfns", "bullish", "lenient", "<think>x</think>\n**Sentiment:** Bullish", "Bullish"),
        ("tfns", "bullish", "lenient", "<think>x</think>\nThe tweet is bullish.", "bullish"),
        (
            "tfns",
            "bullish",
            "lenient",
            "Sentiment: bullish, as it has a positive tone",
            "bullish",
        ),
        ("ccc", "合规", "strict", r"<think>x</think><answer>\boxed{合规}</answer>", "合规"),
        ("math_500", "3/4", "lenient", r"We get \boxed{\frac{3}{4}}", r"\frac{3}{4}"),
        ("cflue_oe", "y", "strict", "<think>x</think><answer>\nIt may. \n</answer>", "It may."),
    ],
)
def test_the_answer_is_found_where_it_is_given(source, gold, strictness, response, expected):
    extra_info = CHOICES if source == "cflue_mcq" else {}
    assert (
        found(response, source=source, gold=gold, extra_info=extra_info, strictness=strictness)
        == expected
    )


def test_the_box_that_counts_is_the_one_in_the_answer():
    response = r"<think>\boxed{A}</think><answer>\boxed{A}</answer> again \boxed{A}"
    reads = Reads(
        {"strictness": "lenient"},
        data_source="cflue_mcq",
        ground_truth="A",
        extra_info={},
        kind="choice",
    )
    begin, end = span(response, reads=reads, pred="A")
    assert response[:end].endswith("<answer>\\boxed{A")
    assert end - begin == 1


@pytest.mark.parametrize("response", ["", "no idea", "<think>\\boxed{A}", "A or B"])
def test_without_an_answer_there_is_no_span(response):
    assert found(response, source="cflue_mcq", gold="A", extra_info=CHOICES) is None


@pytest.mark.parametrize("text", ["\ud800", "𝔸😀" * 30, "\\boxed{" * 5000, "<answer>" * 5000])
def test_hostile_text_moves_nothing(text):
    response = f"<think>{text}</think>\n{text}\nThe answer is \\boxed{{B}}"
    place = found(response, source="cflue_mcq", gold="B", extra_info=CHOICES, strictness="lenient")
    assert place in ("B", None)


def real():
    """Real responses: data source, text, gold, row."""
    files = {
        "cfa": DATA / "cfa_prose" / "responses.jsonl",
        "tatqa": DATA / "tatqa_outputs" / "tatqa_cot_300.jsonl",
        "financebench": DATA / "financebench_outputs" / "gpt-4_oracle.jsonl",
    }
    if not all(file.exists() for file in files.values()):
        pytest.skip("the real outputs are not beside the repository (shared/data)")
    rows = {
        name: [json.loads(line) for line in file.read_text("utf-8").splitlines()]
        for name, file in files.items()
    }
    for row in rows["cfa"]:
        yield "cflue_mcq", row["raw_response"], row["answer"] or "A", {}
    for row in rows["tatqa"]:
        yield "finqa", row["generated"][0], "1", {"question": row["question"]}
    for row in rows["financebench"]:
        yield "finqa", row["model_answer"], "1", {"question": row["question"]}
    for file in (DATA / "financemath_outputs").glob("*.json"):
        for row in json.loads(file.read_text("utf-8")):
            yield "finqa", row["output"][0], "1", {}


def test_real_answers_are_found_and_read_alone_as_they_were_graded():
    read = missed = sentences = 0
    settings = {"strictness": "lenient"}
    for source, text, gold, extra_info in real():
        pred = compute_score(source, text, gold, extra_info, **settings)["pred"]
        reads = Reads(
            settings,
            data_source=source,
            ground_truth=gold,
            extra_info=extra_info,
            kind=KINDS[source],
        )
        place = span(text, reads=reads, pred=pred)
        read += bool(pred)
        missed += bool(pred) and place is None
        if place is not None:
            part = text[slice(*place)]
            if reads.answer(part) not in (pred, pred.lstrip("-")):
                assert reads.prose(LEAD + part) == pred
                sentences += 1
    print(f"{read - missed} of {read} real answers found, {sentences} as a whole sentence")
    assert read > 700
    assert missed + sentences <= 0.01 * read
