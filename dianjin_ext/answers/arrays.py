"""Values out of parquet files, where a list is an array of numpy."""

from typing import Any


def listed(value: Any) -> Any:
    """Return an array as a list; anything else as it is."""
    return value.tolist() if hasattr(value, "tolist") else value
