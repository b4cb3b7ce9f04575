"""An SFT set for LLaMA-Factory and an RL set for verl, from candidates and questions.

No question is in two of SFT, RL and validation, nor are near-duplicates and questions about one
text (`dianjin_ext.data.split`), but where `overlap` lets SFT have what RL has. What was published
as a test set is used for nothing, and what was published for validation for nothing else.
Validation is drawn first, then RL, then SFT. RL takes questions without a response for SFT before
others; where its size is not given, it takes no more than these, or a quarter of all questions.
"""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dianjin_ext.data.candidate import write_candidates
from dianjin_ext.data.prepare import rl_row
from dianjin_ext.data.schema import sft_row, write_parquet, write_sft
from dianjin_ext.data.split import groups_of
from dianjin_ext.data.steps.base import SetStep
from dianjin_ext.data.steps.draw import Quota, draw, named, quota_by_source, shares
from dianjin_ext.data.steps.pool import Pool, gather
from dianjin_ext.data.steps.presets import sizes
from dianjin_ext.data.steps.settings import Mix
from dianjin_ext.errors import DianjinError
from dianjin_ext.files import write_json
from dianjin_ext.questions.prompts import prompt
from dianjin_ext.questions.question import Question, write_questions
from dianjin_ext.rewards.policy import parse_tags

CANDIDATES, QUESTIONS, DATASET_INFO = "candidates.parquet", "questions.parquet", "dataset_info.json"
RL_FROM = ("all", "rejected", "unsolved")
_COLUMNS = {"prompt": "instruction", "response": "output"}


@dataclass
class Drawn:
    """Which question is used for what."""

    sft: list[Question]
    train: list[Question]
    val: list[Question]


def run(inputs: Sequence[Path], out: Path, settings: Mix) -> dict[str, Any]:
    """Write the folder of a training set; replaces `out` at once.

    It holds `sft/SOURCE.json` for each data source and `dataset_info.json`, which LLaMA-Factory
    reads; `rl/train.parquet` and `rl/val.parquet` for verl; all candidates with the use they are
    put to, and all questions, with that use as their split.

    Raises:
        DianjinError: A setting is not known, or there is nothing to train on.
    """
    if settings.rl_from not in RL_FROM:
        expected = ", ".join(RL_FROM)
        raise DianjinError(f"rl_from: expected {expected}, found {settings.rl_from!r}")
    pool = gather(inputs, settings)
    _count_unnamed(pool, settings)
    drawn = _draw(pool, settings)
    if not drawn.sft and not drawn.train:
        why = "; ".join(f"{number} {reason}" for reason, number in pool.unused.items())
        raise DianjinError(
            f"{', '.join(path.name for path in inputs)}: nothing to train on: no response stands "
            f"and no question can be used for RL ({why or 'the inputs are empty'})"
        )
    _write(pool, drawn, out, settings)
    return _report(pool, drawn)


def _draw(pool: Pool, settings: Mix) -> Drawn:
    groups: list[Sequence[Question]] = list(groups_of(list(pool.questions.values())))
    random.Random(settings.seed).shuffle(groups)

    def practised(question: Question) -> bool:
        return question.id in pool.practised

    published = any(practised(q) and q.split == "val" for q in pool.questions.values())
    most = min(settings.val_rows, sum(map(practised, pool.questions.values())) // 10)
    if published:
        most = settings.val_rows
    val, rest = draw(
        groups,
        lambda q: practised(q) and (q.split == "val" or not published),
        [Quota(lambda _: "val", {"val": most})],
    )
    held = {question.id for question in val}
    rest = [group for group in rest if not any(q.split in ("val", "test") for q in group)]
    rest.sort(key=lambda group: any(q.id in pool.taught for q in group))  # stable
    kept_from_rl = _kept_from_rl(pool, settings.rl_from)
    train, left = draw(
        rest,
        lambda q: practised(q) and q.id not in kept_from_rl,
        _rl_quotas(pool, settings),
    )
    sft, _ = draw(
        [g for g in groups if not any(q.id in held for q in g)] if settings.overlap else left,
        lambda q: q.id in pool.taught,
        [quota_by_source(sizes(settings.preset, "sft", settings.sft), settings.sft_rows)],
    )
    for side in (sft, train):
        random.Random(settings.seed).shuffle(side)
    return Drawn(sft, train, val)


def _count_unnamed(pool: Pool, settings: Mix) -> None:
    """Count what no size is given for: a preset has the paper's sources alone."""
    for side, given, able in (
        ("sft", settings.sft, pool.taught.keys()),
        ("rl", settings.rl, pool.practised),
    ):
        if by_source := sizes(settings.preset, side, given):
            for name in sorted(able):
                if not named(question := pool.questions[name], by_source):
                    reason = f"{side}: no size given for {question.data_source}"
                    pool.unused[reason] += 1


def _kept_from_rl(pool: Pool, rl_from: str) -> set[str]:
    if rl_from == "all":
        return set()
    if rl_from == "unsolved":
        return set(pool.taught)
    rejected = {c.question.id for c in pool.candidates if c.dropped.startswith("select: ")}
    return (pool.questions.keys() - rejected) | pool.taught.keys()


def _rl_quotas(pool: Pool, settings: Mix) -> list[Quota]:
    by_source = sizes(settings.preset, "rl", settings.rl)
    rows = settings.rl_rows
    quotas = [quota_by_source(by_source, rows)]
    if rows is None and not settings.rl and not settings.overlap:
        silent = len(pool.practised - pool.taught.keys())
        most = {"all": max(len(pool.questions) // 4, silent)}
        quotas.append(Quota(lambda _: "all", most))
    if settings.difficulty:
        if unknown := sorted(settings.difficulty.keys() - {"hard", "medium", "easy"}):
            raise DianjinError(f"difficulty: expected hard, medium, easy, found {unknown[0]!r}")
        known = pool.difficulty()
        rows = rows or sum(name in known for name in pool.practised)
        most = shares(settings.difficulty, rows)
        quotas.append(Quota(lambda q: known.get(q.id, ""), most))
    return quotas


def _write(pool: Pool, drawn: Drawn, out: Path, settings: Mix) -> None:
    tags = parse_tags(settings.tags)
    use = {
        question.id: name
        for name, side in (("sft", drawn.sft), ("val", drawn.val), ("rl", drawn.train))
        for question in side
    }
    in_sft = {question.id for question in drawn.sft}
    chosen = {
        place: why for name, places in pool.taught.items() if name in in_sft
        for place, why in places.items()
    }  # fmt: skip
    with TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as temporary:
        folder = Path(temporary, "set")
        write_candidates(
            (
                replace(c, use="sft" if place in chosen else "", why=chosen.get(place, ""))
                for place, c in enumerate(pool.candidates)
            ),
            folder / CANDIDATES,
        )
        every = (replace(q, split=use.get(q.id, "")) for q in pool.questions.values())
        write_questions(every, folder / QUESTIONS)
        by_id: dict[str, list[int]] = {}
        for place in sorted(chosen):
            by_id.setdefault(pool.candidates[place].question.id, []).append(place)
        info = {}
        by_source = sorted(drawn.sft, key=lambda question: question.data_source)  # stable
        for source, group in groupby(by_source, lambda question: question.data_source):
            rows = (
                sft_row(prompt(q, tags), pool.candidates[place].text(tags))
                for q in group
                for place in by_id[q.id]
            )
            name = source.replace("/", "_")
            write_sft(rows, folder / "sft" / f"{name}.json")
            info[f"dianjin_{name}"] = {"file_name": f"sft/{name}.json", "columns": _COLUMNS}
        write_json(folder / DATASET_INFO, info)
        for part, side in (("train", drawn.train), ("val", drawn.val)):
            if side:
                rl = (rl_row(question, part, tags) for question in side)
                write_parquet(rl, folder / "rl" / f"{part}.parquet")
        if out.exists():
            out.rename(Path(temporary, "old"))
        folder.rename(out)


def _report(pool: Pool, drawn: Drawn) -> dict[str, Any]:
    def by_source(questions: Sequence[Question]) -> dict[str, int]:
        return dict(sorted(Counter(question.data_source for question in questions).items()))

    return {
        "rows": len(pool.candidates) or len(pool.questions),
        "sft": by_source(drawn.sft),
        "rl": by_source(drawn.train),
        "val": len(drawn.val),
        "unused": dict(sorted(pool.unused.items()))
        | {
            "sft: not drawn": len(pool.taught) - len(drawn.sft),
            "rl: not drawn": len(pool.practised) - len(drawn.train) - len(drawn.val),
        },
    }


STEP = SetStep(name="mix", version=1, takes=None, run=run)
