import importlib.util
import json
from pathlib import Path

import pytest

from . import real

ROOT = Path(__file__).resolve().parents[3]
_spec = importlib.util.spec_from_file_location("parity_table", ROOT / "scripts" / "parity_table.py")
script = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(script)


def test_the_table_is_that_of_todays_graders():
    if not real.FOLDER.exists():
        pytest.skip("the real outputs are not beside the repository (shared/data)")
    text = (ROOT / "docs" / "parity.md").read_text(encoding="utf-8")
    written = text.partition(script.BEGIN)[2].partition(script.END)[0]
    assert written == script.table(real.FOLDER), "run scripts/parity_table.py"


def test_the_table_has_every_set():
    text = (ROOT / "docs" / "parity.md").read_text(encoding="utf-8")
    written = text.partition(script.BEGIN)[2].partition(script.END)[0].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")[:3]] for line in written]
    assert rows == [[each.title, form, each.scorer] for each in script.SETS for form in each.forms]


MADE_UP = [  # the answer taken out, the output, the gold answer
    ("5", "The answer is 5.", 5.0),
    ("5.004", "The answer is 5.004.", 5.0),
    ("-5", "The answer is -5.", 5.0),
    ("50", "The answer is 50.", 5.0),
    ("500", "The answer is 500%.", 5.0),
    ("7", "The answer is 7.", 5.0),
    ("CHF5,000", "The answer is CHF5,000.", 5000.0),
]


def line(title, form, folder):
    each = next(each for each in script.SETS if each.title == title)
    return script._line(each, form, list(each.rows(folder)))


def test_made_up_outputs_are_counted_by_what_is_forgiven(tmp_path):
    rows = [
        {"question": "", "extracted_pred_answer": said, "output": [prose], "ground_truth": gold}
        for said, prose, gold in MADE_UP
    ]
    (tmp_path / "financemath_outputs").mkdir()
    name = "processed_cot_outputs__gpt-4-1106-preview.json"
    (tmp_path / "financemath_outputs" / name).write_text(json.dumps(rows), encoding="utf-8")
    assert line("FinanceMath, GPT-4", "box", tmp_path) == (
        "| FinanceMath, GPT-4 | box | DocMath-Eval | 7 | 71.4 | 28.6 | 28.6 | −42.9 | "
        "+ words or a currency around the number 1; − 0.15 % off 1; − percent 1; "
        "− power of ten 1; − sign 1 |"
    )


def test_made_up_answers_to_cflue(tmp_path):
    rows = [
        {"choices": str({"A": "EBITDA", "B": "现金"}), "answer": "A"},
        {"choices": str({"A": "负债", "B": "现金"}), "answer": "AB"},
    ]
    (tmp_path / "cflue").mkdir()
    (tmp_path / "cflue" / "knowledge_1500.json").write_text(json.dumps(rows), encoding="utf-8")
    assert line("CFLUE, its gold answers as `A. text`", "box", tmp_path).endswith(
        "| 2 | 50.0 | 100.0 | 100.0 | +50.0 | + capital letters of the option's text 1 |"
    )
