"""How a response is read and compared: the policies that a grader may follow."""

from typing import Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, field_validator

from dianjin_ext.answers.response import ThinkPolicy

Strictness = Literal["strict", "lenient", "dianjin"]
STRICTNESSES: Final[tuple[Strictness, ...]] = get_args(Strictness)


class Model(BaseModel):
    """Base of everything that is set from YAML: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class NumberPolicy(Model):
    """When two numbers count as the same; see `dianjin_ext.rewards.numeric`.

    Attributes:
        percent: What a percent sign does. `exact`: it divides by 100, on either side. `gold_hint`:
            an answer without a sign takes that of the gold answer. `either`: an answer is right
            with or without the factor of 100 where exactly one side has the sign.
        unit: What a unit or currency does. `exact`: scales (万, million) multiply, and units, where
            both sides have one, must be the same. `gold_hint`: an answer without a scale takes that
            of the gold answer. `ignore`: units and currencies are dropped; scales still multiply.
        rel_tol: Largest difference, as a share of the gold number.
        abs_tol: Largest difference, in units of the gold number.
        decimals: Both sides are rounded half to even to this many decimals before they are
            compared; 5 is what FinQA's own evaluator does. None compares exact values.
        round_to_gold: Round the answer to as many decimals as the gold number is written with.
        parity: `docmath` compares as DocMath-Eval's published evaluator does, faults included, and
            is for comparing with published tables only.
    """

    percent: Literal["exact", "gold_hint", "either"] = "exact"
    unit: Literal["exact", "gold_hint", "ignore"] = "exact"
    rel_tol: NonNegativeFloat = 0.0
    abs_tol: NonNegativeFloat = 0.0
    decimals: NonNegativeInt | None = Field(default=5, le=30)
    round_to_gold: bool = False
    parity: Literal["docmath"] | None = None


class Policy(Model):
    """How a response is read.

    Attributes:
        strictness: Which layout is demanded; see `dianjin_ext.rewards.format`.
        think: Whether the prompt ended with `<think>`; see `dianjin_ext.answers.split`.
        numbers: How numbers are compared.
    """

    strictness: Strictness = "strict"
    think: ThinkPolicy = "auto"
    numbers: NumberPolicy = NumberPolicy()

    @field_validator("think", mode="before")
    @classmethod
    def _yaml_bool(cls, value: Any) -> Any:
        """YAML reads `true` and `false` as bools."""
        return str(value).lower() if isinstance(value, bool) else value
