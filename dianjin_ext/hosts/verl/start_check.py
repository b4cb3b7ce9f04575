"""What would stop a verl run after minutes, or train for nothing, found before Ray starts."""

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.verl.algorithm_check import algorithm_problems
from dianjin_ext.hosts.verl.batch_check import batch_problems
from dianjin_ext.hosts.verl.checkpoint_check import callback_problems, resume_problems
from dianjin_ext.hosts.verl.cpu_check import cpu_problems
from dianjin_ext.hosts.verl.model_check import model_problems
from dianjin_ext.rewards.grader import Grader
from dianjin_ext.rewards.registry import has_reward

__all__ = ["start_problems"]

_MANAGERS = ("dianjin", "naive", "dapo", "gdpo", "rate_limited", "remote")
_PACKAGES = ("wandb", "swanlab", "tensorboard", "mlflow", "clearml", "trackio")


def start_problems(config: Any) -> list[str]:
    """Return what is wrong with what the composed configuration of a run names, one line each.

    A model that is named as on a hub and files behind a URL are not looked at.
    """
    rows: dict[str, int] = {}
    sources: dict[str, str] = {}
    checks: tuple[Callable[[], Iterator[str]], ...] = (
        lambda: _data(config, rows, sources),
        lambda: _reward(config),
        lambda: _unrewarded(config, sources),
        lambda: model_problems(config),
        lambda: _loggers(config),
        lambda: callback_problems(config),
        lambda: resume_problems(config),
        lambda: algorithm_problems(config),
        lambda: cpu_problems(config),
        lambda: batch_problems(config, rows.get("data.train_files")),
    )
    return [problem for check in checks for problem in check()]


def _data(config: Any, rows: dict[str, int], sources: dict[str, str]) -> Iterator[str]:
    """Look into the data files; `rows` and `sources` (source to file) are filled."""
    from omegaconf import OmegaConf

    if OmegaConf.select(config, "data.custom_cls.path"):
        return  # a reader of the user's own, for files of any kind
    columns = [OmegaConf.select(config, "data.prompt_key") or "prompt"]
    if not OmegaConf.select(config, "reward.reward_model.enable"):  # a classifier needs no gold
        columns += ["data_source", "reward_model"]
    for key in ("data.train_files", "data.val_files"):
        given = OmegaConf.select(config, key)
        files = [given] if isinstance(given, str) else list(given or ())
        if not files:
            yield f"{key} is empty; `dianjin prepare` writes the files"
        counts = []
        for file in files:
            if "://" in file:
                continue
            path = Path(file).expanduser()
            if not path.is_file():
                yield f"{key}={file}: no such file; `dianjin prepare` writes it"
            elif path.suffix not in (".parquet", ".json", ".jsonl"):
                yield f"{key}={file}: verl reads .parquet, .json and .jsonl only"
            elif path.suffix == ".parquet":
                try:
                    counts.append(_read(path, columns, sources))
                except DianjinError as error:
                    yield f"{key}={file}: {error}"
        if files and len(counts) == len(files):
            most = OmegaConf.select(config, f"{key.removesuffix('files')}max_samples") or -1
            rows[key] = min(sum(counts), most) if most > 0 else sum(counts)


def _read(path: Path, columns: list[str], sources: dict[str, str]) -> int:
    """Return the number of rows of a parquet file, and note its data sources."""
    import pyarrow
    from pyarrow import compute, parquet

    try:
        file = parquet.ParquetFile(path)
        if not file.metadata.num_rows:
            raise DianjinError("has no rows")
        missing = [name for name in columns if name not in file.schema_arrow.names]
        if missing:
            raise DianjinError(f"has no column {missing[0]!r}; `dianjin check-data` says more")
        found = []
        if "data_source" in columns:
            found = compute.unique(file.read(columns=["data_source"]).column(0)).to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        line = str(error).splitlines()[0]
        raise DianjinError(f"can't be read as parquet: {line}") from error
    for source in found:
        sources.setdefault(str(source), str(path))
    return int(file.metadata.num_rows)


def _reward(config: Any) -> Iterator[str]:
    from omegaconf import OmegaConf
    from verl.utils.import_utils import load_extern_object

    manager = OmegaConf.select(config, "reward.reward_manager.name")
    registered = OmegaConf.select(config, "reward.reward_manager.source") != "importlib"
    if registered and manager not in _MANAGERS:
        yield from _fails("reward.reward_manager.name", manager, lambda: _manager(config))
    path = OmegaConf.select(config, "reward.custom_reward_function.path")
    name = OmegaConf.select(config, "reward.custom_reward_function.name")
    is_there = path and (path.startswith("pkg://") or Path(path.removeprefix("file://")).is_file())
    if not is_there:
        return  # the check of the settings has told it
    try:
        function = load_extern_object(path, name)
    except AttributeError as error:
        if str(error).startswith("Object not found"):
            yield f"reward.custom_reward_function.name={name}: {path} has no function of that name"
        else:
            yield f"reward.custom_reward_function.path={path} can't be loaded: {error}"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        cause = error.__cause__ or error
        yield (
            f"reward.custom_reward_function.path={path} can't be loaded: "
            f"{type(cause).__name__}: {cause}"
        )
    else:
        if not callable(function):
            yield f"reward.custom_reward_function.name={name}: not a function but {function!r:.80}"


def _manager(config: Any) -> None:
    from verl.trainer.ppo.reward import resolve_reward_manager_cls

    resolve_reward_manager_cls(config)


def _fails(key: str, value: Any, action: Callable[[], None]) -> Iterator[str]:
    try:
        action()
    except Exception as error:
        yield f"{key}={value}: {str(error).splitlines()[0]}; this package's is 'dianjin'"


def _unrewarded(config: Any, sources: dict[str, str]) -> Iterator[str]:
    """Look for a data source that the rewards of this package, or verl's own, could not grade."""
    from omegaconf import OmegaConf

    function = OmegaConf.select(config, "reward.custom_reward_function")
    if not (function and function.get("path")):
        if not OmegaConf.select(config, "reward.reward_model.enable"):
            yield from _unknown_to_verl(sources)
        return
    if not function.path.startswith("pkg://dianjin_ext.rewards"):
        return  # which rows somebody else's function can grade is not known
    given = OmegaConf.to_container(function.get("reward_kwargs") or OmegaConf.create({}))
    given.pop("judge", None)
    try:
        grader = Grader(given)
    except DianjinError:
        return  # the check of the settings has told it
    for source, file in sorted(sources.items()):
        try:
            grader.reward(source)
        except DianjinError as error:
            yield f"{file}: {error}"


def _unknown_to_verl(sources: dict[str, str]) -> Iterator[str]:
    """Look for a data source of this package in a run that has verl's own rewards only."""
    from verl.utils.reward_score import default_compute_score

    names = inspect.getsource(default_compute_score)  # a chain of comparisons, with no registry
    for source, file in sorted(sources.items()):
        if has_reward(source) and f'"{source}"' not in names:
            yield (
                f"{file}: verl's own rewards don't know data_source {source!r}; set "
                "reward.custom_reward_function.path=pkg://dianjin_ext.rewards"
            )


def _loggers(config: Any) -> Iterator[str]:
    from importlib.util import find_spec

    from omegaconf import OmegaConf
    from verl.utils.tracking import Tracking

    given = OmegaConf.select(config, "trainer.logger")
    for name in [given] if isinstance(given, str) else list(given or ()):
        if name not in (*Tracking.supported_backend, "tracking"):
            known = ", ".join(Tracking.supported_backend)
            yield f"trainer.logger: {name!r} is not known; known: {known}"
        elif name in _PACKAGES and find_spec(name) is None:
            yield f"trainer.logger: {name!r} is not installed; pip install {name}"
