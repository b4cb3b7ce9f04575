"""Held-out answers are of other questions."""

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.question import Question
from dianjin_ext.verifier.holding_out import FEWEST, check_labels, hold_out
from dianjin_ext.verifier.labelled import Labelled

WORDS = ["增值税", "消费税", "关税", "契税", "房产税", "印花税", "资源税", "车船税"]


def answers(questions, *, right=2, wrong=2, about=lambda number: ""):
    found = []
    for number in range(questions):
        question = Question(
            id=f"q/{number}",
            data_source="cflue_oe",
            question=f"{WORDS[number % 8]}第{number * 7919}条规定{chr(0x4E00 + 7 * number)}什么？",
            kind="open",
            answer="a",
            context=about(number),
        )
        for label, most in ((True, right), (False, wrong)):
            for i in range(most):
                found.append(Labelled(question, f"{number}/{label}/{i}", label, "rules"))
    return found


@pytest.mark.parametrize("seed", range(3))
def test_no_question_is_in_both_parts(seed):
    given = answers(200)
    trained, held = hold_out(given, share=0.2, seed=seed)
    assert sorted(trained + held, key=given.index) == given
    assert not {e.question.id for e in trained} & {e.question.id for e in held}
    assert 0.15 * len(given) <= len(held) <= 0.2 * len(given)


def test_questions_about_one_text_are_held_out_together():
    given = answers(200, about=lambda number: f"report {number // 2}")
    trained, held = hold_out(given, share=0.2, seed=0)
    assert not {e.question.context for e in trained} & {e.question.context for e in held}


def test_the_draw_is_that_of_the_seed():
    given = answers(100)
    draws = [hold_out(given, share=0.3, seed=seed)[1] for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "there are none"),
        (answers(50, wrong=0), "all 100 labelled answers are right"),
        (answers(50, right=0), "all 100 labelled answers are wrong"),
    ],
)
def test_one_label_teaches_nothing(given, words):
    with pytest.raises(DianjinError, match=words):
        check_labels(given)


def test_too_few_are_refused():
    few = FEWEST - 1
    for given, share, words in (
        (answers(100, right=1, wrong=1), 0.1, f"held out: {10} right and {10} wrong, expected 20"),
        (answers(few, right=1, wrong=5), 0.5, "to train on: .* right, expected 20"),
    ):
        with pytest.raises(DianjinError, match=words):
            hold_out(given, share=share, seed=0)
