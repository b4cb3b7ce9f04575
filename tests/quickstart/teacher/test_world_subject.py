import random
from collections import Counter
from dataclasses import replace

import pytest

from dianjin_ext.answers.tags import TAGS
from dianjin_ext.questions.language import language_of
from dianjin_ext.questions.prompts import prompt, with_options
from dianjin_ext.quickstart import world
from dianjin_ext.quickstart.teacher.draws import Draws
from dianjin_ext.quickstart.teacher.glosses import GLOSSES
from dianjin_ext.quickstart.teacher.item import read_item
from dianjin_ext.quickstart.teacher.statements import read_statements
from dianjin_ext.quickstart.teacher.world_questions import world_questions
from dianjin_ext.quickstart.teacher.world_subject import _BROKEN, WorldSubject
from dianjin_ext.rewards import compute_score

COUNT = 400
QUESTIONS = world_questions(COUNT, seed=5)
WORLD = world.questions(COUNT, seed=5)


def test_world_questions_are_those_of_the_world():
    for question, made in zip(QUESTIONS, WORLD, strict=True):
        assert (question.answer, question.choices) == (made.gold, made.choices)
        assert question.language == made.language == language_of(with_options(question))
        assert question.multiple == made.multiple
        assert question.kind == "choice"
    assert len({question.id for question in QUESTIONS}) == COUNT
    assert world_questions(COUNT, seed=5) == QUESTIONS
    assert {q.id for q in world_questions(9, seed=6)}.isdisjoint(q.id for q in QUESTIONS)


@pytest.mark.parametrize("tags", TAGS)
def test_a_question_is_read_out_of_the_prompt_that_asks_it(tags):
    for question, made in zip(QUESTIONS, WORLD, strict=True):
        item = read_item(prompt(question, TAGS[tags]))
        assert item is not None
        assert (item.language, item.element) == (made.language, made.element)
        assert (item.titles, item.lettered) == (made.options, True)


def test_no_question_is_read_out_of_other_texts():
    for text in (
        "",
        "下列哪一项属于资产？",
        "下列哪一项属于资产？\nA. 库存现金\nB. 别的科目",
        "下列哪一项属于资产？\nA. 库存现金\nC. 短期借款",
        "Which one of these is red?\nA. patents\nB. advertising",
    ):
        assert read_item(text) is None


def test_texts_that_begin_over_and_over_take_linear_time():
    for text in ("一家公司有四类内容：", "A company has: ", "下列哪项属于", "Which of these are "):
        assert read_item(text * 50_000) is None


def test_an_open_question_asks_the_same_and_names_neither_options_nor_titles():
    titles = [name for title in world.TITLE_ELEMENT for name in title]
    for made in WORLD:
        item = read_item(f"{made.text}\n" + "\n".join(f"{k}. {v}" for k, v in made.choices.items()))
        text = item.opened()
        assert "\n" not in text
        assert not [name for name in titles if name in text]
        opened = read_item(text)
        assert (opened.language, opened.element) == (item.language, item.element)
        assert (opened.titles, opened.lettered) == (item.titles, False)


def test_no_gloss_names_a_title_or_an_element_or_another_gloss():
    for i, language in enumerate(("zh", "en")):
        glosses = list(GLOSSES[language].values())
        assert len(set(glosses)) == len(world.TITLE_ELEMENT)
        names = [title[i] for title in world.TITLE_ELEMENT]
        names += [element[i] for element in world.ELEMENTS.values()]
        for gloss in glosses:
            assert not [name for name in names if name in gloss]
            assert sum(gloss in other for other in glosses) == 1


def subjects():
    for question in QUESTIONS:
        item = read_item(with_options(question))
        yield question, WorldSubject(item), Draws(question.id.encode())
        yield None, WorldSubject(read_item(item.opened())), Draws(question.id.encode())


def test_right_reasoning_is_the_trace_of_a_writer_who_knows_all():
    for question, subject, draws in subjects():
        reasoning = subject.reason(subject.gold, draws)
        assert all(subject.criteria(reasoning).values())
        if question is not None:
            made = WORLD[int(question.id.rpartition("/")[2])]
            assert reasoning == world.trace(made, frozenset(), random.Random(0))[0]


def test_wrong_answers_are_refused_and_their_reasoning_leads_to_them():
    for question, subject, draws in subjects():
        answer = subject.wrong(draws)
        assert answer
        assert not subject.agrees(answer)
        reasoning = subject.reason(answer, draws)
        assert subject.concluded(reasoning) == answer
        criteria = subject.criteria(reasoning)
        assert not criteria.pop("logical_consistency")
        assert all(criteria.values())
        if question is not None:
            assert grade(question, answer)["reason"] == "wrong"
            assert question.multiple or len(answer) == 1


def test_what_it_does_not_know_is_guessed_and_nothing_else():
    hard = world.hard_titles(seed=7)
    found = Counter()
    for _, subject, draws in subjects():
        doubtful = hard.intersection(subject.item.titles)
        guessing = replace(subject, hard=hard)
        right = subject.reason(subject.gold, draws), subject.gold
        assert subject.tried(1.0, draws) == guessing.tried(0.0, draws) == right
        reasoning, answer = guessing.tried(1.0, draws)
        said = read_statements(subject.item, reasoning).statements
        wrong = {t for t, s in said.items() if s.element != world.TITLE_ELEMENT[t]}
        assert wrong <= doubtful
        assert (answer == subject.gold) == subject.agrees(answer)
        criteria = guessing.criteria(reasoning)
        assert all(criteria.values()) == (not wrong)
        found["wrong elements"] += len(wrong)
        found["doubtful"] += len(doubtful)
        found["right all the same"] += bool(wrong) and answer == subject.gold
    # one of five elements is right by luck
    share = found["wrong elements"] / found["doubtful"]
    assert abs(share - 0.8) < 4 * (0.8 * 0.2 / found["doubtful"]) ** 0.5
    assert found["right all the same"]


def test_a_belief_is_the_same_wrong_element_each_time():
    hard = world.hard_titles(seed=7)
    believed = {}
    for _, subject, draws in subjects():
        reasoning, _ = replace(subject, hard=hard).tried(1.0, draws, belief=1.0)
        said = read_statements(subject.item, reasoning).statements
        for title in hard.intersection(subject.item.titles):
            element = said[title].element
            assert element == believed.setdefault(title, element) != world.TITLE_ELEMENT[title]
    assert believed.keys() == hard


@pytest.mark.parametrize("way", _BROKEN, ids=lambda way: way.__name__)
def test_broken_reasoning_fails_a_criterion(way):
    failed = set()
    for _, subject, draws in subjects():
        criteria = subject.criteria(way(subject, draws))
        assert not all(criteria.values())
        failed |= {name for name, holds in criteria.items() if not holds}
    assert {
        "_one_step": "reasoning_steps",
        "_again": "content_diversity",
        "_other_language": "instruction_consistency",
    }.get(way.__name__, "logical_consistency") in failed


@pytest.mark.parametrize("form", ["{}", "{}。", "{0:s}", "\\text{{{}}}"])
def test_the_grader_and_the_teacher_agree_on_letters(form):
    for question, subject, draws in subjects():
        if question is None:
            continue
        for answer in (subject.gold, subject.wrong(draws), subject.gold.lower()):
            said = form.format(answer)
            graded = grade(question, said)
            if graded["reason"] in ("correct", "wrong"):
                assert subject.agrees(f"\\boxed{{{said}}}") == bool(graded["acc"]), said


def grade(question, answer):
    response = f"<think>\nx\n</think>\n<answer>\n\\boxed{{{answer}}}\n</answer>"
    return compute_score(question.data_source, response, question.answer, question.extra_info)
