"""Greedy answers of a model folder, graded: `python -m dianjin_ext.evaluation.generate`."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dianjin_ext.answers.options import read_options
from dianjin_ext.files import replacing
from dianjin_ext.inference import AskSettings, Request
from dianjin_ext.inference.answer import Answer
from dianjin_ext.inference.ask import ask
from dianjin_ext.inference.server import serving
from dianjin_ext.parquet import read_rows
from dianjin_ext.questions.language import language_of
from dianjin_ext.rewards import compute_score

BATCH = 250  # replies at a time; memory grows with it
BENCHMARK = "heldout"
"""What the rows are called in reports; their numbers are no published benchmark's."""


def answer(
    model: Path, rows: Sequence[Mapping[str, Any]], *, max_response: int, journal: Path
) -> Iterator[dict[str, Any]]:
    """Yield one graded greedy response a row, in the order of `rows`.

    A server is started for the model and stopped at the end.

    Args:
        model: Folder of a model and its tokenizer in Hugging Face format.
        rows: Rows in verl's format.
        max_response: The most tokens to generate.
        journal: Keeps the replies: what is in it is not asked again. What the server prints goes
            beside it.

    Raises:
        DianjinError: The model can't be served, or questions have no reply.
    """
    requests = [Request(str(number), row["prompt"]) for number, row in enumerate(rows)]
    log = journal.with_suffix(".log")
    with (
        serving(model, log=log, engine="local", name="model", batch=BATCH) as url,
        TemporaryDirectory() as state,
    ):
        settings = AskSettings(
            model="model",
            base_url=url,
            keyless=True,
            options={"temperature": 0, "max_tokens": max_response},
            max_in_flight=BATCH,
            state_dir=state,
        )
        answers = ask(
            requests, settings, journal=journal, ordered=True, total=len(rows), progress=True
        )
        for number, (row, given) in enumerate(zip(rows, answers, strict=True)):
            yield _graded(number, row, given)


def _graded(number: int, row: Mapping[str, Any], given: Answer) -> dict[str, Any]:
    """Return the row of a response, in the form of `dianjin eval`."""
    reply = given.reply
    assert reply is not None  # else `ask` raises
    source, gold = row["data_source"], row["reward_model"]["ground_truth"]
    extra_info = row["extra_info"]
    question = extra_info.get("question") or row["prompt"][-1]["content"]
    options = read_options(extra_info.get("choices")) or {}
    return {
        "id": extra_info.get("id") or f"{BENCHMARK}-{number:05}",
        "benchmark": BENCHMARK,
        "protocol": "",
        "sample": 0,
        "data_source": source,
        "kind": "choice" if options else "number",
        "category": "",
        "language": language_of(question),
        "messages": row["prompt"],
        "question": question,
        "choices": dict(options) or None,
        **{key: extra_info[key] for key in ("labels", "scale") if key in extra_info},
        "ground_truth": gold,
        "response": reply.text,
        "finish_reason": reply.finish_reason,
        "outcome": given.outcome,
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        **compute_score(source, reply.text, gold, extra_info),
    }


def main(model: str, data: str, out: str, max_response: str) -> None:
    """Answer the rows of the parquet file `data`; write one JSON line each to `out`."""
    rows, path = list(read_rows(Path(data))), Path(out)
    journal = path.with_name(f"{path.stem}.journal")
    graded = answer(Path(model), rows, max_response=int(max_response), journal=journal)
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in graded)


if __name__ == "__main__":
    main(*sys.argv[1:])
