"""Time limits of a test whose subject may have threads at work.

A mock clock that jumps does so as soon as all tasks wait, and a thread at work is no task: the limit would be over
before the thread had done anything. So while one is at work, the limit counts in real seconds.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import attrs
import trio
import trio.testing

from orchestra_trio.runtime.watch.stances import Stances, tasks_under, waits_for_thread

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from orchestra_trio.runtime.life.live import LiveSubsystem

__all__ = ["Limit", "limited_once", "works_in_thread"]

_PAUSE: Final = 0.001
"""Seconds between two looks at a thread."""


@attrs.define(eq=False)
class Limit:
    """How long the calls of one expectation may take, all together."""

    seconds: float
    """Infinite for no limit."""
    _deadline: float = attrs.Factory(lambda self: trio.current_time() + self.seconds, takes_self=True)
    """On trio's clock; moves on with it while a thread is at work."""
    _last: float = attrs.Factory(lambda self: time.monotonic() + self.seconds, takes_self=True)
    """On the system's clock: for how long that may go."""

    async def keeps(self, live: LiveSubsystem, call: Callable[[], Awaitable[object]]) -> bool:  # noqa: ASYNC910 - a call that returns at once has checked for cancellation
        """Await a call; return whether it has returned before the limit was over.

        Args:
            live: The subject.
            call: May be cancelled and called again without loss.
        """
        while True:
            with trio.CancelScope(deadline=self._deadline):
                await call()
                return True
            if not await _pause_for_threads(live, self._last):
                return False
            self._deadline = trio.current_time() + self.seconds


async def limited_once(
    live: LiveSubsystem, seconds: float, nursery: trio.Nursery, call: Callable[[], Awaitable[object]]
) -> bool:
    """Await a call that must not be called twice; return whether it has returned before the limit was over.

    Args:
        live: The subject.
        seconds: The limit; infinite for none.
        nursery: Where what watches the limit runs, on a mock clock.
        call: Cancelled when the limit is over.
    """
    watching = trio.CancelScope()
    with trio.CancelScope() as scope:
        if _is_mocked():
            nursery.start_soon(_watch, live, seconds, scope, watching)
        else:
            scope.deadline = trio.current_time() + seconds
        try:
            await call()
        finally:
            watching.cancel()
        return True
    return False


def works_in_thread(live: LiveSubsystem) -> bool:
    """Return whether a thread of a subsystem is at work, rather than waiting in a call of its context."""
    if live.root is None:
        return False
    stances = Stances(live)
    return any(
        waits_for_thread(task) and not (task in live.hosts and stances.of(task).says_all)
        for task in tasks_under(live.root)
    )


def _is_mocked() -> bool:
    return isinstance(trio.lowlevel.current_clock(), trio.testing.MockClock)


async def _pause_for_threads(live: LiveSubsystem, last: float) -> bool:
    """Wait a moment if a thread of the subject is at work; return False if there is none, or the limit is over."""
    if not (_is_mocked() and works_in_thread(live) and time.monotonic() < last):
        return False  # noqa: ASYNC910 - callers have waited
    await trio.to_thread.run_sync(time.sleep, _PAUSE)
    return True


async def _watch(live: LiveSubsystem, seconds: float, limit: trio.CancelScope, watching: trio.CancelScope) -> None:
    """Cancel a scope when the limit is over, unless the watching was cancelled before."""
    last = time.monotonic() + seconds
    with watching:
        while True:
            await trio.sleep(seconds)
            if not await _pause_for_threads(live, last):
                limit.cancel()
                return
