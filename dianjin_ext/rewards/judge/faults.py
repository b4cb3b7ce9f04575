"""Why there is no verdict. A fault of the configuration is a `DianjinError` instead."""

__all__ = ["Outage", "Transient", "Unclear"]


class Outage(Exception):
    """The judge can't be asked; says nothing about the answer."""


class Transient(Outage):
    """A request failed in a way that may pass.

    Attributes:
        retry_after: Seconds that the server asked to wait; None where it named none.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unclear(Exception):
    """The judge replied, but not in the form that was asked for."""
