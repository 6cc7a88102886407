"""What all ends of one channel share: a mailbox without signals, and the counts of its ends.

A channel has a bounded lane, and where asked for a priority lane, or an unbounded one in its place.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Generic

import attrs
import trio
from typing_extensions import TypeVar

from orchestra_trio.delivery.mailbox import Mailbox
from orchestra_trio.delivery.strategies import Weighted
from orchestra_trio.records import Priority, Readout

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Never

    from orchestra_trio.delivery.lanes import Lane

__all__ = ["Channel", "Meter"]

T = TypeVar("T")


def _now() -> float:
    """Return trio's time in seconds; nan outside of a run, where channels may be made and filled too."""
    return trio.current_time() if trio.lowlevel.in_trio_run() else math.nan


def _refuse_offers(mailbox: Mailbox[Any, Never]) -> None:
    """Tell all who wait to send that the channel is broken."""
    for lane in mailbox.message_lanes:
        while lane.offers:
            waiting = next(iter(lane.offers))
            lane.withdraw(waiting)
            waiting.refuse(trio.BrokenResourceError())


def _drop(mailbox: Mailbox[Any, Never]) -> None:
    """Drop what lies in the mailbox, as trio does."""
    mailbox.shut()
    _refuse_offers(mailbox)


@attrs.define(eq=False)
class Channel(Generic[T]):
    """What all ends of one channel share. Not for users: they hold the ends."""

    mailbox: Mailbox[T, Never]
    lane: Lane[T]
    """The lane of ordinary messages: bounded or unbounded."""
    yield_every: int
    shut: Callable[[Mailbox[Any, Never]], None]
    """Called when the last receiver was closed: what becomes of what lies in the mailbox or waits for room."""
    open_senders: int = 0
    open_receivers: int = 0
    is_broken: bool = False
    """Whether senders are refused: nobody will receive what they send."""

    @classmethod
    def make(
        cls,
        capacity: float,
        *,
        priority_capacity: float | None = None,
        yield_every: int,
        tof_every: int = 16,
        shut: Callable[[Mailbox[Any, Never]], None] = _drop,
    ) -> Channel[T]:
        """Make a channel without ends, whose ordinary lane is the bounded one."""
        mailbox: Mailbox[T, Never] = Mailbox(
            message_capacity=capacity,
            signal_capacity=0,
            priority_capacity=priority_capacity,
            strategy=Weighted(),
            clock=_now,
            tof_every=tof_every,
        )
        return cls(mailbox, mailbox.bounded, yield_every, shut)

    def refuse_input(self) -> None:
        """Let senders send no more, as if the receivers were closed; those still take what lies here, and then end."""
        self.is_broken = True
        _refuse_offers(self.mailbox)
        self.mailbox.close_input()

    def break_off(self) -> None:
        """Let senders send no more, and deal with what lies here as `shut` says: nobody will receive it."""
        self.is_broken = True
        self.shut(self.mailbox)

    def lane_for(self, priority: Priority) -> Lane[T]:
        """Return the lane of messages with this priority."""
        urgent = self.mailbox.priority
        return self.lane if urgent is None or priority is Priority.NORMAL else urgent

    def statistics(self) -> trio.MemoryChannelStatistics:
        """Return how the ordinary lane stands, in trio's own form, and who waits at the channel."""
        lanes = self.mailbox.message_lanes
        return trio.MemoryChannelStatistics(
            current_buffer_used=len(self.lane),
            max_buffer_size=self.lane.capacity,
            open_send_channels=self.open_senders,
            open_receive_channels=self.open_receivers,
            tasks_waiting_send=sum(len(lane.offers) for lane in lanes),
            tasks_waiting_receive=len(self.mailbox.receivers),
            peak_buffer_used=self.lane.peak,
        )


class Meter:
    """The counters of one channel, seen from either end.

    Source:
        `Meter` in Rust orchestra. Unlike it, reading empties nothing, and `channel_len` is the length itself rather
        than a difference of counters.
    """

    __slots__ = ("_channel",)

    def __init__(self, channel: Channel[Any]) -> None:
        """Made by the channel's ends; not to be made otherwise."""
        self._channel = channel

    def read(self, priority: Priority = Priority.NORMAL) -> Readout:
        """Return the counters of one lane as they are now. Changes nothing.

        Args:
            priority: HIGH reads the priority lane where the channel has one, else the ordinary lane.
        """
        return self._channel.lane_for(priority).read()
