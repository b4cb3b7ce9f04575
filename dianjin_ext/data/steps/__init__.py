"""The steps of a data pipeline by name, one file each."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from dianjin_ext.data.steps.settings import (
    Bands,
    Decontaminate,
    Distill,
    MergeAgents,
    Mix,
    Read,
    Rewrite,
    Sample,
    Search,
    Select,
    Verify,
)
from dianjin_ext.errors import DianjinError

if TYPE_CHECKING:
    from dianjin_ext.data.steps.base import RowStep, SetStep

SETTINGS: Final[dict[str, type[Any]]] = {
    "read": Read,
    "rewrite": Rewrite,
    "distill": Distill,
    "verify": Verify,
    "select": Select,
    "search": Search,
    "sample": Sample,
    "bands": Bands,
    "merge-agents": MergeAgents,
    "decontaminate": Decontaminate,
    "mix": Mix,
}
"""The settings of every step, by its name."""

ASKS: Final[dict[str, tuple[str, ...]]] = {
    "rewrite": ("teacher", "judge"),
    "distill": ("teacher",),
    "verify": ("judge",),
    "select": ("judge",),
    "search": ("teacher", "judge"),
    "sample": ("student",),
    "merge-agents": ("teacher",),
}
"""The models that a step may ask, as on the command line."""


def get_step(name: str) -> "RowStep | SetStep":
    """Return a step by its name.

    Raises:
        DianjinError: There is none of that name; the message lists those there are.
    """
    if name not in SETTINGS:
        raise DianjinError(f"there is no step {name!r}; known: {', '.join(SETTINGS)}")
    module = import_module(f"dianjin_ext.data.steps.{name.replace('-', '_')}")
    step: RowStep | SetStep = module.STEP
    return step


def row_step(name: str) -> "RowStep":
    """Return a step that looks at one row at a time.

    Raises:
        DianjinError: There is none of that name.
    """
    from dianjin_ext.data.steps.base import RowStep

    step = get_step(name)
    if not isinstance(step, RowStep):
        raise DianjinError(f"{name} looks at all rows at once; there is no engine for it")
    return step
