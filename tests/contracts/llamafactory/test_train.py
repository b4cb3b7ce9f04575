"""The SFT recipe, run for real: script, torchrun, LLaMA-Factory, saved tokenizer."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

pytest.importorskip("llamafactory")

ROOT = Path(__file__).resolve().parents[3]
OUTPUT = "<think>应付账款一年内偿还。</think>\n<answer>\\boxed{B}</answer>"


@pytest.mark.slow
def test_recipe_trains_on_named_data_sets_and_saves_the_template(base_model, tmp_path):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    for name in ("cflue_mcq", "finqa"):
        path = tmp_path / "data" / "sft" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [{"instruction": f"{name} 第{i}题？", "output": OUTPUT} for i in range(32)]
        path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    trained = tmp_path / "out"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free_port = probe.getsockname()[1]
    process = subprocess.run(
        [
            "bash",
            ROOT / "examples" / "sft_7b.sh",
            # What a CPU and a tiny model need; everything else is the recipe.
            *("deepspeed=null", "use_cpu=true", "max_steps=2", "logging_steps=1"),
            *("gradient_accumulation_steps=8", "learning_rate=0.01", "cutoff_len=256"),
            "preprocessing_num_workers=1",
        ],
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # torchrun
            "OMP_NUM_THREADS": "1",
            "MODEL": str(base_model),
            "DATASET": "dianjin_cflue_mcq,dianjin_finqa",
            "DATASET_DIR": str(tmp_path / "data"),
            "OUTPUT_DIR": str(trained),
            "GPUS_PER_NODE": "2",
            "MASTER_PORT": str(free_port),
        },
        cwd=tmp_path,  # the script finds the recipe from anywhere
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.returncode == 0, process.stdout[-4000:]

    log = [json.loads(line) for line in (trained / "trainer_log.jsonl").open(encoding="utf-8")]
    assert [entry["current_steps"] for entry in log if "loss" in entry] == [1, 2]
    before = AutoModelForCausalLM.from_pretrained(base_model).get_input_embeddings().weight
    after = AutoModelForCausalLM.from_pretrained(trained).get_input_embeddings().weight
    assert not torch.equal(before, after)

    recipe = yaml.safe_load((ROOT / "configs" / "sft.yaml").read_text(encoding="utf-8"))
    user = [{"role": "user", "content": "问题"}]
    for folder in (trained, trained / "checkpoint-2"):
        text = AutoTokenizer.from_pretrained(folder).apply_chat_template(
            user, tokenize=False, add_generation_prompt=True
        )
        assert text == (
            f"<|im_start|>system\n{recipe['default_system']}<|im_end|>\n"
            "<|im_start|>user\n问题<|im_end|>\n<|im_start|>assistant\n"
        )
