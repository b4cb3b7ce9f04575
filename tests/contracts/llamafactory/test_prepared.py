"""Prepared rows in LLaMA-Factory's own loader: whole responses, under the names of the package."""

import json
from pathlib import Path

import pytest

pytest.importorskip("llamafactory")

from dianjin_ext.data.prepare import prepare
from dianjin_ext.data.prepare_settings import PrepareSettings
from dianjin_ext.questions.readers import get_reader, read


def _exam(i):
    name = f"第{i * 7919}号{chr(0x4E00 + 31 * i) * 9}科目是？"
    return f"{i},{name},甲{i},乙{i},丙{i},丁{i},{'ABCD'[i % 4]},因为{i}"


def _path(i):
    return {
        "Question": f"{chr(97 + i % 26) * 7}{i * 7919}: what was revenue in {1980 + i}?",
        "Ground-True Answer": str(i * 13),
        "Complex_CoT": "Look it up.",
        "Response": f"Revenue was {i * 13}.",
    }


EXAM = "\n".join(["id,question,A,B,C,D,answer,explanation", *map(_exam, range(40))])
ROWS = {
    "fineval": ("accounting_dev.csv", EXAM),
    "fino1": ("paths.json", json.dumps([_path(i) for i in range(40)])),
}


@pytest.mark.parametrize(("name", "source"), [("fineval", "fineval"), ("fino1", "finqa")])
def test_sft_rows_load(name, source, base_model, tmp_path):
    file, text = ROWS[name]
    path = tmp_path / file
    path.write_text(text, encoding="utf-8")
    assert loads([path], name, source, base_model, tmp_path) > 0


DATA = Path(__file__).resolve().parents[4] / "shared/data"
PUBLISHED = {"cflue": "cflue_mcq", "fineval": "fineval", "huatuo_o1_demo": "exact"}


@pytest.mark.parametrize("folder", PUBLISHED)
def test_rows_of_published_sets_load(folder, base_model, tmp_path):
    files = sorted(DATA.glob(f"{folder}/*.[cj]s*"))
    if not files:
        pytest.skip(f"the published rows of {folder} are not beside the repository")
    name = folder.partition("_")[0]
    assert loads(files, name, PUBLISHED[folder], base_model, tmp_path) > 10


def loads(files, name, source, base_model, tmp_path):
    """Prepare files and load the SFT rows of a data source; returns how many there are."""
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.hparams import get_train_args
    from llamafactory.model import load_tokenizer

    out = tmp_path / "out"
    rows = list(read(get_reader(name), files))
    prepare(rows, out, files=files, settings=PrepareSettings())
    model, data, training, _, _ = get_train_args(
        {
            **{"model_name_or_path": str(base_model), "template": "dianjin", "stage": "sft"},
            **{"dataset": f"dianjin_{source}", "dataset_dir": str(out), "cutoff_len": 16384},
            **{"output_dir": str(tmp_path / "trained"), "do_train": True, "use_cpu": True},
            **{"finetuning_type": "full", "overwrite_cache": True},
        }
    )
    module = load_tokenizer(model)
    template = get_template_and_fix_tokenizer(module["tokenizer"], data)
    loaded = get_dataset(template, model, data, training, stage="sft", **module)["train_dataset"]
    taught = [module["tokenizer"].decode([i for i in row["labels"] if i >= 0]) for row in loaded]
    expected = json.loads((out / "sft" / f"{source}.json").read_text(encoding="utf-8"))
    assert [row["output"] for row in expected] == [
        text.removesuffix("\n").removesuffix("<|im_end|>").removesuffix("\n") for text in taught
    ]
    return len(loaded)
