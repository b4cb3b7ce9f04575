"""Merging side by side: ours, verl's merger, and a plain copy with fsync, as whole processes.

    python benchmarks/bench_merge.py [--size 0.5b] [--dtype bfloat16] [--world 4] [--keep DIR]

Writes an FSDP2 checkpoint with verl's own checkpoint manager first (kept in DIR and used again if
given). Prints wall seconds and peak resident memory, with the page cache warm.
"""

import argparse
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = {  # Qwen2's
    "tiny": dict(
        vocab_size=2048,
        hidden_size=256,
        intermediate_size=1024,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
    ),
    "0.5b": dict(
        vocab_size=151936,
        hidden_size=896,
        intermediate_size=4864,
        num_hidden_layers=24,
        num_attention_heads=14,
        num_key_value_heads=2,
    ),
    "3b": dict(
        vocab_size=151936,
        hidden_size=2048,
        intermediate_size=11008,
        num_hidden_layers=36,
        num_attention_heads=16,
        num_key_value_heads=2,
    ),
}


def write_checkpoint(folder, size, dtype, world):
    """Write one rank after the other in this process, over torch's fake process group."""
    import torch
    import torch.distributed as dist
    from tokenizers import Tokenizer, models
    from torch.distributed.device_mesh import init_device_mesh
    from torch.testing._internal.distributed.fake_pg import FakeStore
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM
    from verl.utils.checkpoint.fsdp_checkpoint_manager import FSDPCheckpointManager
    from verl.utils.fsdp_utils import apply_fsdp2

    logging.disable(logging.WARNING)
    torch_dtype = getattr(torch, dtype)
    config = Qwen2Config(
        **SIZES[size],
        tie_word_embeddings=False,
        architectures=["Qwen2ForCausalLM"],
        dtype=torch_dtype,
    )
    words = Tokenizer(models.WordLevel({"<unk>": 0}, unk_token="<unk>"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>")
    for rank in range(world):
        dist.init_process_group("fake", store=FakeStore(), rank=rank, world_size=world)
        mesh = init_device_mesh("cpu", (world,), mesh_dim_names=("fsdp",))
        with torch.device("meta"):
            model = Qwen2ForCausalLM(config).to(torch_dtype)
        apply_fsdp2(model, {"mesh": mesh, "reshard_after_forward": True}, {"wrap_policy": {}})
        model.to_empty(device="cpu")
        torch.manual_seed(rank)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.to_local().normal_(std=0.02)
        manager = FSDPCheckpointManager(
            model,
            processing_class=tokenizer,
            checkpoint_config={"save_contents": ["model"], "load_contents": ["model"]},
        )
        manager.save_checkpoint(str(folder / "actor"), global_step=1)
        dist.destroy_process_group()


COPY = """
import os, shutil, sys
os.mkdir(sys.argv[2])
for entry in os.scandir(sys.argv[1]):
    if entry.name.endswith(".pt"):
        target = os.path.join(sys.argv[2], entry.name)
        shutil.copyfile(entry.path, target)
        with open(target) as file:
            os.fsync(file.fileno())
"""
OURS = "import sys; from dianjin_ext.merge import merge_checkpoint as m; m(*sys.argv[1:])"
VERL = "-m verl.model_merger merge --backend fsdp --local_dir {} --target_dir {}"


def measure(command):
    """Wall seconds, and peak resident memory in MiB, of a process."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    peak = 0
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
            peak = max(peak, int(status.partition("VmHWM:")[2].split()[0]))
        except (OSError, IndexError):  # it has just ended
            pass
        time.sleep(0.01)
    seconds = time.perf_counter() - begin
    if process.returncode:
        raise SystemExit(process.stderr.read().decode())
    return seconds, peak / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="0.5b")
    parser.add_argument("--dtype", choices=["bfloat16", "float32"], default="bfloat16")
    parser.add_argument("--world", type=int, default=4)
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="bench-merge-"))
    try:
        name = f"{options.size}-{options.dtype}-{options.world}"
        source = (options.keep or work) / name / "actor"
        if not source.exists():
            os.environ["OMP_NUM_THREADS"] = "1"
            write_checkpoint(source.parent, options.size, options.dtype, options.world)
        nbytes = sum(path.stat().st_size for path in source.glob("*.pt"))
        print(f"{name}: {nbytes / 1e9:.2f} GB in {options.world} rank files")
        target = str(work / "merged")
        rows = {}
        for label, arguments in (
            ("copy with fsync", ["-c", COPY, str(source), target]),
            ("dianjin merge", ["-c", OURS, str(source), target]),
            ("verl.model_merger", VERL.format(source, target).split()),
        ):
            runs = []
            for _ in range(options.repeat):
                shutil.rmtree(target, ignore_errors=True)
                runs.append(measure([sys.executable, *arguments]))
            seconds, memory = min(runs)
            rows[label] = {"seconds": round(seconds, 2), "peak_mib": round(memory)}
            print(f"{label:20} {seconds:7.2f} s {memory:8.0f} MiB", flush=True)
        print(json.dumps({"checkpoint": name, "bytes": nbytes, **rows}))
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
