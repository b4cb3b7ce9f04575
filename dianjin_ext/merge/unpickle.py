"""Read the pickle inside a torch.save file without running anything that it names.

A pickle is a program: it may name any function and have it called. Here every name resolves to an
inert stand-in or, if no FSDP checkpoint has a use for it, to an error that says which name it was.
"""

import io
import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge.dtypes import DTYPES, STORAGES, DType


class StorageRef(NamedTuple):
    """A storage in the archive: record `data/<key>`; `dtype` is None for untyped bytes."""

    dtype: DType | None
    key: str


class TensorRef(NamedTuple):
    """A plain tensor: a view into a storage. `offset` and `strides` are in elements."""

    storage: StorageRef
    dtype: DType
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class WrapperRef:
    """A tensor subclass (`kind` is `DTensor`): its global shape and the state that it was given."""

    def __init__(self, kind: str, shape: tuple[int, ...]) -> None:
        self.kind = kind
        self.shape = shape
        self.state: Any = {}


class StandIn:
    """What a class of torch.distributed becomes: it keeps arguments and state, runs nothing."""

    qualname = ""
    args: tuple[Any, ...]
    state: Any

    def __new__(cls, *args: Any, **_: Any) -> "StandIn":  # noqa: D102 (a magic method)
        made = object.__new__(cls)
        made.args = args
        made.state = {}
        return made

    def __setstate__(self, state: Any) -> None:
        self.state = _as_dict(state)

    @classmethod
    def kind(cls) -> str:
        """The bare class name, such as `Shard`."""
        return cls.qualname.rsplit(".", 1)[-1]


def _as_dict(state: Any) -> Any:
    """Merge the pair (dict, slots) that classes with `__slots__` are pickled with."""
    if isinstance(state, tuple) and len(state) == 2:
        first, second = state
        if (first is None or isinstance(first, dict)) and isinstance(second, dict):
            return {**(first or {}), **second}
    return state


def _tensor(
    storage: StorageRef,
    offset: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    _requires_grad: bool = False,
    _hooks: Any = None,
    _metadata: Any = None,
) -> TensorRef:
    if storage.dtype is None:
        raise ValueError("a tensor without an element type")
    return TensorRef(storage, storage.dtype, offset, tuple(shape), tuple(strides))


def _tensor_v3(
    storage: StorageRef,
    offset: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    _requires_grad: bool,
    _hooks: Any,
    dtype: DType,
    _metadata: Any = None,
) -> TensorRef:
    return TensorRef(storage, dtype, offset, tuple(shape), tuple(strides))


def _parameter(data: TensorRef, _requires_grad: bool = False, _hooks: Any = None) -> TensorRef:
    return data


def _wrapper(kind: type[StandIn], _dtype: Any, shape: tuple[int, ...], *_: Any) -> WrapperRef:
    return WrapperRef(kind.kind(), tuple(shape))


_REBUILD: dict[tuple[str, str], Callable[..., Any]] = {
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_tensor_v3"): _tensor_v3,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch._utils", "_rebuild_wrapper_subclass"): _wrapper,
}


def _from_type(function: Any, _type: Any, args: tuple[Any, ...], state: Any) -> Any:
    if function not in _REBUILD.values():
        raise ValueError(f"a tensor rebuilt by {function!r}")
    made = function(*args)
    if isinstance(made, WrapperRef):
        made.state = _as_dict(state)
    return made


def _device(*args: Any) -> tuple[Any, ...]:
    return args


_PLAIN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._tensor", "_rebuild_from_type_v2"): _from_type,
    ("torch", "Size"): tuple,
    ("torch", "device"): _device,
    **_REBUILD,
}
# Named beside tensors, never looked into.
_INERT = {
    ("torch", "Tensor"),
    ("torch.nn.parameter", "Parameter"),
    ("torch.serialization", "_get_layout"),
    ("torch._C._distributed_c10d", "ProcessGroup"),
}


class _Unpickler(pickle.Unpickler):
    def __init__(self, data: bytes, path: Path) -> None:
        super().__init__(io.BytesIO(data))
        self._path = path
        self._made: dict[str, type[StandIn]] = {}

    def _stand_in(self, qualname: str) -> type[StandIn]:
        if qualname not in self._made:
            self._made[qualname] = type("StandIn", (StandIn,), {"qualname": qualname})
        return self._made[qualname]

    def _attribute(self, owner: type[StandIn], name: str) -> type[StandIn]:
        # ShardedTensor names its nested classes through getattr; they stay inert all the same.
        return self._stand_in(f"{owner.qualname}.{name}")

    def find_class(self, module: str, name: str) -> Any:
        known = _PLAIN.get((module, name))
        if known is not None:
            return known
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        if (module, name) == ("torch.storage", "UntypedStorage"):
            return None  # the element type follows with the tensor
        if (module, name) in (("__builtin__", "getattr"), ("builtins", "getattr")):
            return self._attribute
        if (module, name) in _INERT or module.startswith("torch.distributed."):
            return self._stand_in(f"{module}.{name}")
        raise DianjinError(
            f"{self._path}: the file names {module}.{name}, which no FSDP model checkpoint needs; "
            "it was not called, and the file is not read"
        )

    def persistent_load(self, pid: Any) -> StorageRef:
        match pid:
            case ("storage", dtype, str(key), *_) if dtype is None or isinstance(dtype, DType):
                return StorageRef(dtype, key)
        raise DianjinError(f"{self._path}: unknown reference {str(pid)[:80]} in the pickle")


def load_state(data: bytes, path: Path) -> dict[str, Any]:
    """Read a pickled state dict.

    Args:
        data: The record data.pkl.
        path: The file that it came from, for messages.

    Returns:
        What each key holds: a `TensorRef`, a `WrapperRef`, or whatever else stood there.

    Raises:
        DianjinError: The pickle is broken, names anything unexpected, or is no state dict.
    """
    try:
        state = _Unpickler(data, path).load()
    except DianjinError:
        raise
    except Exception as error:  # a broken pickle may fail in any way
        raise DianjinError(f"{path}: unreadable state dict: {error}") from error
    if not isinstance(state, dict) or not all(isinstance(key, str) for key in state):
        raise DianjinError(f"{path}: expected a state dict, found a {type(state).__name__}")
    return state
