"""How does a server sample where a request names nothing?

No protocol tells. But a seed makes a reply repeatable, so a request that names nothing is compared
with requests that name what it may stand for.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from dianjin_ext.hosts.doctor.findings import Finding
from dianjin_ext.hosts.doctor.server.asked import Asked
from dianjin_ext.hosts.doctor.server.folder import Folder
from dianjin_ext.recipes.sampling import rollout_sampling
from dianjin_ext.resources import folder as shipped

__all__ = ["check_defaults", "trained"]

_SUBJECT = "defaults"
_RECIPE = "dianjin_r1"
_NEUTRAL = {"temperature": 1.0, "top_p": 1.0}
_OFF = {"top_k": -1, "repetition_penalty": 1.0, "min_p": 0.0}  # beyond OpenAI's protocol
_SEEDS = (1, 2, 3)
_ASK = [{"role": "user", "content": "请随便写十二个互不相关的词语。"}]
_TOKENS = 24


@cache
def trained() -> dict[str, float]:
    """Return how the rollouts of the shipped recipe are sampled."""
    return rollout_sampling(_RECIPE, "7b", shipped("configs"))


def check_defaults(asked: Asked, folder: Folder | None) -> Iterator[Finding]:
    """Tell whether a request that names nothing is sampled as the rollouts were."""
    unnamed = _texts(asked, {})
    if unnamed is None or unnamed != _texts(asked, {}):
        why = "the same seed gives other replies" if unnamed else "it takes no seed"
        yield Finding("info", _SUBJECT, f"what it samples with can't be checked here: {why}")
        return
    own = {}
    if folder is not None:
        names = (*_NEUTRAL, *_OFF)
        own = {name: folder.generation[name] for name in names if name in folder.generation}
        if folder.generation.get("do_sample") is False:
            own["temperature"] = 0.0
    candidates = {
        f"the rollouts of the recipe {_RECIPE}": trained(),
        "temperature 1, nothing else": _NEUTRAL,
    }
    if own:
        candidates[f"generation_config.json of {folder.path if folder else ''}"] = own
    texts = {name: _texts(asked, {**_NEUTRAL, **given}) for name, given in candidates.items()}
    if len({tuple(found or ()) for found in texts.values()}) == 1:
        text = "the model is too sure of its words to show what it samples with"
        yield Finding("info", _SUBJECT, text)
        return
    name = next((name for name, found in texts.items() if found == unnamed), None)
    wanted = _told(trained())
    if name is None:
        text = f"a request that names nothing is sampled in another way than {_all(candidates)}"
    elif candidates[name] == trained():
        text = f"a request that names nothing is sampled as {name}: {wanted}"
        yield Finding("ok", _SUBJECT, text)
        return
    else:
        text = f"a request that names nothing is sampled by {name}: {_told(candidates[name])}"
    mend = f"name {wanted} in the requests, or serve with examples/serve.sh"
    yield Finding("warning", _SUBJECT, f"{text}; those rollouts had {wanted}", mend)


def _texts(asked: Asked, given: dict[str, Any]) -> list[str] | None:
    """Return a reply a seed; None where the server refuses."""
    found = []
    for seed in _SEEDS:
        options = {**given, "seed": seed, "max_tokens": _TOKENS}
        said = asked.chat(
            _ASK, **options, **{k: v for k, v in _OFF.items() if given and k not in given}
        )
        if said.status == 400 and given:  # nothing beyond OpenAI's protocol
            plain = {k: v for k, v in options.items() if k not in _OFF}
            said = asked.chat(_ASK, **plain)
        try:
            message = said.body["choices"][0]["message"]
            parts = (message.get(k) for k in ("reasoning", "reasoning_content", "content"))
            found.append("".join(part or "" for part in parts))
        except (KeyError, IndexError, TypeError, AttributeError):
            return None
    return found


def _told(given: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in given.items())


def _all(candidates: dict[str, dict[str, Any]]) -> str:
    return "; ".join(f"{name} ({_told(given)})" for name, given in candidates.items())
