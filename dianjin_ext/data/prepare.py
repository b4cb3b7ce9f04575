"""`dianjin prepare`: the files of a data set to questions, SFT rows, verl parquet and counts."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from dianjin_ext.answers.tags import Tags
from dianjin_ext.data.bad_rows import QUARANTINE, quarantine_lines, stop_at
from dianjin_ext.data.counts import Counts, counts
from dianjin_ext.data.prepare_settings import PrepareSettings
from dianjin_ext.data.schema import Row, sft_row, verl_row, write_parquet, write_sft
from dianjin_ext.data.uses import Uses, decide
from dianjin_ext.errors import DianjinError
from dianjin_ext.files import write_json
from dianjin_ext.outputs import check_output, written_whole
from dianjin_ext.parquet import pyarrow
from dianjin_ext.questions.prompts import prompt, response
from dianjin_ext.questions.question import Question, write_questions
from dianjin_ext.questions.readers import BadRow

COUNTS = "counts.json"
OUTPUTS = ("questions.parquet", "rl/train.parquet", "rl/val.parquet", COUNTS)


def prepare(
    rows: Sequence[Question | BadRow],
    out: Path,
    *,
    files: Sequence[Path],
    settings: PrepareSettings,
) -> Counts:
    """Write questions, SFT rows, RL rows and counts of a data set into `out`.

    Nothing is trained on whose gold answer the grader can't score 1.0; such questions are listed,
    like responses that don't. All files are replaced at the end; an error leaves them as they were.

    Args:
        rows: What a reader found in `files`.
        out: The folder for `OUTPUTS`, `sft/` with a file for each data source that has responses,
            and where there are such rows, `rl/test.parquet` and `bad_rows.jsonl`.
        files: What was read.
        settings: Sizes, filters and layout.

    Raises:
        DianjinError: There are bad rows (`on_error: stop`), the data is too small for the split
            asked for, or a file can't be written.
    """
    pyarrow()  # or say that it is missing before any work is done
    check_folder(files, out, overwrite=settings.overwrite)
    bad = [row for row in rows if isinstance(row, BadRow)]
    if settings.on_error == "stop":
        stop_at(bad)
    questions = [row for row in rows if isinstance(row, Question)]
    uses = decide(questions, settings)
    _check_sizes(uses, files)
    told = counts(uses, bad, files, questions=len(questions), settings=settings)
    _write(out, questions, uses, bad, told, settings)
    return told


def check_folder(files: Sequence[Path], out: Path, *, overwrite: bool) -> None:
    """Refuse a folder that can't be written to, before anything is read.

    Raises:
        DianjinError: It is a file, its parent is missing, or it has an earlier run's files.
    """
    if out.exists() and not out.is_dir():
        raise DianjinError(f"{out} is a file; expected a folder for the rows")
    if not out.absolute().parent.is_dir():
        raise DianjinError(f"there is no folder {out.absolute().parent} to make {out.name} in")
    taught = (path.relative_to(out).as_posix() for path in (out / "sft").glob("*.json"))
    for name in (*OUTPUTS, *taught):
        if (out / name).parent.is_dir():
            check_output(out / name, inputs=files, overwrite=overwrite)
        elif (out / name).parent.exists():
            raise DianjinError(f"{(out / name).parent} is a file; expected a folder for the rows")


def _check_sizes(uses: Uses, files: Sequence[Path]) -> None:
    sides = uses.sides
    short = [name for name in ("train", "val") if not getattr(sides, name)]
    if uses.responses and not uses.taught:
        short.insert(0, "sft")
    if short:
        usable = sum(map(len, (sides.sft, sides.train, sides.val)))
        long = f", {uses.too_long} of them with a prompt too long (--max-prompt-length)"
        raise DianjinError(
            f"{', '.join(path.name for path in files)}: no rows for {short[0]}: {usable} usable "
            f"questions{long if uses.too_long else ''} are too few for the RL and validation rows "
            "asked for; ask for fewer (--rl-rows, --val-rows)"
        )


def rl_row(question: Question, part: str, tags: Tags) -> Row:
    """Return the verl row of a question."""
    return verl_row(
        question.data_source,
        prompt(question, tags),
        question.answer or "",
        split=part,
        index=question.row,
        question=question.question,
        choices=question.choices or None,
        labels=question.labels or None,
        scale=question.scale,
        id=question.id,
    )


def _write(
    out: Path,
    questions: Sequence[Question],
    uses: Uses,
    bad: Sequence[BadRow],
    told: Counts,
    settings: PrepareSettings,
) -> None:
    tags, sides = settings.tags, uses.sides
    use = {q.id: name for name in ("sft", "train", "val", "test") for q in getattr(sides, name)}
    out.mkdir(exist_ok=True)
    with written_whole(out), TemporaryDirectory(dir=out, prefix=".prepare-") as folder:
        temporary = Path(folder)
        write_questions(
            (replace(q, split=use.get(q.id, "")) for q in questions),
            temporary / "questions.parquet",
        )
        by_source = sorted(uses.taught, key=lambda question: question.data_source)
        for source, group in groupby(by_source, lambda question: question.data_source):
            rows = (sft_row(prompt(q, tags), response(q, tags)) for q in group)
            write_sft(rows, temporary / "sft" / f"{source.replace('/', '_')}.json")
        for part in ("train", "val", "test"):
            if chosen := getattr(sides, part):
                rl = (rl_row(q, part, tags) for q in chosen)
                write_parquet(rl, temporary / "rl" / f"{part}.parquet")
        if settings.on_error == "quarantine" and bad:
            (temporary / QUARANTINE).write_text(quarantine_lines(bad), encoding="utf-8")
        paths = sorted(path for path in temporary.rglob("*") if path.is_file())
        names = [path.relative_to(temporary).as_posix() for path in paths]
        stale = set(_outputs(out / COUNTS)) - set(names)
        write_json(temporary / COUNTS, told | {"outputs": names})
        for name in (*names, COUNTS):
            (out / name).parent.mkdir(exist_ok=True)
            (temporary / name).replace(out / name)
        for name in stale:
            (out / name).unlink(missing_ok=True)


def _outputs(counts_file: Path) -> list[str]:
    """Return the files that an earlier run wrote, as its counts.json lists them."""
    try:
        listed = json.loads(counts_file.read_text(encoding="utf-8"))["outputs"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    own = re.compile(r"(?:sft/[^/]+\.json|rl/(?:train|val|test)\.parquet|bad_rows\.jsonl)")
    return [name for name in listed if isinstance(name, str) and own.fullmatch(name)]
