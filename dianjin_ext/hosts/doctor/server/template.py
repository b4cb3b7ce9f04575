"""Does the served chat template render what training saw?"""

from collections.abc import Iterator

from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.doctor.findings import Finding
from dianjin_ext.hosts.doctor.server.asked import Asked, Messages, exchange
from dianjin_ext.hosts.doctor.server.folder import Folder

__all__ = ["check_exchange", "check_template"]

_SUBJECT = "chat template"
_AROUND = 24  # characters that are shown before a difference
_MEND = (
    "serve the folder that training wrote, without --chat-template; or name the folder of the "
    "training with --tokenizer"
)


def check_template(asked: Asked, folder: Folder) -> Iterator[Finding]:
    """Compare what the server makes of conversations with what the folder's template makes."""
    fine, unsure = [], []
    for name, messages, prompted in _conversations(asked):
        try:
            expected = folder.render(messages, prompted=prompted)
        except DianjinError:  # such as a template without system prompts
            continue
        served = asked.tokenize(messages, prompted=prompted)
        if served == expected:
            fine.append(name)
        elif served is not None:
            text = f"{name}: {_difference(folder, served, expected)}"
            yield Finding("problem", _SUBJECT, text, _MEND)
        elif not prompted:
            continue  # a reply can't be asked for without the beginning of one
        else:
            counted = _prompt_tokens(asked, messages)
            if counted == len(expected):
                unsure.append(name)
            elif counted is not None:
                text = f"{name}: the server counts {counted} tokens, {folder.path} {len(expected)}"
                yield Finding("problem", _SUBJECT, text, _MEND)
    if fine:
        text = f"renders as that of {folder.path}, token for token: {', '.join(fine)}"
        yield Finding("ok", _SUBJECT, text)
    elif unsure:
        text = f"no /tokenize for messages here; as many tokens as by {folder.path}"
        yield Finding("ok", _SUBJECT, f"{text}: {', '.join(unsure)}")


def check_exchange(asked: Asked, folder: Folder) -> tuple[list[Finding], int | None]:
    """Check that a whole exchange is prompt, reply and end of turn; return that last token too."""
    question, reply = exchange(asked.tags)
    user = {"role": "user", "content": question}
    prompt = folder.text(folder.render([user], prompted=True))
    answered = [user, {"role": "assistant", "content": reply}]
    whole = folder.text(folder.render(answered, prompted=False))
    opening = asked.tags.think[0]
    if folder.opens(opening):
        prompt = prompt.rstrip().removesuffix(opening)
        text = f"ends the prompt with {opening}, so replies have only {asked.tags.think[1]}"
        found = [Finding("info", _SUBJECT, f"{text}: rewards need think: true, or auto")]
    else:
        found = []
    if own := _own_system(folder, user):
        text = f"puts a system prompt of its own where a request has none: {own!r}"
        found.append(Finding("info", _SUBJECT, f"{text}; SFT must have had it too"))
    if whole.startswith(prompt + reply):
        after = whole[len(prompt + reply) :]
        return found, folder.end_of_turn(after)
    at = _common(whole, prompt + reply)
    text = (
        f"a reply that is given to it stands there as {_from(whole, at)}, "
        f"not as {_from(prompt + reply, at)}"
    )
    mend = "SFT with template dianjin writes a template that keeps replies as they were trained"
    found.append(Finding("warning", _SUBJECT, text, mend))
    end = whole.rpartition(reply[-8:])[2]
    return found, folder.end_of_turn(end)


def _own_system(folder: Folder, user: dict[str, str]) -> str:
    """Return the system prompt that the template has where a conversation has none."""
    mark = "<<system>>"
    try:
        given = folder.render([{"role": "system", "content": mark}, user], prompted=True)
    except DianjinError:
        return ""
    before, found, after = folder.text(given).partition(mark)
    none = folder.text(folder.render([user], prompted=True))
    if found and len(none) > len(before + after) and none.startswith(before):
        return none[len(before) : -len(after)] if none.endswith(after) else ""
    return ""


def _conversations(asked: Asked) -> Iterator[tuple[str, Messages, bool]]:
    question, reply = exchange(asked.tags)
    user = {"role": "user", "content": question}
    assistant = {"role": "assistant", "content": reply}
    yield "a question", [user], True
    yield "a system prompt", [{"role": "system", "content": "You are an analyst."}, user], True
    yield "a second turn", [user, assistant, {"role": "user", "content": "为什么？"}], True
    yield "a whole exchange", [user, assistant], False


def _prompt_tokens(asked: Asked, messages: Messages) -> int | None:
    said = asked.chat(messages, max_tokens=1, temperature=0)
    try:
        return int(said.body["usage"]["prompt_tokens"]) if said.status == 200 else None
    except (KeyError, TypeError, ValueError):
        return None


def _difference(folder: Folder, served: list[int], expected: list[int]) -> str:
    texts = folder.text(served), folder.text(expected)
    if texts[0] == texts[1]:
        return f"the same text, but in other tokens ({len(served)} and {len(expected)})"
    at = _common(*texts)
    return f"the server has {_from(texts[0], at)}, {folder.path} has {_from(texts[1], at)}"


def _common(left: str, right: str) -> int:
    """Return how many characters are the same at the beginning."""
    pairs = zip(left, right, strict=False)
    same = next((i for i, (a, b) in enumerate(pairs) if a != b), None)
    return min(len(left), len(right)) if same is None else same


def _from(text: str, at: int) -> str:
    shown = text[max(0, at - _AROUND) : at + _AROUND]
    return repr(shown) if at < len(text) else f"{shown!r} and nothing more"
