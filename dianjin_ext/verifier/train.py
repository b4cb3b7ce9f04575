"""The training itself, by transformers' Trainer."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from dianjin_ext.errors import DianjinError
from dianjin_ext.verifier.settings import VerifierSettings

LABELS: Final = {0: "wrong", 1: "right"}
"""The last one is that of which a judge of `kind: classifier` is told the probability."""

_LOGGED: Final = 20  # lines of a training, about


def load_tokenizer(settings: VerifierSettings) -> tuple[Any, int]:
    """Return the tokenizer, and the most tokens that a text may have.

    Raises:
        DianjinError: It can't be read.
    """
    from transformers import AutoConfig, AutoTokenizer
    from transformers.utils import logging

    if not sys.stderr.isatty():
        logging.disable_progress_bar()
    with _loading(settings):
        tokenizer = AutoTokenizer.from_pretrained(settings.model)
        config = AutoConfig.from_pretrained(settings.model)
    context = getattr(config, "max_position_embeddings", settings.max_tokens)
    return tokenizer, min(settings.max_tokens, context, tokenizer.model_max_length)


def load_model(settings: VerifierSettings) -> Any:
    """Return the model, with new weights for its two labels.

    Raises:
        DianjinError: It can't be read, or is of a kind that classifies no texts.
    """
    from transformers import AutoModelForSequenceClassification, logging, set_seed

    set_seed(settings.seed)
    before = logging.get_verbosity()
    logging.set_verbosity_error()  # it would warn that the new weights are new
    try:
        with _loading(settings):
            return AutoModelForSequenceClassification.from_pretrained(
                settings.model,
                dtype="float32",
                num_labels=len(LABELS),
                id2label=LABELS,
                label2id={label: number for number, label in LABELS.items()},
                problem_type="single_label_classification",
            )
    finally:
        logging.set_verbosity(before)


@contextlib.contextmanager
def _loading(settings: VerifierSettings) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError:
        raise
    except Exception as error:  # a tokenizer or weights that are broken raise what they like
        why = " ".join(str(error).split())
        raise DianjinError(f"model={settings.model}: can't be loaded: {why}") from None


def train(
    model: Any,
    tokenizer: Any,
    rows: Sequence[dict[str, Any]],
    settings: VerifierSettings,
    folder: Path,
) -> Callable[[Sequence[dict[str, Any]]], list[float]]:
    """Train a model, on from the last checkpoint in `folder` if there is one.

    Args:
        model: As `load_model` returns it; changed.
        tokenizer: Fills batches up.
        rows: `input_ids` and `labels` of each answer.
        settings: How.
        folder: Of the checkpoints.

    Returns:
        What gives the probability of being right for each of other rows.
    """
    import torch
    from transformers import DataCollatorWithPadding, PrinterCallback, Trainer, TrainingArguments
    from transformers.trainer_utils import get_last_checkpoint

    shown = sys.stderr.isatty()  # then Trainer shows a bar
    gpu = torch.cuda.is_available()
    updates = -(-len(rows) // settings.batch_size)
    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.micro_batch_size,
        per_device_eval_batch_size=settings.micro_batch_size,
        gradient_accumulation_steps=settings.batch_size // settings.micro_batch_size,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=settings.warmup,
        weight_decay=settings.weight_decay,
        bf16=settings.bf16,
        gradient_checkpointing=settings.gradient_checkpointing,
        save_steps=settings.save_steps,
        save_total_limit=1,
        logging_steps=max(1, round(updates * settings.epochs / _LOGGED)),
        disable_tqdm=not shown,
        use_cpu=not gpu,
        dataloader_pin_memory=gpu,
        report_to="none",
        seed=settings.seed,
    )
    # one GPU; Trainer would lay a copy of the model on each that it sees
    arguments._n_gpu = min(arguments.n_gpu, 1)
    model.config.pad_token_id = tokenizer.pad_token_id
    model.config.use_cache = False  # nothing is written
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=list(rows),
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_loss_func=_loss(rows, settings.balance),
    )
    if not shown:
        trainer.remove_callback(PrinterCallback)
        trainer.add_callback(_lines())
    with contextlib.redirect_stdout(sys.stderr):
        trainer.train(resume_from_checkpoint=get_last_checkpoint(str(folder)))
    model.config.use_cache = True

    def probabilities(others: Sequence[dict[str, Any]]) -> list[float]:
        logits = torch.tensor(trainer.predict(list(others)).predictions).float()
        found: list[float] = logits.softmax(-1)[:, 1].tolist()
        return found

    return probabilities


def _lines() -> Any:
    """Return what tells of the progress where there is no terminal, a line now and then."""
    from transformers import TrainerCallback

    class Lines(TrainerCallback):  # type: ignore[misc]
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if logs and "loss" in logs:
                told = f"update {state.global_step} of {state.max_steps}"
                print(f"{told}  loss {float(logs['loss']):.4f}", flush=True)

    return Lines()


def _loss(rows: Sequence[dict[str, Any]], balance: bool) -> Callable[..., Any]:
    """Return the cross-entropy; balanced, each label weighs half of all answers."""
    import torch

    right = sum(row["labels"] for row in rows)
    numbers = (len(rows) - right, right)
    weights = [len(rows) / (2 * number) for number in numbers] if balance else [1.0, 1.0]

    def loss(outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
        logits = outputs.logits.float()
        own = torch.tensor(weights, device=logits.device)
        each = torch.nn.functional.cross_entropy(logits, labels, weight=own, reduction="sum")
        return each / (len(labels) if num_items_in_batch is None else num_items_in_batch)

    return loss
