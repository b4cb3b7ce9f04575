"""Convert floating-point types as torch does on the CPU, NaNs included.

Rounding is to nearest, ties to even; what is too large becomes infinite; denormals are kept. The
bits of a NaN carry no meaning and vary between torch's code paths; these are those of its
vectorised ones.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge.dtypes import DTYPES, FLOATS, DType

if TYPE_CHECKING:
    import numpy as np

TARGETS = {"bf16": DTYPES["bfloat16"], "fp16": DTYPES["float16"], "fp32": DTYPES["float32"]}

_BLOCK = 1 << 16  # elements at a time: intermediate results stay in the cache


def target_dtype(stored: DType, dtype: str) -> DType:
    """The type to write a stored type as.

    Args:
        stored: The type in the rank files.
        dtype: `keep`, `bf16`, `fp16` or `fp32`.

    Returns:
        The type; integers, booleans and 8-bit floats stay what they are.

    Raises:
        DianjinError: `dtype` is none of these.
    """
    if dtype != "keep" and dtype not in TARGETS:
        raise DianjinError(f"dtype: expected keep, {', '.join(TARGETS)}; got {dtype!r}")
    return TARGETS.get(dtype, stored) if stored.name in FLOATS else stored


Convert = Callable[[memoryview, memoryview], None]


def converter(stored: DType, dtype: DType) -> Convert | None:
    """Make a function from bytes of one type to bytes of another.

    Returns:
        A function that fills its second argument from its first, both of as many elements; it may
        run in several threads. None if the types are equal.

    Raises:
        DianjinError: numpy, which converts, is missing.
    """
    if stored == dtype:
        return None
    try:
        import numpy as np
    except ImportError as error:
        raise DianjinError(
            "converting the element type needs numpy (pip install numpy); keep needs nothing"
        ) from error
    widen, narrow = _widen(stored), _narrow(dtype, stored)
    source = {8: np.float64, 4: np.float32, 2: np.uint16}[stored.size]
    target = {4: np.float32, 2: np.uint16}[dtype.size]

    def convert(data: memoryview, out: memoryview) -> None:
        values, made = np.frombuffer(data, source), np.frombuffer(out, target)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            for start in range(0, len(values), _BLOCK):
                made[start : start + _BLOCK] = narrow(widen(values[start : start + _BLOCK]))

    return convert


def _widen(stored: DType) -> Callable[["np.ndarray[Any, Any]"], "np.ndarray[Any, Any]"]:
    """To float32."""
    import numpy as np

    if stored.name == "bfloat16":
        return lambda bits: (bits.astype(np.uint32) << 16).view(np.float32)
    if stored.name == "float16":

        def half(bits: Any) -> Any:
            wide = bits.view(np.float16).astype(np.float32)
            nan = np.isnan(wide)
            if nan.any():
                odd = bits[nan].astype(np.uint32)
                quiet = (odd & 0x8000) << 16 | 0x7FC00000 | (odd & 0x3FF) << 13
                wide.view(np.uint32)[nan] = quiet
            return wide

        return half
    return lambda values: values.astype(np.float32, copy=False)


def _narrow(
    dtype: DType, stored: DType
) -> Callable[["np.ndarray[Any, Any]"], "np.ndarray[Any, Any]"]:
    """From float32."""
    import numpy as np

    if dtype.name == "bfloat16":
        one_nan = 0x7FC0 if stored.name == "float16" else 0xFFFF

        def brain(values: Any) -> Any:
            bits = values.view(np.uint32)
            # Adding just under half of the last place, or half where it is odd, rounds to even.
            rounded = (bits >> 16) & 1
            rounded += 0x7FFF
            rounded += bits
            rounded >>= 16
            nan = np.isnan(values)
            if nan.any():
                rounded[nan] = one_nan
            return rounded

        return brain
    if dtype.name == "float16":

        def half(values: Any) -> Any:
            bits = values.astype(np.float16).view(np.uint16)
            nan = np.isnan(values)
            if nan.any():
                odd = values.view(np.uint32)[nan]
                bits[nan] = (odd >> 16 & 0x8000) | 0x7E00 | (odd >> 13 & 0x3FF)
            return bits

        return half
    return lambda values: values
