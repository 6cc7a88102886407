"""When something about the subject comes to hold, of which nobody tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import trio

from orchestra_trio.runtime.watch.standing import leading_tasks

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra_trio.runtime.life.live import LiveSubsystem

__all__ = ["Lookout", "is_at_rest"]


@attrs.define(eq=False)
class Lookout(trio.abc.Instrument):
    """Looks for a condition before each wait of trio's loop."""

    condition: Callable[[], bool]
    found: trio.Event = attrs.Factory(trio.Event)
    _is_called: bool = False
    _token: trio.lowlevel.TrioToken = attrs.Factory(trio.lowlevel.current_trio_token)

    def before_io_wait(self, timeout: float) -> None:
        """Look. Called by trio."""
        del timeout
        if not self._is_called and self.condition():
            self._is_called = True
            self._token.run_sync_soon(self._call)  # waking a task here would come too late for this wait

    def _call(self) -> None:
        self._is_called = False
        if self.condition():
            self.found.set()


def is_at_rest(live: LiveSubsystem) -> bool:
    """Return whether a subsystem has ended, or its lanes are empty and all its tasks wait to receive.

    Background jobs do not count; a deadline around a receive does not matter.
    """
    if live.has_ended:
        return True
    if live.root is None or not live.mailbox.is_empty:
        return False
    background = set[trio.lowlevel.Task]() if live.incarnation is None else set(live.incarnation.background.values())
    receiving = live.receiving_tasks()
    return all(task in receiving for task in leading_tasks(live, background))
