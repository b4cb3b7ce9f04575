import json
from pathlib import Path

import pytest

from dianjin_ext.data.candidate import Candidate, read_candidates, write_candidates
from dianjin_ext.data.steps.decontaminate import run as decontaminate
from dianjin_ext.data.steps.settings import Decontaminate
from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.question import Question, read_questions, write_questions
from dianjin_ext.questions.readers import get_reader, read

CHOICES = {"A": "应收账款", "B": "应付账款", "C": "存货", "D": "固定资产"}
LONG = "某企业购入设备一台，价值一百万元，预计使用十年，按直线法计提折旧，下列说法正确的是"


def question(name, text, choices=CHOICES, **more):
    return Question(
        id=name, data_source="choice", question=text, kind="choice", answer="B", choices=choices,
        **more,
    )  # fmt: skip


TRAIN = [
    question("same", "哪项属于流动负债？"),
    question("shuffled", LONG, dict(zip("ABCD", reversed(CHOICES.values()), strict=True))),
    question("near", LONG.replace("购入", "购买")),
    question("another year", LONG + "2019"),
    question("other options", LONG, CHOICES | {"D": "商誉"}),
    question("other context", LONG, {}, context="另一家公司"),
]
EVAL = [
    question("e1", "哪项属于流动负债?"),
    question("e2", LONG),
    question("e3", LONG, {}, context="x"),
]


def run(tmp_path, write, rows):
    write(rows, tmp_path / "in.parquet")
    write_questions(EVAL[:1], tmp_path / "eval1.parquet")
    write_questions(EVAL[1:], tmp_path / "eval2.parquet")
    told = decontaminate(
        [tmp_path / "in.parquet"],
        tmp_path / "out.parquet",
        Decontaminate(against=tuple([tmp_path / "eval1.parquet", tmp_path / "eval2.parquet"])),
    )
    lines = (tmp_path / "out.removed.jsonl").read_text(encoding="utf-8").splitlines()
    return told, [json.loads(line) for line in lines]


def test_questions_that_an_evaluation_set_asks_too_are_removed(tmp_path):
    told, removed = run(tmp_path, write_questions, TRAIN)
    assert [q.id for q in read_questions(tmp_path / "out.parquet")] == [
        "another year", "other options", "other context",
    ]  # fmt: skip
    named = [(r["id"], Path(r["file"]).stem, r["against"]) for r in removed]
    assert named == [("same", "eval1", "e1"), ("shuffled", "eval2", "e2"), ("near", "eval2", "e2")]
    assert [r["similarity"] for r in removed[:2]] == [1.0, 1.0] and removed[2]["similarity"] >= 0.7
    by_file = {str(tmp_path / "eval1.parquet"): 1, str(tmp_path / "eval2.parquet"): 2}
    assert told == {"rows": 6, "kept": 3, "removed": 3, "by_file": by_file}


def test_all_candidates_of_a_question_go_with_it(tmp_path):
    rows = [
        Candidate(question=q, sample=sample, response="x") for q in TRAIN for sample in range(3)
    ]
    told, removed = run(tmp_path, write_candidates, rows)
    kept = list(read_candidates(tmp_path / "out.parquet"))
    assert kept == [row for row in rows if row.question in TRAIN[3:]]
    assert (told["rows"], told["removed"], len(removed)) == (18, 9, 3)


def test_a_file_that_is_neither_is_told(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"x": [1]}), tmp_path / "in.parquet")
    write_questions(EVAL, tmp_path / "eval.parquet")
    with pytest.raises(DianjinError, match="holds neither questions nor candidates"):
        decontaminate(
            [tmp_path / "in.parquet"],
            tmp_path / "out.parquet",
            Decontaminate(against=tuple([tmp_path / "eval.parquet"])),
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["eval.parquet", "in.parquet"]


def test_public_sets(tmp_path):
    shared = Path(__file__).resolve().parents[4] / "shared/data"
    if not shared.exists():
        pytest.skip("the published rows are not beside the repository")
    for name in ("cflue", "financeiq", "fineval"):
        questions = read(get_reader(name), sorted(shared.glob(f"{name}/*.[cj]s*")))
        write_questions(questions, tmp_path / f"{name}.parquet")
    told = decontaminate(
        [tmp_path / "cflue.parquet"],
        tmp_path / "out.parquet",
        Decontaminate(
            against=tuple([tmp_path / "financeiq.parquet", tmp_path / "fineval.parquet"])
        ),
    )
    assert (told["rows"], told["removed"]) == (1500, 3)
