"""Broadcasts: one step for all mailboxes, and a wait for those that are behind.

A broadcast takes its epoch and its place in the signal lane of every subscribed, live subsystem in one step, beyond the
lane's capacity if need be. Only the broadcaster waits until all these lanes are within capacity again; neither its
timeout nor its cancellation takes anything back. So all subsystems receive the broadcasts that they subscribe to in
the same order (law 4), and none is ever left behind (law 5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import trio

from orchestra_trio.errors import SubsystemExited, SubsystemStalled, UndeclaredMessage
from orchestra_trio.runtime.watch.standing import stand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orchestra_trio.runtime.life.live import LiveSubsystem
    from orchestra_trio.wiring.routing import Routes

__all__ = ["Settling", "Signals"]


@attrs.define(eq=False)
class Settling:
    """Somebody who waits until each of some subsystems has taken enough signals, or has ended."""

    is_settled: Callable[[LiveSubsystem], bool]
    pending: dict[str, LiveSubsystem] = attrs.Factory(dict[str, "LiveSubsystem"])
    done: trio.Event = attrs.Factory(trio.Event)

    @classmethod
    def of(cls, subsystems: Iterable[LiveSubsystem], is_settled: Callable[[LiveSubsystem], bool]) -> Settling:
        """Watch those of the subsystems that are not settled yet."""
        settling = cls(is_settled)
        for live in subsystems:
            if not (live.has_ended or is_settled(live)):
                settling.pending[live.name] = live
                live.watchers[settling] = None
        if not settling.pending:
            settling.done.set()
        return settling

    def look_again(self, live: LiveSubsystem, /) -> None:
        """Look at a subsystem that has taken a signal, or has ended."""
        if live.has_ended or self.is_settled(live):
            del self.pending[live.name]
            del live.watchers[self]
            if not self.pending:
                self.done.set()

    def leave(self) -> None:
        """Watch no longer."""
        for live in self.pending.values():
            del live.watchers[self]


def _is_within_capacity(live: LiveSubsystem) -> bool:
    """Return whether a subsystem's signal lane is within its capacity."""
    lane = live.mailbox.signals
    return len(lane) <= lane.capacity


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
        settling = Settling.of(recipients, _is_within_capacity)
        try:
            with trio.move_on_after(within):
                await settling.done.wait()
                return
            if not settling.pending:
                return  # the last of them took its signal in the very step in which the time was over
            standings = [stand(live) for live in settling.pending.values()]
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
        settling = Settling.of(self.subsystems.values(), lambda live: live.mailbox.has_received(epoch))
        try:
            await settling.done.wait()
        finally:
            settling.leave()
