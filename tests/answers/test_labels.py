import itertools

import pytest

from dianjin_ext.answers import LABEL_SETS, read_label

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
        "是不是",
        "compliance",
        "yess",
    ],
)
def test_no_answer(text):
    assert read_label(text, (*CCC, "sentiment")) == (None, "no_answer")


@pytest.mark.parametrize(
    "text", ["合规/不合规", "是或否", "yes or no", "bullish, neutral", "对、错"]
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
