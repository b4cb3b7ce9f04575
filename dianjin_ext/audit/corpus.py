r"""The cases of the audit: responses with the verdict that is right.

They stand in `corpus/KIND.yaml`, one file for each kind of answer, in groups that share all but the
answer, so that a person can read them and add to them:

    settings: {numbers: {percent: exact}}   # of compute_score, for all groups of the file
    groups:
    - tag: percent                # class of the hack or trap
      source: finqa               # data_source
      gold: '12.5%'               # ground_truth
      extra_info: {}
      settings: {}                # in place of those of the file
      form: box                   # what the texts below are, see `Group`
      accept: ['12.5\%', '0.125'] # right, so the score must be 1
      refuse: ['12.5']            # wrong, so the score must be 0

A verdict follows the default policies, unless `settings` says otherwise.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal, NamedTuple

import yaml
from pydantic import Field, ValidationError

from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards.policy import Model

KINDS: Final = ("format", "choice", "numeric", "label", "open")
"""The kinds of answers; each has a file."""

_LAYOUT: Final = "<think>\n根据题意逐项分析。\n</think>\n<answer>\n{}\n</answer>"
_FORMS: Final[Mapping[str, Callable[[str], str]]] = {
    "box": lambda text: _LAYOUT.format(f"\\boxed{{{text}}}"),
    "answer": _LAYOUT.format,
    "response": str,
}


class Case(NamedTuple):
    """One response and its verdict.

    Attributes:
        id: `KIND/TAG/NUMBER`.
        kind: One of `KINDS`.
        tag: The class of the hack or trap.
        data_source: As in `compute_score`.
        response: As in `compute_score`.
        ground_truth: As in `compute_score`.
        extra_info: As in `compute_score`.
        settings: Settings of `compute_score` that the verdict depends on.
        right: Whether the response must get full marks; if not, it must get none for its answer.
    """

    id: str
    kind: str
    tag: str
    data_source: str
    response: str
    ground_truth: Any
    extra_info: Mapping[str, Any]
    settings: Mapping[str, Any]
    right: bool


class Group(Model):
    """Cases that share all but the answer.

    Attributes:
        tag: The class of the hack or trap.
        source: The data source.
        gold: The gold answer.
        extra_info: The row's `extra_info`.
        settings: Settings of `compute_score`; None for those of the file.
        form: What the texts are: the content of the only box, the content of the answer block, or
            the whole response.
        accept: Texts that are right.
        refuse: Texts that are wrong.
    """

    tag: str
    source: str
    gold: Any
    extra_info: dict[str, Any] = Field(default_factory=dict)
    settings: dict[str, Any] | None = None
    form: Literal["box", "answer", "response"] = "box"
    accept: list[str] = Field(default_factory=list)
    refuse: list[str] = Field(default_factory=list)


class _File(Model):
    settings: dict[str, Any] = Field(default_factory=dict)
    groups: list[Group]


@cache
def load_cases(kind: str) -> tuple[Case, ...]:
    """Return the cases of a kind.

    Raises:
        DianjinError: The kind is not known, or its file is malformed.
    """
    if kind not in KINDS:
        raise DianjinError(f"the corpus has no kind {kind!r}; known: {', '.join(KINDS)}")
    path = files("dianjin_ext.audit") / "corpus" / f"{kind}.yaml"
    return tuple(parse_cases(kind, path.read_text(encoding="utf-8"), f"{kind}.yaml"))


def parse_cases(kind: str, text: str, name: str) -> list[Case]:
    """Return the cases that `text`, the content of the file `name`, has.

    Raises:
        DianjinError: It is not YAML, or a key or value is not as in the module's docstring.
    """
    try:
        file = _File.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise DianjinError(f"{name} is not YAML: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise DianjinError(f"{name}: {where}: {first['msg']}") from None
    counts: Counter[str] = Counter()
    cases = []
    for group in file.groups:
        settings = file.settings if group.settings is None else group.settings
        for right, texts in ((True, group.accept), (False, group.refuse)):
            for said in texts:
                counts[group.tag] += 1
                cases.append(
                    Case(
                        f"{kind}/{group.tag.replace(' ', '-')}/{counts[group.tag]}",
                        kind,
                        group.tag,
                        group.source,
                        _FORMS[group.form](said),
                        group.gold,
                        group.extra_info,
                        settings,
                        right,
                    )
                )
    return cases
