"""The mailbox: the four lanes of one subsystem, and the order in which they are served.

Pure: it decides what comes next and knows neither trio nor tasks. Whoever waits at it is an opaque receiver or sender
(`lanes`), told in the same step in which what they wait for happens; `waiting` lays tasks around it.

The order, which no other module may decide:

1. A signal comes before any message (law 3).
2. Among the message lanes that have something, the strategy chooses (law 6); within a lane, first in, first out.
3. Receivers are served in the order in which they came. One that waits for signals alone is passed over by messages.

A broadcast is put into the signal lanes of all mailboxes in one step. Since signals come first, no message sent after
its sender received the broadcast can be received before its consumer has received it too (law 5), and nothing has to
be held back for that.

States: *open* → *input closed* (nothing more will be sent; what lies here is still received) → *exhausted* (and
nothing lies here) → *shut* (the consumer has ended; what lay here was buried). A mailbox never goes back, but it may
go from any state to *shut*.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any, Final, Generic

from typing_extensions import TypeVar

from orchestra_trio.delivery.credit import Turn
from orchestra_trio.delivery.lanes import Lane

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra_trio.delivery.credit import Credit
    from orchestra_trio.delivery.lanes import Buried, Receiver
    from orchestra_trio.records import LaneName, LaneStrategy, MessageLane

__all__ = ["EMPTY", "Empty", "Mailbox"]

MessageT = TypeVar("MessageT")
SignalT = TypeVar("SignalT")


class Empty:
    """The type of `EMPTY`."""

    __slots__ = ()


EMPTY: Final = Empty()
"""What `take` returns when there is nothing: an exception would cost more than the rest of the call."""


def _ignore() -> None:
    """Do nothing: the default for a hook."""


class Mailbox(Generic[MessageT, SignalT]):
    """Four lanes, and who comes next.

    Attributes:
        signals, priority, unbounded, bounded: The lanes; without a priority lane, `priority` is None.
        receivers: Who waits for anything, in the order they came.
        signal_receivers: Who waits for signals alone, in the order they came.
        epoch: The number of the last broadcast that was taken; 0 before the first.
        input_closed: Whether nothing more will be sent.
        on_signal_taken: Called after each signal that leaves, with the mailbox already changed.
        on_ask: Called whenever somebody asks for what comes next; None unless the mailbox is tapped (`tapped`).
    """

    __slots__ = (
        "_bounded_items",
        "_chooser",
        "_contested",
        "_epochs",
        "_priority_items",
        "_signal_items",
        "_turn",
        "_unbounded_items",
        "bounded",
        "epoch",
        "input_closed",
        "on_ask",
        "on_signal_taken",
        "priority",
        "receivers",
        "signal_receivers",
        "signals",
        "unbounded",
    )

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
        """Make an empty, open mailbox. The capacities count messages; the clock gives seconds."""
        self.receivers: OrderedDict[Receiver[Any], None] = OrderedDict()
        self.signal_receivers: OrderedDict[Receiver[Any], None] = OrderedDict()
        self._turn = Turn()

        def lane(name: MessageLane, capacity: float) -> Lane[MessageT]:
            return self._make_lane(name, capacity, clock=clock, receivers=self.receivers, tof_every=tof_every)

        self.bounded: Lane[MessageT] = lane("bounded", message_capacity)
        self.unbounded: Lane[MessageT] = lane("unbounded", math.inf)
        self.priority: Lane[MessageT] | None = (
            None if priority_capacity is None else lane("priority", priority_capacity)
        )
        self.signals: Lane[SignalT] = self._make_lane("signals", signal_capacity, clock=clock, tof_every=tof_every)
        self._priority_items: deque[MessageT] | tuple[()] = () if self.priority is None else self.priority.items
        self._epochs: deque[int | None] = deque()
        self._signal_items = self.signals.items
        self._bounded_items = self.bounded.items
        self._unbounded_items = self.unbounded.items
        self._chooser = strategy.chooser()
        self._contested = False
        self.epoch: int = 0
        self.input_closed: bool = False
        self.on_signal_taken: Callable[[], None] = _ignore
        self.on_ask: Callable[[], object] | None = None

    def _make_lane(
        self,
        name: LaneName,
        capacity: float,
        *,
        clock: Callable[[], float],
        receivers: OrderedDict[Receiver[Any], None] | None = None,
        tof_every: int,
    ) -> Lane[Any]:
        return Lane(name, capacity, clock=clock, receivers=receivers, tof_every=tof_every, turn=self._turn)

    @property
    def message_lanes(self) -> tuple[Lane[MessageT], ...]:
        """The message lanes there are: priority before unbounded before bounded."""
        if self.priority is None:
            return (self.unbounded, self.bounded)
        return (self.priority, self.unbounded, self.bounded)

    @property
    def is_empty(self) -> bool:
        """Whether nothing lies here, and nothing waits to be let in."""
        if self._bounded_items or self._signal_items or self._unbounded_items or self._priority_items:
            return False
        # Only a lane of capacity 0 has offers while it is empty.
        return not (self.bounded.offers or (self.priority is not None and self.priority.offers))

    @property
    def is_exhausted(self) -> bool:
        """Whether nothing lies here and nothing will be sent: end-of-input."""
        return self.input_closed and self.is_empty

    def take(self) -> MessageT | SignalT | Empty:
        """Take what comes next, or `EMPTY`."""
        if self._signal_items:
            return self._take_signal()
        if self._unbounded_items or self._priority_items:
            lane = self._choose()
        elif self._bounded_items or self.bounded.offers:
            # Offers alone: only a lane of capacity 0 has them while it is empty.
            lane = self.bounded
            if self._contested:
                self._begin_anew()
        else:
            return EMPTY
        item = lane.take()
        if self.input_closed:
            self._end_if_exhausted()
        return item

    def take_many(self, limit: int) -> list[MessageT | SignalT]:
        """Take what comes next: one signal alone, or up to `limit` messages; an empty list if there is nothing."""
        if self._signal_items:
            return [self._take_signal()]
        batch: list[MessageT | SignalT] = []
        while len(batch) < limit and (self._unbounded_items or self._priority_items):
            try:
                lane = self._choose()
            except Exception:
                if not batch:
                    raise
                return batch  # what was taken must not be lost; the strategy fails again at the next call
            batch.append(lane.take())
        if len(batch) < limit and (self._bounded_items or self.bounded.offers):
            if self._contested:
                self._begin_anew()
            batch += self.bounded.take_many(limit - len(batch))
        if self.input_closed:
            self._end_if_exhausted()
        return batch

    def lend_takes(self, credit: Credit) -> None:
        """Let who has just taken a message from the bounded lane take more on credit, if nothing has precedence."""
        is_preceded = self._signal_items or self._unbounded_items or self._priority_items
        if not (is_preceded or self._contested or self.input_closed):  # after a contest, the next take begins anew
            self.bounded.lend_takes(credit)

    def take_signal(self) -> SignalT | Empty:
        """Take the next signal, or `EMPTY`; messages stay where they are."""
        return self._take_signal() if self._signal_items else EMPTY

    def put_signal(self, signal: SignalT, epoch: int | None) -> None:
        """Put a signal into its lane, beyond its capacity if need be; a broadcast has an epoch, another signal none."""
        self._epochs.append(epoch)
        self.signals.put(signal, None)
        if self.signal_receivers or self.receivers:
            # Those who wait for signals alone come first: nothing else can wake them.
            receiver, _ = (self.signal_receivers or self.receivers).popitem(last=False)
            receiver.hand(self._take_signal())

    def leave(self, waiting: Receiver[Any]) -> bool:
        """Let somebody wait no longer; return whether they did, rather than having been served before."""
        for queue in (self.signal_receivers, self.receivers):
            if waiting in queue:
                del queue[waiting]
                return True
        return False

    def widen(self, waiting: Receiver[Any]) -> None:
        """Let somebody who waits for signals alone wait for anything from now on, behind all others who do.

        What lies here already they get at once. Who was served meanwhile is let alone.
        """
        if waiting not in self.signal_receivers:
            return
        del self.signal_receivers[waiting]  # first: taking the last item of a closed mailbox ends those who wait
        self._turn.taker = waiting
        try:
            item = self.take()
        except Exception:
            self.signal_receivers[waiting] = None  # the strategy failed: it waits on, behind others who do
            raise
        finally:
            self._turn.taker = None
        if isinstance(item, Empty):
            self.receivers[waiting] = None
        else:
            waiting.hand(item)

    def has_received(self, epoch: int) -> bool:
        """Return whether no broadcast up to this epoch lies here."""
        first = next((one for one in self._epochs if one is not None), None)
        return first is None or first > epoch

    def close_input(self) -> None:
        """Let nothing more be expected: when all that lies here was taken, receivers are told that it was the last."""
        self._turn.end()  # from now on, each that is taken may be the last, which those who wait are told
        self.input_closed = True
        self._end_if_exhausted()

    def shut(self) -> list[tuple[Lane[MessageT], Buried[MessageT]]]:
        """Shut all lanes for good and return the messages that lay in them; signals are only dropped.

        Offers stay in their lanes: whoever shuts the mailbox says what becomes of them.
        """
        self.input_closed = True
        self.signals.bury()
        self._epochs.clear()
        buried = [(lane, dead) for lane in self.message_lanes for dead in lane.bury()]
        self._end_receivers()
        return buried

    def _take_signal(self) -> SignalT:
        signal = self.signals.take()
        epoch = self._epochs.popleft()
        if epoch is not None:
            self.epoch = epoch
        self.on_signal_taken()
        return signal

    def _choose(self) -> Lane[MessageT]:
        """Return the lane that the strategy picks; with no rival, the choice begins anew at the next contest."""
        ready: dict[Any, Lane[MessageT]] = {lane.name: lane for lane in self.message_lanes if lane.items or lane.offers}
        if len(ready) == 1:
            self._begin_anew()
            return next(iter(ready.values()))
        self._contested = True
        answer = self._chooser(tuple(ready))
        try:
            return ready[answer]
        except KeyError:
            message = f"a lane strategy must choose one of {', '.join(ready)}, which have something, not {answer!r}"
            raise ValueError(message) from None

    def _begin_anew(self) -> None:
        self._contested = False
        self._chooser.reset()

    def _end_if_exhausted(self) -> None:
        if self.is_empty:
            self._end_receivers()

    def _end_receivers(self) -> None:
        for queue in (self.receivers, self.signal_receivers):
            while queue:
                receiver, _ = queue.popitem(last=False)
                receiver.end()
