"""Whether a question can be trained on: the grader that trains decides."""

from dianjin_ext.answers.tags import Tags
from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.prompts import response
from dianjin_ext.questions.question import Question
from dianjin_ext.rewards import compute_score, gold_response


def gold_problem(question: Question) -> str:
    """Return why no response could score 1.0 on a question; empty where one can."""
    if question.answer is None:
        return ""
    try:
        gold_response(question.data_source, question.answer, question.extra_info)
    except DianjinError as error:
        return str(error)
    return ""


def response_problem(question: Question, tags: Tags) -> str:
    """Return why the response that a question brings can't be trained on; empty where it can.

    It must score 1.0 itself. One without a gold answer can't be graded, and only has to fit the
    layout; one that is prose is the gold answer.
    """
    try:
        text = response(question, tags)
    except DianjinError as error:
        return str(error)
    if question.answer is None:
        return ""
    result = compute_score(
        question.data_source, text, question.answer, question.extra_info, tags=tags
    )
    if result["score"] == 1.0 or result["reason"] == "undecided":
        return ""
    return f"the response made of it scores {result['score']} ({result['reason']}), expected 1.0"
