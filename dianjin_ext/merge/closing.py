"""What is opened by `with`, and told at the end whether that failed."""

from types import TracebackType
from typing import Self


class Closing:
    """A context manager that only has to say how it is closed."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close(failed=kind is not None)

    def close(self, *, failed: bool) -> None:
        """End; `failed` is whether an exception came through."""
        raise NotImplementedError
