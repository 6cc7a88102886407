"""Broadcasts: one step for all mailboxes, and a wait for those that are behind.

A broadcast takes its epoch and its place in the signal lane of every subscribed, live subsystem in one step, beyond the
lane's capacity if need be. Only the broadcaster waits until all these lanes are within capacity again; neither its
timeout nor its cancellation takes anything back. So all subsystems receive the broadcasts that they subscribe to in
the same order (law 4), and none is ever left behind (law 5).
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import attrs
import trio

from orchestra_trio.errors import SubsystemExited, SubsystemStalled, UndeclaredMessage
from orchestra_trio.runtime.watch.standing import stand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orchestra_trio.runtime.life.live import LiveSubsystem
    from orchestra_trio.wiring.routing import Routes

__all__ = ["Settling", "Signals", "Watch"]


@attrs.define(eq=False)
class Settling:
    """Somebody who waits until each of some subsystems is settled: has taken enough signals, or has ended."""

    epoch: int | None
    """Settled is who has received all broadcasts up to this one; with None, whose signal lane is within capacity."""
    pending: dict[str, Watch] = attrs.Factory(dict[str, "Watch"])
    """Those that are not settled yet."""
    done: trio.Event = attrs.Factory(trio.Event)

    def settle(self, name: str) -> None:
        """Wait for one subsystem no longer."""
        del self.pending[name]
        if not self.pending:
            self.done.set()

    def leave(self) -> None:
        """Wait no longer."""
        for watch in self.pending.values():
            del watch.waiting[self.epoch][self]


@attrs.define(eq=False)
class Watch:
    """All who wait until one subsystem is settled.

    Each signal that it takes is looked at once, however many wait: with a look for each, 200 tasks that broadcast at
    once to 100 subsystems made a signal cost 57 us, and 800 of them were not in time.
    """

    live: LiveSubsystem
    waiting: dict[int | None, dict[Settling, None]] = attrs.Factory(dict["int | None", dict[Settling, None]])
    """By what they wait for."""
    _epochs: list[int] = attrs.Factory(list[int])
    """Those that are waited for, as a heap: a subsystem receives broadcasts in their order."""

    def add(self, settling: Settling) -> None:
        """Let somebody wait."""
        epoch = settling.epoch
        if epoch not in self.waiting:
            self.waiting[epoch] = {}
            if epoch is not None:
                heapq.heappush(self._epochs, epoch)
        self.waiting[epoch][settling] = None
        settling.pending[self.live.name] = self
        self.live.watchers[self] = None

    def look_again(self, live: LiveSubsystem, /) -> None:
        """Look at the subsystem, which has taken a signal, or has ended."""
        settled: list[Settling] = []
        if None in self.waiting and _is_settled(live, None):
            settled += self.waiting.pop(None)
        while self._epochs and _is_settled(live, self._epochs[0]):
            settled += self.waiting.pop(heapq.heappop(self._epochs))
        for settling in settled:
            settling.settle(live.name)
        if not self.waiting:
            del live.watchers[self]


def _is_settled(live: LiveSubsystem, epoch: int | None) -> bool:
    """Return whether a subsystem is what a `Settling` waits for."""
    if live.has_ended:
        return True
    mailbox = live.mailbox
    return len(mailbox.signals) <= mailbox.signals.capacity if epoch is None else mailbox.has_received(epoch)


@attrs.define
class Signals:
    """The signals of one running orchestra."""

    orchestra: str
    routes: Routes
    subsystems: dict[str, LiveSubsystem]
    epoch: int = 0
    """The number of the last broadcast."""
    observe: Callable[[object, int], object] | None = None
    """Tells the observers of a broadcast; None while there are none."""
    _broadcast: trio.Event = attrs.Factory(trio.Event)
    """Set, and replaced, at each broadcast."""
    _watches: dict[str, Watch] = attrs.Factory(dict[str, Watch])
    """Of the subsystems that somebody has waited for."""

    def commit(self, signal: object) -> list[LiveSubsystem]:
        """Give a signal the next epoch and its place in all lanes, in one step; return who gets it.

        Raises:
            UndeclaredMessage: It is no signal of this orchestra.
        """
        names = self.routes.subscribers(type(signal))
        self.epoch += 1
        if self.observe is not None:
            self.observe(signal, self.epoch)
        subscribed = [self.subsystems[name] for name in names if name in self.subsystems]
        recipients = [live for live in subscribed if not live.has_ended]
        for live in recipients:
            live.mailbox.put_signal(signal, self.epoch)
        self._broadcast.set()
        self._broadcast = trio.Event()
        return recipients

    async def wait_within_capacity(self, recipients: Iterable[LiveSubsystem], within: float) -> None:
        """Wait for `within` seconds at the most until the signal lanes of these subsystems are within capacity.

        Raises:
            SubsystemStalled: They are not in time.
        """
        settling = self._settling(recipients, None)
        try:
            with trio.move_on_after(within):
                await settling.done.wait()
                return
            if not settling.pending:
                return  # the last of them took its signal in the very step in which the time was over
            standings = [stand(watch.live) for watch in settling.pending.values()]
        finally:
            settling.leave()
        raise SubsystemStalled(self.orchestra, "signals", within, standings)

    def find_listener(self, name: str, signal: object) -> LiveSubsystem:
        """Return the subsystem that a signal is for.

        Raises:
            ValueError: There is no such subsystem.
            UndeclaredMessage: It does not subscribe to such signals.
        """
        live = self.subsystems.get(name)
        if live is None:
            message = f"{self.orchestra} has no subsystem {name!r}; it has {', '.join(self.subsystems)}"
            raise ValueError(message)
        self.routes.check_signal(type(signal), operation=f"signal {name!r}")
        if not any(base in live.slot.signals for base in type(signal).__mro__):
            raise UndeclaredMessage(
                self.orchestra, None, type(signal), operation=f"signal {name!r}", declared=live.slot.signals
            )
        return live

    def put(self, live: LiveSubsystem, signal: object, *, is_stopping: bool) -> None:
        """Put a signal for one subsystem into its lane; it has no epoch.

        Raises:
            SubsystemExited: The subsystem has ended, without being told to.
        """
        if not live.has_ended:
            live.mailbox.put_signal(signal, None)
        elif not (is_stopping or live.was_told_to_end):
            raise SubsystemExited(self.orchestra, live.name, None, type(signal), is_signal=True)

    async def wait_epoch(self, epoch: int) -> None:
        """Wait until a broadcast was made, and all who were to get it, or an earlier one, have received it."""
        while self.epoch < epoch:
            await self._broadcast.wait()
        settling = self._settling(self.subsystems.values(), epoch)
        try:
            await settling.done.wait()
        finally:
            settling.leave()

    def _settling(self, subsystems: Iterable[LiveSubsystem], epoch: int | None) -> Settling:
        """Begin to wait for those of some subsystems that are not settled yet."""
        settling = Settling(epoch)
        for live in subsystems:
            if not _is_settled(live, epoch):
                if live.name not in self._watches:
                    self._watches[live.name] = Watch(live)
                self._watches[live.name].add(settling)
        if not settling.pending:
            settling.done.set()
        return settling
