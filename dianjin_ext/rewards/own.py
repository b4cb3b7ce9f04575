"""Rewards of the user's own, in a file or a module: loaded once in each process that grades."""

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from threading import Lock

from dianjin_ext.errors import DianjinError
from dianjin_ext.rewards import registry

_loaded: set[str] = set()
_lock = Lock()


def load_rewards(names: str | Iterable[str]) -> None:
    """Import files (`my_rewards.py`) or modules (`my_bank.rewards`) that register rewards.

    A file that was loaded already in this process is not loaded again.

    Raises:
        DianjinError: There is no such file or module, importing it fails, it registers a name that
            is taken, or it registers nothing; the message names it and the line.
    """
    for name in [names] if isinstance(names, str) else names:
        if not isinstance(name, str) or not name:
            raise DianjinError(f"rewards is {name!r}; expected a file such as my_rewards.py")
        is_file = name.endswith(".py") or "/" in name
        key = str(Path(name).resolve()) if is_file else name
        with _lock:
            if key not in _loaded:
                _load(name, Path(key) if is_file else None)
                _loaded.add(key)


def _load(name: str, path: Path | None) -> None:
    before = registry.snapshot()
    try:
        if path is None:
            importlib.import_module(name)
        else:
            _execute(path)
    except DianjinError as error:
        registry.restore(before)
        raise DianjinError(f"{name}: {error}") from error
    except ModuleNotFoundError as error:
        registry.restore(before)
        if path is None and error.name and name.startswith(error.name):
            raise DianjinError(
                f"rewards: no module {name!r}; give a file such as my_rewards.py, or install it"
            ) from None
        raise DianjinError(f"{name}: {_last_line(error, path)}") from error
    except (Exception, SystemExit) as error:
        registry.restore(before)
        raise DianjinError(f"{name}: {_last_line(error, path)}") from error
    # A module that a plug-in or another import loaded before registers nothing a second time.
    modules = {getattr(reward.function, "__module__", None) for reward in before.values()}
    if registry.snapshot() == before and (path is not None or name not in modules):
        raise DianjinError(
            f'{name} registers no reward; put @register_reward("my/data") (from dianjin_ext import '
            "register_reward) above a function in it"
        )


def _execute(path: Path) -> None:
    if not path.is_file():
        raise DianjinError("no such file; check the path")
    # A name of its own, so that two files rewards.py don't hide each other.
    module_name = (
        f"dianjin_own_{path.stem}_{blake2b(str(path).encode(), digest_size=4).hexdigest()}"
    )
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise DianjinError("expected Python source, in a file that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(module_name, None)
        raise


def _last_line(error: BaseException, path: Path | None) -> str:
    """Return an exception in one line, with the line of the file that it came from."""
    what = f"{type(error).__name__}: {error}"
    if isinstance(error, SyntaxError) and error.lineno:
        return f"line {error.lineno}: {type(error).__name__}: {error.msg}"
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if path is not None and frame.filename == str(path)
    ]
    return f"line {lines[-1]}: {what}" if lines else what
