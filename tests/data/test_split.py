from dianjin_ext.data.split import split, unambiguous
from dianjin_ext.questions.readers import MultipleChoice

CHOICES = {"A": "国债", "B": "股票", "C": "期货"}


def question(index, text=None, *, choices=None, answer="A", reasoning="因为"):
    text = text or "".join(chr(0x4E00 + (index * 37 + k * (index + 11)) % 5000) for k in range(30))
    return MultipleChoice(
        index=index,
        question=text,
        choices=choices or CHOICES,
        answer=answer,
        kind="single",
        reasoning=reasoning,
    )


def indices(questions):
    return [q.index for q in questions]


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
    assert excluded == {"repeated_option": 1, "duplicate": 2, "contradictory": 2}


def run(questions, seed=0, rl_rows=10, val_rows=5, fits=lambda q: True):
    return split(questions, rl_rows=rl_rows, val_rows=val_rows, seed=seed, fits_rl=fits)


def test_sides_have_the_sizes_asked_for_and_nothing_in_common():
    parts = run([question(i) for i in range(50)])
    assert (len(parts.sft), len(parts.train), len(parts.val)) == (35, 10, 5)
    together = indices(parts.sft + parts.train + parts.val)
    assert sorted(together) == list(range(50))


def test_the_seed_decides_and_repeats():
    questions = [question(i) for i in range(50)]
    assert run(questions, seed=1) == run(questions, seed=1)
    assert indices(run(questions, seed=1).val) != indices(run(questions, seed=2).val)


def test_questions_without_reasoning_go_to_rl_first_and_never_to_sft():
    questions = [question(i, reasoning=None if i < 8 else "因为") for i in range(50)]
    parts = run(questions, val_rows=1)
    without = {q.index for q in parts.train + parts.val if q.reasoning is None}
    assert without == set(range(8))
    few = run(questions, rl_rows=3, val_rows=1)
    assert all(q.reasoning for q in few.sft)
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
    parts = run([question(i) for i in range(50)], fits=lambda q: q.index >= 20)
    assert all(q.index >= 20 for q in parts.train + parts.val)
    assert set(range(20)) <= set(indices(parts.sft))
