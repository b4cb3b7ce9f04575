"""The parts of a card: facts in, blocks out; one file for what belongs together."""

from collections.abc import Mapping
from typing import Any

from dianjin_ext.data.card.sections import (
    content,
    filters,
    judging,
    making,
    origin,
    overview,
    replies,
)  # fmt: skip
from dianjin_ext.pages.blocks import Page


def card(facts: Mapping[str, Any]) -> Page:
    """Return the card of a set, from `facts.gather`."""
    languages = {name: sum(used.values()) for name, used in facts["by"].get("language", {}).items()}
    parts = (
        overview.glance, filters.measured, content.counts, replies.answers, making.funnel,
        judging.judge, content.lengths, origin.licences, origin.leaks, making.cost,
        content.samples, making.how,
    )  # fmt: skip
    found = [part(facts) for part in parts]
    return Page(
        title=facts["name"],
        about=overview.about(facts),
        language="zh" if languages.get("zh", 0) > languages.get("en", 0) else "en",
        sections=[section for section in found if section is not None],
    )
