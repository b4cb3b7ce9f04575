"""`dianjin check-data`: what is wrong with rows before anything is trained on them."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from dianjin_ext.answers.options import EXPECTED, read_options
from dianjin_ext.data.near import Repetitions, asked
from dianjin_ext.data.prompt_length import PromptLimit
from dianjin_ext.data.rows import Rows, TrainingRow, column_types
from dianjin_ext.data.units import unit_problem
from dianjin_ext.errors import DianjinError
from dianjin_ext.files import write_json
from dianjin_ext.jsonl import BadRowError
from dianjin_ext.outputs import written_whole
from dianjin_ext.rewards import score_numeric, score_tatqa
from dianjin_ext.rewards.grader import Grader
from dianjin_ext.rewards.numeric import score_rounded
from dianjin_ext.sniff import expect_rows

KINDS: Final = {
    "bad_row": "a row that can't be read",
    "no_rows": "a file without rows",
    "no_prompt": "a row without a prompt of messages, which verl needs",
    "too_long": "a prompt longer than training takes",
    "unknown_source": "a data source without a reward",
    "unnamed": "a data source that the settings' `sources` don't name",
    "unused": "a data source that the settings name and no row has",
    "gold": "a gold answer that no response could match",
    "choices": "options in a form that no reward reads",
    "percent": "a question for a percentage whose gold number has no percent sign",
    "unit": "a question and a gold number that don't agree on the unit",
    "types": "a column that has another type in an earlier file",
    "duplicate": "a question that the file has already",
    "contradiction": "a question that the file has already, with another gold answer",
    "leak": "a question that an earlier file has too",
    "near_duplicate": "a question that the file has already in nearly the same words",
    "near_leak": "a question that an earlier file has too in nearly the same words",
}
"""Every kind of finding, with its meaning."""

NOTES: Final = ("near_duplicate",)
"""Kinds that are told and never count: `dianjin prepare` keeps such questions, on one side."""

SHOWN = 10

_ASKS_PERCENT = re.compile(r"percent|%|％|百分|占比|pct\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?:[^.。!！?？\n]|\.(?=\d))*[?？]")
_NUMERIC = (score_numeric, score_rounded, score_tatqa)
_SIGN = re.compile(r"[%％]|percent|百分", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: `where` is `row 3` (from 0, parquet) or `line 4` (from 1, JSON)."""

    file: str
    where: str
    kind: str
    why: str


@dataclass
class Report:
    """The findings, and for each file its rows and how many have no question to compare."""

    findings: list[Finding] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)
    without_question: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """Return `files`, `counts` and `findings` as JSON has them."""
        counts = {kind: sum(f.kind == kind for f in self.findings) for kind in KINDS}
        files = {
            name: {"rows": n, "without_question": self.without_question[name]}
            for name, n in self.rows.items()
        }
        return {"files": files, "counts": counts, "findings": [asdict(f) for f in self.findings]}


def check_data(
    files: Sequence[Path],
    *,
    report_file: Path | None = None,
    allow: Collection[str] = (),
    settings: Mapping[str, Any] | None = None,
    limit: PromptLimit | None = None,
) -> bool:
    """Check files, each a split of one data set; show a table and the first findings.

    Memory grows with the questions; see `dianjin_ext.data.near.Repetitions`.

    Args:
        files: Training first: a question of an earlier file that comes again is a leak.
        report_file: Also write everything as JSON.
        allow: Kinds that are shown and don't count.
        settings: Those of the reward in training, as for `compute_score`.
        limit: Tells prompts that are too long.

    Returns:
        Whether nothing was found that counts.

    Raises:
        DianjinError: A file can't be read, or is named twice, or a kind or setting is not known.
    """
    if unknown := sorted(set(allow) - KINDS.keys()):
        raise DianjinError(f"{unknown[0]!r} is no kind of finding; known: {', '.join(KINDS)}")
    grader = Grader(settings or {})
    for path in files:
        expect_rows(path)
    sources = [Rows(path) for path in files]
    if len({path.resolve() for path in files}) < len(files):
        raise DianjinError("a file is named twice; every one of its rows would be a leak")
    console = Console(stderr=True)
    columns = (TextColumn("checking"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=sum(rows.size for rows in sources))
        report = _check(
            sources,
            grader,
            limit,
            lambda: progress.update(task, completed=sum(r.position for r in sources)),
        )
    if report_file is not None:
        with written_whole(report_file):
            write_json(report_file, report.as_json())
    _show(report, allow, report_file)
    return all(f.kind in allow or f.kind in NOTES for f in report.findings)


def _check(
    sources: Sequence[Rows],
    grader: Grader,
    limit: PromptLimit | None,
    tick: Callable[[], object],
) -> Report:
    report = Report()
    seen_sources: set[str] = set()
    types: dict[str, tuple[str, str]] = {}
    seen = Repetitions()
    for rows in sources:
        name = str(rows.path)
        report.rows[name] = 0
        for where, row in rows:
            report.rows[name] += 1
            if report.rows[name] % 100 == 0:
                tick()
            if isinstance(row, BadRowError):
                report.findings.append(Finding(name, where, "bad_row", str(row)))
                continue
            seen_sources.add(row.data_source)
            found = list(_problems(row, grader))
            found += _prompt_problems(row, rows.path, limit)
            question = asked(row)
            if question is None:
                report.without_question[name] += 1
            elif (repeated := seen.add(name, where, row, question)) is not None:
                found.append(repeated)
            report.findings += [Finding(name, where, kind, why) for kind, why in found]
        if not report.rows[name]:
            report.findings.append(
                Finding(name, "the file", "no_rows", "expected rows, found none")
            )
        for column, kind_ in column_types(rows.path).items():
            if column == "prompt" and kind_ in ("string", "large_string"):
                why = "prompt is text; expected a list of messages with role and content"
                report.findings.append(Finding(name, "the file", "no_prompt", why))
            before, earlier = types.setdefault(column, (kind_, name))
            if before != kind_:
                why = f"{column} is {kind_}, and {before} in {earlier}; write them alike"
                report.findings.append(Finding(name, "the file", "types", why))
        tick()
    for place, kind, why in seen.near():
        report.findings.append(Finding(place.file, place.where, kind, why))
    for source in grader.settings.sources.keys() - seen_sources:
        why = f"sources.{source} is set, and no row has the data source {source!r}"
        report.findings.append(Finding(", ".join(report.rows), "the settings", "unused", why))
    return report


def _prompt_problems(
    row: TrainingRow, path: Path, limit: PromptLimit | None
) -> Iterator[tuple[str, str]]:
    if not row.prompt:
        if path.suffix == ".parquet":
            yield "no_prompt", "expected a list of messages with role and content in prompt"
    elif limit is not None and (problem := limit.problem(row.prompt)) is not None:
        yield problem


def _problems(row: TrainingRow, grader: Grader) -> Iterator[tuple[str, str]]:
    """Yield the kind and the explanation of what is wrong with the row by itself."""
    try:
        reward = grader.reward(row.data_source)
    except DianjinError:
        yield "unknown_source", f"no reward is registered for {row.data_source!r}"
        return
    if not row.labelled:
        return
    try:
        grader.gold_response(row.data_source, row.ground_truth, row.extra_info)
    except Exception as error:  # a reward of a plug-in may raise anything
        yield "gold", str(error) if isinstance(error, DianjinError) else repr(error)
    sources = grader.settings.sources
    if sources and row.data_source not in sources:
        yield "unnamed", f"{row.data_source!r} is none of sources: {', '.join(sources)}"
    if read_options(row.extra_info.get("choices")) is None:
        yield "choices", f"choices is {row.extra_info['choices']!r:.100}; {EXPECTED}"
    if reward.function in _NUMERIC and (why := unit_problem(row, grader.policy(row.data_source))):
        yield "unit", why
    if (
        reward.function in _NUMERIC
        and grader.policy(row.data_source).numbers.percent != "either"
        and _percent_is_open(row)
    ):
        yield (
            "percent",
            f"the question asks for a percentage, and the gold answer {row.ground_truth!r} has no "
            "percent sign, so answers with and without one can't both be right; write the sign, or "
            "train with numbers.percent: either",
        )


def _percent_is_open(row: TrainingRow) -> bool:
    gold = str(row.ground_truth)
    if _SIGN.search(gold) or not re.search(r"\d", gold):
        return False
    question = row.extra_info.get("question")
    if not isinstance(question, str):
        question = row.prompt[-1]["content"] if row.prompt else ""
    asked = _SENTENCE.findall(question) or [question[-200:]]
    return any(_asks_percent(sentence) for sentence in asked)


def _asks_percent(sentence: str) -> bool:
    """Return whether a percent word or sign stands elsewhere than in a given number (`5%`)."""
    given = re.sub(r"\d\s*(?:[%％]|percent\b|个?百分)|百分之[\d一二三四五六七八九十]", "", sentence)
    return _ASKS_PERCENT.search(given) is not None


def _show(report: Report, allow: Collection[str], report_file: Path | None) -> None:
    console = Console()
    counts = Counter((finding.file, finding.kind) for finding in report.findings)
    kinds = [kind for kind in KINDS if any(counts[name, kind] for name in report.rows)]
    table = Table("file", "rows", *(kind.replace("_", " ") for kind in kinds))
    for column in table.columns[1:]:
        column.justify = "right"
    for name, n in report.rows.items():
        table.add_row(name, str(n), *(str(counts[name, kind]) for kind in kinds))
    console.print(table)
    for kind in kinds:
        found = [finding for finding in report.findings if finding.kind == kind]
        console.print(f"{kind}: {KINDS[kind]}{' (allowed)' if kind in allow else ''}", style="bold")
        lines = [f"  {finding.file}, {finding.where}: {finding.why}" for finding in found[:SHOWN]]
        if len(found) > SHOWN:
            lines.append(f"  … and {len(found) - SHOWN} more")
        console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
    if blind := report.without_question.total():
        console.print(
            f"{blind} rows have no question or prompt; they were not looked up for repetitions",
            style="yellow",
        )
    if report_file is not None:
        console.print(f"everything is in {report_file}", highlight=False, soft_wrap=True)
    elif not report.findings:
        console.print("nothing is wrong", style="green")
