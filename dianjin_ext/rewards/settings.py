"""The settings of `compute_score`, as they stand in YAML, and their check."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from pydantic import Field, FiniteFloat, field_validator, model_validator

from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards.base import REASONS
from dianjin_ext.rewards.components import component_names, get_component
from dianjin_ext.rewards.own import load_rewards
from dianjin_ext.rewards.policy import Model, Policy, Strictness, build
from dianjin_ext.rewards.presets import PRESETS
from dianjin_ext.rewards.registry import get_reward

__all__ = ["Settings", "read_settings"]


class Settings(Policy):
    """What `compute_score` is told; under verl, `reward.custom_reward_function.reward_kwargs`.

    The score is the sum of weight times component. Without `weights` it is what the reward function
    of the data source returns.

    Attributes:
        weights: Component to weight: `acc`, `format`, and the names of `component_names()`. With
            weight 0 a component is a metric only.
        gate: Accuracy counts only where the format is right.
        layout: The strictness that `format` is judged by, where it differs from `strictness`, which
            then only says how the answer is found.
        values: What stands for `acc` in the sum, by reason: `{wrong: 0.1, truncated: -1.0}`.
        components: Component to its own settings.
        reward: Use the reward function that is registered under this name.
        default: Use the one registered under this name for data sources that have none.
        sources: Data source to settings that differ for it: any of the above but `default`.
    """

    weights: dict[str, FiniteFloat] | None = Field(default=None, min_length=1)
    gate: bool = False
    layout: Strictness | None = None
    values: dict[str, FiniteFloat] = Field(default_factory=dict)
    components: dict[str, Model] = Field(default_factory=dict)
    reward: str | None = None
    default: str | None = None
    sources: dict[str, "Settings"] = Field(default_factory=dict)

    @field_validator("weights")
    @classmethod
    def _known_components(cls, weights: dict[str, float] | None) -> dict[str, float] | None:
        known = ["acc", "format", *component_names()]
        for name in weights or {}:
            if name not in known:
                raise ValueError(f"component {name!r} is not known; known: {', '.join(known)}")
        return weights

    @field_validator("values")
    @classmethod
    def _known_reasons(cls, values: dict[str, float]) -> dict[str, float]:
        for reason in values:
            if reason not in REASONS:
                raise ValueError(
                    f"reason {reason!r} is not known; known: {', '.join(sorted(REASONS))}"
                )
        return values

    @field_validator("reward", "default")
    @classmethod
    def _known_reward(cls, name: str | None) -> str | None:
        if name is not None:
            try:
                get_reward(name)
            except DianjinError as error:
                raise ValueError(str(error)) from None
        return name

    @model_validator(mode="after")
    def _has_use(self) -> Self:
        for key in ("gate", "layout", "values"):
            if getattr(self, key) and self.weights is None:
                raise ValueError(f"{key} needs weights, such as {{acc: 1.0}}")
        return self


def read_settings(given: Mapping[str, Any]) -> Settings:
    """Check settings that come from YAML, a command line or Python.

    `rewards` names files or modules with rewards of one's own, which are loaded first
    (`dianjin_ext.rewards.own`). `preset` names a key of `dianjin_ext.rewards.presets.PRESETS`,
    whose values any other key replaces, unless it is null. What stands under `sources` replaces
    what stands beside it; a preset of its own does so too, and drops the common preset.

    Raises:
        DianjinError: A key or a value is not known; the message names it by its whole path.
    """
    keys = _plain(given)
    if (own := keys.pop("rewards", None)) is not None:
        load_rewards(own)
    if "judge" in keys:
        raise DianjinError(
            "reward_kwargs.judge is for the reward function compute_score_with_judge "
            "(reward.custom_reward_function.path=pkg://dianjin_ext.rewards.judged)"
        )
    sources = keys.pop("sources", None) or {}
    if not isinstance(sources, dict):
        raise DianjinError(f"reward_kwargs.sources is {sources!r}; expected a mapping")
    preset, keys = _preset(keys, "reward_kwargs")
    own = {}
    for name, values in sources.items():
        path = f"reward_kwargs.sources.{name}"
        if not isinstance(values, dict):
            raise DianjinError(f"{path} is {values!r}; expected a mapping")
        if not values.keys().isdisjoint({"default", "sources"}):
            raise DianjinError(f"{path} may not have 'default' or 'sources'")
        its_preset, its_keys = _preset(values, path)
        # A preset of its own takes the place of the common one, key by key and as a whole.
        order = (preset, keys, its_keys) if its_preset is None else (keys, its_preset, its_keys)
        merged = {key: value for part in order for key, value in (part or {}).items()}
        own[name] = _check(merged | {"default": None}, path)
    return _check({**(preset or {}), **keys, "sources": own}, "reward_kwargs")


def _preset(keys: dict[str, Any], path: str) -> tuple[Mapping[str, Any] | None, dict[str, Any]]:
    """Split settings into those of the preset that they name and their own."""
    keys = {key: value for key, value in keys.items() if value is not None}
    name = keys.pop("preset", None)
    if name is not None and name not in PRESETS:
        raise DianjinError(
            f"{path}.preset is {name!r}, which is not known; expected one of {', '.join(PRESETS)}"
        )
    return None if name is None else PRESETS[name], keys


def _check(keys: dict[str, Any], path: str) -> Settings:
    own = keys.get("components") or {}
    if not isinstance(own, dict) or not all(isinstance(item, dict) for item in own.values()):
        raise DianjinError(
            f"{path}.components is {own!r}; expected component to settings, such as "
            "{language: {target: zh}}"
        )
    components = {}
    for name, given in own.items():
        if name not in (keys.get("weights") or {}):
            raise DianjinError(
                f"{path}.components.{name} has no effect: weights does not name {name!r} "
                "(weight 0 makes it a metric only)"
            )
        kind = get_component(name).settings
        components[name] = build(kind, given, f"{path}.components.{name}")
    return build(Settings, {**keys, "components": components}, path, also=("preset", "rewards"))


def _plain(value: Any) -> Any:
    """Turn the containers of OmegaConf into those of Python."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(item) for item in value]
    return value
