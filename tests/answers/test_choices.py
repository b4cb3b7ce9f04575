import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dianjin_ext.answers import read_choices

MARKET = {"A": "货币市场", "B": "债券市场", "C": "商品市场", "D": "金融衍生品市场"}
TRUTH = {"A": "对", "B": "错"}


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("A", "A"),
        ("a", "A"),
        ("Ａ", "A"),
        (" A \n", "A"),
        ("A.", "A"),
        ("A。", "A"),
        ("A、", "A"),
        ("A项", "A"),
        ("(A)", "A"),
        ("（A）", "A"),
        ("[A]", "A"),
        ("A)", "A"),
        ("A:", "A"),
        ("**A**", "A"),
        ("$A$", "A"),
        (r"\(A\)", "A"),
        (r"\text{A}", "A"),
        (r"\mathbf{A}", "A"),
        ("ACD", "ACD"),
        ("acd", "ACD"),
        ("CA", "AC"),
        ("A、C", "AC"),
        ("A，C", "AC"),
        ("A, C", "AC"),
        ("A；C", "AC"),
        ("A/C", "AC"),
        ("A C", "AC"),
        ("A\nC", "AC"),
        ("A和C", "AC"),
        ("A及C", "AC"),
        ("A以及C", "AC"),
        ("A and C", "AC"),
        ("A, B, and D", "ABD"),
        ("A、B和D", "ABD"),
        ("(A)(C)", "AC"),
        ("（A）、（C）", "AC"),
        (r"\text{A}, \text{C}", "AC"),
        (r"\text{A and C}", "AC"),
        (r"\{A,\ C\}", "AC"),
        ("选A", "A"),
        ("选项A", "A"),
        ("故选AC。", "AC"),
        ("答案是A", "A"),
        ("正确答案为：A、C", "AC"),
        ("Answer: A", "A"),
        ("The correct answer is C.", "C"),
        ("options A and C", "AC"),
        ("A. Bank loan and Debt", "A"),
        ("A.Bank loan", "A"),
        ("A：货币市场", "A"),
        ("A、货币市场", "A"),
        ("B：GDP增速", "B"),
        ("(A) loan", "A"),
        ("A) loan", "A"),
        ("C (EBITDA)", "C"),
        ("C（息税前利润）", "C"),
        ("A. 银行贷款；C. 债券", "AC"),
        ("A. loan\nC. bond", "AC"),
        ("C：A股市场", "C"),
    ],
)
def test_letters(text, letters):
    assert read_choices(text) == (letters, "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "H",
        "999",
        "ALL of the Above",
        "EBITDA",
        "AA",
        "A, A",
        "AA级",
        "A+",
        "A股",
        "bad",
        "a bond",
        "A bond",
        "e.g. cash",
        "对",
        "货币市场",
        "不选A",
        "不是A",
        "选项",
        "А",  # Cyrillic
        "A" * 5000,
        "~A",
        "~~A~~",
        "A**2",
        "非A",
        "除A外",
        "A̶",
        r"\cancel{A}",
    ],
)
def test_no_answer(text):
    assert read_choices(text) == (None, "no_answer")


@pytest.mark.parametrize(
    "text",
    [
        "A或B",
        "A~D",
        "A、H",
        "A. H, J",
        "A: AB",
        "A. BD",
        "A or B",
        "A/B/C 之一",
        "不选A，选C",
        "A不对，C对",
        "A. 不对，应选C",
        "A. wrong",
        "A：错误",
        "A. 不选",
        "A. 错误的",
        "A（错误选项）",
        "A: not the answer",
        "A. Bank loan is incorrect",
        "A、银行贷款（应排除）",
        "A. 不是正确答案",
        "A. 银行贷款除外",
        "A. Never",
        "A：不符合题意",
        "A (ruled out)",
        "A. 对; B. 错",
        "either A or B",
        "A (B, not C)",
    ],
)
def test_ambiguous(text):
    assert read_choices(text) == (None, "ambiguous")


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("货币市场", "A"),
        ("货 币 市场。", "A"),
        (r"\text{货币市场}", "A"),
        ("答案是货币市场", "A"),
        ("A. 货币市场", "A"),
        ("A 货币市场", "A"),
        ("A 债券市场", None),
        ("A. 货币的市场", "A"),
        ("A. 债券市场", "?"),
        ("A. 货币市场（错误）", "?"),
        ("A. 货币市场 ×", "?"),
        ("A. 应剔除", "?"),
        ("A（债券）", "?"),
        ("A. Money market", "A"),
        ("A. 货币市场（一年期以内）", "A"),
        ("A. 货币市场 √", "A"),
        ("A. 货币市场和债券市场", "?"),
        ("A. 而非债券市场", "?"),
        ("A. 货币市场不正确", "?"),
        ("货币市场、债券市场", "AB"),
        ("货币市场、期货", None),
        ("货币市场、货币市场", None),
        ("A. 货币市场；D. 金融衍生品市场", "AD"),
        ("A. 债券市场；B. 货币市场", "?"),
        ("E", None),
        ("市场", None),
    ],
)
def test_options(text, letters):
    read = read_choices(text, MARKET)
    assert read == ((None, "ambiguous") if letters == "?" else (letters, read.fault))
    assert (read.fault == "no_answer") == (letters is None)


def test_english_options_keep_their_own_words():
    options = {"A": "Vitamin C and B", "B": "EBITDA", "C": "All of the above", "D": "$5 million"}
    assert read_choices("A. Vitamin C and B", options).value == "A"
    assert read_choices("EBITDA", options).value == "B"
    assert read_choices("ALL of the Above", options).value == "C"
    assert read_choices(r"\$5 million", options).value == "D"


def test_letters_beyond_g_count_where_the_row_has_them():
    options = {letter: f"text {letter * 3}" for letter in "ABCDEFGHIJ"}
    assert read_choices("H、J", options).value == "HJ"
    assert read_choices("J", MARKET).value is None


def test_text_of_two_options_is_not_an_answer():
    assert read_choices("同上", {"A": "同上", "B": "同上", "C": "其他"}).value is None


def test_option_text_that_is_a_letter_contradicts_the_letter():
    assert read_choices("B", {"A": "B", "B": "A"}) == (None, "ambiguous")


@pytest.mark.parametrize(
    "options", [TRUTH, {"A": "正确", "B": "错误"}, {"A": "True", "B": "False"}]
)
@pytest.mark.parametrize(
    ("words", "letter"),
    [
        (("对", "正确", "是", "True", "yes", "√", "A. 正确", "A．对", "答案是对"), "A"),
        (("错", "错误", "否", "false", "No", "×", "不对", "不正确", "B. 错误", "incorrect"), "B"),
    ],
)
def test_true_or_false_through_the_options(options, words, letter):
    for word in words:
        assert read_choices(word, options).value == letter, word


@pytest.mark.parametrize("text", ["A. 错", "B：对", "B. 正确", "对错", "不错"])
def test_truth_is_not_guessed(text):
    assert read_choices(text, TRUTH).value is None


@given(st.sets(st.sampled_from("ABCDEFG"), min_size=1), st.data())
def test_every_order_and_separator_gives_the_same_set(letters, data):
    order = data.draw(st.permutations(sorted(letters)))
    separator = data.draw(st.sampled_from(["", "、", "，", ", ", "; ", "/", " ", "和", " and "]))
    style = data.draw(st.sampled_from(["{}", r"\text{{{}}}", "({})"]))
    text = separator.join(style.format(letter) for letter in order)
    assert read_choices(text).value == "".join(sorted(letters))


@given(st.text(alphabet="ABCaх、，,;/和 and()（）.：:不选或之一对错是\n\\{}$*", max_size=12))
def test_a_value_has_only_letters_of_the_options(text):
    for options, allowed in ((None, "ABCDEFG"), (TRUTH, "AB")):
        value, fault = read_choices(text, options)
        assert (value is None) == (fault != "")
        if value is not None:
            assert list(value) == sorted(set(value))
            assert set(value) <= set(allowed)


def test_every_option_text_and_letter_of_a_row_reads_as_its_letter():
    for (letter, option), label in itertools.product(MARKET.items(), ["{0}", "{1}", "{0}. {1}"]):
        assert read_choices(label.format(letter, option), MARKET).value == letter


def test_a_refusal_in_the_option_itself_is_no_refusal():
    options = {"A": "收入确认不正确", "B": "The estimate is not reliable"}
    assert read_choices("A. 收入确认不正确", options).value == "A"
    assert read_choices("A. 收入的确认不正确", options).value == "A"
    assert read_choices("A. 收入确认不正确（错误）", options).fault == "ambiguous"
    assert read_choices("B. Estimate is not reliable", options).value == "B"


def test_ties_of_latex_are_blanks():
    assert read_choices(r"\text{A},~\text{C}").value == "AC"


def test_options_that_are_formulas():
    options = {"A": r"$\frac{1}{23}$", "B": r"$\frac{12}{3}$", "C": "$x_{12}$", "D": "10%"}
    for letter, option in options.items():
        assert read_choices(option, options).value == letter
        assert read_choices(f"{letter}. {option}", options).value == letter
    assert read_choices(r"\frac{1}{2}3", options).value is None
    assert read_choices(r"A. \frac{12}{3}", options).fault == "ambiguous"
