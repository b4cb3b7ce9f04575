from dianjin_ext.data.split import split, unambiguous
from dianjin_ext.questions.question import Question

CHOICES = {"A": "国债", "B": "股票", "C": "期货"}


def question(index, text=None, *, choices=None, answer="A", reasoning="因为", **more):
    text = text or "".join(chr(0x4E00 + (index * 37 + k * (index + 11)) % 5000) for k in range(30))
    return Question(
        id=str(index),
        data_source="choice",
        row=index,
        question=text,
        choices=CHOICES if choices is None else choices,
        answer=answer,
        kind="choice",
        reasoning=reasoning,
        **more,
    )


def indices(questions):
    return [q.row for q in questions]


def test_unambiguous_leaves_out_repetitions_and_contradictions():
    swapped = {"A": "股票", "B": "国债", "C": "期货"}
    kept, excluded = unambiguous(
        [
            question(0, "一（）"),
            question(1, "一（  ）。"),  # the same
            question(2, "一（）", choices=swapped, answer="B"),  # the same, options in other order
            question(3, "二", answer="A"),
            question(4, "二", answer="C"),  # another gold
            question(5, "三", choices={"A": "国债", "B": "国债 "}),
            question(6, "四", choices={"A": "1.5%", "B": "15%", "C": "-15%"}),
        ]
    )
    assert indices(kept) == [0, 6]
    found = {reason: indices(left) for reason, left in excluded.items()}
    assert found == {"repeated_option": [5], "duplicate": [1, 2], "contradictory": [3, 4]}


def test_the_same_words_about_another_text_are_another_question():
    asked = [
        question(i, "变动是多少？", choices={}, answer=str(i), context=context)
        for i, context in enumerate(["甲公司", "乙公司", "乙公司"])
    ]
    kept, excluded = unambiguous(asked)
    assert (indices(kept), indices(excluded["contradictory"])) == ([0], [1, 2])


def test_of_a_question_with_and_without_its_gold_the_one_with_it_is_kept():
    kept, excluded = unambiguous([question(0, "一", answer=None), question(1, "一")])
    assert (indices(kept), indices(excluded["duplicate"])) == ([1], [0])


def run(questions, seed=0, rl_rows=10, val_rows=5, fits=lambda q: True):
    return split(
        questions,
        rl_rows=rl_rows,
        val_rows=val_rows,
        seed=seed,
        fits_rl=fits,
        fits_sft=lambda q: bool(q.reasoning),
    )


def test_sides_have_the_sizes_asked_for_and_nothing_in_common():
    parts = run([question(i) for i in range(50)])
    assert (len(parts.sft), len(parts.train), len(parts.val)) == (35, 10, 5)
    together = indices(parts.sft + parts.train + parts.val)
    assert sorted(together) == list(range(50))


def test_the_seed_decides_and_repeats():
    questions = [question(i) for i in range(50)]
    assert run(questions, seed=1) == run(questions, seed=1)
    assert indices(run(questions, seed=1).val) != indices(run(questions, seed=2).val)


def test_questions_without_reasoning_go_to_rl_first():
    questions = [question(i, reasoning=None if i < 8 else "因为") for i in range(50)]
    parts = run(questions, val_rows=1)
    without = {q.row for q in parts.train + parts.val if q.reasoning is None}
    assert without == set(range(8))
    few = run(questions, rl_rows=3, val_rows=1)
    assert all(q.reasoning is None for q in few.train)


def test_near_duplicates_stay_on_one_side():
    base = question(0).question
    same = [question(i, base[:25] + "甲乙丙丁戊己庚辛壬癸"[i]) for i in range(4)]
    for seed in range(20):
        parts = run([*same, *(question(i) for i in range(10, 40))], seed=seed)
        sides = [set(indices(side)) & {0, 1, 2, 3} for side in (parts.sft, parts.train, parts.val)]
        assert sum(bool(side) for side in sides) == 1
        assert parts.groups == 1


def test_questions_that_do_not_fit_are_for_sft_only():
    parts = run([question(i) for i in range(50)], fits=lambda q: q.row >= 20)
    assert all(q.row >= 20 for q in parts.train + parts.val)
    assert set(range(20)) <= set(indices(parts.sft))


def test_published_splits_hold_and_what_is_too_near_is_left_out():
    splits = ["train"] * 30 + ["val"] * 8 + ["test"] * 4
    asked = [question(i, split=name) for i, name in enumerate(splits)]
    near = question(40).question[:29]
    asked += [question(50, near + "甲", split="train")]
    parts = run(asked)
    assert indices(parts.leaked) == [50]
    assert indices(parts.test) == [38, 39, 40, 41]
    assert set(indices(parts.val)) < set(range(30, 38)) and len(parts.val) == 5
    assert sorted(indices(parts.train + parts.sft)) == list(range(30))


def test_without_a_published_validation_set_it_is_drawn_from_training():
    asked = [question(i, split="train" if i < 30 else "test") for i in range(34)]
    parts = run(asked)
    assert len(parts.val) == 5 and max(indices(parts.val)) < 30
    assert len(parts.test) == 4


def test_questions_about_one_text_stay_on_one_side():
    asked = [question(i, context=f"text {i // 5}") for i in range(50)]
    for seed in range(5):
        parts = run(asked, seed=seed)
        sides = [{q.context for q in side} for side in (parts.sft, parts.train, parts.val)]
        assert sum(map(len, sides)) == len(set().union(*sides)) == 10
