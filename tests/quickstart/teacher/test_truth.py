import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.question import Question
from dianjin_ext.quickstart.teacher.truth import Truth, truth

ZH = Question(
    data_source="cflue_mcq",
    question="下列哪些属于资产？",
    kind="choice",
    answer="AC",
    choices={"A": "库存现金", "B": "短期借款", "C": "原材料", "D": "投资收益"},
)
EN = Question(
    data_source="cflue_mcq",
    question="Which one of these is expense?",
    kind="choice",
    answer="B",
    choices={"A": "patents", "B": "advertising", "C": "share premium", "D": "rent earned"},
    language="en",
)
SOUND_ZH = """题目问资产。
A. 库存现金：资产 √
B. 短期借款：负债 ×
C. 原材料：资产 √
D. 投资收益：收入 ×
所以选AC。"""
SOUND_EN = """Asked: expense.
A. patents: asset ×
B. advertising: expense √
C. share premium: equity ×
D. rent earned: income ×
So B."""


@pytest.mark.parametrize(
    ("question", "reasoning", "sound"),
    [
        (ZH, SOUND_ZH, True),
        (EN, SOUND_EN, True),
        # another order, and words between
        (ZH, "\n".join(["题目问资产。", *SOUND_ZH.splitlines()[4:0:-1], "所以选AC。"]), True),
        (ZH, SOUND_ZH.replace("A. ", "先看").replace(" √", "，", 1), True),
        (EN, SOUND_EN.replace("patents: asset ×", "patents is an asset ×"), True),
        # a wrong element, in an option that is asked for and in one that is not
        (ZH, SOUND_ZH.replace("库存现金：资产 √", "库存现金：费用 √"), False),
        (ZH, SOUND_ZH.replace("库存现金：资产 √", "库存现金：费用 ×"), False),
        (ZH, SOUND_ZH.replace("短期借款：负债", "短期借款：权益"), False),
        # a mark that says something else than its line
        (ZH, SOUND_ZH.replace("短期借款：负债 ×", "短期借款：负债 √"), False),
        (EN, SOUND_EN.replace("expense √", "expense ×"), False),
        # the letter of another option
        (ZH, SOUND_ZH.replace("B. 短期借款", "D. 短期借款"), False),
        # conclusions that don't follow, or are missing
        (ZH, SOUND_ZH.replace("所以选AC", "所以选A"), False),
        (ZH, SOUND_ZH.replace("所以选AC", "所以选ACD"), False),
        (EN, SOUND_EN.replace("So B.", "So C."), False),
        (ZH, SOUND_ZH.replace("所以选AC。", ""), False),
        (ZH, SOUND_ZH + "\n所以选BD。", False),
        # right steps are missing, or come again
        (ZH, "题目问资产。\nA. 库存现金：资产 √\n所以选AC。", False),
        (ZH, SOUND_ZH.replace("D. 投资收益：收入 ×\n", ""), False),
        (ZH, SOUND_ZH.replace("所以", "A. 库存现金：资产 √\n所以"), False),
        (ZH, SOUND_ZH.replace("所以", "不过，库存现金属于负债。\n所以"), False),
        # an option that nobody offered, and a line that says nothing
        (ZH, SOUND_ZH.replace("所以", "E. 固定资产：资产 √\n所以"), False),
        (ZH, SOUND_ZH.replace("投资收益：收入 ×", "投资收益：不清楚 ×"), False),
        # another element is asked
        (ZH, SOUND_ZH.replace("题目问资产", "题目问负债").replace("：资产", "：费用"), False),
        # the other language
        (
            EN,
            "题目问费用。\nA. 无形资产：资产 ×\nB. 销售费用：费用 √\n"
            "C. 资本公积：权益 ×\nD. 租金收入：收入 ×\n所以选B。",
            False,
        ),
        ("", "", False),
        # a wrong turn that is taken back, and one that is not
        (ZH, SOUND_ZH.replace("资产 √", "费用 ×", 1) + "\n等等，再看一遍。\n" + SOUND_ZH, True),
        (
            ZH,
            SOUND_ZH.replace("库存现金：资产 √", "库存现金：费用 ×").replace("选AC", "选C")
            + "\n不对，库存现金属于资产。\n所以选AC。",
            True,
        ),
        (ZH, SOUND_ZH.replace("资产 √", "费用 ×", 1) + "\n" + SOUND_ZH, False),
        (ZH, SOUND_ZH + "\n等等，库存现金属于费用。\n所以选C。", False),
        (ZH, SOUND_ZH + "\n等等，再想想。", False),
        (EN, SOUND_EN + "\nWait, that is not all.\nSo A.", False),
    ],
)
def test_reasoning_is_told_sound_from_broken(question, reasoning, sound):
    assert truth(question or ZH, reasoning, "\\boxed{AC}").sound is sound


@pytest.mark.parametrize(
    ("question", "answer", "right"),
    [
        (ZH, "\\boxed{AC}", True),
        (ZH, "答案是 \\boxed{C、A}。", True),
        (ZH, "AC", True),
        (ZH, "A. 库存现金\nC. 原材料", True),
        (ZH, "\\boxed{A}", False),
        (ZH, "\\boxed{ACD}", False),
        (ZH, "\\boxed{AC} 不，\\boxed{BC}", False),
        (ZH, "答案是 B，理由是 \\boxed{}", False),
        (ZH, "所给的内容还不足以作答。", False),
        (ZH, "", False),
        (EN, "\\boxed{B}", True),
        (EN, "\\boxed{advertising}", True),
        (EN, "\\boxed{b}", True),
        (EN, "\\boxed{A}", False),
        (EN, "\\boxed{advertising; patents}", False),
    ],
)
def test_answers_are_told_right_from_wrong(question, answer, right):
    assert truth(question, SOUND_ZH, answer).right is right


def test_right_and_sound_are_apart():
    wrong = SOUND_ZH.replace("资产 √", "费用 ×", 1).replace("选AC", "选C")
    assert truth(ZH, wrong, "\\boxed{C}") == Truth(False, False)
    assert truth(ZH, wrong, "\\boxed{AC}") == Truth(True, False)
    assert truth(ZH, SOUND_ZH, "\\boxed{C}") == Truth(False, True)


def test_a_question_from_elsewhere_has_no_truth_here():
    other = Question(data_source="finqa", question="how much?", kind="number", answer="1")
    with pytest.raises(DianjinError, match="not a question of the world"):
        truth(other, "", "")
    stem_alone = Question(
        data_source="cflue_oe", question=ZH.question, kind="open", answer="库存现金"
    )
    with pytest.raises(DianjinError, match="not a question of the world"):
        truth(stem_alone, "", "")
