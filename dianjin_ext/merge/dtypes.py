"""Element types under their three names: torch's, safetensors' and the old storage classes'."""

from typing import NamedTuple


class DType(NamedTuple):
    """One element type.

    Attributes:
        name: The name in torch and in config.json, such as `bfloat16`.
        code: The name in a safetensors header, such as `BF16`.
        size: Bytes an element.
    """

    name: str
    code: str
    size: int


# https://huggingface.co/docs/safetensors: the types that the format knows.
DTYPES = {
    name: DType(name, code, size)
    for name, code, size in [
        ("float64", "F64", 8),
        ("float32", "F32", 4),
        ("float16", "F16", 2),
        ("bfloat16", "BF16", 2),
        ("float8_e4m3fn", "F8_E4M3", 1),
        ("float8_e5m2", "F8_E5M2", 1),
        ("int64", "I64", 8),
        ("int32", "I32", 4),
        ("int16", "I16", 2),
        ("int8", "I8", 1),
        ("uint64", "U64", 8),
        ("uint32", "U32", 4),
        ("uint16", "U16", 2),
        ("uint8", "U8", 1),
        ("bool", "BOOL", 1),
    ]
}

# torch.save names the type of most tensors by the class of their storage.
STORAGES = {
    "DoubleStorage": DTYPES["float64"],
    "FloatStorage": DTYPES["float32"],
    "HalfStorage": DTYPES["float16"],
    "BFloat16Storage": DTYPES["bfloat16"],
    "LongStorage": DTYPES["int64"],
    "IntStorage": DTYPES["int32"],
    "ShortStorage": DTYPES["int16"],
    "CharStorage": DTYPES["int8"],
    "ByteStorage": DTYPES["uint8"],
    "BoolStorage": DTYPES["bool"],
}

FLOATS = ("float64", "float32", "bfloat16", "float16")
