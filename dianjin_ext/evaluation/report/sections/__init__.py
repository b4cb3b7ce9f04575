"""The parts of a report: facts in, blocks out; one file for what belongs together."""

from collections.abc import Mapping
from typing import Any

from dianjin_ext.evaluation.report.sections import (
    accuracy,
    answers,
    changed,
    cost,
    overview,
    standing,
    training,
)  # fmt: skip
from dianjin_ext.pages.blocks import Page


def page(facts: Mapping[str, Any]) -> Page:
    """Return the report, from `facts.gather`."""
    parts = (
        overview.glance, accuracy.compared, standing.published, training.curves, changed.changes,
        accuracy.by_group, answers.reasons, answers.contradictions, answers.judges, answers.lengths,
        training.sets, cost.cost, cost.how,
    )  # fmt: skip
    found = [part(facts) for part in parts]
    return Page(
        title=overview.title(facts),
        about=overview.about(facts),
        language=facts["language"],
        sections=[section for section in found if section is not None],
    )
