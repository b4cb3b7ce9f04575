"""Whom the steps ask: settings of models by role, and servers for folders of models."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from dianjin_ext.errors import DianjinError
from dianjin_ext.inference.settings import AskSettings, read_settings

Models = Mapping[str, AskSettings]


def read_models(given: Any, name: str = "models") -> dict[str, AskSettings]:
    """Check the settings of models by role.

    `model` may be a folder of a model where no `base_url` is given: it is served as long as it is
    asked (`serve`).

    Raises:
        DianjinError: A key or a value is not known.
    """
    if not isinstance(given, Mapping):
        raise DianjinError(f"{name} is expected as a mapping of roles, such as {{teacher: …}}")
    return {role: read_settings(own, f"{name}.{role}") for role, own in given.items()}


@contextmanager
def served(models: Models, log: Path) -> Iterator[dict[str, AskSettings]]:
    """Serve the models that are folders for as long as the context lasts.

    Args:
        models: By role.
        log: Folder for what the servers say.

    Raises:
        DianjinError: A server does not start.
    """
    with ExitStack() as stack:
        ready = {}
        for role, settings in models.items():
            if settings.base_url is None and Path(settings.model).is_dir():
                from dianjin_ext.inference.server import serving

                folder = Path(settings.model)
                log.mkdir(parents=True, exist_ok=True)
                server = serving(folder, log=log / f"{role}.log", name=settings.model)
                url = stack.enter_context(server)
                settings = settings.model_copy(update={"base_url": url, "keyless": True})
            ready[role] = settings
        yield ready
