"""The texts that the data methods send to models: one YAML file each, Chinese and English.

Each names the method that it serves and where that is published; the words are our own. A change
of a text changes its `version` and what the replies are recorded under, so nothing that was asked
in other words is taken for an answer.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.question import Language

_FOLDER: Final = Path(__file__).parent
_FIELD = re.compile(r"\{([a-z_]+)\}")
_KEYS: Final = {"version", "source", "zh", "en"}


class Prompt(NamedTuple):
    """One text in both languages.

    Attributes:
        name: Of its file.
        version: Grows with each change.
        source: The method and where it is published.
        texts: Of each language its `system` (may be missing) and `user` message; `{name}` stands
            for what is filled in.
        digest: SHA-256 of the file.
    """

    name: str
    version: int
    source: str
    texts: Mapping[Language, Mapping[str, str]]
    digest: str

    @property
    def label(self) -> str:
        """What replies are recorded with."""
        return f"{self.name}/{self.version}"

    def messages(self, language: Language, **given: str) -> list[dict[str, str]]:
        """Return the messages of a request.

        Filled in at one go: a text that holds `{answer}` itself doesn't get one.
        """
        parts = self.texts[language]
        return [
            {
                "role": role,
                "content": _FIELD.sub(lambda match: given[match[1]], parts[role]).strip(),
            }
            for role in ("system", "user")
            if role in parts
        ]


def names() -> list[str]:
    """Return the names of all prompts, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def load(name: str) -> Prompt:
    """Return a prompt by its name.

    Raises:
        DianjinError: The file is missing, or is no prompt.
    """
    return load_file(_FOLDER / f"{name}.yaml")


@cache
def load_file(path: Path) -> Prompt:
    """Return the prompt of a file; see `load`."""
    try:
        data = path.read_bytes()
        given: Any = yaml.safe_load(data)
    except (OSError, yaml.YAMLError) as error:
        raise DianjinError(f"{path}: can't be read as a prompt ({error})") from error
    if not isinstance(given, dict) or given.keys() != _KEYS:
        raise DianjinError(f"{path}: expected the keys {', '.join(sorted(_KEYS))}")
    texts: dict[Language, Any] = {"zh": given["zh"], "en": given["en"]}
    zh, en = (
        {name for text in parts.values() for name in _FIELD.findall(text)}
        for parts in texts.values()
    )
    if odd := ", ".join(sorted(zh ^ en)):
        raise DianjinError(f"{path}: only one of the two languages has {odd}")
    return Prompt(
        path.stem, given["version"], given["source"], texts, hashlib.sha256(data).hexdigest()
    )
