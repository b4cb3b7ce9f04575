"""No row of any shape makes a reader raise anything but its one error for bad rows."""

import copy
from pathlib import Path

import pytest

from dianjin_ext.questions.readers import READERS, BadRow
from dianjin_ext.questions.readers.base import parse_row
from dianjin_ext.questions.rows import FileOptions, RawRow, load_rows

DATA = Path(__file__).resolve().parents[4] / "shared/data"
REAL = {
    "cflue": ["cflue/*.json"],
    "cflue_application": ["cflue_application/*.json"],
    "finqa": ["finqa_original/*.json", "finqa_flare/*.jsonl"],
    "convfinqa": ["convfinqa/*.json", "convfinqa_cleaned/*.json"],
    "tatqa": ["tatqa/*.json"],
    "tfns": ["tfns_like/*.csv"],
    "fineva": ["fineva/*.csv"],
    "financeiq": ["financeiq/*.csv"],
    "fineval": ["fineval/*.csv"],
    "fincuge": ["fincuge/*.json"],
    "huatuo": ["huatuo_o1_demo/*.json"],
}
PAGE = {"id": "r/1.pdf-1", "pre_text": ["a ."], "post_text": ["b ."], "table_ori": [["", "1"]]}
TURNS = {"cur_dial": ["a?", "b?"], "exe_ans": 2.0, "exe_ans_list": [1.0, 2.0], "turn_ind": 1}
WHOLE = {"dialogue_break": ["a?", "b?"], "exe_ans_list": [1.0, 2.0]}
# Layouts that are looked at by hand: a field missing here is a bad row, and still no exception.
MADE = [
    ("convfinqa", PAGE | {"annotation": TURNS}),
    ("convfinqa", PAGE | {"annotation": WHOLE}),
    ("finqa", PAGE | {"qa": {"question": "a?", "exe_ans": 0.1, "answer": "10%"}}),
]
UNKEYED = {
    "question": "a?", "answer": "1", "ground_truth": 1, "gold": "1", "paragraphs": ["a"],
    "tables": ["t"], "question_id": "q", "id": "1", "system": "", "user": "a?", "assistant": "b",
    "instruction": "a?", "input": "", "output": "b", "label": 1, "text": "a", "messages": [],
    "conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}],
    "reasoning": "r", "Question": "a?", "Complex_CoT": "c", "Response": "d", "choices": {"A": "a"},
}  # fmt: skip
BAD = (None, True, 7, -1.5, float("nan"), float("inf"), 10**400, "", " ", "x", "[", "{}",
       "\x00", [], [None], [1], ["x"], [[]], [[None]], [{}], {}, {"x": None}, {"A": []},
       {"": 1})  # fmt: skip


def paths(value, depth=4):
    """Every place in a row: keys and the first two items of lists."""
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value[:2]) if isinstance(value, list) else items
    for key, inner in items if depth else ():
        yield (key,)
        yield from ((key, *rest) for rest in paths(inner, depth - 1))


def changed(row, path, change):
    row = copy.deepcopy(row)
    *way, last = path
    at = row
    for key in way:
        at = at[key]
    change(at, last)
    return row


def hostile(row):
    yield from BAD
    for path in list(paths(row)):
        yield changed(row, path, lambda at, key: at.pop(key))
        yield changed(row, path, lambda at, key: at.__setitem__(key, [at[key]]))
        yield changed(row, path, lambda at, key: at.__setitem__(key, {"x": at[key]}))
        for bad in BAD:
            yield changed(row, path, lambda at, key, bad=bad: at.__setitem__(key, bad))


def assert_told(reader, row, file="set_train.json"):
    for value in hostile(row):
        try:
            found = list(parse_row(reader, Path(file), 3, RawRow("row 3", value), {}))
        except Exception as error:
            pytest.fail(f"{reader.name}: {type(error).__name__}: {error} for {value!r:.600}")
        for each in found:
            if isinstance(each, BadRow):
                assert (each.file, each.row) == (file, 3)
                assert each.field and each.expected and "\n" not in str(each)
            else:
                texts = (each.id, each.question, each.context, each.category, each.split)
                assert all(isinstance(part, str) for part in texts), (texts, value)
                optional = (each.answer, each.scale, each.reasoning, each.reply)
                assert all(part is None or isinstance(part, str) for part in optional), value
                assert each.question.strip(), value


@pytest.mark.parametrize(("name", "row"), MADE)
def test_made_rows(name, row):
    (good, *_) = parse_row(READERS[name], Path("train.json"), 0, RawRow("row 0", row), {})
    assert not isinstance(good, BadRow)
    assert_told(READERS[name], row)


@pytest.mark.parametrize("name", READERS)
def test_rows_of_another_set(name):
    assert_told(READERS[name], UNKEYED)


@pytest.mark.parametrize("name", REAL)
def test_published_rows(name):
    files = [path for pattern in REAL[name] for path in sorted(DATA.glob(pattern))]
    if not files:
        pytest.skip(f"the published rows of {name} are not beside the repository")
    for path in files:
        for number, raw in enumerate(load_rows(path, FileOptions())):
            if number == 2:
                break
            assert_told(READERS[name], raw.value, path.name)
