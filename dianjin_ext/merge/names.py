"""From the names in a training process to those on disk, where transformers keeps them apart.

`from_pretrained` renames and fuses what it loads, and `save_pretrained` undoes that, but a rank
file holds the names and shapes of the running model. Older versions of transformers and the
inference engines know those on disk.
"""

from dataclasses import replace
from typing import Any

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge.assemble import Tensor
from dianjin_ext.merge.layout import Box, Shape
from dianjin_ext.merge.shards import Piece

# By model_type: what a name begins with when running, and on disk. From what transformers 5.6 and
# 5.10 write; the tests compare.
_QWEN2_VL = (("model.language_model.", "model."), ("model.visual.", "visual."))
_LLAVA = (
    ("model.language_model.", "language_model.model."),
    ("model.vision_tower.", "vision_tower."),
    ("model.multi_modal_projector.", "multi_modal_projector."),
    ("lm_head.", "language_model.lm_head."),
)
_PREFIXES = {"qwen2_vl": _QWEN2_VL, "qwen2_5_vl": _QWEN2_VL, "gemma3": _LLAVA}

_FUSED_EXPERTS = ("mlp.experts.gate_up_proj", "mlp.experts.down_proj")
# Models whose experts transformers 5 fuses when it loads them, and saves one by one.
_MOE = ("qwen2_moe", "qwen3_moe")


def strip_wrappers(tensors: list[Tensor]) -> list[Tensor]:
    """Remove what trl's value-head model and torch.compile put before and into names."""
    stripped = []
    for tensor in tensors:
        name = tensor.name.replace("_orig_mod.", "").removeprefix("pretrained_model.")
        stripped.append(tensor if name == tensor.name else replace(tensor, name=name))
    return stripped


def names_on_disk(tensors: list[Tensor], config: dict[str, Any]) -> list[Tensor]:
    """Name and cut the tensors as transformers does when it saves the model.

    Args:
        tensors: The tensors under their names in the running model.
        config: The model's config.

    Raises:
        DianjinError: Two tensors would have one name.
    """
    kind = config.get("model_type")
    prefixes = _PREFIXES.get(str(kind), ())
    renamed: dict[str, Tensor] = {}
    for tensor in tensors:
        name = _change_prefix(tensor.name, prefixes)
        made = [tensor if name == tensor.name else replace(tensor, name=name)]
        if kind in _MOE and tensor.name.endswith(_FUSED_EXPERTS) and len(tensor.shape) == 3:
            made = _experts(tensor)
        for one in made:
            if one.name in renamed:
                raise DianjinError(f"{tensor.name} and another tensor would both be {one.name}")
            renamed[one.name] = one
    return list(renamed.values())


def names_when_running(tensors: list[Tensor], config: dict[str, Any]) -> list[Tensor]:
    """Undo the renaming of `names_on_disk`; fused experts stay apart."""
    prefixes = _PREFIXES.get(str(config.get("model_type")), ())
    running = tuple(at for at, _ in prefixes)
    back = tuple((to, at) for at, to in reversed(prefixes))
    return [
        tensor
        if tensor.name.startswith(running)
        else replace(tensor, name=_change_prefix(tensor.name, back))
        for tensor in tensors
    ]


def _change_prefix(name: str, prefixes: tuple[tuple[str, str], ...]) -> str:
    for at, to in prefixes:
        if name.startswith(at):
            return to + name.removeprefix(at)
    return name


def config_of_head(config: dict[str, Any], tensors: list[Tensor]) -> dict[str, Any]:
    """Name the architecture of a critic.

    verl loads a causal model's config into AutoModelForTokenClassification and saves that config
    unchanged. Its head, unlike a sequence classifier's, has a bias.
    """
    names = {tensor.name for tensor in tensors}
    kinds = config.get("architectures") or []
    causal = [str(kind) for kind in kinds if str(kind).endswith("ForCausalLM")]
    if not causal or "score.bias" not in names or "lm_head.weight" in names:
        return config
    kinds = [kind.removesuffix("ForCausalLM") + "ForTokenClassification" for kind in causal]
    return {**config, "architectures": kinds}


def _experts(tensor: Tensor) -> list[Tensor]:
    """Cut fused experts (experts × rows × columns) into one matrix for each."""
    count, rows, columns = tensor.shape
    stem, _, kind = tensor.name.rpartition(".")
    if any(piece.box.shape[2] != columns for piece in tensor.pieces) or tensor.delta:
        return [tensor]  # cut along the columns: an expert's bytes do not lie together
    parts = [("down_proj", 0, rows)]
    if kind == "gate_up_proj":
        parts = [("gate_proj", 0, rows // 2), ("up_proj", rows // 2, rows)]
    return [
        replace(
            tensor,
            name=f"{stem}.{expert}.{name}.weight",
            shape=(end - begin, columns),
            pieces=_cut(tensor, expert, begin, end),
        )
        for expert in range(count)
        for name, begin, end in parts
    ]


def _cut(tensor: Tensor, expert: int, begin: int, end: int) -> tuple[Piece, ...]:
    """The parts of the pieces that hold some rows of one expert."""
    width = tensor.shape[2] * tensor.stored.size
    cut = []
    for piece in tensor.pieces:
        (first, row, _), (experts, rows, columns) = piece.box
        low, high = max(begin, row), min(end, row + rows)
        if not first <= expert < first + experts or low >= high:
            continue
        start: Shape = (low - begin, 0)
        offset = piece.offset + ((expert - first) * rows + low - row) * width
        box = Box(start, (high - low, columns))
        cut.append(Piece(box, piece.record, offset, (high - low) * width))
    return tuple(cut)
