"""What the licences of the sources allow, and what that leaves for the set as a whole."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from dianjin_ext.yaml_keys import UniqueTexts

_FILE: Final = Path(__file__).parents[1] / "licences.yaml"
_STRICTER: Final = ("no", "ask", "same", "yes")
"""From the strictest word to the mildest: what one forbids stays so, whatever else is unknown."""
_NAMED: Final = ("yes", "ask", "no")
"""The same of attribution, which binds where it is asked for."""


class Licence(NamedTuple):
    """What one licence, or several together, allow.

    Attributes:
        names: Those that were recognised; empty for an unknown one.
        commercial: `yes`, `no`, or `ask` where it is not known.
        sharing: The same, or `same`: under the same licence.
        attribution: `yes`, `no` or `ask`.
        en: What to mind, in English.
        zh: The same in Chinese.
    """

    names: tuple[str, ...]
    commercial: str
    sharing: str
    attribution: str
    en: str
    zh: str


UNKNOWN: Final = Licence(
    (), "ask", "ask", "ask", "Not known: ask before you publish.", "未知：发布前请先征询。"
)


def licence(stated: str) -> Licence:
    """Return what a source's statement of its licence allows.

    Of several licences in it the strictest word of each counts.
    """
    found, left = [], stated
    for pattern, known in _known():
        if pattern.search(left):
            found.append(known)
            left = pattern.sub(" ", left)
    return strictest(found) if found else UNKNOWN


def strictest(licences: Iterable[Licence]) -> Licence:
    """Return what all of some licences allow together.

    Raises:
        ValueError: There are none.
    """
    several = list(dict.fromkeys(licences))
    return Licence(
        tuple(dict.fromkeys(name for each in several for name in each.names)),
        min((each.commercial for each in several), key=_STRICTER.index),
        min((each.sharing for each in several), key=_STRICTER.index),
        min((each.attribution for each in several), key=_NAMED.index),
        " ".join(dict.fromkeys(each.en for each in several)),
        "".join(dict.fromkeys(each.zh for each in several)),
    )


@cache
def _known() -> list[tuple[re.Pattern[str], Licence]]:
    # `no` is a word here, not a truth value.
    entries: list[dict[str, Any]] = yaml.load(_FILE.read_text(encoding="utf-8"), Loader=UniqueTexts)
    return [
        (
            re.compile(entry.pop("pattern"), re.IGNORECASE),
            Licence(names=(entry.pop("name"),), **entry),
        )
        for entry in entries
    ]
