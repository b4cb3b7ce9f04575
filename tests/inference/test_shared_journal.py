import json

from dianjin_ext.inference.journal import SharedJournal


def record(number):
    return f"{number:032x}", json.dumps({"key": f"{number:032x}", "reply": number})


def test_each_process_has_a_file_and_knows_what_the_others_recorded(tmp_path):
    with SharedJournal(tmp_path, "teacher") as first, SharedJournal(tmp_path, "teacher") as second:
        first.put(*record(1))
        second.put(*record(2))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "teacher-0.jsonl",
        "teacher-1.jsonl",
    ]
    with SharedJournal(tmp_path, "teacher") as one, SharedJournal(tmp_path, "teacher") as other:
        for journal in (one, other):
            assert len(journal) == 2
            for number in (1, 2):
                key, _ = record(number)
                assert key in journal and journal.get(key)["reply"] == number
            assert record(3)[0] not in journal and journal.get(record(3)[0]) is None
    with SharedJournal(tmp_path, "judge") as judge:
        assert len(judge) == 0
