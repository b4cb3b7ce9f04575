"""Whether a question and its gold number agree on the unit."""

from dianjin_ext.answers.numbers import read_number
from dianjin_ext.answers.question import asked
from dianjin_ext.data.rows import TrainingRow
from dianjin_ext.rewards.policy import Policy


def unit_problem(row: TrainingRow, policy: Policy) -> str:
    """Return what is wrong between the scale that a row's question names and its gold number.

    Where the question names a scale, a bare gold number is meant in it, unless `numbers.scale` is
    `none`; and a gold number with a scale of its own, that the question doesn't name, makes every
    bare answer wrong, unless `numbers.unit` forgives that.
    """
    number = read_number(str(row.ground_truth)).value
    question, gold = row.extra_info.get("question"), row.ground_truth
    known = isinstance(question, str)
    if not known and row.prompt:
        question = row.prompt[-1]["content"]
    if number is None or number.high is not None or not isinstance(question, str):
        return ""
    factor = asked({**row.extra_info, "question": question}).factor
    if factor is not None and factor > 1 and number.rate == 1:
        if number.bare and not known:
            return (
                f"the question names a scale, the gold answer {gold!r} has none, and the grader "
                "doesn't see the question; put it into extra_info.question"
            )
        if number.bare and policy.numbers.scale == "none":
            return (
                f"the question names a scale, the gold answer {gold!r} has none, and numbers.scale "
                "is none; write the scale into the gold answer"
            )
        if number.worded and number.scale == 1:
            return (
                f"the question names a scale, and the gold answer {gold!r} is in the plain unit; "
                "write it in the scale that is asked for"
            )
    if factor is None and number.scale > 1 and policy.numbers.unit == "exact":
        return (
            f"the gold answer {gold!r} has a scale that the question doesn't name, so a bare "
            "number is never right; name it, or train with numbers.unit: gold_hint"
        )
    return ""
