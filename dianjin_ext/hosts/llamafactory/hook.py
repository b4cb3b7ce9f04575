"""The `torch.backends` entry point: `import torch` loads this module and calls `install`.

LLaMA-Factory has no plug-in loader, but imports torch first in every process. `install` puts one
finder on `sys.meta_path`; when LLaMA-Factory then imports a module of `_REGISTRARS`, the finder
lets it execute and has ours register what it adds there. Where LLaMA-Factory is never imported,
nothing else happens.

An exception here would break `import torch` for everybody, so each entry catches all of them,
writes one warning and keeps it for `status` (`dianjin doctor` reads it). Nothing outside the
standard library may be imported at the top, here or in the packages above.
`TORCH_DEVICE_BACKEND_AUTOLOAD=0` switches the hook off, along with torch's device plug-ins.
"""

import logging
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import NamedTuple

logger = logging.getLogger(__name__)

_REGISTRARS = {
    "llamafactory.data.template": "dianjin_ext.hosts.llamafactory.templates",
    "llamafactory.data.parser": "dianjin_ext.hosts.llamafactory.datasets",
}
_registered: list[str] = []
_last_error: str | None = None


class Status(NamedTuple):
    """What the hook has done in this process.

    Attributes:
        installed: Whether the finder is in place: false where torch was not imported yet, the hook
            is switched off or its installation failed.
        registered: Modules of LLaMA-Factory whose additions are in place, in the order of import.
        last_error: The last failure in one line, or None.
    """

    installed: bool
    registered: tuple[str, ...]
    last_error: str | None


def install() -> None:
    """Put the finder on `sys.meta_path`, once; never raises."""
    try:
        if not _installed():
            sys.meta_path.insert(0, _Finder())
    except Exception as error:
        _report("installation", error)


def status() -> Status:
    """Return what the hook has done in this process."""
    return Status(_installed(), tuple(_registered), _last_error)


class _Finder(MetaPathFinder):
    """Finds the modules of `_REGISTRARS` through the other finders and adds a step to loading."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in _REGISTRARS:
            return None
        try:
            for finder in sys.meta_path:
                spec = None if finder is self else finder.find_spec(fullname, path, target)
                if spec is not None and spec.loader is not None:
                    _register_after_exec(spec.loader, fullname)
                    return spec
        except Exception as error:
            _report(fullname, error)
        return None  # the import goes on without us


def _register_after_exec(loader: Loader, fullname: str) -> None:
    """Wrap `exec_module` of this one loader, which keeps its class and all its other methods."""
    exec_module = loader.exec_module

    def exec_and_register(module: ModuleType) -> None:
        exec_module(module)
        try:
            import_module(_REGISTRARS[fullname]).register()
            _registered.append(fullname)
        except Exception as error:
            _report(fullname, error)

    loader.exec_module = exec_and_register  # type: ignore[method-assign]


def _installed() -> bool:
    return any(isinstance(finder, _Finder) for finder in sys.meta_path)


def _report(where: str, error: Exception) -> None:
    global _last_error
    reason = " ".join(str(error).split())
    _last_error = f"{where}: {type(error).__name__}: {reason}"
    logger.warning(
        "dianjin_ext adds nothing to LLaMA-Factory (%s); run `dianjin doctor`", _last_error
    )
