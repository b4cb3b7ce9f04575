from dataclasses import replace

import pytest

from dianjin_ext.data.card.labels import Label, Name
from dianjin_ext.data.card.truth import Quality
from dianjin_ext.errors import DianjinError
from dianjin_ext.intervals import wilson_interval

BOTH = ("verify", "select")


@pytest.fixture
def row(made):
    def row(nth, language, came, dropped="", **notes):
        found = made.candidate(nth, language)
        for step in came:
            found = found.note(step, notes.get(step, {}))
        return found.drop(*dropped.split(": ")) if dropped else found

    return row


def measured(rows):
    labels = {
        Name(each.question.id, each.sample): Label(*truth)
        for each, truth in rows
        if truth is not None
    }
    quality = Quality(labels | {Name("gone"): Label(True, True)})
    for each, _ in rows:
        quality.add(each)
    return quality.summary()


def test_precision_and_recall_are_those_counted_by_hand(row):
    rows = [  # what becomes of it, and the truth: right, sound
        *[(row(n, "zh", BOTH), (True, True)) for n in range(1, 7)],  # 6 kept and good
        *[(row(n, "zh", BOTH), (True, False)) for n in range(7, 9)],  # 2 right, broken, kept
        (row(9, "zh", BOTH), (False, False)),  # 1 wrong, kept by both
        *[(row(n, "en", BOTH, "select: reasoning_steps"), (True, True)) for n in (10, 11)],
        *[(row(n, "en", BOTH, "select: overlap"), (True, False)) for n in range(12, 15)],
        (row(15, "en", ("verify",), "verify: wrong"), (True, True)),  # a good one verify loses
        *[(row(n, "en", ("verify",), "verify: wrong"), (False, None)) for n in range(16, 20)],
        (row(20, "en", (), "distill: cut"), (False, False)),  # never came to a filter
        (row(21, "zh", BOTH), None),  # without a label
    ]
    found = measured(rows)
    assert (found["labels"], found["met"]) == (21, 20)
    verify, select, both = found["filters"]
    # verify keeps 14 of the 19 labelled that came: 13 of them right; it loses 1 right one.
    assert (verify["filter"], verify["positive"]) == ("verify", "right")
    assert (verify["kept"], verify["dropped"]) == (15, 5)
    overall = verify["overall"]
    assert overall["labelled"] == 19
    assert (overall["good_kept"], overall["bad_kept"]) == (13, 1)
    assert (overall["good_dropped"], overall["bad_dropped"]) == (1, 4)
    assert overall["precision"]["rate"] == overall["recall"]["rate"] == pytest.approx(13 / 14)
    interval = overall["recall"]["low"], overall["recall"]["high"]
    assert interval == pytest.approx(wilson_interval(13, 14))
    assert overall["f1"]["rate"] == pytest.approx(13 / 14)
    assert overall["keep_all"]["precision"]["rate"] == pytest.approx(14 / 19)
    # select keeps 9 of 14 labelled, 6 good; it loses 2 good ones and 3 bad ones.
    assert (select["positive"], select["kept"], select["dropped"]) == ("right and sound", 10, 5)
    overall = select["overall"]
    assert overall["precision"]["rate"] == pytest.approx(6 / 9)
    assert overall["recall"]["rate"] == pytest.approx(6 / 8)
    assert overall["f1"]["rate"] == pytest.approx(2 * (6 / 9) * (6 / 8) / (6 / 9 + 6 / 8))
    assert overall["keep_all"]["precision"]["rate"] == pytest.approx(8 / 14)
    # by language: all Chinese rows stood, no English one did.
    chinese, english = select["by_language"]["zh"], select["by_language"]["en"]
    assert chinese["precision"]["rate"] == pytest.approx(6 / 9)
    assert chinese["recall"] is None and chinese["f1"] is None  # no dropped row to look at
    assert english["precision"] is None and english["recall"]["rate"] == 0.0
    # both: against all 19 that came to verify, of which 9 are right and sound.
    assert both["filter"] == "both"
    assert both["overall"]["recall"]["rate"] == pytest.approx(6 / 9)
    assert both["overall"]["keep_all"]["precision"]["rate"] == pytest.approx(9 / 19)


def test_where_verify_checked_the_reasoning_a_right_answer_is_not_enough(row):
    rows = [
        (row(1, "zh", ("verify",), verify={"rule": "correct", "reasoning": "sound"}), (True, True)),
        (row(2, "zh", ("verify",), verify={"rule": "correct", "reasoning": "sound"}),
         (True, False)),
        (row(3, "zh", ("verify",), "verify: reasoning_broken",
             verify={"rule": "correct", "reasoning": "broken"}), (True, False)),
        (row(4, "zh", ("verify",), "verify: wrong", verify={"rule": "wrong"}), (False, None)),
        (row(5, "zh", ("verify",), verify={"rule": "correct", "reasoning": "sound"}),
         (True, None)),  # nobody looked at its reasoning
    ]  # fmt: skip
    (verify,) = measured(rows)["filters"]
    assert verify["positive"] == "right and sound"
    overall = verify["overall"]
    assert (overall["good_kept"], overall["bad_kept"], overall["bad_dropped"]) == (1, 1, 2)
    assert overall["labelled"] == 4 and overall["keep_all"]["precision"]["rate"] == 0.25


def test_without_a_filter_nothing_is_measured(made):
    assert measured([(made.candidate(1), (True, True))])["filters"] == []


def test_the_verdict_on_the_answer_is_measured_by_who_gives_it(row, made):
    by_rule, by_judge = {"rule": "correct"}, {"rule": "undecided", "judge": "correct"}
    rows = [
        (row(1, "zh", ("verify",), verify=by_rule), (True, None)),
        # right, and dropped for its reasoning: the verdict on the answer was right all the same
        (row(2, "zh", ("verify",), "verify: reasoning_broken", verify=by_rule), (True, False)),
        (row(3, "zh", ("verify",), verify=by_judge), (True, None)),
        (row(4, "zh", ("verify",), verify=by_judge), (False, None)),
        (
            replace(
                row(5, "zh", ("verify",), "verify: wrong", verify=by_judge | {"judge": "wrong"}),
                acc=0.0,
            ),
            (True, None),
        ),
    ]
    decided = measured(rows)["decided"]
    rules, judge = decided["rules"], decided["judge"]
    assert (rules["labelled"], rules["precision"]["rate"]) == (2, 1.0)
    assert (judge["labelled"], judge["good_kept"], judge["bad_kept"]) == (3, 1, 1)
    assert judge["recall"]["rate"] == 0.5


def test_a_search_is_measured_by_the_answer_alone_and_by_the_reasoning_too(row):
    by_rule, by_judge = {"verdict": "correct"}, {"verdict": "correct", "judge": "correct"}
    wrong, off_form = {"verdict": "wrong"}, {"verdict": "not_in_form"}

    def path(nth, last, dropped=""):
        notes = {"rounds": [wrong, last] if last else []}
        return row(nth, "zh", ("search",), dropped, search=notes)

    rows = [
        *[(path(n, by_rule), (True, True)) for n in range(1, 5)],
        (path(5, by_rule), (True, False)),  # a lucky guess
        (path(6, by_judge), (False, False)),  # the judge erred
        (path(7, by_judge, "bands: too_easy"), (True, True)),  # the search kept it
        (path(8, wrong, "search: not_found"), (False, None)),
        (path(9, wrong | {"judge": "wrong"}, "search: not_found"), (True, True)),  # it erred again
        (path(10, by_rule, "search: answer_changed"), (False, False)),
        (path(11, by_rule, "search: no_answer"), (False, False)),  # no verdict on an answer
        (path(12, off_form, "search: not_found"), (False, None)),
        (path(13, None, "search: not_found"), (False, None)),
        (path(14, by_rule), None),
    ]
    found = measured(rows)
    right, sound = found["filters"]
    assert (right["filter"], right["positive"]) == ("search", "right")
    assert (sound["filter"], sound["positive"]) == ("search", "right and sound")
    assert (right["kept"], right["dropped"]) == (sound["kept"], sound["dropped"]) == (8, 6)
    cells = ("good_kept", "bad_kept", "good_dropped", "bad_dropped")
    assert [right["overall"][cell] for cell in cells] == [6, 1, 1, 5]
    assert [sound["overall"][cell] for cell in cells] == [5, 2, 1, 5]
    assert right["overall"]["recall"]["rate"] == pytest.approx(6 / 7)
    assert sound["overall"]["keep_all"]["precision"]["rate"] == pytest.approx(6 / 13)
    rules, judge = found["decided"]["rules"], found["decided"]["judge"]
    assert [rules[cell] for cell in cells] == [5, 0, 0, 2]
    assert [judge[cell] for cell in cells] == [1, 1, 1, 0]


def test_a_label_is_of_one_models_response(made):
    teacher, student = (
        replace(made.candidate(1), model=name).note("verify", {}) for name in ("a", "b")
    )
    name = Name(teacher.question.id)
    quality = Quality({name._replace(model="b"): Label(False), name: Label(True)})
    quality.add(teacher)
    quality.add(student)
    (verify,) = quality.summary()["filters"]
    assert (verify["overall"]["good_kept"], verify["overall"]["bad_kept"]) == (1, 1)
    quality = Quality({name: Label(True)})
    quality.add(teacher)
    with pytest.raises(DianjinError, match="responses of 'a' and 'b'; add the key model to it"):
        quality.add(student)
