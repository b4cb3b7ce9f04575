"""Values of another kind than verl's own, which verl 0.9.1 takes without a look.

`actor_rollout_ref.actor.use_kl_loss=no` is a text for hydra, and a text counts as true; a text in
the place of a number fails in the first step.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from dianjin_ext.yaml_keys import value_at

__all__ = ["value_problems"]

_NODES: Final = ("actor_rollout_ref", "critic", "data", "algorithm", "trainer", "reward")
_DEFAULTS: Final = {"megatron": "_generated_ppo_megatron_trainer.yaml"}
_OTHERWISE: Final = "_generated_ppo_trainer.yaml"
_ALSO_TEXTS: Final = ("algorithm.rollout_correction.rollout_is_threshold", "trainer.logger")
_TEXTS: Final = (
    *("actor_rollout_ref.model.path", "actor_rollout_ref.model.tokenizer_path"),
    *("critic.model.path", "reward.reward_model.model_path", "data.custom_cls.path"),
    *("reward.custom_reward_function.path", "reward.custom_reward_function.name"),
)
_SWITCHES: Final = ("critic.enable",)  # null in verl's configuration
_FILES: Final = ("data.train_files", "data.val_files")
# What verl has no default for, and what its keys are read of here.
_MAPPINGS: Final = ("reward.reward_kwargs", "reward.custom_reward_function.reward_kwargs")


def value_problems(config: Any) -> list[str]:
    """Return a line for each value of a composed configuration that is of another kind than verl's.

    What is null passes.
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        given: Any = OmegaConf.to_container(config, resolve=True, throw_on_missing=False)
    except OmegaConfBaseException as error:
        return [f"the configuration can't be resolved: {str(error).splitlines()[0]}"]
    strategy = str(value_at(given, "actor_rollout_ref.actor.strategy"))
    own = _defaults(_DEFAULTS.get(strategy, _OTHERWISE))
    problems = [
        line
        for node in _NODES
        if node in own
        for line in _differing(node, own[node], given.get(node))
    ]
    for key in _MAPPINGS:
        problems += _line(key, value_at(given, key), dict)
    for key in _TEXTS:
        problems += _line(key, value_at(given, key), str)
    for key in _SWITCHES:
        problems += _line(key, value_at(given, key), bool)
    for key in _FILES:
        value = value_at(given, key)
        for file in value if isinstance(value, list) else [value]:
            problems += _line(key, file, str)
    return problems


@cache
def _defaults(name: str) -> Mapping[str, Any]:
    """Return verl's configuration, as it ships it; empty where there is no such file."""
    import verl
    from omegaconf import OmegaConf

    path = Path(str(verl.__file__)).with_name("trainer") / "config" / name
    if not path.is_file():
        return {}
    found: Any = OmegaConf.to_container(OmegaConf.load(path))
    return dict(found)


def _differing(key: str, own: Any, given: Any) -> Iterator[str]:
    if isinstance(own, dict) and isinstance(given, dict):
        for name, value in own.items():
            yield from _differing(f"{key}.{name}", value, given.get(name))
    elif own and isinstance(own, dict):
        yield from _line(key, given, dict)
    elif isinstance(own, bool):
        if given not in (0, 1):
            yield from _line(key, given, bool)
    elif isinstance(own, int | float):
        if not (key in _ALSO_TEXTS and isinstance(given, str)):
            yield from _line(key, given, float)
    elif isinstance(own, list) and not (key in _ALSO_TEXTS and isinstance(given, str)):
        yield from _line(key, given, list)


_KINDS: Final[Mapping[type, tuple[Any, str]]] = {
    dict: (dict, "keys below it"),
    bool: (bool, "true or false"),
    float: (int | float, "a number"),
    list: (list, "a list, such as [a,b]"),
    str: (str, "a text; a number in quotes is one"),
}


def _line(key: str, value: Any, kind: type) -> list[str]:
    wanted, told = _KINDS[kind]
    mistaken = isinstance(value, bool) and kind is not bool
    if value is None or (isinstance(value, wanted) and not mistaken):
        return []
    return [f"{key}={value!r:.60}: expected {told}"]
