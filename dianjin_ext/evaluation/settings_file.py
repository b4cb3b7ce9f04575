"""Reward settings from a YAML file and the command line."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards.settings import read_settings
from dianjin_ext.yaml_keys import UniqueKeys


def load_settings(
    file: Path | None = None,
    *,
    preset: str | None = None,
    strictness: str | None = None,
    rewards: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return checked settings for `compute_score`, or for `compute_score_with_judge`.

    Args:
        file: A YAML mapping with the keys of `reward_kwargs`; see
            `dianjin_ext.rewards.settings.Settings`, and `JudgeSettings` for what `judge` holds.
        preset: Replaces the file's.
        strictness: Replaces the file's, and the preset's.
        rewards: Files or modules with rewards of one's own; replaces the file's.

    Raises:
        DianjinError: The file can't be read, or a key or value is not known.
    """
    settings: dict[str, Any] = {}
    if file is not None:
        try:
            loaded = yaml.load(file.read_text(encoding="utf-8"), Loader=UniqueKeys)
        except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
            why = " ".join(str(error).split())
            raise DianjinError(f"{file}: can't be read as YAML: {why}") from error
        if not isinstance(loaded, dict | None):
            raise DianjinError(
                f"{file}: expected a mapping of reward settings such as `strictness: lenient`, "
                f"found {type(loaded).__name__}"
            )
        settings = dict(loaded or {})
    given = {"preset": preset, "strictness": strictness, "rewards": rewards or None}
    settings |= {key: value for key, value in given.items() if value is not None}
    if isinstance(own := settings.get("rewards"), str | list | tuple):
        # Processes that grade may run in another folder.
        settings["rewards"] = [_absolute(name) for name in ([own] if isinstance(own, str) else own)]
    try:
        read_settings(split_judge(settings)[0])
    except DianjinError as error:
        raise DianjinError(f"{file}: {error}" if file is not None else str(error)) from None
    except RecursionError:
        raise DianjinError(f"{file}: a mapping holds itself, or too many others") from None
    return settings


def reward_files(settings: Mapping[str, Any]) -> list[Path]:
    """Return the files that settings from `load_settings` name as `rewards`; modules left out."""
    return [Path(name) for name in settings.get("rewards") or () if Path(name).is_absolute()]


def _absolute(name: Any) -> Any:
    is_file = isinstance(name, str) and (name.endswith(".py") or "/" in name)
    return str(Path(name).absolute()) if is_file else name


def split_judge(settings: Mapping[str, Any]) -> tuple[dict[str, Any], Mapping[str, Any] | None]:
    """Return the settings of the rules and those of the judge, which are None without one.

    Raises:
        DianjinError: A setting of the judge is not known.
    """
    rules = dict(settings)
    judge = rules.pop("judge", None)
    if judge is not None:
        from dianjin_ext.rewards.judge.settings import read_judge

        read_judge(judge)
    return rules, judge
