"""Check a merged folder on its own: is everything there, and is it what was written?"""

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge.adapters import WEIGHTS as ADAPTER
from dianjin_ext.merge.dtypes import DTYPES
from dianjin_ext.merge.plan import INDEX
from dianjin_ext.merge.sidefiles import read_config

SUMS = "SHA256SUMS"  # what sha256sum writes: `sha256sum -c SHA256SUMS` reads it too

_SIZES = {dtype.code: dtype.size for dtype in DTYPES.values()}


@dataclass(frozen=True)
class CheckReport:
    """What a check found in order.

    Attributes:
        tensors: How many tensors.
        files: How many weight files.
        nbytes: Bytes of the weight files.
        hashed: Files whose SHA-256 was compared; 0 if the folder has no SHA256SUMS.
    """

    tensors: int
    files: int
    nbytes: int
    hashed: int


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_sums(folder: Path, known: dict[str, str]) -> None:
    """Write SHA256SUMS over all visible files of a folder.

    Args:
        folder: The folder.
        known: Sums that need not be computed again, by path in the folder.
    """
    lines = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith("."):
            lines.append(f"{known.get(name) or sha256_of(path)}  {name}\n")
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def check_merged(folder: Path) -> CheckReport:
    """Check a merged folder.

    The config and every weight file of the index must be there, every header must fit its file
    and the index, and every file must have its SHA-256 if the folder has SHA256SUMS.

    Raises:
        DianjinError: Something is missing or damaged; the message says which file.
    """
    if not (folder / "config.json").is_file():
        raise DianjinError(f"{folder} holds no config.json, so it is no merged model")
    read_config(folder / "config.json")
    index = folder / INDEX
    where: dict[str, str] | None = None
    if index.exists():
        where = read_config(index).get("weight_map")
        if not isinstance(where, dict) or not where:
            raise DianjinError(f"{index}: expected a weight_map")
    names = sorted(set(where.values())) if where else ["model.safetensors"]
    adapter = folder / ADAPTER
    if where is None and adapter.is_file() and not (folder / names[0]).exists():
        names = []  # made of a checkpoint that held the adapter only
    found: dict[str, str] = {}
    for name in names:
        for tensor in _read_header(folder / name):
            if tensor in found:
                raise DianjinError(f"{tensor} is in both {found[tensor]} and {name} of {folder}")
            found[tensor] = name
    if where is not None and where != found:
        tensor = sorted(k for k in where.keys() | found.keys() if where.get(k) != found.get(k))[0]
        raise DianjinError(
            f"{index} places {tensor} in {where.get(tensor, 'no file')}, but it is in "
            f"{found.get(tensor, 'no file')}"
        )
    if adapter.is_file():
        names.append(ADAPTER)
        found |= dict.fromkeys(_read_header(adapter), ADAPTER)
    nbytes = sum((folder / name).stat().st_size for name in names)
    return CheckReport(len(found), len(names), nbytes, _check_sums(folder))


def _read_header(path: Path) -> dict[str, Any]:
    """Read a safetensors header and check that its tensors fill the file without gaps."""
    if not path.is_file():
        raise DianjinError(f"{path} is missing; merge again")
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header: dict[str, Any] = json.loads(file.read(min(length, size)))
        header.pop("__metadata__", None)
        spans = []
        for tensor in header.values():
            begin, end = tensor["data_offsets"]
            if end - begin != math.prod(tensor["shape"]) * _SIZES[tensor["dtype"]]:
                raise ValueError("offsets do not fit the shape")
            spans.append((begin, end))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DianjinError(
            f"{path}: unreadable safetensors header ({error}); merge again"
        ) from error
    position = 0
    for begin, end in sorted(spans):
        if begin != position:
            raise DianjinError(
                f"{path}: gap or overlap at byte {position} of the data; merge again"
            )
        position = end
    if 8 + length + position != size:
        raise DianjinError(
            f"{path} has {size} bytes, but its header tells of {8 + length + position}; merge again"
        )
    return header


def _check_sums(folder: Path) -> int:
    sums = folder / SUMS
    if not sums.exists():
        return 0
    lines = sums.read_text(encoding="utf-8").splitlines()
    for line in lines:
        expected, _, name = line.partition("  ")
        if not (folder / name).is_file():
            raise DianjinError(f"{folder / name} is missing, but {SUMS} lists it; merge again")
        if sha256_of(folder / name) != expected:
            raise DianjinError(
                f"{folder / name}: its SHA-256 is not the one in {SUMS}; the file was changed or "
                "damaged after the merge"
            )
    return len(lines)
