"""The settings of a training, as they stand in configs/verifier.yaml."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from dianjin_ext.answers.tags import Tags
from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards.judge.settings import fits_classifier
from dianjin_ext.rewards.policy import Model, build, parse_tags
from dianjin_ext.yaml_keys import UniqueKeys, read_mapping


class VerifierSettings(Model):
    """How a verifier is trained.

    Attributes:
        model: The model to start from: a folder, or a name on Hugging Face's hub.
        answers: Files of candidates, as the steps of a data pipeline write them.
        labels: What people say of some of the responses, as `dianjin card --truth` takes it; it
            counts before the verdict.
        out: The folder of the model.
        tags: The layout that the responses are read in.
        template: The input of the model, with `{question}`, `{gold}` and `{answer}`; the same as
            `judge.template` in training. None is the judge's plain one.
        threshold: An answer is taken for right above this probability; `judge.threshold`.
        heldout: Share of the questions whose answers are held out.
        balance: Let both labels count alike in the loss, whichever is the commoner.
        max_tokens: Answers whose input is longer are left out.
        epochs: Passes over the answers.
        batch_size: Answers an update.
        micro_batch_size: Of these, as many at a time as memory takes.
        learning_rate: At its highest.
        warmup: Share of the updates in which it rises; then it falls to 0 along a cosine.
        weight_decay: Of AdamW.
        bf16: Compute in bfloat16, and save it; weights are updated in float32.
        gradient_checkpointing: Compute again in the backward pass what memory can't hold.
        save_steps: Updates between two checkpoints that an interrupted training goes on from.
        seed: Of the draw of questions, the new weights and the order of the answers.
    """

    model: str = Field(min_length=1)
    answers: tuple[Path, ...] = Field(min_length=1)
    labels: Path | None = None
    out: Path
    tags: str = "dianjin_r1"
    template: str | None = None
    threshold: float = Field(default=0.4, ge=0, lt=1)
    heldout: float = Field(default=0.1, gt=0, lt=1)
    balance: bool = True
    max_tokens: PositiveInt = 2048
    epochs: PositiveFloat = 2.0
    batch_size: PositiveInt = 64
    micro_batch_size: PositiveInt = 8
    learning_rate: PositiveFloat = 1.0e-5
    warmup: float = Field(default=0.05, ge=0, lt=1)
    weight_decay: NonNegativeFloat = 0.0
    bf16: bool = True
    gradient_checkpointing: bool = True
    save_steps: PositiveInt = 100
    seed: int = Field(default=0, ge=0, lt=2**32)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.template is not None and not fits_classifier(self.template):
            raise ValueError("template holds {gold} and {answer}")
        if self.batch_size % self.micro_batch_size:
            raise ValueError("batch_size is a multiple of micro_batch_size")
        return self

    @property
    def layout(self) -> Tags:
        """The layout, read."""
        return parse_tags(self.tags)


def read_settings(file: Path, overrides: Sequence[str] = ()) -> VerifierSettings:
    """Read settings.

    Args:
        file: A YAML file like configs/verifier.yaml; `answers` is a file or a list of files.
        overrides: `key=value`, each in the place of what the file has.

    Raises:
        DianjinError: It can't be read, or a key or a value is not known.
    """
    given = read_mapping(file, "of settings")
    for text in overrides:
        key, sign, value = text.partition("=")
        if not sign:
            raise DianjinError(f"{text!r}: expected key=value, such as epochs=3")
        given[key] = _value(key, value)
    if isinstance(given.get("answers"), str):
        given["answers"] = [given["answers"]]
    found = build(VerifierSettings, given, str(file))
    _ = found.layout
    return found


def _value(key: str, text: str) -> Any:
    if key in ("model", "out", "tags", "template"):  # texts, whatever they look like in YAML
        return None if text == "null" else text
    try:
        return yaml.load(text, Loader=UniqueKeys)
    except yaml.YAMLError:
        raise DianjinError(f"{key}={text}: can't be read as YAML") from None
