"""One question, asked as training asked it: where is the reasoning, and what is the score?"""

from collections.abc import Iterator
from typing import Any

from dianjin_ext.hosts.doctor.findings import Finding
from dianjin_ext.hosts.doctor.server.asked import PROBE, Asked
from dianjin_ext.hosts.doctor.server.folder import Folder
from dianjin_ext.inference.faults import Transient
from dianjin_ext.inference.reply import Reply, read_reply
from dianjin_ext.questions.prompts import prompt
from dianjin_ext.rewards import compute_score

__all__ = ["check_probe"]

_SUBJECT = "reasoning"
_TOKENS = 1024
_SHOWN = 160  # characters of the reply, at each end
_SLACK = 8  # tokens that may be missing from a text: ends, blanks


def check_probe(asked: Asked, folder: Folder | None) -> Iterator[Finding]:
    """Ask the probe question, look for its reasoning, grade it."""
    messages = [{"role": "user", "content": prompt(PROBE, asked.tags)}]
    most = _TOKENS if asked.context is None else max(1, min(_TOKENS, asked.context // 2))
    options = {"max_tokens": most, "temperature": 0}
    said = asked.chat(messages, **options, return_token_ids=True)
    if said.status == 400:  # a server that refuses what it doesn't know
        said = asked.chat(messages, **options)
    try:
        if said.status != 200:
            raise Transient(said.why)
        reply = read_reply(said.body)
        choice = said.body["choices"][0]
    except Transient as error:
        mend = "look at the server's log"
        yield Finding("problem", "probe", f"the question has no reply: {error}", mend)
        return
    message = choice["message"]
    field = next((k for k in ("reasoning", "reasoning_content") if message.get(k)), None)
    written = _written(choice, folder)
    yield from _reasoning(asked, reply, field, written, folder)
    yield _graded(asked, reply, written)


def _written(choice: dict[str, Any], folder: Folder | None) -> str | None:
    """Return the reply as the model wrote it, special tokens included; None where untold."""
    ids = choice.get("token_ids")
    if folder is None or not isinstance(ids, list) or not ids:
        return None
    ends = set().union(*folder.ends.values())
    return folder.text(ids[:-1] if ids[-1] in ends else ids)


def _reasoning(
    asked: Asked, reply: Reply, field: str | None, written: str | None, folder: Folder | None
) -> Iterator[Finding]:
    opening, closing = asked.tags.think
    if field is not None:
        yield Finding("ok", _SUBJECT, f"the server takes it apart, into the field {field}")
        if not reply.content and reply.finish_reason == "stop":
            text = f"the whole reply came as reasoning: the model wrote no {closing}"
            mend = "serve a model that was trained in this layout, or without a reasoning parser"
            yield Finding("warning", _SUBJECT, text, mend)
        elif written is not None and not (
            closing in written and (opening in written or (folder and folder.opens(opening)))
        ):
            text = f"the server shows reasoning where the model wrote no {opening} … {closing}"
            mend = "measure the format with REASONING_PARSER=none bash examples/serve.sh"
            yield Finding("warning", _SUBJECT, text, mend)
        return
    if closing in reply.text:
        yield Finding("ok", _SUBJECT, f"stands in the text of a reply, up to {closing}")
        return
    left_out = written is not None and closing in written
    if written is None and folder is not None and reply.completion_tokens:
        shown = len(folder.tokenizer.encode(reply.text, add_special_tokens=False))
        left_out = reply.completion_tokens > 1.5 * shown + _SLACK
    if left_out:
        text = f"the model writes it, but the reply has neither {closing} nor a field with it"
        mend = (
            "serve with the reasoning parser of the layout (examples/serve.sh), or make the marks "
            "tokens that are not special: special ones are left out of a text"
        )
        yield Finding("problem", _SUBJECT, text, mend)
        return
    text = f"none in the reply: no {closing} in its text, no field with it"
    mend = "ask a model that was trained in this layout, or name its layout with --tags"
    yield Finding("warning", _SUBJECT, text, mend)


def _graded(asked: Asked, reply: Reply, written: str | None) -> Finding:
    extra = {"question": PROBE.question, "choices": dict(PROBE.choices)}
    score = compute_score(
        PROBE.data_source, reply.text, PROBE.answer, extra, strictness="strict", tags=asked.tags
    )
    shown = " ".join(reply.text.split())
    if len(shown) > 2 * _SHOWN:
        shown = f"{shown[:_SHOWN]} … {shown[-_SHOWN:]}"
    cut = f", cut after {reply.completion_tokens} tokens" if reply.finish_reason == "length" else ""
    text = f"score {score['score']:g}, {score['reason']}{cut}: {shown or '(nothing)'}"
    if score["score"] == 1.0:
        return Finding("ok", "probe", text)
    mend = (
        f"docs/rewards.md says what {score['reason']} means; an untrained model answers like this"
    )
    return Finding("warning", "probe", text, mend)
