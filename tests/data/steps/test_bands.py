import json
from dataclasses import replace

from dianjin_ext.data.candidate import read_candidates, write_candidates
from dianjin_ext.data.steps.bands import STEP
from dianjin_ext.data.steps.settings import Bands


def band(tmp_path, rows, **own):
    write_candidates(rows, tmp_path / "in.parquet")
    report = STEP.run([tmp_path / "in.parquet"], tmp_path / "out.parquet", Bands(**own))
    kept = {row.question.id for row in read_candidates(tmp_path / "out.parquet")}
    return kept, report


def test_questions_that_are_always_or_never_right_go_with_all_their_responses(
    tmp_path, candidate, choice
):
    rows = [
        candidate(replace(choice, id=f"{right} of {of}"), sample=i, right=right, of=of, acc=1.0,
                  dropped="sample: wrong" if i >= right else "")
        for right, of in ((0, 8), (1, 16), (1, 8), (5, 8), (15, 16), (8, 8))
        for i in range(of)
    ]  # fmt: skip
    kept, report = band(tmp_path, rows)
    assert kept == {"1 of 8", "5 of 8"}
    assert report["questions"] == 6 and report["dropped"] == {"too_hard": 2, "too_easy": 2}
    assert report["written"] == 16  # the wrong responses of a question stay with it
    lines = map(json.loads, (tmp_path / "out.removed.jsonl").read_text().splitlines())
    assert {line["id"]: line["detail"] for line in lines}["1 of 16"] == "1 of 16"
    assert band(tmp_path, rows, low=0.0, high=1.0)[0] == {"1 of 16", "1 of 8", "5 of 8", "15 of 16"}


def test_without_a_count_what_is_graded_is_counted(tmp_path, candidate, choice):
    rows = [candidate(sample=i, acc=float(i == 0)) for i in range(3)]
    rows.append(candidate(replace(choice, id="never graded")))
    kept, report = band(tmp_path, rows)
    assert kept == {"cflue/1"} and report["dropped"] == {"not_graded": 1}
