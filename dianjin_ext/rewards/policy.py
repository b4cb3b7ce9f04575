"""How a response is read and compared: the policies that a grader may follow."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeVar, get_args

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    ValidationError,
    field_validator,
)

from dianjin_ext.answers.response import ThinkPolicy
from dianjin_ext.answers.tags import DIANJIN_R1, Tags, read_tags
from dianjin_ext.errors import DianjinError

Strictness = Literal["strict", "lenient", "dianjin", "dianjin_eval"]
STRICTNESSES: Final[tuple[Strictness, ...]] = get_args(Strictness)


class Model(BaseModel):
    """Base of everything that is set from YAML: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


M = TypeVar("M", bound=Model)


def build(kind: type[M], keys: Mapping[str, Any], path: str, *, also: Sequence[str] = ()) -> M:
    """Return settings of the class `kind`, checked.

    Args:
        kind: The class.
        keys: Its fields.
        path: Where they stand in the configuration; begins the error.
        also: Keys that are known there beside the fields of `kind`.

    Raises:
        DianjinError: A key or a value is not known; the message names it by its whole path.
    """
    try:
        return kind(**keys)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    where = ".".join([path, *map(str, first["loc"])])
    if first["type"] == "extra_forbidden":
        # Of the model that the key stands in, such as NumberPolicy under `numbers`.
        inner: Any = kind
        for name in first["loc"][:-1]:
            inner = inner.model_fields[name].annotation
        known = [*inner.model_fields, *(also if inner is kind else ())]
        raise DianjinError(f"{where} is not known; known: {', '.join(known)}")
    given = "" if isinstance(first["input"], dict) else f" is {first['input']!r}"
    raise DianjinError(f"{where}{given}: {first['msg'].removeprefix('Value error, ')}")


def parse_tags(text: str) -> Tags:
    """Return the layout that a text names, or spells out as YAML.

    Raises:
        DianjinError: It does neither.
    """
    try:
        return read_tags(yaml.safe_load(text))
    except (ValueError, yaml.YAMLError) as error:
        raise DianjinError(f"tags: {' '.join(str(error).split())}") from None


class NumberPolicy(Model):
    """When two numbers count as the same; see `dianjin_ext.rewards.numeric`.

    Attributes:
        percent: What a percent sign does. `exact`: it divides by 100, on either side. `gold_hint`:
            where the gold answer has one, an answer without one may also be meant in per cent: 12.5
            is right for 12.5%, as 0.125 is. `either`: as well as that, where only the answer has
            one, it may count for nothing: 12.5% is right for 12.5, as it is for 0.125.
        unit: What units and currencies do. `exact`: where both sides have one, they must be the
            same; a missing one is no fault. Scales (万, million) multiply, so that 5 is wrong for
            5万元. `gold_hint`: as well as that, an answer without a scale may also be meant in that
            of the gold answer: 5 and 50000 are right for 5万元, 5元 is not. `ignore`: units and
            currencies are dropped; scales still multiply.
        scale: Where the row's `scale`, or its question, says in what the number is meant (`in
            millions`, 多少万元), a number that doesn't say so itself is meant in that. `none`: the
            row says nothing.
        rel_tol: Largest difference, as a share of the gold number.
        abs_tol: Largest difference between the values: 0.001 is a tenth of a percentage point.
        decimals: Both values are rounded half to even to this many decimals before they are
            compared; 5 is what FinQA's own evaluator does. A gold number that would become 0, such
            as 0.000003, is compared as it is. None compares exact values.
        round_to_gold: Round the answer to the digits that the gold number is written with;
            `decimals`: where it has decimals. That is the default of `tatqa` and `convfinqa`.
        parity: Compares as a published evaluator does, faults included, for comparing with
            published tables only: `docmath` as DocMath-Eval's, `finqa` as FinQA's, `tatqa` as
            TAT-QA's. The fields above don't count then, but for `scale` under `tatqa`.
    """

    percent: Literal["exact", "gold_hint", "either"] = "exact"
    unit: Literal["exact", "gold_hint", "ignore"] = "exact"
    rel_tol: NonNegativeFloat = 0.0
    abs_tol: NonNegativeFloat = 0.0
    decimals: NonNegativeInt | None = Field(default=5, le=30)
    scale: Literal["question", "none"] = "question"
    round_to_gold: bool | Literal["decimals"] = False
    parity: Literal["docmath", "finqa", "tatqa"] | None = None


class Policy(Model):
    """How a response is read.

    Attributes:
        strictness: Which layout is demanded; see `dianjin_ext.rewards.format`.
        think: Whether the prompt ended with `<think>`; see `dianjin_ext.answers.split`.
        tags: The marks of the model's layout: a key of `dianjin_ext.answers.tags.TAGS`, or pairs of
            its own, `{think: ["<seed:think>", "</seed:think>"], answer: null}`.
        numbers: How numbers are compared.
    """

    strictness: Strictness = "strict"
    think: ThinkPolicy = "auto"
    tags: Tags = DIANJIN_R1
    numbers: NumberPolicy = NumberPolicy()

    @field_validator("tags", mode="before")
    @classmethod
    def _named_tags(cls, value: Any) -> Tags:
        return read_tags(value)

    @field_validator("think", mode="before")
    @classmethod
    def _yaml_bool(cls, value: Any) -> Any:
        """YAML reads `true` and `false` as bools."""
        return str(value).lower() if isinstance(value, bool) else value
