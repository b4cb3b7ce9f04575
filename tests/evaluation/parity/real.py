"""The rows of the real outputs, which lie beside the repository and never in it."""

import ast
import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[3].parent / "shared" / "data"
MODELS = ("gpt-4-1106-preview", "gemini-pro", "Mixtral-8x7B-Instruct-v0_1", "Qwen-14B-Chat")


def _text(name):
    path = FOLDER / name
    if not path.exists():
        pytest.skip("the real outputs are not beside the repository (shared/data)")
    return path.read_text(encoding="utf-8")


def lines(name):
    return [json.loads(line) for line in _text(name).splitlines()]


def financemath(model):
    return json.loads(_text(f"financemath_outputs/processed_cot_outputs__{model}.json"))


def tatqa():
    return lines("tatqa_outputs/tatqa_cot_300.jsonl")


def financebench():
    return lines("financebench_outputs/gpt-4_oracle.jsonl")


def cfa():
    return lines("cfa_prose/responses.jsonl")


def cflue():
    rows = json.loads(_text("cflue/knowledge_1500.json"))
    return [{**row, "choices": ast.literal_eval(row["choices"])} for row in rows]
