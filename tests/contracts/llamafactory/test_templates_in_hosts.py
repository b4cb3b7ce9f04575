"""What each template trains is what verl rolls out, a server reads, and a training saves."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("llamafactory")

from transformers import AutoTokenizer

_SPEC = importlib.util.spec_from_file_location(
    "template_cases", Path(__file__).with_name("template_cases.py")
)
cases = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(cases)
FAMILIES, PROMPTS, CASES = cases.FAMILIES, cases.PROMPTS, cases.CASES
load, trained, told, render = cases.load, cases.trained, cases.told, cases.render


@pytest.mark.long
def test_verl_and_the_server_read_what_was_trained(models, tmp_path, verl_python):
    prompts = list(PROMPTS.values())
    expected, tokenizers = {}, {}
    for at, (name, thinking, reply) in enumerate(CASES):
        if thinking is None:
            continue
        processor, tokenizer = load(models, name, thinking)
        tokens = [trained(processor, prompt, reply)[0] for prompt in prompts]
        path = tmp_path / str(at)
        shutil.copytree(models[FAMILIES[name]], path)
        options = told(thinking, reply)
        group = {"path": str(path), "options": options, "template": name}
        saved = tmp_path / f"{at}-saved"
        shutil.copytree(models[FAMILIES[name]], saved)
        tokenizer.save_pretrained(saved)
        tokenizers[f"{at} {name} group"] = group  # the base's tokenizer, verl told the template
        tokenizers[f"{at} {name} saved"] = {**group, "path": str(saved), "template": None}
        expected |= {f"{at} {name} {way}": tokens for way in ("group", "saved")}
    request, answer = tmp_path / "request.json", tmp_path / "answer.json"
    asked = {"prompts": prompts, "tokenizers": tokenizers}
    request.write_text(json.dumps(asked), encoding="utf-8")
    for script in ("verl_prompts.py", "served_prompts.py"):
        subprocess.run(
            [verl_python, Path(__file__).with_name(script), request, answer],
            env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
            check=True,
        )
        found = json.loads(answer.read_text(encoding="utf-8"))
        assert found == {name: expected[name] for name in found} and set(found) >= {
            name for name in expected if name.endswith("saved")
        }


@pytest.mark.long
def test_a_training_saves_the_template_and_an_export_writes_it_for_ollama(models, tmp_path):
    rows = [
        {
            "instruction": f"第{n}题？\nA. 存货",
            "output": cases.THOUGHT["content"],
            "history": history,
        }
        for n, history in enumerate([[], [[cases.EN["content"], cases.THOUGHT["content"]]]] * 8)
    ]
    columns = {"prompt": "instruction", "response": "output", "history": "history"}
    listed = {"rows": {"file_name": "rows.json", "columns": columns}}
    (tmp_path / "rows.json").write_text(json.dumps(rows), encoding="utf-8")
    (tmp_path / "dataset_info.json").write_text(json.dumps(listed), encoding="utf-8")
    given = {
        "model_name_or_path": models["qwen3"],
        "template": "dianjin_qwen3",
        "trust_remote_code": "false",
    }
    trained = tmp_path / "trained"
    training = given | {
        **{"stage": "sft", "do_train": "true", "finetuning_type": "full", "report_to": "none"},
        **{"dataset": "rows", "dataset_dir": tmp_path, "output_dir": trained, "max_steps": 2},
        **{"use_cpu": "true", "bf16": "false", "cutoff_len": 1024, "logging_steps": 1},
        "preprocessing_num_workers": 2,  # each gets the template sent
    }
    exporting = given | {"model_name_or_path": trained, "export_dir": tmp_path / "exported"}
    command = [str(Path(sys.executable).with_name("llamafactory-cli"))]
    for verb, options in (("train", training), ("export", exporting)):
        (tmp_path / f"{verb}.yaml").write_text(
            "".join(f"{key}: {value}\n" for key, value in options.items()), encoding="utf-8"
        )
        done = subprocess.run(
            [*command, verb, tmp_path / f"{verb}.yaml"],
            env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    own = AutoTokenizer.from_pretrained(models["qwen3"])
    for folder in (trained, tmp_path / "exported"):
        saved = AutoTokenizer.from_pretrained(folder)
        for prompt in PROMPTS.values():
            for options in ({}, {"enable_thinking": False}):
                assert render(saved, prompt, True, **options) == render(
                    own, prompt, True, **options
                )
    modelfile = (tmp_path / "exported/Modelfile").read_text(encoding="utf-8")
    assert "<|im_start|>user\n{{ .Content }}<|im_end|>\n" in modelfile
