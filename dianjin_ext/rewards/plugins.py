"""Rewards of other packages, found through the entry-point group `dianjin_ext.rewards`.

A package names a module in its metadata; importing it registers what it has:

    [project.entry-points."dianjin_ext.rewards"]
    my_bank = "my_bank.rewards"
"""

import logging
from functools import cache
from importlib.metadata import entry_points
from typing import Final

GROUP: Final = "dianjin_ext.rewards"
logger = logging.getLogger(__name__)


@cache
def load_plugins() -> dict[str, str]:
    """Import every plug-in, once in a process; return what failed: name to error.

    A plug-in that fails is logged and left out, so that it can't stop a run that doesn't need it.
    """
    failed = {}
    for point in entry_points(group=GROUP):
        try:
            point.load()
        except Exception as error:
            failed[point.name] = f"{type(error).__name__}: {error}".strip().splitlines()[-1]
            logger.warning(
                "the reward plug-in %r (%s) can't be loaded: %s",
                point.name,
                point.value,
                failed[point.name],
            )
    return failed
