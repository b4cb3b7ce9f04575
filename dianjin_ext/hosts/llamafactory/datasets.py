"""Data-set names that `dataset:` accepts without a `dataset_info.json`.

`dianjin_x` stands for the file `x.json` of `{"instruction": …, "output": …}` rows, as `dianjin
prepare` writes them, one for each data source. Imported by the hook once `llamafactory.data.parser`
has been executed.
"""

import functools
import json
import os
from pathlib import Path
from typing import Any

from llamafactory.data import parser

from dianjin_ext.errors import DianjinError

PREFIX = "dianjin_"
NAMES = ("dianjin_cflue_mcq", "dianjin_cflue_oe", "dianjin_finqa", "dianjin_ccc")
"""DianJin-R1's data sets; any other `dianjin_x` is known where its file is there."""

DATA_DIR_VARIABLE = "DIANJIN_DATA_DIR"

_COLUMNS = {"prompt": "instruction", "response": "output"}  # without it LLaMA-Factory wants `input`


def register() -> None:
    """Make LLaMA-Factory's `get_dataset_list` know the names that begin with `dianjin_`."""
    get_dataset_list = parser.get_dataset_list

    @functools.wraps(get_dataset_list)
    def with_dianjin(dataset_names: list[str] | None, dataset_dir: str | dict[str, Any]) -> Any:
        ours = _unclaimed(dataset_names or [], dataset_dir)
        if not ours:
            return get_dataset_list(dataset_names, dataset_dir)
        info = dataset_info(ours, str(dataset_dir))
        attributes = []
        for name in dataset_names or []:
            attributes += get_dataset_list([name], info if name in info else dataset_dir)
        return attributes

    parser.get_dataset_list = with_dianjin


def dataset_info(names: list[str], dataset_dir: str) -> dict[str, dict[str, Any]]:
    """Return LLaMA-Factory's `dataset_info` entries for names that begin with `dianjin_`.

    The file of `dianjin_x` is `x.json` or `sft/x.json` (where `dianjin prepare` puts it) in
    `dataset_dir`, else in the folder that the environment variable `DIANJIN_DATA_DIR` names.

    Raises:
        DianjinError: Files are missing; all of them are named.
    """
    folders = [dataset_dir, *filter(None, [os.environ.get(DATA_DIR_VARIABLE)])]
    info, missing = {}, []
    for name in names:
        file = name.removeprefix(PREFIX) + ".json"
        places = [Path(folder, sub) for folder in folders for sub in (file, f"sft/{file}")]
        found = next((place for place in places if place.is_file()), None)
        if found is None:
            missing.append(f"{name} (looked for {', '.join(map(str, places))})")
        else:
            info[name] = {"file_name": str(found.absolute()), "columns": _COLUMNS}
    if unknown := [name for name in names if name not in info and name not in NAMES]:
        raise DianjinError(
            f"dataset {', '.join(unknown)} is neither in {Path(dataset_dir, 'dataset_info.json')} "
            f"nor one of {', '.join(NAMES)}, and there is no file for it: "
            f"{'; '.join(m for m in missing if m.split(' ')[0] in unknown)}"
        )
    if missing:
        raise DianjinError(
            f"no file for dataset {'; '.join(missing)}. `dianjin prepare cflue FILE --out "
            f"{dataset_dir}` makes cflue_mcq.json; any other is a JSON list of "
            '{"instruction", "output"} rows. Put the file in one of these places, point '
            f"dataset_dir or {DATA_DIR_VARIABLE} at its folder, or leave the name out of dataset="
        )
    return info


def _unclaimed(names: list[str], dataset_dir: str | dict[str, Any]) -> list[str]:
    """Return the names with our prefix that the user's own `dataset_info.json` doesn't define.

    Where data sets come from a hub or a dict, and where the file can't be read, there are none:
    LLaMA-Factory then says what is wrong.
    """
    if not isinstance(dataset_dir, str) or dataset_dir.startswith(("ONLINE", "REMOTE:")):
        return []
    ours = [name for name in names if name.startswith(PREFIX)]
    path = Path(dataset_dir, "dataset_info.json")
    if not ours or not path.exists():
        return ours
    try:
        users = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [name for name in ours if name not in users]
