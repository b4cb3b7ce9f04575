"""Conversions against torch's, bit for bit."""

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge import merge_checkpoint
from dianjin_ext.merge.casts import TARGETS, converter, target_dtype
from dianjin_ext.merge.dtypes import DTYPES

np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")

INTEGERS = {2: (np.uint16, torch.int16), 4: (np.uint32, torch.int32), 8: (np.uint64, torch.int64)}


def bit_patterns(name):
    """All of a 16-bit type; of a wider one random ones, and every neighbour of a boundary."""
    size = DTYPES[name].size
    if size == 2:
        return np.arange(1 << 16, dtype=np.uint16)
    random = np.random.default_rng(0)
    if size == 8:
        with np.errstate(invalid="ignore"):
            wide = bit_patterns("float32").view(np.float32).astype(np.float64).view(np.uint64)
        near = [wide + step for step in (0, 1, -1 & (1 << 64) - 1)]
        return np.concatenate([*near, random.integers(0, 1 << 64, 100_000, np.uint64)])
    # Upper halves of all kinds, with lower halves around the points where rounding turns.
    upper = np.arange(1 << 16, dtype=np.uint32) << 16
    lower = [0, 1, 0x0FFF, 0x1000, 0x1001, 0x2FFF, 0x3000, 0x3001, 0x7FFF, 0x8000, 0x8001, 0xFFFF]
    near = [upper | half for half in lower]
    return np.concatenate([*near, random.integers(0, 1 << 32, 1_000_000, np.uint32)])


@pytest.mark.parametrize("target", sorted(TARGETS))
@pytest.mark.parametrize("name", ["float64", "float32", "float16", "bfloat16"])
def test_equals_torch_for_every_bit_pattern(name, target):
    stored, dtype = DTYPES[name], TARGETS[target]
    bits = bit_patterns(name)
    source = torch.from_numpy(bits.view(f"i{stored.size}")).view(getattr(torch, name))
    expected = source.to(getattr(torch, dtype.name))
    convert = converter(stored, dtype)
    if convert is None:
        assert stored == dtype
        return
    ours = np.empty(len(bits), INTEGERS[dtype.size][0])
    convert(memoryview(bits).cast("B"), memoryview(ours).cast("B"))
    theirs = expected.view(INTEGERS[dtype.size][1]).numpy().view(ours.dtype)
    nan = expected.isnan().numpy()
    assert nan.sum() > 100
    np.testing.assert_array_equal(ours[~nan], theirs[~nan])
    made = torch.from_numpy(ours.copy().view(f"i{dtype.size}")).view(expected.dtype)
    assert bool(made.isnan().numpy()[nan].all())


def test_integers_and_float8_stay():
    for name in ("int64", "bool", "float8_e4m3fn"):
        assert target_dtype(DTYPES[name], "bf16") == DTYPES[name]
    assert target_dtype(DTYPES["float16"], "keep") == DTYPES["float16"]
    with pytest.raises(DianjinError, match="expected keep, bf16, fp16, fp32; got 'int4'"):
        target_dtype(DTYPES["float32"], "int4")


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("fsdp2-w3-fp32", "bf16"), ("fsdp2-w4-columns", "fp32"), ("fsdp2-tp", "fp16")],
)
def test_merged_model_is_converted(checkpoints, tmp_path, monkeypatch, name, dtype):
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM

    import dianjin_ext.merge.sink as sink

    wanted = getattr(torch, TARGETS[dtype].name)
    original = load_file(checkpoints / name / "original.safetensors")
    for buffer in (sink.BUFFER, 4096, 104):
        monkeypatch.setattr(sink, "BUFFER", buffer)
        merge_checkpoint(checkpoints / name, tmp_path / "out", dtype=dtype, overwrite=True)
        merged = load_file(tmp_path / "out" / "model.safetensors")
        assert merged.keys() == original.keys()
        for key, tensor in merged.items():
            assert tensor.dtype == wanted
            assert torch.equal(tensor, original[key].to(wanted)), key
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "out").dtype == wanted


def test_mixed_types(checkpoints, tmp_path, bare_model):
    from safetensors.torch import load_file

    merge_checkpoint(checkpoints / "edges", tmp_path / "out", base_model=bare_model, dtype="bf16")
    original = load_file(checkpoints / "edges" / "original.safetensors")
    merged = load_file(tmp_path / "out" / "model.safetensors")
    for key, tensor in merged.items():
        floating = original[key].is_floating_point()
        assert torch.equal(tensor, original[key].bfloat16() if floating else original[key]), key
