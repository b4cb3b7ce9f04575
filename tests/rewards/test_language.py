import pytest
from hypothesis import given
from hypothesis import strategies as st

from dianjin_ext import compute_score
from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards.language import CHARACTERS_PER_WORD, count_words

CHINESE = "净利润同比增长百分之十二，主要由于销售费用下降。"
ENGLISH = "Net profit rose because selling expenses fell during the year. "
FENCE = "```"


def share(reasoning, target="zh", *, answer=r"\boxed{A}", question=None):
    extra = {} if question is None else {"question": question}
    row = compute_score(
        "cflue_mcq",
        f"<think>{reasoning}</think><answer>{answer}</answer>",
        "A",
        extra,
        weights={"language": 1.0},
        components={"language": {"target": target}},
    )
    assert row["score"] == row["language"]
    return row["language"]


@pytest.mark.parametrize(
    ("reasoning", "zh", "en"),
    [
        (CHINESE, 1.0, 0.0),
        (ENGLISH, 0.0, 1.0),
        ("", 0.0, 0.0),
        ("25 × 4 = 100, 12.5%", 0.0, 0.0),
        ("，。！？", 0.0, 0.0),
        # eight Chinese characters are five words
        ("净利润同比增长了 net profit rose this year", 0.5, 0.5),
        # Of no language while there is enough text around them.
        (CHINESE + "EBITDA 和 GDP 以及 ROE", 1.0, 0.0),
        (CHINESE + "选项A与选项B，设x为成本", 1.0, 0.0),
        (
            CHINESE + r"由 $\frac{\text{profit}}{\text{revenue}}$ 与 \(a + b\) 得 \[c = \sum d\]",
            1.0,
            0.0,
        ),
        (CHINESE + "见 `net_profit` 与 https://example.com/annual/report/2024，如上", 1.0, 0.0),
        (CHINESE + f"\n{FENCE}python\nprofit = revenue - cost\n{FENCE}\n", 1.0, 0.0),
        (CHINESE + f"\n{FENCE}python\nprofit = revenue - cost", 1.0, 0.0),
        (ENGLISH + "α β Δ é 12,500 $5 million", 0.0, 1.0),
        # Dollars are not formulas where they are prices.
        ("$5 净利润 and profit rose $7", 0.385, 0.615),
        # A third language belongs to neither.
        ("Чистая прибыль выросла", 0.0, 0.0),
        (ENGLISH[:21] + " Чистая прибыль выросла", 0.0, 0.571),
        ("純利益は増えたのです", 0.556, 0.0),
    ],
)
def test_share(reasoning, zh, en):
    assert share(reasoning, "zh") == pytest.approx(zh, abs=1e-3)
    assert share(reasoning, "en") == pytest.approx(en, abs=1e-3)


@pytest.mark.parametrize(
    "hidden",
    [
        f"{FENCE}\n{{}}\n{FENCE}",
        f"{FENCE}\n{{}}",
        "`{}`",
        "$${}$$",
        r"\({}\)",
        r"\[{}\]",
        "$x {}x$",
        "{}",
    ],
)
def test_english_reasoning_can_not_hide(hidden):
    text = "好的。" + hidden.format(ENGLISH.strip() * 20)
    assert share(text, "zh") < 0.05


@pytest.mark.parametrize(
    "disguise",
    [
        str.upper,
        lambda text: " ".join(text.replace(" ", "")),
        lambda text: "\\" + text.replace(" ", " \\"),
        lambda text: "\u200b".join(text),
        lambda text: text.replace(" ", "\u3000"),
        lambda text: text.replace(" ", "，"),
        lambda text: text.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)}),
        lambda text: text.translate({code: code + 0x1D3B9 for code in range(0x61, 0x7B)}),
    ],
    ids=["capitals", "spaced", "commands", "invisible", "wide blanks", "commas", "wide", "bold"],
)
def test_english_reasoning_can_not_be_disguised(disguise):
    assert share("好的。" + disguise(ENGLISH) * 20, "zh") < 0.05


def test_what_is_set_aside_never_outweighs_the_text():
    """At the threshold the share does not jump."""
    code = [f"{FENCE}\n{'word ' * n}\n{FENCE}" for n in (4, 5, 6, 10)]
    shares = [share("净利润同比增长了" + text, "zh") for text in code]
    assert shares == pytest.approx([1.0, 1.0, 5 / 6, 5 / 10])
    assert share("净利润同比增长了 $a + b + c + d + e + f$", "zh") == pytest.approx(5 / 6)


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        ("我国金融市场体系包括（）。", r"\boxed{A}", 1.0),
        ("What does EBITDA stand for in the report?", r"答案 \boxed{A}", 0.0),
        ("1 + 1 = ?", r"答案是 \boxed{A}", 1.0),
        (None, r"答案是 \boxed{A}", 1.0),
        (None, r"The answer is \boxed{A}", 0.0),
        (None, r"\boxed{A}", 0.0),  # nobody says
        (["我国金融市场体系"], r"The answer is \boxed{A}", 0.0),  # not a text
    ],
)
def test_auto_takes_the_language_of_the_question_else_of_the_answer(question, answer, expected):
    assert share(CHINESE, "auto", answer=answer, question=question) == expected


def test_invisible_characters_and_prices_leave_words_as_they_are():
    assert count_words("\u200b".join(ENGLISH)) == count_words(ENGLISH)
    assert count_words("净利润增长了，$5净利润$7") == count_words("净利润增长了净利润")


def test_only_the_reasoning_counts():
    assert share(ENGLISH, "zh", answer=CHINESE) == 0.0
    settings = {"weights": {"language": 1.0}, "components": {"language": {"target": "zh"}}}
    for text in ("", CHINESE, f"<answer>{CHINESE}</answer>"):
        assert compute_score("cflue_mcq", text, "A", **settings)["language"] == 0.0
    unclosed = compute_score("cflue_mcq", f"<think>{CHINESE}", "A", **settings)
    assert unclosed["language"] == 1.0


def test_an_unknown_target_is_refused():
    with pytest.raises(DianjinError, match="language"):
        share(CHINESE, "fr")


@given(st.text(), st.integers(0, 20), st.integers(0, 20))
def test_any_text_has_a_share(text, zh, en):
    assert 0.0 <= share(text, "zh") + share(text, "en") <= 1.0 + 1e-9
    words = count_words("净" * zh + " profit" * en)
    assert words == (pytest.approx(zh / CHARACTERS_PER_WORD), en, 0)
