"""Whether a component of the wiring is at rest: nothing in it will move unless something comes from outside.

A task is at rest while it waits in its subsystem's receive without a deadline set inside the orchestra, or at the end
of a nursery whose tasks are all at rest. A component is at rest when its members' lanes are empty and all their tasks
are at rest; background jobs always count as resting.

There is no event for the moment at which a task reaches the end of its own nursery, so rest is looked for before each
wait of trio's loop, by an instrument that is there only while a cyclic component drains. It also hears of every task
that is scheduled, so that a member which was found at rest is looked at again only when a task of it has moved: to
drain a cycle takes time proportional to its members and what they do (a ring of 1,000: 0.1 s, and 13 s without).

The instrument only looks. When it finds rest, it asks trio to call back, and the call makes sure that it still holds:
waking a task from inside the instrument would come too late for the wait that is about to begin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import trio
from trio.lowlevel import Task

from orchestra_trio.delivery.trio_internals import has_deadline_within
from orchestra_trio.runtime.watch.standing import leading_tasks

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra_trio.runtime.life.live import LiveSubsystem

__all__ = ["RestWatch", "Watched", "is_at_rest"]


def is_at_rest(live: LiveSubsystem, scope: trio.CancelScope, outer_deadline: float) -> bool:
    """Return whether nothing of a live subsystem will move unless something comes from outside.

    Args:
        live: The subsystem.
        scope: The cancel scope of the orchestra's nursery.
        outer_deadline: The effective deadline around the orchestra, on trio's clock.
    """
    if live.root is None or live.mailbox.input_closed or not live.mailbox.is_empty:
        return False  # a member that was told to end moves until it has ended
    receiving = live.receiving_tasks()
    background = None if live.incarnation is None else live.incarnation.background
    for task in leading_tasks(live, () if background is None else set(background.values())):
        if task not in receiving:
            return False
        nearer = outer_deadline - live.noted_deadlines.get(task, outer_deadline)
        if has_deadline_within(task, scope, nearer):
            return False
    return True


@attrs.define(eq=False)
class Watched:
    """One component that is watched for rest."""

    at_rest: Callable[[], bool]
    """Called whenever all living members are at rest; returns whether there are any."""
    restless: dict[str, LiveSubsystem]
    """The living members that were not found at rest since a task of theirs last moved."""
    listening: dict[str, LiveSubsystem] = attrs.Factory(dict[str, "LiveSubsystem"])
    """Members at rest where tasks wait for signals alone: messages may come without moving any."""
    is_called: bool = False
    """Whether trio was asked to call back."""


@attrs.define(eq=False)
class RestWatch(trio.abc.Instrument):
    """Finds out when components come to rest, before each wait of trio's loop."""

    scope: trio.CancelScope
    outer_deadline: float
    _watched: dict[Watched, None] = attrs.Factory(dict[Watched, None])
    _resting: dict[Task, tuple[Watched, LiveSubsystem]] = attrs.Factory(dict[Task, "tuple[Watched, LiveSubsystem]"])
    """The members that were found at rest, by their root tasks."""
    _token: trio.lowlevel.TrioToken = attrs.Factory(trio.lowlevel.current_trio_token)

    def watch(self, members: list[LiveSubsystem], at_rest: Callable[[], bool]) -> None:
        """Call `at_rest` whenever those of the members that live are at rest, until it says that none does."""
        if not self._watched:
            trio.lowlevel.add_instrument(self)
        self._watched[Watched(at_rest, {live.name: live for live in members})] = None

    def close(self) -> None:
        """Watch nothing any more."""
        if self._watched:
            self._watched.clear()
            self._resting.clear()
            trio.lowlevel.remove_instrument(self)

    def task_scheduled(self, task: Task) -> None:
        """Note that a member is not at rest any more. Called by trio."""
        ancestor: Task | None = task
        while ancestor is not None:
            found = self._resting.pop(ancestor, None)
            if found is not None:
                watched, live = found
                watched.restless[live.name] = live
                watched.listening.pop(live.name, None)
                return
            nursery = ancestor.parent_nursery
            ancestor = None if nursery is None else nursery.parent_task

    def before_io_wait(self, timeout: float) -> None:
        """Look whether anything came to rest. Called by trio."""
        del timeout  # there may be other work in the program: what counts is whether these tasks can move
        for watched in list(self._watched):
            if not watched.is_called and self._rests(watched):
                watched.is_called = True
                self._token.run_sync_soon(self._call, watched)

    def _call(self, watched: Watched) -> None:
        watched.is_called = False
        if watched in self._watched and self._rests(watched) and not watched.at_rest():
            del self._watched[watched]
            if not self._watched:
                trio.lowlevel.remove_instrument(self)

    def _rests(self, watched: Watched) -> bool:
        """Return whether all living members rest."""
        restless = watched.restless
        while restless:
            name, live = restless.popitem()
            if live.has_ended:
                continue
            if live.root is None or not is_at_rest(live, self.scope, self.outer_deadline):
                restless[name] = live  # and is the first to be looked at the next time
                return False
            self._resting[live.root] = (watched, live)
            if live.mailbox.signal_receivers:
                watched.listening[name] = live
        return all(live.mailbox.is_empty for live in watched.listening.values())
