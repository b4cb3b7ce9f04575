"""`dianjin prepare`: a published data set to SFT rows, verl parquet and a file of counts."""

import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dianjin_ext.answers.tags import DIANJIN_R1, Tags
from dianjin_ext.data.schema import Row, sft_row, verl_row, write_parquet, write_sft
from dianjin_ext.data.split import kinds, split, unambiguous
from dianjin_ext.errors import DianjinError
from dianjin_ext.outputs import check_output, written_whole
from dianjin_ext.questions.prompts import format_response, multiple_choice_prompt
from dianjin_ext.questions.readers import BadRow, MultipleChoice, cflue
from dianjin_ext.rewards import compute_score, gold_response

RL_ROWS = 4096
"""Size of DianJin-R1's RL set (https://arxiv.org/abs/2504.15716); its rows are not published."""

VAL_ROWS = 500
MAX_PROMPT = 1024
"""Longest RL prompt, in characters, after DianJin-R1's `data.max_prompt_length` of 1024 tokens.
Chinese text has about one token a character or fewer; verl's `filter_overlong_prompts` counts
tokens and has the last word."""

FILES = {"sft": "sft/cflue_mcq.json", "train": "rl/train.parquet", "val": "rl/val.parquet"}

Counts = dict[str, Any]


def prepare_cflue(
    file: Path,
    out: Path,
    *,
    rl_rows: int | None = None,
    val_rows: int | None = None,
    seed: int = 0,
    skip_bad: bool = False,
    tags: Tags = DIANJIN_R1,
    overwrite: bool = False,
) -> Counts:
    """Write SFT rows, RL rows, validation rows and counts.json into `out`.

    DianJin-R1 distils its reasoning from DeepSeek-R1; here CFLUE's own `analysis` stands in for
    it. Questions without one are used for RL and validation only. RL and validation take
    questions whose gold scores 1.0 under the strict reward and whose prompt has at most
    `MAX_PROMPT` characters. All files are replaced at the end; an error leaves them as they were.

    Args:
        file: CFLUE's knowledge.json.
        out: Directory for `FILES` and counts.json.
        rl_rows: Most RL rows; None for `RL_ROWS`, or a quarter of what validation leaves.
        val_rows: Most validation rows; None for `VAL_ROWS`, or a tenth of the questions.
        seed: Seed of the split.
        skip_bad: Leave bad rows out; they are listed in counts.json.
        tags: The layout that prompts ask for and SFT responses have.
        overwrite: Replace the files of an earlier run.

    Raises:
        DianjinError: The file is unusable, has bad rows, or is too small for the split asked for.
    """
    _check_folder(file, out, overwrite)
    questions, bad = cflue.read(file)
    bad += [problem for q in questions if (problem := check(q, tags))]
    bad.sort(key=lambda row: row.index)
    if bad and not skip_bad:
        listing = "".join(f"\n  {row}" for row in bad)
        raise DianjinError(
            f"{file}: {len(bad)} bad rows (counted from 0); mend them or pass --skip-bad{listing}"
        )

    def fits_rl(question: MultipleChoice) -> bool:
        return len(_prompt(question, tags)) <= MAX_PROMPT

    broken = {row.index for row in bad}
    good = [q for q in questions if q.index not in broken]
    usable, excluded = unambiguous(good)
    val_rows = min(VAL_ROWS, len(usable) // 10) if val_rows is None else val_rows
    if rl_rows is None:
        rl_rows = min(RL_ROWS, (len(usable) - val_rows) // 4)
    parts = split(usable, rl_rows=rl_rows, val_rows=val_rows, seed=seed, fits_rl=fits_rl)
    written = {"sft": parts.sft, "train": parts.train, "val": parts.val}
    for name, rows in written.items():
        if not rows:
            raise DianjinError(
                f"{file}: no rows for {name}: {len(usable)} usable questions are too few for "
                f"{rl_rows} RL rows and {val_rows} validation rows; ask for fewer"
            )
    used = {q.index for rows in written.values() for q in rows}
    unused = [q for q in usable if q.index not in used]
    counts: Counts = {
        "file": file.name,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "seed": seed,
        "tags": {name: pair and list(pair) for name, pair in tags._asdict().items()},
        "rl_filter": f"gold scores 1.0 under strict; prompt of at most {MAX_PROMPT} characters",
        "sft_filter": "has an analysis, which stands in for distilled reasoning",
        "rows": len(good) + len(bad),
        "bad_rows": [str(row) for row in bad],
        "excluded": excluded,
        "kinds": kinds(usable),
        "multiple_with_one_letter": sum(
            q.kind == "multiple" and len(q.answer) == 1 for q in usable
        ),
        "without_reasoning": sum(q.reasoning is None for q in usable),
        "near_duplicate_groups": parts.groups,
        "written": {name: kinds(rows) | {"total": len(rows)} for name, rows in written.items()},
        "unused": {
            "prompt_too_long": sum(not fits_rl(q) for q in unused),
            "without_reasoning": sum(fits_rl(q) for q in unused),
        },
    }
    _write(out, parts.sft, parts.train, parts.val, counts, tags)
    return counts


def _check_folder(file: Path, out: Path, overwrite: bool) -> None:
    if out.exists() and not out.is_dir():
        raise DianjinError(f"{out} is a file; expected a folder for the rows")
    if not out.absolute().parent.is_dir():
        raise DianjinError(f"there is no folder {out.absolute().parent} to make {out.name} in")
    for name in (*FILES.values(), "counts.json"):
        if (out / name).parent.is_dir():
            check_output(out / name, inputs=[file], overwrite=overwrite)
        elif (out / name).parent.exists():
            raise DianjinError(f"{(out / name).parent} is a file; expected a folder for the rows")


def check(question: MultipleChoice, tags: Tags = DIANJIN_R1) -> BadRow | None:
    """Grade the gold answer, and the SFT response if there is one; both must score 1.0."""
    extra_info = {"question": question.question, "choices": dict(question.choices)}
    try:
        gold_response("cflue_mcq", question.answer, extra_info)
    except DianjinError as error:
        return BadRow(question.index, "answer", str(error))
    if question.reasoning is None:
        return None
    try:
        response = format_response(question.reasoning, question.answer, tags)
    except DianjinError as error:
        return BadRow(question.index, "analysis", str(error))
    result = compute_score("cflue_mcq", response, question.answer, extra_info, tags=tags)
    if result["score"] == 1.0:
        return None
    text = f"the response made of it scores {result['score']} ({result['reason']}), expected 1.0"
    return BadRow(question.index, "analysis", text)


def _prompt(question: MultipleChoice, tags: Tags) -> str:
    return multiple_choice_prompt(
        question.question,
        question.choices,
        language="zh",
        multiple=question.kind == "multiple",
        tags=tags,
    )


def _rl_row(question: MultipleChoice, part: str, tags: Tags) -> Row:
    return verl_row(
        "cflue_mcq",
        _prompt(question, tags),
        question.answer,
        split=part,
        index=question.index,
        question=question.question,
        choices=question.choices,
    )


def _write(
    out: Path,
    sft: list[MultipleChoice],
    train: list[MultipleChoice],
    val: list[MultipleChoice],
    counts: Counts,
    tags: Tags,
) -> None:
    out.mkdir(exist_ok=True)
    with written_whole(out), TemporaryDirectory(dir=out, prefix=".prepare-") as name:
        temporary = Path(name)
        write_sft(
            (
                sft_row(_prompt(q, tags), format_response(q.reasoning or "", q.answer, tags))
                for q in sft
            ),
            temporary / FILES["sft"],
        )
        write_parquet((_rl_row(q, "train", tags) for q in train), temporary / FILES["train"])
        write_parquet((_rl_row(q, "val", tags) for q in val), temporary / FILES["val"])
        text = json.dumps(counts, ensure_ascii=False, indent=2) + "\n"
        (temporary / "counts.json").write_text(text, encoding="utf-8")
        for relative in (*FILES.values(), "counts.json"):
            (out / relative).parent.mkdir(exist_ok=True)
            (temporary / relative).replace(out / relative)
