"""Models, tokenizers and templates that a verl run names, looked at before Ray starts."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dianjin_ext.hosts.verl.batch_check import has_critic

__all__ = ["model_problems"]

_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "tekken.json")


def model_problems(config: Any) -> Iterator[str]:
    """Yield what is wrong with the folders of a run's models and tokenizers, one line each.

    One that is named as on a hub is not looked at.
    """
    from omegaconf import OmegaConf

    yield from _template(config)
    tokenizer = OmegaConf.select(config, "actor_rollout_ref.model.tokenizer_path")
    keys = {"actor_rollout_ref.model.path": tokenizer is None}
    if tokenizer is not None:
        yield from _tokenizer("actor_rollout_ref.model.tokenizer_path", tokenizer)
    if has_critic(config):
        keys["critic.model.path"] = False
    if OmegaConf.select(config, "reward.reward_model.enable"):
        keys["reward.reward_model.model_path"] = True
    for key, has_tokenizer in keys.items():
        model = OmegaConf.select(config, key)
        if not model:
            yield f"{key} is not set; expected a model's folder or its name on the hub"
            continue
        problems = list(_model(key, model))
        yield from problems
        if has_tokenizer and not problems:
            yield from _tokenizer(key, model)


def _template(config: Any) -> Iterator[str]:
    from omegaconf import OmegaConf

    key = "actor_rollout_ref.model.custom_chat_template"
    text = OmegaConf.select(config, key)
    if text is not None and "{" not in str(text):
        yield (
            f"{key}={str(text)!r:.80}: expected the template itself; this would be each prompt: "
            "name one of configs/template (+template=NAME), or put the text into a YAML file"
        )


def _model(key: str, model: str) -> Iterator[str]:
    folder = Path(model).expanduser()
    if not folder.is_dir():
        if _is_path(model):
            yield (
                f"{key}={model}: no such folder; expected a model in Hugging Face's layout, or "
                "owner/name of one on the hub"
            )
        return
    if not (folder / "config.json").is_file():
        kind = ""
        if (folder / "adapter_config.json").is_file():
            kind = "; it holds a LoRA adapter, so name its base model"
        elif any(folder.glob("**/*_rank_*.pt")):
            kind = "; it holds a checkpoint of verl: `dianjin merge` makes a model of it"
        yield f"{key}={model}: has no config.json{kind}"
        return
    wanted: set[str] = set()
    indices = sorted(folder.glob("*.safetensors.index.json"))
    if not indices and not (folder / "model.safetensors").is_file():  # which come before .bin
        indices = sorted(folder.glob("*.index.json"))
    for index in indices:
        try:
            wanted |= set(json.loads(index.read_bytes())["weight_map"].values())
        except (ValueError, KeyError, TypeError, AttributeError):
            yield f"{key}={model}: {index.name} can't be read; copy the model again"
            return
    gone = sorted(name for name in wanted if not (folder / name).is_file())
    if gone:
        yield f"{key}={model}: {len(gone)} weight files are missing, the first is {gone[0]}"
    elif not any(folder.glob("*.safetensors")) and not any(folder.glob("*.bin")):
        yield f"{key}={model}: has no weights (*.safetensors or *.bin)"


def _tokenizer(key: str, model: str) -> Iterator[str]:
    folder = Path(model).expanduser()
    if not folder.is_dir():
        if _is_path(model):
            yield f"{key}={model}: no such folder; expected a tokenizer"
    elif not any((folder / name).is_file() for name in _TOKENIZERS):
        yield f"{key}={model}: has no tokenizer (tokenizer.json and tokenizer_config.json)"


def _is_path(model: str) -> bool:
    """Return whether this can't be a name on the hub, which is `owner/name`."""
    if "://" in model:
        return False
    return model.startswith((os.sep, ".", "~")) or model.count("/") != 1 or model.endswith("/")
