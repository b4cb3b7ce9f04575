"""Greedy answers of a local model, graded: `python -m dianjin_ext.evaluation.generate`."""

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import torch
from rich.progress import track
from transformers import AutoModelForCausalLM, AutoTokenizer

from dianjin_ext.files import replacing
from dianjin_ext.inference.sampling import Request, generate
from dianjin_ext.rewards import compute_score

BATCH = 250  # rows; memory grows with it


def answer(
    model_dir: str, rows: list[dict[str, Any]], *, max_prompt: int, max_response: int
) -> list[dict[str, Any]]:
    """Return one graded greedy response a row, in the order of `rows`.

    Args:
        model_dir: Folder of a model and its tokenizer in Hugging Face format.
        rows: Rows in verl's format.
        max_prompt: Tokens; of a longer prompt the last `max_prompt` are kept.
        max_response: The most tokens to generate.
    """
    tokenizer = AutoTokenizer.from_pretrained(model_dir)
    model = AutoModelForCausalLM.from_pretrained(model_dir, dtype=torch.float32).eval()
    eos = model.generation_config.eos_token_id
    graded = []
    for start in track(range(0, len(rows), BATCH), description="answering"):
        batch = rows[start : start + BATCH]
        requests = []
        for row in batch:
            prompt = tokenizer.apply_chat_template(
                row["prompt"], add_generation_prompt=True, tokenize=True, return_dict=False
            )
            requests.append(Request(tuple(prompt[-max_prompt:]), max_response, temperature=0.0))
        responses = generate(
            model,
            requests,
            eos_ids=eos if isinstance(eos, list) else [eos],
            pad_id=tokenizer.pad_token_id,
        )
        for row, response in zip(batch, responses, strict=True):
            text = tokenizer.decode(response.tokens, skip_special_tokens=True)
            gold = row["reward_model"]["ground_truth"]
            score = compute_score(row["data_source"], text, gold, row["extra_info"])
            graded.append(
                {
                    "prompt": row["prompt"][-1]["content"],
                    "response": text,
                    "ground_truth": gold,
                    "response_tokens": len(response.tokens),
                    **score,
                }
            )
    return graded


def main(model_dir: str, data: str, out: str, max_prompt: str, max_response: str) -> None:
    """Answer the rows of the parquet file `data`; write one JSON line each to `out`."""
    rows = pq.read_table(data).to_pylist()
    graded = answer(model_dir, rows, max_prompt=int(max_prompt), max_response=int(max_response))
    with replacing(Path(out)) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in graded)


if __name__ == "__main__":
    main(*sys.argv[1:])
