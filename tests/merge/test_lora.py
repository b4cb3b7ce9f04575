"""Adapters that peft made and verl saved, against what peft saves and merges itself."""

import json
import shutil

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge import merge_checkpoint
from dianjin_ext.merge.verify import check_merged

CASES = ["lora", "lora-fsdp1-fp32", "lora-patterns", "lora-only"]


def load(folder):
    from safetensors.torch import load_file

    tensors = {}
    for file in sorted(folder.glob("*.safetensors")):
        tensors |= load_file(file)
    return tensors


def assert_same(found, expected):
    import torch

    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype and torch.equal(found[name], tensor), name


@pytest.fixture
def case(models, tmp_path):
    """The actor folder of a case and the options that it needs."""

    def find(name):
        folder = models / name
        if not folder.exists():
            pytest.skip(json.loads((models / "skipped.json").read_text())[name])
        folder = shutil.copytree(folder, tmp_path / name)
        options = {}
        if name == "lora-only":
            options["base_model"] = folder / "reference-base"
        if name == "lora-patterns":
            (folder / "actor" / "lora_adapter").mkdir()
            config = folder / "reference-adapter" / "adapter_config.json"
            shutil.copy(config, folder / "actor" / "lora_adapter")
        elif not (folder / "actor" / "lora_train_meta.json").exists():
            options["lora_alpha"] = 32  # verl, which writes the file, is not in this environment
        return folder, options

    return find


def logits(model):
    import torch

    with torch.inference_mode():
        return model(torch.arange(32).view(2, 16)).logits


@pytest.mark.parametrize("name", CASES)
def test_base_and_adapter_apart(case, tmp_path, name):
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    folder, options = case(name)
    out = tmp_path / "out"
    merge_checkpoint(folder, out, verify=True, **options)
    check_merged(out)
    assert_same(load(out), load(folder / "reference-base"))
    expected = load(folder / "reference-adapter")
    expected.pop("base_model.model.model.embed_tokens.base_layer.weight", None)  # the base's
    assert_same(load(out / "lora_adapter"), expected)

    def with_adapter(base, adapter):
        model = AutoModelForCausalLM.from_pretrained(base)
        peft = PeftModel.from_pretrained(model, adapter)
        return peft, logits(peft)

    ours, found = with_adapter(out, out / "lora_adapter")
    theirs, expected = with_adapter(folder / "reference-base", folder / "reference-adapter")
    assert torch.equal(found, expected)
    for key in ("r", "lora_alpha", "use_rslora", "rank_pattern", "alpha_pattern", "task_type"):
        assert getattr(ours.peft_config["default"], key) == getattr(
            theirs.peft_config["default"], key
        )
    assert not torch.equal(logits(AutoModelForCausalLM.from_pretrained(out)), expected)


@pytest.mark.parametrize("name", CASES)
def test_merged_into_the_base(case, tmp_path, name):
    """Equal to peft's merge_and_unload; where peft rounds twice, closer to the exact sum."""
    import torch
    from transformers import AutoModelForCausalLM

    folder, options = case(name)
    out = tmp_path / "out"
    plan = merge_checkpoint(folder, out, merge_lora=True, verify=True, **options)
    assert not (out / "lora_adapter").exists()
    found, peft = load(out), load(folder / "reference")
    base, adapter = load(folder / "reference-base"), load(folder / "reference-adapter")
    assert found.keys() == peft.keys()
    scales = {t.name: t.delta.scale for t in plan.tensors if t.delta}
    assert scales
    for key, value in found.items():
        assert value.dtype == peft[key].dtype
        if key not in scales:
            assert torch.equal(value, peft[key]), key
            continue
        stem = f"base_model.model.{key.removesuffix('.weight')}.lora_"
        if f"{stem}embedding_A" in adapter:
            a, b = (adapter[f"{stem}embedding_{x}"].double() for x in "AB")
            product = (b @ a).T
        else:
            a, b = (adapter[f"{stem}{x}.weight"].double() for x in "AB")
            product = b @ a
        exact = base[key].double() + scales[key] * product
        rounding = torch.finfo(value.dtype).eps * exact.abs() + 1e-6 * product.abs().max()
        assert ((value.double() - exact).abs() <= rounding).all(), key
        error, theirs = ((x.double() - exact).abs().mean() for x in (value, peft[key]))
        assert error <= theirs * 1.01, key
    model, loading = AutoModelForCausalLM.from_pretrained(out, output_loading_info=True)
    assert not any(loading.values()), loading
    reference = logits(AutoModelForCausalLM.from_pretrained(folder / "reference"))
    assert torch.allclose(logits(model), reference, atol=0.1 if model.dtype.itemsize == 2 else 1e-5)


def test_merging_does_not_depend_on_how_the_file_is_cut(case, tmp_path, monkeypatch):
    import torch

    import dianjin_ext.merge.fuse as fuse
    import dianjin_ext.merge.sink as sink

    folder, options = case("lora")
    outs = [tmp_path / name for name in ("whole", "blocks", "blocks-and-parts")]
    for out, block, part in zip(
        outs, (fuse._BLOCK, 1000, 1000), (sink.BUFFER, sink.BUFFER, 4096), strict=True
    ):
        with monkeypatch.context() as patch:
            patch.setattr(fuse, "_BLOCK", block)
            patch.setattr(sink, "BUFFER", part)
            merge_checkpoint(folder, out, merge_lora=True, dtype="fp32", **options)
    whole, blocks, parts = map(load, outs)
    assert_same(parts, blocks)
    for name, tensor in whole.items():  # products of other blocks may round otherwise
        assert torch.allclose(tensor, blocks[name], rtol=1e-5, atol=1e-5), name


def test_an_adapter_alone(case, tmp_path):
    folder, _ = case("lora-only")
    out = tmp_path / "out"
    merge_checkpoint(folder, out)
    assert not list(out.glob("*.safetensors"))
    assert_same(load(out / "lora_adapter"), load(folder / "reference-adapter"))
    assert check_merged(out).files == 1
    with (out / "lora_adapter" / "adapter_model.safetensors").open("ab") as file:
        file.write(b"more")
    with pytest.raises(DianjinError, match=r"adapter_model\.safetensors has \d+ bytes, but"):
        check_merged(out)
    with pytest.raises(DianjinError, match=r"adapter only, name .* \(--base-model\)"):
        merge_checkpoint(folder, tmp_path / "other", merge_lora=True)


def test_unknown_alpha(case, tmp_path):
    folder, _ = case("lora")
    meta = folder / "actor" / "lora_train_meta.json"
    for text in (None, '{"r": 8, "lora_alpha": 0, "task_type": null}'):
        meta.unlink(missing_ok=True)
        if text:
            meta.write_text(text)
        with pytest.raises(DianjinError, match=r"unknown strength .* \(--lora-alpha\)"):
            merge_checkpoint(folder, tmp_path / "out")
    merge_checkpoint(folder, tmp_path / "out", lora_alpha=12)
    config = json.loads((tmp_path / "out" / "lora_adapter" / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"], config["task_type"]) == (8, 12, "CAUSAL_LM")


def test_ranks_that_no_file_explains(case, tmp_path):
    folder, _ = case("lora-patterns")
    shutil.rmtree(folder / "actor" / "lora_adapter")
    with pytest.raises(DianjinError, match=r"rank 3, but .* says 6; .* adapter_config\.json into "):
        merge_checkpoint(folder, tmp_path / "out", lora_alpha=9)


def test_options_for_adapters_need_one(checkpoints, tmp_path):
    with pytest.raises(DianjinError, match="holds no LoRA adapter"):
        merge_checkpoint(checkpoints / "fsdp2-w1", tmp_path / "out", merge_lora=True)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("q.lora_magnitude_vector.default.weight", "is DoRA"),
        ("q.lora_B.default.bias", "not plain LoRA"),
        ("q.ia3_l.default", "without LoRA weights"),
        ("q.lora_A.default.weight", "expected one lora_A and one lora_B"),
    ],
)
def test_other_adapters_are_refused(tmp_path, bare_model, key, reason):
    torch = pytest.importorskip("torch")
    state = {f"base_model.model.{key}": torch.zeros(2, 3)}
    torch.save(state, tmp_path / "model_world_size_1_rank_0.pt")
    with pytest.raises(DianjinError, match=reason):
        merge_checkpoint(tmp_path, tmp_path / "out", base_model=bare_model)


def test_a_damaged_adapter_is_noticed(case, tmp_path):
    """Its bytes are checked though they are not copied."""
    from dianjin_ext.merge.shards import read_rank

    folder, options = case("lora")
    path = next((folder / "actor").glob("*_rank_1.pt"))
    entries = read_rank(path, 1)
    name = "base_model.model.model.layers.1.mlp.up_proj.lora_B.default.weight"
    with path.open("r+b") as file:
        file.seek(entries[name].pieces[0].offset + 3)
        file.write(b"\xff\x00\xff")
    with pytest.raises(DianjinError, match=rf"{name}: the CRC32"):
        merge_checkpoint(folder, tmp_path / "out", merge_lora=True, **options)
