"""Rewards of a bank: its rating scale, and whether a response names its sources."""

from dianjin_ext import register_reward
from dianjin_ext.answers.reading import Reading
from dianjin_ext.rewards import register_component
from dianjin_ext.rewards.format import compare, extract
from dianjin_ext.rewards.policy import Model

RATINGS = ("AAA", "AA", "A", "BBB", "BB", "B", "CCC", "D")


@register_reward("harbour_bank/rating", gold=f"one of {', '.join(RATINGS)}")
def rating(response, ground_truth, *, policy, **row):
    """Score a credit rating."""
    gold = ground_truth if ground_truth in RATINGS else None
    return compare(extract(response, policy), gold, _read)


def _read(found):
    said = found.text.strip()
    return Reading(said) if said in RATINGS else Reading(None, "no_answer")


class SourceSettings(Model):
    """How many sources are enough."""

    enough: int = 2


@register_component("harbour_sources", SourceSettings)
def sources(sample, settings):
    """Return the share of the sources asked for that the reasoning names as [1], [2], …."""
    think = sample.parts.think or ""
    return min(1.0, think.count("[") / settings.enough)
