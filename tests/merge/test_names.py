"""Models whose names on disk are not those of the running process: the host's save decides."""

import json

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge import merge_checkpoint
from dianjin_ext.merge.assemble import Tensor
from dianjin_ext.merge.dtypes import DTYPES
from dianjin_ext.merge.names import names_on_disk, names_when_running


def load(folder):
    from safetensors.torch import load_file

    tensors = {}
    for file in sorted(folder.glob("*.safetensors")):
        tensors |= load_file(file)
    return tensors


@pytest.fixture
def merged(models, tmp_path):
    """Merge a case; returns the merged folder and what the host saved of the same model."""

    def merge(name, **options):
        if not (models / name).exists():
            pytest.skip(json.loads((models / "skipped.json").read_text())[name])
        merge_checkpoint(models / name / "actor", tmp_path / name, verify=True, **options)
        return tmp_path / name, models / name / "reference"

    return merge


def assert_same(found, expected):
    import torch

    assert load(found).keys() == load(expected).keys()
    for name, tensor in load(expected).items():
        assert torch.equal(load(found)[name], tensor), name


def assert_loads_alike(kind, found, expected, **inputs):
    import torch
    import transformers

    results = []
    for folder in (found, expected):
        auto = getattr(transformers, kind)
        model, loading = auto.from_pretrained(folder, output_loading_info=True)
        assert not any(loading.values()), loading
        with torch.inference_mode():
            results.append(model.eval()(**inputs).logits)
    assert torch.equal(*results)


def tokens():
    import torch

    return torch.arange(32).view(2, 16)


@pytest.mark.parametrize("name", ["qwen2-vl", "qwen2.5-vl-tied", "qwen3-vl", "gemma3"])
def test_vision_language_models(merged, name):
    found, expected = merged(name)
    assert_same(found, expected)
    assert_loads_alike("AutoModelForImageTextToText", found, expected, input_ids=tokens())


@pytest.mark.parametrize("name", ["qwen2-vl", "qwen2.5-vl-tied"])
def test_the_vision_tower_sees_the_same(merged, name):
    import torch

    inputs = {
        "input_ids": torch.tensor([[5, 199, 200, 200, 200, 200, 198, 7]]),
        "pixel_values": torch.linspace(-1, 1, 16 * 96).view(16, 96),
        "image_grid_thw": torch.tensor([[1, 4, 4]]),
        "mm_token_type_ids": torch.tensor([[0, 0, 1, 1, 1, 1, 0, 0]]),
    }
    assert_loads_alike("AutoModelForImageTextToText", *merged(name), **inputs)


def test_fused_experts_are_saved_one_by_one(merged):
    found, expected = merged("qwen3-moe")
    assert "model.layers.1.mlp.experts.3.up_proj.weight" in load(found)
    assert_same(found, expected)
    assert_loads_alike("AutoModelForCausalLM", found, expected, input_ids=tokens())


def test_a_critic_names_its_architecture(merged):
    """verl saves the config of the causal model that the critic was made from."""
    found, expected = merged("critic")
    assert_same(found, expected)
    config, saved = (json.loads((f / "config.json").read_text()) for f in (found, expected))
    assert config["architectures"] == saved["architectures"] == ["Qwen2ForTokenClassification"]
    assert_loads_alike("AutoModelForTokenClassification", found, expected, input_ids=tokens())


def test_a_value_head(merged):
    import torch

    found, expected = merged("value-head")
    assert_same(found, expected)
    from trl import AutoModelForCausalLMWithValueHead

    results = []
    for folder in (found, expected):
        model = AutoModelForCausalLMWithValueHead.from_pretrained(str(folder)).eval()
        with torch.inference_mode():
            results.append(model(tokens()))
    assert torch.equal(results[0][0], results[1][0])
    assert torch.equal(results[0][2], results[1][2])  # the values
    assert results[0][2].std() > 0


def test_wrappers_are_stripped(tmp_path, bare_model):
    torch = pytest.importorskip("torch")
    state = {
        "pretrained_model.model.w": torch.ones(2),
        "v_head._orig_mod.summary.weight": 2 * torch.ones(3),
    }
    torch.save(state, tmp_path / "model_world_size_1_rank_0.pt")
    merge_checkpoint(tmp_path, tmp_path / "out", base_model=bare_model)
    assert sorted(load(tmp_path / "out")) == ["model.w", "v_head.summary.weight"]


def tensor(name):
    return Tensor(name, DTYPES["bfloat16"], DTYPES["bfloat16"], (2,), ())


@pytest.mark.parametrize("kind", ["qwen2_vl", "gemma3"])
def test_back_and_forth(kind):
    names = ["model.language_model.layers.0.w", "lm_head.weight"]
    names += ["model.visual.w"] if kind == "qwen2_vl" else ["model.vision_tower.w"]
    on_disk = names_on_disk([tensor(name) for name in names], {"model_type": kind})
    assert [t.name for t in on_disk] != names
    for given in (on_disk, [tensor(name) for name in names]):
        assert [t.name for t in names_when_running(given, {"model_type": kind})] == names


def test_two_tensors_of_one_name():
    both = [tensor("model.visual.w"), tensor("visual.w")]
    with pytest.raises(DianjinError, match=r"would both be visual\.w"):
        names_on_disk(both, {"model_type": "qwen2_5_vl"})
