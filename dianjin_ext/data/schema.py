"""The two row formats of a training run and how they are written.

SFT rows follow LLaMA-Factory's alpaca format; RL rows follow verl's RLHF parquet format
(https://verl.readthedocs.io/en/latest/preparation/prepare_data.html).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dianjin_ext.errors import DianjinError
from dianjin_ext.files import replacing
from dianjin_ext.parquet import pyarrow, write_rows
from dianjin_ext.questions.letters import LETTERS

Row = dict[str, Any]


def sft_row(prompt: str, response: str) -> Row:
    """Return one LLaMA-Factory row; needs `columns: {prompt: instruction, response: output}`."""
    return {"instruction": prompt, "output": response}


def verl_row(
    data_source: str,
    prompt: str,
    ground_truth: str,
    *,
    split: str,
    index: int,
    question: str,
    choices: Mapping[str, str] | None = None,
    labels: Sequence[str] | None = None,
    scale: str | None = None,
    id: str | None = None,
    ability: str = "finance",
) -> Row:
    """Return one verl row.

    Args:
        data_source: Name of the reward, for example `cflue_mcq`.
        prompt: Text of the single user turn.
        ground_truth: Gold answer in the form that the reward expects.
        split: `train` or `val`.
        index: Number of the row in its source, so that a rollout can be traced back.
        question: The bare question, for rewards and reports.
        choices: Option letter to option text, where the row has options.
        labels: The closed set of answers, where the row has one that the reward doesn't know.
        scale: In what the number is meant, where the row says it.
        id: The question's own name.
        ability: verl's grouping key; not used by the rewards.

    Raises:
        DianjinError: A choice has a letter outside `LETTERS`.
    """
    unknown = sorted(set(choices or ()) - set(LETTERS))
    if unknown:
        raise DianjinError(
            f"row {index}: option letters {unknown} are not known; expected letters A to J"
        )
    extra_info = {
        "split": split,
        "index": index,
        "question": question,
        "choices": dict(choices) if choices is not None else None,
    }
    given = {"labels": labels and list(labels), "scale": scale, "id": id}
    extra_info |= {key: value for key, value in given.items() if value is not None}
    return {
        "data_source": data_source,
        "prompt": [{"role": "user", "content": prompt}],
        "ability": ability,
        "reward_model": {"style": "rule", "ground_truth": ground_truth},
        "extra_info": extra_info,
    }


def write_sft(rows: Iterable[Row], path: Path) -> None:
    """Write SFT rows as one JSON list, readable in an editor; replaces `path` at once."""
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    with replacing(path) as temporary:
        temporary.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


def write_parquet(rows: Iterable[Row], path: Path) -> None:
    """Write rows made by `verl_row` under one fixed schema; replaces `path` at once.

    The schema does not depend on the rows, so files of different data sets can be concatenated.
    What a row does not have is null when it is read back, also the letters it does not use.

    Raises:
        DianjinError: pyarrow is missing, or a row does not fit the schema.
    """
    pa = pyarrow()
    text = pa.string()
    schema = pa.schema(
        {
            "data_source": text,
            "prompt": pa.list_(pa.struct({"role": text, "content": text})),
            "ability": text,
            "reward_model": pa.struct({"style": text, "ground_truth": text}),
            "extra_info": pa.struct(
                {
                    "split": text,
                    "index": pa.int64(),
                    "question": text,
                    "choices": pa.struct(dict.fromkeys(LETTERS, text)),
                    "labels": pa.list_(text),
                    "scale": text,
                    "id": text,
                }
            ),
        }
    )
    write_rows((_checked(row, schema) for row in rows), path, schema)


def _checked(row: Row, schema: Any) -> Row:
    # pyarrow drops keys that the schema lacks without a word.
    extra = set(row) - set(schema.names)
    extra |= set(row["extra_info"]) - {field.name for field in schema.field("extra_info").type}
    if extra:
        raise DianjinError(f"keys {sorted(extra)} are not part of a verl row; see verl_row")
    return row
