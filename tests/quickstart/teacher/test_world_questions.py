from dianjin_ext.data.usable import gold_problem
from dianjin_ext.quickstart.teacher import truth, world_questions
from dianjin_ext.quickstart.teacher.item import read_item
from dianjin_ext.quickstart.teacher.world_questions import opened_question


def test_an_opened_question_asks_the_same_in_words_that_do_not_name_its_answer():
    for question in world_questions(50, seed=2):
        opened = opened_question(question)
        item = read_item(opened.question)
        assert not item.lettered and item.element == question.category
        assert (opened.id, opened.kind, opened.choices) == (question.id, "open", {})
        texts = [question.choices[letter] for letter in question.answer]
        assert [each.strip() for each in opened.answer.replace("；", ";").split(";")] == texts
        assert not any(text in opened.question for text in texts)
        assert gold_problem(opened) == ""
        assert truth(opened, "", opened.answer).right
