import json
import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dianjin_ext import compute_score
from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards import REASONS, STRICTNESSES, gold_response, reward_names

GOLDS = {
    "cflue_mcq": "AC",
    "fineva": "B",
    "financeiq": "C",
    "fineval": "D",
    "choice": "AB",
    "finqa": "-1,234.5",
    "convfinqa": 1.42403,
    "tatqa": "12.5%",
    "spans": "12.5%",
    "docmath": np.float64(3.5),
    "xbrl_math": "(5)",
    "math": "\\frac{3}{4}",
    "math_500": "x^2 + 1",
    "aime_2024": "204",
    "tfns": "利好",
    "ccc": "不合规",
    "numeric": "$5.2 million",
    "label": "bearish",
    "exact": "VAT",
    "cflue_oe": "增值税 {一般纳税人",
    "finance_instruct": "Diversify.",
}

FRAGMENTS = [
    *("<think>", "</think>", "<answer>", "</answer>", "\\boxed{", "\\boxed", "{", "}", "\\text{"),
    *(
        "A",
        "C",
        "Ａ",
        "、",
        "，",
        "/",
        "和",
        " and ",
        "或",
        "不",
        "选",
        "对",
        "错",
        ".",
        "：",
        "(",
        ")",
    ),
    *(
        "1",
        "２",
        ",",
        "%",
        "\\%",
        "$",
        "e9",
        "×10^",
        "³",
        "-",
        "合规",
        "bullish",
        " ",
        "\n",
        "\x00",
    ),
]
TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(FRAGMENTS), max_size=20).map("".join),
    st.builds(
        "<think>{}</think><answer>\\boxed{{{}}}</answer>".format,
        st.sampled_from(["x", ""]),
        st.one_of(st.lists(st.sampled_from(FRAGMENTS[5:]), max_size=8).map("".join), st.text()),
    ),
)
CHOICES = st.one_of(
    st.none(), st.dictionaries(st.sampled_from("ABCDEFGHIJ"), st.one_of(st.none(), st.text()))
)


def test_every_name_has_a_gold_here():
    assert set(GOLDS) == set(reward_names())


@settings(max_examples=250, deadline=None)
@given(
    st.sampled_from(sorted(GOLDS)),
    TEXTS,
    st.one_of(st.none(), TEXTS, st.floats(), st.integers(), st.lists(st.text())),
    CHOICES,
    st.sampled_from(STRICTNESSES),
    st.sampled_from(["auto", "true", "false"]),
)
def test_never_raises_and_always_gives_the_same_keys(name, text, gold, choices, strictness, think):
    extra_info = {"choices": choices, "index": np.int64(1)}
    row = compute_score(name, text, gold, extra_info, strictness=strictness, think=think)
    assert list(row) == ["score", "acc", "format", "pred", "reason"]
    for field in ("score", "acc", "format"):
        assert type(row[field]) is float
        assert row[field] in (0.0, 1.0)
    assert type(row["pred"]) is str
    assert len(row["pred"]) <= 80
    assert row["reason"] in REASONS
    assert (row["reason"] == "correct") == (row["acc"] == 1.0)
    assert row["format"] >= row["acc"]
    json.dumps(row, allow_nan=False)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(GOLDS)), TEXTS)
def test_what_strict_accepts_lenient_accepts(name, text):
    if compute_score(name, text, GOLDS[name])["score"]:
        assert compute_score(name, text, GOLDS[name], strictness="lenient")["score"]


@pytest.mark.parametrize("name", sorted(GOLDS))
def test_gold_response_scores_one(name):
    response = gold_response(name, GOLDS[name])
    for strictness in ("strict", "lenient"):
        row = compute_score(name, response, GOLDS[name], strictness=strictness)
        assert (row["score"], row["format"]) == (1.0, 1.0)
    for strictness in STRICTNESSES:
        assert (
            compute_score(name, "<think>x</think>", GOLDS[name], strictness=strictness)["score"]
            == 0
        )


@pytest.mark.parametrize(
    ("name", "gold", "words"),
    [
        ("cflue_mcq", "H", ["cflue_mcq", "'H'", "letters"]),
        ("cflue_mcq", None, ["None"]),
        ("finqa", "5 or 6 million", ["'5 or 6 million'", "quantity"]),
        ("tfns", 1, ["1", "bullish"]),
        ("cflue_oe", "a</answer>b", ["</answer>"]),
        ("cflue_oe", "", ["blank"]),
    ],
)
def test_unusable_gold_is_explained(name, gold, words):
    with pytest.raises(DianjinError) as error:
        gold_response(name, gold)
    assert all(word in str(error.value) for word in words)


def test_unusable_gold_names_the_options():
    choices = {"A": "对", "B": "错", "C": None}
    assert r"\boxed{错}" in gold_response("cflue_mcq", "错", {"choices": choices})
    with pytest.raises(DianjinError, match="对"):
        gold_response("cflue_mcq", "C", {"choices": choices})


def test_gold_as_a_list_or_an_array():
    for gold in (["A", "C"], np.array(["A", "C"])):
        assert compute_score("fineval", gold_response("fineval", gold), gold)["score"] == 1.0


def test_keywords_of_verl_are_accepted():
    row = compute_score(
        data_source="cflue_mcq",
        solution_str=gold_response("cflue_mcq", "A"),
        ground_truth="A",
        extra_info=None,
        reward_router_address="localhost:1",
        reward_model_tokenizer=object(),
    )
    assert row["score"] == 1.0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"strictnes": "strict"}, ["strictnes", "strictness, think, tags, numbers"]),
        ({"strictness": "loose"}, ["loose", "'strict', 'lenient', 'dianjin' or 'dianjin_eval'"]),
        ({"think": "yes"}, ["yes", "'auto', 'true' or 'false'"]),
    ],
)
def test_unknown_options_are_refused_by_name(options, words):
    with pytest.raises(DianjinError) as error:
        compute_score("cflue_mcq", "x", "A", **options)
    assert all(word in str(error.value) for word in words)


@pytest.mark.parametrize("response", [None, b"A", 1])
def test_a_response_that_is_no_text_is_refused(response):
    with pytest.raises(DianjinError, match="cflue_mcq: solution_str"):
        compute_score("cflue_mcq", response, "A")


def test_threads_give_the_same_rows():
    choices = [{"A": f"甲{n}", "B": f"乙{n}", "C": "对"} for n in range(50)]
    calls = [
        (
            name,
            gold_response(name, GOLDS[name]).replace("AC", f"甲{n}"),
            GOLDS[name],
            {"choices": c},
        )
        for n, c in enumerate(choices)
        for name in sorted(GOLDS)
    ]
    expected = [compute_score(*call) for call in calls]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            assert list(pool.map(lambda call: compute_score(*call), calls)) == expected


HOSTILE = r"""
import resource
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))  # seconds; all of it together needs about five
from dianjin_ext import compute_score
pieces = ["<think>", "</think>", "<answer>", "</answer>", "<think></think>", "\\boxed{", "\\boxed ",
          "\\boxed{}", "\\boxed{{}", "{", "}", "{}", "\\{", "\\text{", "7", "1,234", "A、", "(A)",
          "A. x;", " ", "\n", "答案是", "<", "**", "~"]
places = ["%s", "<think>%s", "<think>x</think><answer>%s</answer>",
          "<think>x</think><answer>\\boxed{%s}</answer>"]
for piece in pieces:
    for place in places:
        text = place.replace("%s", piece * (300_000 // len(piece)))
        for name in ["cflue_mcq", "cflue_oe"]:
            for strictness in ["strict", "lenient", "dianjin"]:
                row = compute_score(name, text, "B", strictness=strictness)
                assert row["score"] == 0.0, (piece, place, name, strictness)
print("done")
"""


@pytest.mark.slow
def test_hostile_responses_take_linear_time():
    """600 long responses: with a quadratic step, one alone would use up the CPU time given."""
    done = subprocess.run([sys.executable, "-c", HOSTILE], capture_output=True, text=True)
    assert done.stdout == "done\n", done.stderr


def test_work_doubles_with_the_response():
    for piece in ("<think>", "\\boxed{", "{", "A、", "7"):
        for place in ("{}", "<think>x</think><answer>\\boxed{{{}}}</answer>"):
            steps = [_calls(place.format(piece * n)) for n in (2000, 4000)]
            assert steps[1] <= 2.2 * steps[0] + 50, (piece, place)


def _calls(text):
    """Count the calls of functions, in Python and in C, that grading takes."""
    count = 0

    def profile(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        compute_score("cflue_mcq", text, "A", strictness="lenient")
    finally:
        sys.setprofile(None)
    return count


def test_import_brings_in_no_host():
    code = (
        "import sys, dianjin_ext.rewards, dianjin_ext; dianjin_ext.compute_score;"
        "heavy = {'torch', 'ray', 'verl', 'llamafactory', 'numpy', 'transformers'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_import_of_the_package_alone_is_free():
    code = (
        "import sys; before = set(sys.modules); import dianjin_ext;"
        "print(sorted(set(sys.modules) - before - {'typing'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "dianjin_ext.rewards" not in done.stdout
    assert "importlib.metadata" not in done.stdout.replace("_frozen", "")


def test_public_names():
    import dianjin_ext

    assert dianjin_ext.__version__
    assert math.isfinite(dianjin_ext.compute_score("finqa", "", "5")["score"])
    with pytest.raises(AttributeError, match="nonsense"):
        _ = dianjin_ext.nonsense
