"""A mailbox that threads share with trio's thread: the same lanes and the same order, each step under one lock.

The mailbox of a blocking subsystem is taken from in that subsystem's threads; the mailbox of a consumer that a blocking
subsystem sends to is filled from there. A step that finds what it needs makes its change at once, in whatever thread:
no switch of threads stands between a message and its lane. Only those who have to wait do so in trio's thread.

All that a step changes is this mailbox, and all steps hold its lock, so the laws of the lanes and their invariants
hold between any two steps. Whoever is woken is told in the same step, as everywhere; that a task is woken from another
thread a moment later is for `waiting` to arrange. Between a step that found nothing and the wait that follows it,
another thread may act: so who is about to wait looks once more, under the lock.

Signals are the exception: they are taken in trio's thread alone. There a broadcast is one step for all mailboxes, while
a thread that could take it amid that step might send a message to who does not have the broadcast yet (law 5).

This costs each step on such a mailbox about 0.1 µs, and other mailboxes nothing.
"""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any

from typing_extensions import TypeVar, override

from orchestra_trio.delivery.lanes import Lane
from orchestra_trio.delivery.mailbox import EMPTY, Mailbox

if TYPE_CHECKING:
    from collections import OrderedDict
    from collections.abc import Callable, Sequence

    from orchestra_trio.delivery.credit import Credit, Turn
    from orchestra_trio.delivery.lanes import Buried, Receiver, Reply, Sender
    from orchestra_trio.delivery.mailbox import Empty
    from orchestra_trio.records import LaneName, LaneStrategy, Readout

__all__ = ["SharedLane", "SharedMailbox"]

T = TypeVar("T")
MessageT = TypeVar("MessageT")
SignalT = TypeVar("SignalT")


class SharedLane(Lane[T]):
    """A lane whose steps hold a lock."""

    __slots__ = ("lock",)

    def __init__(
        self,
        name: LaneName,
        capacity: float,
        *,
        clock: Callable[[], float],
        receivers: OrderedDict[Receiver[Any], None] | None = None,
        tof_every: int = 16,
        turn: Turn | None = None,
        lock: RLock,
    ) -> None:
        """Make an empty lane, with the lock of its mailbox; the rest is as for `Lane`."""
        super().__init__(name, capacity, clock=clock, receivers=receivers, tof_every=tof_every, turn=turn)
        self.lock: RLock = lock

    @override
    def post(self, item: T, sender: str | None, reply: Reply | None = None) -> bool:
        with self.lock:
            return super().post(item, sender, reply)

    @override
    def put(self, item: T, sender: str | None) -> None:
        with self.lock:
            super().put(item, sender)

    @override
    def post_many(self, items: Sequence[T], start: int, sender: str | None) -> int:
        with self.lock:
            return super().post_many(items, start, sender)

    @override
    def take(self) -> T:
        with self.lock:
            return super().take()

    @override
    def take_many(self, limit: int) -> list[T]:
        with self.lock:
            return super().take_many(limit)

    @override
    def lend_posts(self, credit: Credit) -> None:
        """Lend none: each step holds the lock."""

    @override
    def lend_takes(self, credit: Credit) -> None:
        """Lend none: each step holds the lock."""

    @override
    def offer(self, waiting: Sender, item: T, sender: str | None, reply: Reply | None) -> bool:
        with self.lock:
            if super().post(item, sender, reply):
                return False
            return super().offer(waiting, item, sender, reply)

    @override
    def withdraw(self, waiting: Sender) -> bool:
        with self.lock:
            return super().withdraw(waiting)

    @override
    def bury(self) -> list[Buried[T]]:
        with self.lock:
            return super().bury()

    @override
    def holds(self, reply: Reply) -> bool:
        with self.lock:
            return super().holds(reply)

    @override
    def sent_by(self) -> dict[str | None, int]:
        with self.lock:
            return super().sent_by()

    @override
    def read(self) -> Readout:
        with self.lock:
            return super().read()


class SharedMailbox(Mailbox[MessageT, SignalT]):
    """A mailbox whose steps hold a lock."""

    __slots__ = ("lock",)

    def __init__(
        self,
        *,
        message_capacity: float,
        signal_capacity: float,
        priority_capacity: float | None = None,
        strategy: LaneStrategy,
        clock: Callable[[], float],
        tof_every: int = 16,
    ) -> None:
        """Make an empty, open mailbox. The strategy's chooser is called in whatever thread receives."""
        self.lock: RLock = RLock()
        super().__init__(
            message_capacity=message_capacity,
            signal_capacity=signal_capacity,
            priority_capacity=priority_capacity,
            strategy=strategy,
            clock=clock,
            tof_every=tof_every,
        )

    @override
    def _make_lane(
        self,
        name: LaneName,
        capacity: float,
        *,
        clock: Callable[[], float],
        receivers: OrderedDict[Receiver[Any], None] | None = None,
        tof_every: int,
    ) -> Lane[Any]:
        return SharedLane(
            name,
            capacity,
            clock=clock,
            receivers=receivers,
            tof_every=tof_every,
            turn=self._turn,
            lock=self.lock,
        )

    @property
    @override
    def is_empty(self) -> bool:
        with self.lock:
            return super().is_empty

    @override
    def take(self) -> MessageT | SignalT | Empty:
        with self.lock:
            return super().take()

    @override
    def take_many(self, limit: int) -> list[MessageT | SignalT]:
        with self.lock:
            return super().take_many(limit)

    def take_message(self) -> MessageT | SignalT | Empty:
        """Take what comes next, or `EMPTY` where that is a signal too: for other threads than trio's."""
        with self.lock:
            return EMPTY if self._signal_items else super().take()

    def take_messages(self, limit: int) -> list[MessageT | SignalT]:
        """Take up to `limit` messages; none where a signal comes next. For other threads than trio's."""
        with self.lock:
            return [] if self._signal_items else super().take_many(limit)

    @override
    def take_signal(self) -> SignalT | Empty:
        with self.lock:
            return super().take_signal()

    @override
    def put_signal(self, signal: SignalT, epoch: int | None) -> None:
        with self.lock:
            super().put_signal(signal, epoch)

    @override
    def leave(self, waiting: Receiver[Any]) -> bool:
        with self.lock:
            return super().leave(waiting)

    @override
    def widen(self, waiting: Receiver[Any]) -> None:
        with self.lock:
            super().widen(waiting)

    @override
    def has_received(self, epoch: int) -> bool:
        with self.lock:
            return super().has_received(epoch)

    @override
    def close_input(self) -> None:
        with self.lock:
            super().close_input()

    @override
    def shut(self) -> list[tuple[Lane[MessageT], Buried[MessageT]]]:
        with self.lock:
            return super().shut()
