"""Merged checkpoints against the state before sharding."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge import merge_checkpoint
from dianjin_ext.merge.settings import parse_size

_spec = importlib.util.spec_from_file_location(
    "write_checkpoints", Path(__file__).with_name("write_checkpoints.py")
)
writer = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = writer  # dataclasses look their module up
_spec.loader.exec_module(writer)


def load(folder):
    from safetensors.torch import load_file

    tensors = {}
    for file in sorted(folder.glob("*.safetensors")):
        tensors |= load_file(file)
    return tensors


def assert_equal(merged, original, *, without=()):
    """Same keys, types, shapes and bits."""
    import torch

    assert merged.keys() == original.keys() - set(without)
    for name, tensor in merged.items():
        assert tensor.dtype == original[name].dtype, name
        assert tensor.shape == original[name].shape, name
        bits = [t.contiguous().view(-1).view(torch.uint8) for t in (tensor, original[name])]
        assert torch.equal(*bits), name


@pytest.mark.parametrize("case", writer.CASES, ids=lambda case: case.name)
def test_equals_the_unsharded_model(checkpoints, tmp_path, case):
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM

    out = tmp_path / "merged"
    plan = merge_checkpoint(checkpoints / case.name, out, max_shard_size="60KB")
    assert len(plan.files) > 1
    original = load_file(checkpoints / case.name / "original.safetensors")
    assert_equal(load(out), original, without=["lm_head.weight"] if case.tie else [])

    def logits(folder):
        model, loading = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
        assert not any(loading.values()), loading
        assert model.dtype == getattr(torch, case.dtype)
        with torch.inference_mode():
            return model(torch.arange(32).view(2, 16)).logits

    assert torch.equal(logits(out), logits(checkpoints / case.name / "reference"))


@pytest.mark.parametrize("name", writer.HAND_MADE)
def test_empty_shards_scalars_buffers_and_mixed_types(checkpoints, tmp_path, bare_model, name):
    from safetensors.torch import load_file

    out = tmp_path / "merged"
    merge_checkpoint(checkpoints / name, out, base_model=bare_model)
    merged = load(out)
    assert_equal(merged, load_file(checkpoints / name / "original.safetensors"))
    assert merged["mask"].tolist() == [True, False, True]
    assert merged["scale"].shape == ()


def test_small_buffers_give_the_same_bytes(checkpoints, tmp_path, monkeypatch):
    """Every boundary between buffers, rows and parts is crossed."""
    import dianjin_ext.merge.sink as sink

    for name in ("fsdp2-w4-columns", "fsdp2-tp", "fsdp2-w3-fp32"):
        whole, cut = tmp_path / f"{name}-whole", tmp_path / f"{name}-cut"
        merge_checkpoint(checkpoints / name, whole)
        for size in (4096, 104):  # wider and narrower than a row
            with monkeypatch.context() as patch:
                patch.setattr(sink, "BUFFER", size)
                merge_checkpoint(checkpoints / name, cut, overwrite=True)
            expected = (whole / "model.safetensors").read_bytes()
            assert (cut / "model.safetensors").read_bytes() == expected


def test_side_files_are_copied_verbatim(checkpoints, tmp_path):
    from transformers import AutoTokenizer

    saved = checkpoints / "fsdp2-w1" / "actor" / "huggingface"
    out = tmp_path / "merged"
    merge_checkpoint(checkpoints / "fsdp2-w1" / "actor", out)
    names = sorted(file.name for file in saved.iterdir())
    assert {"config.json", "generation_config.json", "tokenizer.json"} <= set(names)
    assert sorted(f.name for f in out.iterdir()) == sorted([*names, "model.safetensors"])
    for name in names:
        assert (out / name).read_bytes() == (saved / name).read_bytes()
    text = AutoTokenizer.from_pretrained(out).apply_chat_template(
        [{"role": "user", "content": "净利润"}], tokenize=False
    )
    assert text == "user：净利润\n"


def test_index_lists_every_tensor(checkpoints, tmp_path):
    from safetensors import safe_open

    out = tmp_path / "merged"
    plan = merge_checkpoint(checkpoints / "fsdp2-w2-tied", out, max_shard_size=50_000)
    index = json.loads((out / "model.safetensors.index.json").read_text())
    assert index["metadata"]["total_size"] == sum(tensor.nbytes for tensor in plan.tensors)
    assert sorted(set(index["weight_map"].values())) == sorted(
        file.name for file in out.glob("*.safetensors")
    )
    for name, file in index["weight_map"].items():
        with safe_open(out / file, "pt") as weights:
            assert name in weights.keys()  # noqa: SIM118 (not a dict)
            assert weights.metadata() == {"format": "pt"}


def test_config_names_the_type_of_the_weights(copy_of, tmp_path):
    """An fp32 checkpoint whose config says bfloat16 would be loaded in the wrong type."""
    import torch
    from transformers import AutoModelForCausalLM

    actor = copy_of("fsdp1-w2-fp32")
    config = actor / "huggingface" / "config.json"
    config.write_text(config.read_text().replace('"float32"', '"bfloat16"'))
    out = tmp_path / "merged"
    merge_checkpoint(actor, out)
    before, after = json.loads(config.read_text()), json.loads((out / "config.json").read_text())
    assert after == {**before, "dtype": "float32"}
    assert AutoModelForCausalLM.from_pretrained(out).dtype == torch.float32


def test_ranks_in_several_folders(copy_of, checkpoints, tmp_path):
    actor = copy_of("fsdp2-w4-columns")
    other = tmp_path / "machine-2"
    other.mkdir()
    for rank in (1, 3):
        name = f"model_world_size_4_rank_{rank}.pt"
        (actor / name).rename(other / name)
    merge_checkpoint(checkpoints / "fsdp2-w4-columns", tmp_path / "whole")
    merge_checkpoint([other, actor], tmp_path / "apart")
    for file in (tmp_path / "whole").iterdir():
        assert (tmp_path / "apart" / file.name).read_bytes() == file.read_bytes()


def test_progress_ends_at_the_total(checkpoints, tmp_path):
    seen = []
    plan = merge_checkpoint(
        checkpoints / "fsdp2-w4-columns", tmp_path / "out", progress=lambda *step: seen.append(step)
    )
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (plan.nbytes, plan.nbytes)
    assert plan.nbytes == (tmp_path / "out" / "model.safetensors").stat().st_size


@pytest.mark.parametrize(
    ("text", "size"),
    [("5GB", 5 * 10**9), ("5GiB", 5 * 2**30), ("1.5mb", 1_500_000), (4096, 4096), ("7", 7)],
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1", "0", "5XB", "5 apples"])
def test_unusable_sizes(text):
    with pytest.raises(DianjinError, match="max_shard_size"):
        parse_size(text)
