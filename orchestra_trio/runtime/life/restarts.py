"""Restarts: which failures a subsystem survives, and how those that begin anew together wait for each other.

Every subsystem belongs to one group; without a `restart_group` it is the only member of its own. A *round* is one
restart of a group::

    a member fails -> the incarnations of all members that it concerns are cancelled -> all of them have ended
    -> the backoff is over -> all begin their next incarnations

A failure that comes before all have ended joins the round: so do errors that are raised while incarnations end. One
that comes later begins another round. Members that still wait for the end of a backoff join that one, and it lasts as
long as the longer of both backoffs. A member that has ended stays so.

Invariant: the members of a round begin at one time, after the last old incarnation has ended.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

import attrs
import trio

from orchestra_trio.errors import type_name
from orchestra_trio.logs import logger
from orchestra_trio.runtime.life.failures import without
from orchestra_trio.runtime.life.frames import let_go

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestra_trio.runtime.life.live import LiveSubsystem
    from orchestra_trio.wiring.restart import Restart

__all__ = ["Failure", "RestartGroup"]


@attrs.frozen(eq=False)
class Failure:
    """An error after which a subsystem begins anew."""

    error: BaseException
    job: str | None
    """The job that it left; None for the main task."""


@attrs.define(eq=False)
class _Round:
    """One restart of several subsystems."""

    cause: LiveSubsystem
    """The one that failed first."""
    delay: float = 0
    """Seconds from the end of the last old incarnation to the next ones."""
    begins_at: float = -math.inf
    """When the next incarnations begin, in seconds on trio's clock; until all have ended, not before what time."""
    running: dict[str, LiveSubsystem] = attrs.Factory(dict[str, "LiveSubsystem"])
    """Those whose old incarnation has not ended yet."""
    all_ended: trio.Event = attrs.Factory(trio.Event)


@attrs.define(eq=False)
class RestartGroup:
    """Subsystems that begin anew together."""

    members: Sequence[LiveSubsystem]
    """In the order of the wiring: upstream first, else as declared."""
    _rounds: dict[str, _Round] = attrs.Factory(dict[str, _Round])
    """For each member that is to begin anew, the round that it waits for."""
    _open: _Round | None = None
    """The round whose old incarnations have not all ended."""
    _failures: dict[str, deque[float]] = attrs.Factory(dict[str, "deque[float]"])
    """When each member failed, in seconds on trio's clock, as far back as its restart's `within`."""

    def is_restarting(self, live: LiveSubsystem) -> bool:
        """Return whether a member is to begin anew: its last incarnation failed, or ends for another's failure."""
        return live.name in self._rounds

    def survives(self, live: LiveSubsystem, failure: Failure) -> bool:
        """Return whether a member survives an error; if so, let those begin anew that it concerns.

        An error past the limit gets a note that says so.
        """
        restart = live.slot.restart
        if restart is None or live.incarnation is None or live.is_being_stopped:
            return False
        if without(restart.on, failure.error) is not None:
            return False
        if live.name in self._rounds:
            live.survive(failure)  # one more error on the way to the restart that is due already
            return True
        failures = self._failures.setdefault(live.name, deque())
        now = trio.current_time()
        while failures and failures[0] <= now - restart.within:
            failures.popleft()
        if len(failures) >= restart.max_restarts:
            failure.error.add_note(
                f"orchestra_trio: {live.name!r} had begun anew {restart.max_restarts} times within the last "
                f"{restart.within:g} s, which is all that its restart allows"
            )
            return False
        failures.append(now)
        live.survive(failure)
        self._begin(live, restart, restart.delay(len(failures)))
        return True

    async def wait(self, live: LiveSubsystem, failures: Sequence[Failure]) -> None:
        """Wait, after a member's incarnation has ended, until it may begin anew.

        Args:
            live: The member.
            failures: What its incarnation failed with; it goes to the log.
        """
        this = self._rounds[live.name]
        _log(live, this, failures)
        for failure in failures:
            let_go(failure.error)  # before waiting: another member may end only when it is answered
        self._note_ended(live, this)
        while True:
            await this.all_ended.wait()
            await trio.sleep_until(this.begins_at)
            if self._rounds[live.name] is this:
                break
            this = self._rounds[live.name]  # it has joined another round meanwhile
        del self._rounds[live.name]

    def leave(self, live: LiveSubsystem) -> None:
        """Let a member go that has ended."""
        left = self._rounds.pop(live.name, None)
        if left is not None:
            self._note_ended(live, left)

    def _begin(self, failed: LiveSubsystem, restart: Restart, delay: float) -> None:
        if self._open is None:
            self._open = _Round(failed)
        this = self._open
        this.delay = max(this.delay, delay)
        first = 0 if restart.order == "all" else self.members.index(failed)
        for member in self.members[first:]:
            incarnation = member.incarnation
            if incarnation is not None and (not incarnation.is_over or member is failed):
                this.running[member.name] = member
                self._rounds[member.name] = this
                incarnation.scope.cancel()
            elif member.name in self._rounds:  # it waits for the end of a backoff
                this.begins_at = max(this.begins_at, self._rounds[member.name].begins_at)
                self._rounds[member.name] = this

    def _note_ended(self, live: LiveSubsystem, this: _Round) -> None:
        this.running.pop(live.name, None)
        if this.running or this.all_ended.is_set():
            return
        this.begins_at = max(this.begins_at, trio.current_time() + this.delay)
        this.all_ended.set()
        self._open = None


def _log(live: LiveSubsystem, this: _Round, failures: Sequence[Failure]) -> None:
    """Write one record for a subsystem that begins anew, with its first error; and one for each further error."""
    where, extra = f"subsystem {live.name!r} of {live.orchestra}", live.origin.extra
    if not failures:
        logger.warning(
            "%s begins anew after a backoff of %.3g s, with %r, which failed",
            where,
            this.delay,
            this.cause.name,
            extra=extra,
        )
        return
    first, *others = failures
    task = "" if first.job is None else f" in its job {first.job!r}"
    logger.warning(
        "%s failed with %s%s and begins anew after a backoff of %.3g s",
        where,
        type_name(type(first.error)),
        task,
        this.delay,
        exc_info=first.error,
        extra=extra,
    )
    for other in others:
        logger.warning(
            "%s failed also with %s while it ended",
            where,
            type_name(type(other.error)),
            exc_info=other.error,
            extra=extra,
        )
