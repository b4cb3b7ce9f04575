"""Prepared rows of every set whose published rows are at hand, in verl's own data set."""

import json
from pathlib import Path

import pytest

pytest.importorskip("verl")
from omegaconf import OmegaConf
from verl.utils import hf_tokenizer
from verl.utils.dataset.rl_dataset import RLHFDataset

from dianjin_ext.data.check import check_data
from dianjin_ext.data.prepare import prepare
from dianjin_ext.data.prepare_settings import PrepareSettings
from dianjin_ext.questions.readers import get_reader, read

DATA = Path(__file__).resolve().parents[4] / "shared/data"
SETS = {
    "cflue": "cflue",
    "cflue_application": "cflue_application",
    "finqa": "finqa_*",
    "convfinqa": "convfinqa*",
    "tatqa": "tatqa",
    "tfns": "tfns_like",
    "fineva": "fineva",
    "financeiq": "financeiq",
    "fineval": "fineval",
    "fincuge": "fincuge",
    "huatuo": "huatuo_o1_demo",
}


@pytest.mark.parametrize("name", SETS)
def test_rows_load_and_every_set_has_the_same_columns(name, tiny_model, tmp_path):
    files = sorted(
        path for path in DATA.glob(f"{SETS[name]}/*") if path.suffix[:4] in (".jso", ".csv")
    )
    if not files:
        pytest.skip(f"the published rows of {name} are not beside the repository")
    out = tmp_path / "out"
    rows = list(read(get_reader(name), files))
    told = prepare(rows, out, files=files, settings=PrepareSettings(max_prompt=16_384))
    # every question is in one place
    places = [part["total"] for part in told["written"].values()]
    places += [*told["excluded"].values(), *told["unused"].values()]
    assert sum(places) == told["rows"] == len(rows)

    parts = [str(out / "rl" / f"{part}.parquet") for part in ("train", "val")]
    config = OmegaConf.create(
        {
            "max_prompt_length": 10**6,
            "cache_dir": str(tmp_path / "cache"),
            "filter_overlong_prompts": True,
        }
    )
    # a file of another set goes into the same run
    other = tmp_path / "other"
    made = [row for row in read(get_reader("tfns"), [_tweets(tmp_path)])]
    prepare(made, other, files=[], settings=PrepareSettings())
    dataset = RLHFDataset(
        [*parts, str(other / "rl/train.parquet")], hf_tokenizer(str(tiny_model)), config
    )
    assert len(dataset) == told["written"]["train"]["total"] + told["written"]["val"]["total"] + 18
    for position in (0, len(dataset) - 1):
        row = dataset[position]
        assert row["raw_prompt"][0]["role"] == "user"
        assert row["reward_model"]["ground_truth"]
        assert row["extra_info"]["question"]

    report = tmp_path / "report.json"
    # what the published rows are like, and no mistake of their preparation
    allowed = {"percent", "duplicate", "unit", "near_duplicate", "near_leak"}
    check_data([Path(part) for part in parts], report_file=report)
    kinds = {f["kind"] for f in json.loads(report.read_text(encoding="utf-8"))["findings"]}
    assert kinds <= allowed, kinds


def _tweets(folder):
    path = folder / "tweets.csv"
    lines = [f"{chr(97 + i) * 9} stock number {i * 7919} moves,{i % 3}" for i in range(20)]
    path.write_text("text,label\n" + "\n".join(lines), encoding="utf-8")
    return path
