"""What all calls of a test's side of the conversation have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

if TYPE_CHECKING:
    from orchestra_trio.runtime.running import RunningOrchestra
    from orchestra_trio.testing.harness.session import Session

__all__ = ["Side", "check_seconds"]


def check_seconds(within: object) -> None:
    """Refuse what is no time to wait.

    Raises:
        TypeError: It is no number.
        ValueError: It is negative, or nan.
    """
    if isinstance(within, bool) or not isinstance(within, int | float):
        error: type[Exception] = TypeError
    elif within >= 0:
        return
    else:  # nan too
        error = ValueError
    message = f"within must be a number of seconds, at least 0, not {within!r}"
    raise error(message)


class Side:
    """A test's side of the conversation with one subsystem."""

    def __init__(self, session: Session) -> None:
        """Made by `open_harness`; not to be made otherwise."""
        self._session = session

    @property
    def name(self) -> str:
        """The name of the subject's slot."""
        return self._session.plan.name

    @property
    def running(self) -> RunningOrchestra[Any, Any]:
        """The orchestra that the subject runs in, with the slots `test` and `peer` around it."""
        return self._session.running

    def _check_not_over(self) -> None:
        if self._session.over.is_set():
            message = f"{self.name!r} runs no more: it was terminated or cancelled, or has failed"
            raise trio.ClosedResourceError(message)

    def _seconds(self, within: float | None) -> float:
        if within is None:
            return self._session.within
        check_seconds(within)
        return within
