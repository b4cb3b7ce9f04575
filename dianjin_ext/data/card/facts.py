"""All that a card says, as plain numbers: read once, row by row, and kept as card.json."""

import json
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from dianjin_ext import __version__
from dianjin_ext.data.candidate import Candidate
from dianjin_ext.data.card import process
from dianjin_ext.data.card.answers import Answers
from dianjin_ext.data.card.counting import Counts, Samples
from dianjin_ext.data.card.judge import Judged
from dianjin_ext.data.card.labels import read_labels
from dianjin_ext.data.card.licences import UNKNOWN, licence, strictest
from dianjin_ext.data.card.rows import rows
from dianjin_ext.data.card.source import Source, without_home
from dianjin_ext.data.card.truth import Quality
from dianjin_ext.data.rows_file import holds
from dianjin_ext.questions.question import Question
from dianjin_ext.questions.readers import READERS

_REASONS = 100  # of which samples are kept


def gather(source: Source, truth: Path | None = None) -> dict[str, Any]:
    """Return the facts about a set.

    Memory holds counters, not rows, but for a number for each question.

    Args:
        source: The set.
        truth: Labels; see `dianjin_ext.data.card.labels`.

    Raises:
        DianjinError: The rows or the labels can't be read.
    """
    counts, samples, answers, judged = Counts(), Samples(), Answers(), Judged()
    dropped: Counter[str] = Counter()
    quality = Quality(read_labels(truth)) if truth is not None else None
    for item, use in rows(source):
        counts.add(item, use)
        group = use
        if isinstance(item, Candidate):
            answers.add(item)
            judged.add(item)
            if quality is not None:
                quality.add(item)
            if item.dropped:
                dropped[item.dropped] += 1
            group = item.dropped if use == "dropped" else use
        if group in samples.seen or len(samples.seen) < _REASONS:
            samples.offer(group, _name(item), item)
    found = {
        "name": source.name,
        "holds": holds(source.rows),
        "pipeline": str(source.manifest.get("pipeline", "")),
        "written_with": str(source.manifest.get("dianjin_ext", "")),
        "dianjin_ext": __version__,
        "rows": counts.used.total(),
        "responses": counts.responses,
        "questions": counts.questions,
        "without_gold": counts.without_gold,
        "used": dict(counts.used),
        "by": {
            facet: {value: dict(used) for value, used in sorted(values.items())}
            for facet, values in counts.by.items()
        },
        "told_gold": dict(counts.told),
        "trained": counts.trained(),
        "lengths": {use: counts.lengths[use].summary() for use in counts.trained()},
        "licences": _licences(counts),
        "funnel": process.funnel(source, dropped, counts.responses),
        "dropped": dict(dropped.most_common()),
        "answers": answers.summary(),
        "judge": judged.summary(),
        "quality": quality and {"file": truth.name if truth else "", **quality.summary()},
        "leaks": process.leaks(source),
        "spent": process.spent(source),
        "prompts": process.asked(source),
        "steps": process.settings(source),
        "inputs": process.inputs_of(source, source.manifest.get("inputs", {})),
        "removed": process.removed(source),
        "samples": {
            group: [_sample(item) for item in samples.of(group)]
            for group, _ in samples.seen.most_common()
        },
    }
    plain: dict[str, Any] = json.loads(json.dumps(found, ensure_ascii=False))
    return plain


def _sample(item: Question | Candidate) -> dict[str, Any]:
    if isinstance(item, Candidate):
        item = replace(item, model=without_home(item.model))
    return asdict(item)


def _name(item: Question | Candidate) -> str:
    if isinstance(item, Candidate):
        return f"{item.question.id}#{item.sample}#{item.model}"
    return item.id


def _licences(counts: Counts) -> dict[str, Any]:
    """Return what each source's licence allows, and what those of the set's rows do together."""
    uses = counts.trained() or list(counts.used)
    sources, together = [], []
    for (name, stated), used in sorted(counts.licences.items()):
        allowed = licence(stated)
        trained = sum(used[use] for use in uses)
        if trained:
            together.append(allowed)
        sources.append(
            {
                "set": name,
                "url": READERS[name].url if name in READERS else "",
                "stated": stated,
                "rows": used.total(),
                "trained": trained,
                **allowed._asdict(),
                "known": allowed != UNKNOWN,
            }
        )
    return {"sources": sources, "whole": strictest(together)._asdict() if together else None}
