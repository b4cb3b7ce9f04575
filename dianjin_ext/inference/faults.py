"""Why there is no reply. A fault of the configuration is a `DianjinError` instead."""

__all__ = ["Outage", "Refused", "Spent", "Transient", "Unclear"]


class Outage(Exception):
    """The model can't be asked; says nothing about what it would reply."""


class Transient(Outage):
    """A request failed in a way that may pass.

    Attributes:
        retry_after: Seconds that the server asked to wait; None where it named none.
        crowded: Whether the server said that it gets too much (429, 503).
        unreadable: Whether a reply came that can't be read.
    """

    def __init__(
        self,
        message: str,
        retry_after: float | None = None,
        *,
        crowded: bool = False,
        unreadable: bool = False,
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.crowded = crowded
        self.unreadable = unreadable


class Refused(Outage):
    """The server will not answer this request, however often it is asked.

    Attributes:
        filtered: Whether a content filter is why.
    """

    def __init__(self, message: str, *, filtered: bool = False) -> None:
        super().__init__(message)
        self.filtered = filtered


class Spent(Outage):
    """A budget is spent."""


class Unclear(Exception):
    """The model replied, but not in the form that was asked for."""
