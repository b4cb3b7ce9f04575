"""Whether a number is that of its protocol: what differs, and what it may be called."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dianjin_ext.evaluation.benchmarks.base import Benchmark
from dianjin_ext.evaluation.benchmarks.counting import Survey
from dianjin_ext.evaluation.benchmarks.subset import Subset
from dianjin_ext.evaluation.protocol import Rules, Sampling
from dianjin_ext.evaluation.result import Results

__all__ = ["departures", "options_apart", "standing"]


def departures(
    benchmark: Benchmark,
    found: Survey,
    subset: Subset,
    expected: int,
    rules: Rules,
    own: Sampling,
    *,
    shipped: bool,
) -> tuple[str, ...]:
    """Return in what a run differs from its protocol, before anything is asked.

    Args:
        benchmark: What is asked.
        found: What its files hold.
        subset: Which questions are asked.
        expected: How many the protocol asks.
        rules: What the protocol says.
        own: How replies are sampled in this run.
        shipped: Whether the protocol is a published one, which is of the whole published set.
    """
    said = []
    for name, value in rules.sampling.model_dump().items():
        given = getattr(own, name)
        if name != "samples" and given != value:
            said.append(f"{name} is {given:g}, not {value:g}")
    if found.split not in ("", benchmark.split):
        said.append(f"the split is {found.split}, not {benchmark.split}")
    elif shipped and benchmark.size is not None and found.questions < benchmark.size:
        said.append(f"the files have {found.questions:,} of {benchmark.size:,} published questions")
    if subset.questions < expected:
        said.append(f"{subset.questions:,} of {expected:,} questions")
    if found.bad:
        said.append(f"{found.bad:,} bad rows were left out")
    return tuple(said)


def options_apart(own: Sampling, options: Mapping[str, Any]) -> list[str]:
    """Return in what the options that the user gives each request differ from the sampling.

    Args:
        own: How replies are sampled but for them.
        options: Those of `dianjin_ext.inference.settings.AskSettings`.
    """
    known = own.model_dump()
    return [
        f"{name} is {value:g}, not {known[name]:g}"
        if name in known and isinstance(value, int | float)
        else f"the requests have the option {name}: {json.dumps(value, ensure_ascii=False)}"
        for name, value in options.items()
        if name not in known or value != known[name]
    ]


def standing(
    protocol: str, given: Sequence[str], rules: Rules, results: Results, *, judged: bool
) -> dict[str, Any]:
    """Return `label`, `comparable` and `departures` of a result.

    Args:
        protocol: Its name.
        given: What differed before anything was asked.
        rules: What it says.
        results: What came out.
        judged: Whether there was a judge.
    """
    said = list(given)
    without = not judged and rules.judge is not None
    if without:
        what = "judges every answer" if rules.judge == "verdict" else "takes out the final answer"
        said.append(f"the protocol has a model that {what}; there was none")
    if undecided := results.reasons["undecided"]:
        said.append(f"{undecided:,} open answers were not decided and count as wrong")
    if unusable := results.reasons["gold_unusable"]:
        said.append(f"{unusable:,} answers have a gold that can't be read and count as wrong")
    if results.silent:
        what = "an answer taken out" if rules.judge == "extract" else "a verdict"
        said.append(
            f"{results.silent:,} answers got no readable reply where {what} was asked for; the "
            "rules decided them"
        )
    for outcome in ("refused", "content_filter"):
        if number := results.outcomes[outcome]:
            why = results.errors[outcome]
            said.append(
                f"{number:,} requests ended with {outcome} and count as wrong"
                + (f"; the first: {why}" if why else "")
            )
    label = protocol
    if without:
        label = f"{protocol} without its judge"
    elif said:
        label = f"{protocol}, changed"
    return {"label": label, "comparable": not said, "departures": said}
