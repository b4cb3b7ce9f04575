"""A local sequence classifier, and what it says in the protocol of vLLM's `/classify`."""

import asyncio
import json
import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict
from transformers import AutoModelForSequenceClassification, AutoTokenizer

__all__ = ["Classified", "Classifier", "classify", "is_classifier"]


def is_classifier(folder: Path) -> bool:
    """Return whether the model in a folder is a sequence classifier, by its `config.json`."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    kinds = config.get("architectures") or []
    return any(kind.endswith("ForSequenceClassification") for kind in kinds)


class Classifier:
    """One classifier, in one thread, one text at a time.

    As in vLLM, the last token of a text decides where the model reads from left to right, also if
    that is the token that fills batches; transformers, trained in batches, would then take the one
    before.

    Args:
        folder: A model and its tokenizer in Hugging Face format.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
        self.model: Any = model.eval()
        config = model.config
        config.pad_token_id = None  # nothing is filled up here
        self.labels: dict[int, str] = config.id2label
        most: int = getattr(config, "max_position_embeddings", 1 << 30)
        self.context = min(most, self.tokenizer.model_max_length)
        self._kind = getattr(config, "problem_type", None)
        self._busy = asyncio.Lock()

    async def scores(self, texts: Sequence[Sequence[int]], activate: bool) -> list[list[float]]:
        """Return a score for each label, for each text.

        Args:
            texts: Token ids, at least one in each.
            activate: Probabilities, as far as the model was trained for them; else logits.
        """
        async with self._busy:
            return await asyncio.to_thread(self._scores, texts, activate)

    @torch.inference_mode()  # type: ignore[untyped-decorator]
    def _scores(self, texts: Sequence[Sequence[int]], activate: bool) -> list[list[float]]:
        found = []
        for text in texts:
            logits = self.model(input_ids=torch.tensor([list(text)])).logits[0]
            found.append((self._activated(logits) if activate else logits).tolist())
        return found

    def _activated(self, logits: torch.Tensor) -> torch.Tensor:
        """Undo what transformers' loss for the model's `problem_type` expects, as vLLM does."""
        if self._kind == "regression":
            return logits
        if self._kind == "multi_label_classification" or len(logits) < 2:
            return logits.sigmoid()
        return logits.softmax(-1)


class Classified(BaseModel):
    """What may be asked. Fields that are not known are refused, not passed over."""

    model_config = ConfigDict(extra="forbid")
    model: str | None = None
    input: str | list[str] | list[int] | list[list[int]]
    add_special_tokens: bool = True
    use_activation: bool | None = None
    user: str | None = None


async def classify(body: Classified, classifier: Classifier, name: str) -> dict[str, Any]:
    """Return the body of the reply.

    Args:
        body: What was asked.
        classifier: The model.
        name: What it is called.

    Raises:
        ValueError: There is no text, or one is empty, too long, or not of the model's tokens.
    """
    given = body.input
    texts: list[Any] = [given] if isinstance(given, str) or not _nested(given) else list(given)
    special = body.add_special_tokens
    tokens = [
        classifier.tokenizer(text, add_special_tokens=special)["input_ids"]
        if isinstance(text, str)
        else text
        for text in texts
    ]
    if not tokens:
        raise ValueError("input: expected a text, its tokens, or a list of either")
    for ids in tokens:
        if not 0 < len(ids) <= classifier.context:
            most = classifier.context
            raise ValueError(f"an input has {len(ids)} tokens, expected 1 to {most}")
        if not all(0 <= token < len(classifier.tokenizer) for token in ids):
            raise ValueError(f"input: expected tokens from 0 to {len(classifier.tokenizer) - 1}")
    data = []
    for index, scores in enumerate(
        await classifier.scores(tokens, body.use_activation is not False)
    ):
        label = classifier.labels.get(scores.index(max(scores)))
        data.append({"index": index, "label": label, "probs": scores, "num_classes": len(scores)})
    count = sum(map(len, tokens))
    return {
        "id": f"classify-{secrets.token_hex(8)}",
        "object": "list",
        "created": int(time.time()),
        "model": name,
        "data": data,
        "usage": {"prompt_tokens": count, "total_tokens": count, "completion_tokens": 0},
    }


def _nested(given: list[Any]) -> bool:
    """Return whether a list holds several texts, not the tokens of one."""
    return not given or not isinstance(given[0], int)
