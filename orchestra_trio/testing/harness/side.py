"""What all calls of a test's side of the conversation have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

if TYPE_CHECKING:
    from orchestra_trio.runtime.running import RunningOrchestra
    from orchestra_trio.testing.harness.session import Session

__all__ = ["Side"]


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
        return self._session.within if within is None else within
