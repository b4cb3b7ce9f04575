"""The Go template of Ollama's Modelfile, which LLaMA-Factory writes beside an exported model."""

from collections.abc import Callable
from itertools import takewhile

_SAID = "{{ .Content }}"
_SYSTEM = "{{ .System }}"


def ollama_template(render: Callable[..., str]) -> str:
    """Return what a Jinja template does, in Ollama's language, cut out of what it renders.

    Args:
        render: Renders messages; `asking` adds the header of the reply.
    """
    user, reply = ({"role": role, "content": _SAID} for role in ("user", "assistant"))
    once = render([user], asking=False)
    again = render([user, reply, user], asking=False).removeprefix(once)  # a reply and a question
    # What both end with is the question. It may begin with the mark that ends what stands before:
    # then the others lack that mark, and the whole is the same.
    pairs = zip(reversed(once), reversed(again), strict=False)
    question = once[-sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs)) :]
    head = once.removesuffix(question)
    system = render([{"role": "system", "content": _SYSTEM}, user], asking=False)
    opening = render([user], asking=True).removeprefix(once)
    return (
        f"{{{{ if .System }}}}{system.removesuffix(question)}{{{{ else }}}}{head}{{{{ end }}}}"
        f'{{{{ range .Messages }}}}{{{{ if eq .Role "user" }}}}{question}'
        f'{{{{ else if eq .Role "assistant" }}}}{again.removesuffix(question)}'
        f"{{{{ end }}}}{{{{ end }}}}{opening}"
    )
