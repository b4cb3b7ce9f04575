"""Does a reply end where the model was trained to end it?"""

from collections.abc import Iterator

from dianjin_ext.hosts.doctor.findings import Finding
from dianjin_ext.hosts.doctor.server.asked import Asked
from dianjin_ext.hosts.doctor.server.folder import Folder

__all__ = ["check_files", "check_stop"]

_SUBJECT = "stop tokens"
_TOKENS = 4


def check_files(folder: Folder, end: int | None) -> Iterator[Finding]:
    """Compare the end of turn of the template with the tokens that the files name.

    vLLM stops at those of generation_config.json and at the tokenizer's, transformers and verl's
    rollouts on the CPU at those of generation_config.json, or of config.json where it names none.
    """
    if end is None:
        text = f"the chat template of {folder.path} ends a reply with no token of its own"
        mend = "name a template whose turns end with a special token, such as dianjin"
        yield Finding("warning", _SUBJECT, text, mend)
        return
    ends = folder.ends
    named = {where for where, ids in ends.items() if end in ids}
    listed = "; ".join(
        f"{where}: {', '.join(map(folder.token, sorted(ids)))}" for where, ids in ends.items()
    )
    config = "generation_config.json" if "generation_config.json" in ends else "config.json"
    mend = f"add {end} to eos_token_id in {folder.path / 'generation_config.json'}, serve again"
    if not named & {"generation_config.json", "the tokenizer"}:
        text = (
            f"replies are trained to end with {folder.token(end)}, which stops nothing ({listed})"
        )
        yield Finding("problem", _SUBJECT, text, mend)
    elif config not in named:
        text = (
            f"{folder.token(end)} ends replies by the tokenizer alone, as vLLM reads it ({listed})"
        )
        yield Finding("warning", _SUBJECT, f"{text}; others run on", mend)
    else:
        yield Finding(
            "ok", _SUBJECT, f"{folder.token(end)} ends replies by {', '.join(sorted(named))}"
        )


def check_stop(asked: Asked, folder: Folder, end: int) -> Iterator[Finding]:
    """Make the server write the end of turn, by a bias on that token, and see whether it stops."""
    said = asked.chat(
        [{"role": "user", "content": "1 + 1 = ?"}],
        logit_bias={str(end): 100},
        max_tokens=_TOKENS,
        temperature=0,
    )
    try:
        reason = said.body["choices"][0]["finish_reason"]
        tokens = int((said.body.get("usage") or {}).get("completion_tokens") or 0)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        text = f"whether the server stops at {folder.token(end)} can't be checked here ({said.why})"
        yield Finding("info", _SUBJECT, text)
        return
    if reason == "stop":
        yield Finding("ok", _SUBJECT, f"the server stops at {folder.token(end)}")
    elif tokens >= _TOKENS:
        text = f"the server goes on after {folder.token(end)} ({reason} after {tokens} tokens)"
        mend = (
            f"add {end} to eos_token_id in the generation_config.json of the served folder, and "
            "serve it again"
        )
        yield Finding("problem", _SUBJECT, text, mend)
    else:
        text = f"the server ended with {reason} after {tokens} tokens of {folder.token(end)}"
        yield Finding("info", _SUBJECT, text)
