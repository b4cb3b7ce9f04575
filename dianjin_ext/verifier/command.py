"""What `dianjin train-verifier` does."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from dianjin_ext import __version__
from dianjin_ext.errors import DianjinError
from dianjin_ext.files import write_json
from dianjin_ext.outputs import written_whole
from dianjin_ext.rewards.judge.settings import VERIFIER_REPORT as REPORT
from dianjin_ext.verifier.holding_out import check_labels, hold_out
from dianjin_ext.verifier.inputs import encode, fill_with
from dianjin_ext.verifier.labelled import Labelled, gather
from dianjin_ext.verifier.measure import measured
from dianjin_ext.verifier.settings import VerifierSettings, read_settings
from dianjin_ext.verifier.telling import about, as_json, said, tell

_IDENTITY: Final = "identity.json"


def train_verifier(file: Path, overrides: Sequence[str] = (), *, overwrite: bool = False) -> None:
    """Train a verifier and write it, with what it does on held-out answers.

    Checkpoints lie in a hidden folder beside `out` until the end. The same call, with the same
    answers, goes on from them.

    Args:
        file: Settings; see `dianjin_ext.verifier.settings`.
        overrides: `key=value`, each in the place of what the file has.
        overwrite: Replace what is at `out`.

    Raises:
        DianjinError: A setting is wrong, the answers are too few or of one label, the model can't
            be loaded, or `out` is there already.
    """
    settings = read_settings(file, overrides)
    _check_out(settings, overwrite=overwrite)
    gathered = gather(settings)
    check_labels(gathered.answers)
    try:
        from dianjin_ext.verifier import train

        tokenizer, most = train.load_tokenizer(settings)
    except ModuleNotFoundError as error:
        raise DianjinError(
            f"training needs {error.name}; pip install 'dianjin-ext[verl]', or run this in verl's "
            "environment"
        ) from error
    fill_with(tokenizer)
    answers, ids = encode(gathered.answers, tokenizer, most)
    gathered.left_out[f"longer than {most} tokens"] = len(gathered.answers) - len(answers)
    trained, heldout = hold_out(answers, share=settings.heldout, seed=settings.seed)
    tell(about(gathered, trained, heldout))
    model = train.load_model(settings)
    work = settings.out.parent / f".{settings.out.name}.training"
    _prepare(work, _identity(settings))

    def rows(part: Sequence[Labelled]) -> list[dict[str, Any]]:
        return [{"input_ids": ids[each.text], "labels": int(each.right)} for each in part]

    probabilities = train.train(model, tokenizer, rows(trained), settings, work)
    found = measured(
        probabilities(rows(heldout)), heldout, trained=trained, threshold=settings.threshold
    )
    _write(model, tokenizer, as_json(settings, gathered, trained, heldout, found), settings, work)
    tell(said(found, settings))


def _check_out(settings: VerifierSettings, *, overwrite: bool) -> None:
    out = settings.out
    if not out.name:
        raise DianjinError(f"out={out}: expected the name of a folder for the verifier")
    if not out.exists():
        return
    for path in (*settings.answers, settings.labels):
        if path is not None and out.resolve() in path.resolve().parents:
            raise DianjinError(f"out={out}: {path} is in it, and would be lost; name another")
    if not (out / REPORT).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise DianjinError(f"out={out}: there is something else than a verifier; name another")
    if not overwrite:
        raise DianjinError(f"out={out}: is there already; name another, or pass --overwrite")


def _identity(settings: VerifierSettings) -> dict[str, Any]:
    """Return what must be the same where a training is gone on with."""
    files = [*settings.answers, *([settings.labels] if settings.labels is not None else [])]
    digests = []
    for path in files:
        with path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    own = settings.model_dump(mode="json", exclude={"out", "threshold"})
    return {"version": __version__, "settings": own, "files": digests}


def _prepare(work: Path, identity: dict[str, Any]) -> None:
    """Make the folder of the checkpoints; keep those that are of the same training."""
    marker = work / _IDENTITY
    try:
        same = json.loads(marker.read_text(encoding="utf-8")) == identity
    except (OSError, ValueError):
        same = False
    if not same:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        write_json(marker, identity)
    elif any(work.glob("checkpoint-*")):
        tell([f"{work}: goes on from the last checkpoint"])


def _write(
    model: Any, tokenizer: Any, report: dict[str, Any], settings: VerifierSettings, work: Path
) -> None:
    made = work / "model"
    shutil.rmtree(made, ignore_errors=True)
    with written_whole(settings.out):
        (model.bfloat16() if settings.bf16 else model).save_pretrained(made)
        tokenizer.save_pretrained(made)
        write_json(made / REPORT, report)
        if settings.out.exists():
            settings.out.rename(work / "old")
        made.rename(settings.out)
    shutil.rmtree(work)
