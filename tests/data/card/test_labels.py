import json

import pytest

from dianjin_ext.data.card.labels import Label, Name, read_labels
from dianjin_ext.errors import DianjinError


def test_labels_are_read(tmp_path):
    file = tmp_path / "labels.jsonl"
    rows = [
        {"id": "a", "right": True},
        {"id": "a", "sample": 1, "right": True, "sound": False},
        {"id": "b", "sample": 0, "right": False, "sound": None},
        {"id": "b", "sample": 0, "right": False},  # the same again
        {"id": "b", "model": "teacher", "right": True},
    ]
    file.write_text("\n\n".join(map(json.dumps, rows)))
    assert read_labels(file) == {
        Name("a"): Label(True),
        Name("a", 1): Label(True, False),
        Name("b", 0): Label(False),
        Name("b", 0, "teacher"): Label(True),
    }


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"right": true}', "line 2, id: expected the id of a question; the key is missing"),
        ('{"id": "x"}', "line 2, right: expected true or false; the key is missing"),
        ('{"id": "x", "right": 1}', "line 2, right: expected true or false, found a number"),
        ('{"id": "x", "right": true, "sound": "yes"}', "line 2, sound: expected true, false"),
        ('{"id": "x", "right": true, "sample": true}', "line 2, sample: expected a whole number"),
        ('{"id": "x", "right": true, "model": 1}', "line 2, model: expected the name of a model"),
        ("[1]", "line 2, line: expected a JSON object"),
        ('{"id": "a", "right": false}', "line 2: 'a', sample 0 has another label above"),
    ],
)
def test_a_line_that_is_no_label_is_told(tmp_path, line, words):
    file = tmp_path / "labels.jsonl"
    file.write_text('{"id": "a", "right": true}\n' + line + "\n")
    with pytest.raises(DianjinError, match=words) as raised:
        read_labels(file)
    assert str(file) in str(raised.value)
