import itertools

import numpy as np
import pytest

from dianjin_ext.answers import LABEL_SETS, read_label
from dianjin_ext.answers.labels import own_set, read_word

CCC = ("compliance", "yes_no", "true_false")


@pytest.mark.parametrize(
    ("text", "names", "label"),
    [
        ("是", CCC, "yes"),
        ("否。", CCC, "no"),
        ("不是", CCC, "no"),
        ("合规", CCC, "compliant"),
        ("不合规", CCC, "non-compliant"),
        ("不 合规", CCC, "non-compliant"),
        ("违规", CCC, "non-compliant"),
        ("Non-Compliant", CCC, "non-compliant"),
        ("not compliant", CCC, "non-compliant"),
        ("不对", CCC, "false"),
        ("不正确", CCC, "false"),
        ("incorrect", CCC, "false"),
        (r"\text{是}", CCC, "yes"),
        ("答案是否", CCC, "no"),
        ("答案：合规", CCC, "compliant"),
        ("ＹＥＳ", CCC, "yes"),
        ("Bullish.", ("sentiment",), "bullish"),
        ("利空", ("sentiment",), "bearish"),
        ("中性", ("sentiment",), "neutral"),
        ("利好", ("sentiment",), "bullish"),
        ("利好（bullish）", ("sentiment",), "bullish"),
        ("Negative / 看空", ("sentiment",), "bearish"),
        ("Sentiment: neutral", ("sentiment",), "neutral"),
        ("The overall sentiment is positive", ("sentiment",), "bullish"),
        ("情感倾向：负面的", ("sentiment",), "bearish"),
        ("结论：不合规", CCC, "non-compliant"),
        ("Neutral: it shows no bias or opinion", ("sentiment",), "neutral"),
        ("Yes, it rose in 2019 or 2020", CCC, "yes"),
        ("对的", CCC, "true"),
        ("✔️", CCC, "true"),
    ],
)
def test_labels(text, names, label):
    assert read_label(text, names) == (label, "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "并非合规",
        "不是合规",
        "合规性",
        "not bullish",
        "没有不合规",
        "compliance",
        "yess",
        "不是 否",
        "不是否",
        "neither",
        "非利好",
        "not\u200bbullish",
        "~合规",
        "~~合规~~",
        "\x00",
        "It may be bullish",
        "Bullish, or so it seems",
        "Yes, it rose, or nearly so",
        "No, it fell or maybe not",
    ],
)
def test_no_answer(text):
    assert read_label(text, (*CCC, "sentiment")) == (None, "no_answer")


@pytest.mark.parametrize(
    "text",
    [
        "合规/不合规",
        "是或否",
        "yes or no",
        "bullish, neutral",
        "对、错",
        "是不是",
        "是否",
        "可能利好，也可能利空",
        "not bullish but bearish",
    ],
)
def test_ambiguous(text):
    assert read_label(text, (*CCC, "sentiment")) == (None, "ambiguous")


def test_sets_are_kept_apart():
    assert read_label("是", ("compliance",)).value is None
    assert read_label("利好", CCC).value is None


def test_no_word_stands_for_two_labels():
    labels = [labels for labels in LABEL_SETS.values()]
    words = [word for group in labels for row in group.values() for word in row]
    assert len(words) == len(set(words))


def test_a_negated_word_is_never_the_word():
    for group in LABEL_SETS.values():
        for (label, words), no in itertools.product(
            group.items(), ("不", "非", "not ", "没有", "不是")
        ):
            for word in words:
                assert read_label(no + word, LABEL_SETS).value != label, no + word


SEGMENTS = {"retail": ["零售", "individual"], "wholesale": ["批发"], "non-retail": None}


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["buy", "hold"], {"buy": "buy", "hold": "hold"}),
        (("买入", "Hold"), {"买入": "买入", "hold": "Hold"}),
        (np.array(["buy", "hold"]), {"buy": "buy", "hold": "hold"}),
        ([0, 1], {"0": "0", "1": "1"}),
        (
            SEGMENTS,
            {"retail": "retail", "零售": "retail", "individual": "retail"}
            | {"wholesale": "wholesale", "批发": "wholesale"},
        ),
        (
            {"up": np.array(["涨"]), "down": "跌"},
            {"up": "up", "涨": "up", "down": "down", "跌": "down"},
        ),
    ],
)
def test_set_of_a_row(labels, words):
    assert own_set(labels).words == words


@pytest.mark.parametrize(
    "labels",
    [
        *(None, 3, "buy", [], ["buy"], ["buy", "BUY."], ["buy", ""], ["buy", None], [["a"], ["b"]]),
        *({}, {"up": ["x"], "down": ["X"]}, {"up": 3, "down": 4}, {"up": [None], "down": []}),
        *([True, False], [1.5, 2.5], {"up": {"x": 1}, "down": []}, np.array(3), b"ab", object()),
    ],
)
def test_unusable_set_of_a_row(labels):
    assert own_set(labels) is None


def test_words_of_a_row_that_contain_each_other():
    words = own_set(["risk", "no risk", "low risk"])
    assert read_word("No risk", [words]).value == "no risk"
    assert read_word("not risk", [words]) == (None, "no_answer")
    assert read_word("no risk or low risk", [words]) == (None, "ambiguous")
