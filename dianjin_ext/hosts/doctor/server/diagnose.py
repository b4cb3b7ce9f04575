"""The checks of `dianjin doctor --server`, from whether it answers to what it answers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dianjin_ext.answers.tags import DIANJIN_R1, Tags
from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.doctor.findings import Finding
from dianjin_ext.hosts.doctor.server.asked import Asked
from dianjin_ext.hosts.doctor.server.defaults import check_defaults
from dianjin_ext.hosts.doctor.server.folder import Folder
from dianjin_ext.hosts.doctor.server.probe import check_probe
from dianjin_ext.hosts.doctor.server.stops import check_files, check_stop
from dianjin_ext.hosts.doctor.server.template import check_exchange, check_template
from dianjin_ext.inference.endpoint import Server, choose

__all__ = ["diagnose_server"]


def diagnose_server(
    url: str,
    *,
    model: str | None = None,
    tokenizer: Path | None = None,
    tags: Tags = DIANJIN_R1,
    api_key_env: str = "OPENAI_API_KEY",
) -> Iterator[Finding]:
    """Check a running server that speaks OpenAI's protocol.

    What a server has no way of telling is said to be so, and is no problem.

    Args:
        url: Its address, with /v1 or without.
        model: The name of the model there; None where it serves one only.
        tokenizer: Folder that training wrote; None takes the one that is served, where the server
            names it and it is on this machine.
        tags: The layout of the model's responses.
        api_key_env: The NAME of the environment variable with its key.
    """
    try:
        with Server(url, api_key_env=api_key_env) as server:
            found = choose(server, model)
            context = found.get("max_model_len")
            asked = Asked(server, found["id"], context if isinstance(context, int) else None, tags)
            yield Finding("ok", "server", _told(server, found))
            yield from _checks(asked, found, tokenizer)
    except DianjinError as error:
        text, _, mend = str(error).rpartition("; ")
        yield Finding("problem", "server", text or mend, mend if text else "look at its log")


def _checks(asked: Asked, found: dict[str, Any], tokenizer: Path | None) -> Iterator[Finding]:
    folder: Folder | None = None
    try:
        folder = _folder(asked, found, tokenizer)
    except DianjinError as error:
        text, _, mend = str(error).rpartition("; ")
        yield Finding(
            "info" if tokenizer is None else "problem",
            "tokenizer",
            text or mend,
            mend if text else "check --tokenizer",
        )
    if folder is None:
        text = "chat template and stop tokens can't be checked here: which folder was trained?"
        yield Finding("info", "tokenizer", text, "name it with --tokenizer FOLDER")
    else:
        yield Finding("info", "tokenizer", f"compared with {folder.path}")
        yield from check_template(asked, folder)
        exchanged, end = check_exchange(asked, folder)
        yield from exchanged
        yield from check_files(folder, end)
        if end is not None:
            yield from check_stop(asked, folder, end)
    yield from check_defaults(asked, folder)
    yield from check_probe(asked, folder)


def _folder(asked: Asked, found: dict[str, Any], tokenizer: Path | None) -> Folder | None:
    if tokenizer is not None:
        return Folder(tokenizer, "--tokenizer")
    for given in (found.get("root"), _model_path(asked.server), found["id"]):
        if isinstance(given, str) and Path(given).is_dir():
            return Folder(Path(given), "the served folder")
    return None


def _model_path(server: Server) -> Any:
    """Return what SGLang says of where its model is; None from others."""
    said = server.get("/get_model_info")
    return said.body.get("model_path") if isinstance(said.body, dict) else None


def _told(server: Server, found: dict[str, Any]) -> str:
    said = server.get("/version")
    version = said.body.get("version") if isinstance(said.body, dict) else None
    by = found.get("owned_by")
    software = " ".join(str(word) for word in (by, version) if word)
    context = found.get("max_model_len")
    parts = [software, f"{context} tokens of context" if context else ""]
    more = ", ".join(part for part in parts if part)
    return f"{server.base_url} serves {found['id']}" + (f" ({more})" if more else "")
