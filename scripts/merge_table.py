"""Run three mergers on the tests' real checkpoints and write what each makes of them into docs.

    .venv/verl/bin/python scripts/merge_table.py --seed-script merge_model.py

The script is the one of DianJin-R1 (src/evaluate/merge_model.py in aliyun/qwen-dianjin). Rewrites
the table in docs/merge.md; tests/merge/test_docs.py checks our column of it.
"""

import argparse
import contextlib
import io
import json
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs" / "merge.md"
BEGIN, END = "<!-- written by scripts/merge_table.py -->\n", "<!-- end of the table -->\n"
MERGED = "test_merger.py::test_equals_the_unsharded_model"


@dataclass(frozen=True)
class Case:
    """A row: what it is, the checkpoint of the tests, what is done to a copy, and its test."""

    title: str
    name: str
    test: str
    change: Callable[[Path], None] | None = None
    adapter: bool = False


def flip(actor: Path) -> None:
    """Change a byte in the middle of the largest tensor."""
    path = sorted(actor.glob("*.pt"))[-1]
    with zipfile.ZipFile(path) as archive:
        largest = max(archive.infolist(), key=lambda info: info.file_size)
    with path.open("r+b") as file:
        file.seek(largest.header_offset + largest.file_size // 2 + 200)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 0x40]))


def run_code(actor: Path) -> None:
    """Let the pickle of rank 0 make a file when it is loaded with pickle."""
    path = sorted(actor.glob("*.pt"))[0]
    with zipfile.ZipFile(path) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            if name.endswith("/data.pkl"):  # os.mkdir(".../ran"), its result thrown away
                call = f"cos\nmkdir\n(S{str(actor.parent / 'ran')!r}\ntR0".encode()
                data = data[:2] + call + data[2:]
            archive.writestr(name, data)


def drop_tokenizer(actor: Path) -> None:
    """Leave the config only."""
    for path in (actor / "huggingface").iterdir():
        if path.name != "config.json":
            path.unlink()


CASES = [
    Case("FSDP2, 3 ranks, uneven shards, fp32", "fsdp2-w3-fp32", MERGED),
    Case("FSDP2, tied embeddings, bf16", "fsdp2-w2-tied", MERGED),
    Case("FSDP2, one rank", "fsdp2-w1", MERGED),
    Case("FSDP2, some weights sharded on dimension 1", "fsdp2-w4-columns", MERGED),
    Case("FSDP2, ddp × fsdp (HSDP)", "fsdp2-hsdp", MERGED),
    Case("FSDP2, fsdp × tensor parallel", "fsdp2-tp", MERGED),
    Case("FSDP1, device mesh, fp32", "fsdp1-w2-fp32", MERGED),
    Case("FSDP1, ddp × fsdp (HSDP)", "fsdp1-hsdp", MERGED),
    Case("FSDP1, one rank (plain tensors)", "fsdp1-w1-tied", MERGED),
    Case("FSDP1, no mesh (ShardedTensor)", "fsdp1-w2-tied-sharded-tensor", MERGED),
    Case("critic", "critic", "test_names.py::test_a_critic_names_its_architecture"),
    Case("Qwen2.5-VL", "qwen2.5-vl-tied", "test_names.py::test_vision_language_models"),
    Case("Qwen3-MoE", "qwen3-moe", "test_names.py::test_fused_experts_are_saved_one_by_one"),
    Case("LoRA: base and adapter", "lora", "test_lora.py::test_base_and_adapter_apart", None, True),
    Case("LoRA merged into the base", "lora", "test_lora.py::test_merged_into_the_base"),
    Case(
        "no fsdp_config.json",
        "fsdp2-w3-fp32",
        "test_sources.py::test_without_fsdp_config_the_complete_world_counts",
        lambda actor: (actor / "fsdp_config.json").unlink(),
    ),
    Case(
        "a flipped byte",
        "fsdp2-w2-tied",
        "test_faults.py::test_one_flipped_byte",
        flip,
    ),
    Case(
        "a missing rank",
        "fsdp2-w2-tied",
        "test_sources.py::test_missing_ranks_are_named",
        lambda actor: (actor / "model_world_size_2_rank_1.pt").unlink(),
    ),
    Case("no tokenizer", "fsdp2-w1", "test_faults.py::test_missing_side_files", drop_tokenizer),
    Case(
        "a pickle that runs code",
        "fsdp2-w1",
        "test_shards.py::test_other_names_are_refused",
        run_code,
    ),
]


def ours(actor: Path, out: Path, case: Case) -> None:
    """`dianjin merge`."""
    from dianjin_ext.merge import merge_checkpoint

    merge_checkpoint(actor, out, merge_lora=case.name == "lora" and not case.adapter)


def verls(actor: Path, out: Path, case: Case) -> None:
    """`python -m verl.model_merger merge --backend fsdp`."""
    from verl.model_merger.base_model_merger import ModelMergerConfig
    from verl.model_merger.fsdp_model_merger import FSDPModelMerger

    config = ModelMergerConfig(
        operation="merge",
        backend="fsdp",
        target_dir=str(out),
        local_dir=str(actor),
        hf_model_config_path=str(actor / "huggingface"),
    )
    out.mkdir()
    FSDPModelMerger(config).merge_and_save()


def seeds(script: Path) -> Callable[[Path, Path, Case], None]:
    """`python merge_model.py`, with the right world size."""

    def merge(actor: Path, out: Path, case: Case) -> None:
        world = next(actor.glob("model_world_size_*")).name.split("_")[3]
        options = ["--fsdp_path", actor, "--hf_path", actor / "huggingface", "--out_path", out]
        before = sys.argv
        sys.argv = [str(script), *map(str, options), "--world_size", world]
        try:
            runpy.run_path(str(script), run_name="__main__")
        finally:
            sys.argv = before

    return merge


def load(folder: Path) -> dict:
    """All tensors of a folder's or a file's safetensors."""
    from safetensors.torch import load_file

    tensors = {}
    for file in sorted(folder.glob("*.safetensors")) if folder.is_dir() else [folder]:
        tensors |= load_file(file)
    return tensors


def weights(found: dict, expected: dict) -> str:
    """How the tensors that a merger wrote compare with those it should have written."""
    import torch

    def equal(change: Callable) -> bool:
        return all(torch.equal(change(found[k]), change(expected[k])) for k in expected)

    if found.keys() != expected.keys():
        return "other names" if len(found) >= len(expected) else "weights missing"
    same = all(found[k].dtype == expected[k].dtype for k in expected)
    if same and equal(lambda tensor: tensor):
        return "bit-equal"
    if not same and all(t.shape == expected[k].shape for k, t in found.items()):
        if equal(lambda tensor: tensor.bfloat16()):
            return "cast to bf16"
        if equal(lambda tensor: tensor.float()):
            return "cast to fp32"
    near = all(
        t.shape == expected[k].shape
        and torch.allclose(t.float(), expected[k].float(), rtol=1e-2, atol=1e-2)
        for k, t in found.items()
    )
    return "equal within rounding" if near else "WRONG WEIGHTS"


def outcome(case: Case, source: Path, out: Path, merge: Callable) -> str:
    """Run one merger on one case; the cell of the table."""
    work = out.parent / "work"
    shutil.rmtree(work, ignore_errors=True)
    actor = Path(shutil.copytree(source / case.name / "actor", work / "actor"))
    if case.change is not None:
        case.change(actor)
    cell = ""
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            merge(actor, out, case)
    except (Exception, SystemExit) as error:
        from dianjin_ext.errors import DianjinError

        cell = "refused" if isinstance(error, DianjinError) else f"fails: {type(error).__name__}"
    if (work / "ran").exists():
        return "RUNS IT"
    if cell:
        return cell
    if case.change is flip:
        return "NOT NOTICED"
    if case.change is drop_tokenizer:
        return "INVENTS ONE" if (out / "tokenizer_config.json").exists() else "leaves it out"
    if not case.adapter and case.name == "lora" and (out / "lora_adapter").is_dir():
        return "leaves them apart"
    reference = source / case.name / ("reference-base" if case.adapter else "reference")
    expected = load(reference)
    cell = weights(load(out), expected)
    if case.name == "critic":
        named = json.loads((out / "config.json").read_text())["architectures"]
        cell += "" if "TokenClassification" in named[0] else ", named a causal model"
    if case.adapter:
        known = source / case.name / "reference-adapter"
        if not (out / "lora_adapter").is_dir():
            return f"{cell}, no adapter"
        alphas = [
            json.loads((folder / "adapter_config.json").read_text())["lora_alpha"]
            for folder in (out / "lora_adapter", known)
        ]
        cell += "" if alphas[0] == alphas[1] else ", WRONG ALPHA"
    return cell


def column(source: Path, merge: Callable) -> list[str]:
    """The cells of one merger."""
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [
            outcome(case, source, Path(scratch, f"{number}"), merge)
            for number, case in enumerate(CASES)
        ]


def table(columns: dict[str, list[str]]) -> str:
    """Markdown; the mergers' names are the keys."""
    lines = [f"| | {' | '.join(columns)} | test |", "|---" * (len(columns) + 2) + "|"]
    for number, case in enumerate(CASES):
        cells = " | ".join(cells[number] for cells in columns.values())
        lines.append(f"| {case.title} | {cells} | `{case.test}` |")
    return "\n".join(lines) + "\n"


def write_checkpoints(folder: Path) -> None:
    """Let the tests' writers make all checkpoints in one folder."""
    env = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    for writer in ("write_checkpoints.py", "write_models.py"):
        script = str(ROOT / "tests" / "merge" / writer)
        subprocess.run(
            [sys.executable, "-W", "ignore", script, str(folder)],
            env=env,
            check=True,
            capture_output=True,
        )


def main() -> None:
    """Rewrite the table in docs/merge.md."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed-script", type=Path, required=True)
    parser.add_argument("--only", help=argparse.SUPPRESS)  # one column, as JSON
    parser.add_argument("--source", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    mergers = {
        "`dianjin merge`": ours,
        "verl 0.9.1": verls,
        "merge_model.py": seeds(options.seed_script.resolve()),
    }
    if options.only:
        print(json.dumps(column(options.source, mergers[options.only])))
        return
    columns = {}
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch, "checkpoints")
        write_checkpoints(source)
        for name in mergers:  # each in a process of its own: what one imports may help another
            command = [sys.executable, __file__, "--seed-script", str(options.seed_script)]
            command += ["--only", name, "--source", str(source)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            columns[name] = json.loads(done.stdout.splitlines()[-1])
    text = table(columns)
    before, _, rest = DOCS.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    DOCS.write_text(before + BEGIN + text + END + after, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
