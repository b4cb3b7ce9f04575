"""Let a reward worker of verl end the run.

A reward worker that raises loses one rollout, and the run goes on without it. So the worker leaves
its message in the store that all processes of a Ray cluster share, and the trainer looks there.
"""

import ray
from ray.experimental import internal_kv

from dianjin_ext.errors import DianjinError

__all__ = ["ask_to_stop", "stop_if_asked"]


def ask_to_stop(message: str) -> None:
    """Leave a message for the trainer of this run; does nothing outside of Ray."""
    if ray.is_initialized():
        internal_kv._internal_kv_put(_key(), message.encode(), overwrite=False)


def stop_if_asked() -> None:
    """Raise what a worker has left.

    Raises:
        DianjinError: A worker asked for the run to end.
    """
    message = internal_kv._internal_kv_get(_key()) if ray.is_initialized() else None
    if message is not None:
        raise DianjinError(message.decode())


def _key() -> bytes:
    return f"dianjin_ext:stop:{ray.get_runtime_context().get_job_id()}".encode()
