"""Tapped lanes and mailboxes: every step is told to somebody, for who records what happens.

A lane is tapped by giving it another class, with the same slots: so lanes that are not tapped, which are nearly all,
pay nothing for it. A tapped lane makes the same steps as before, one by one, and tells of each before anything that
follows from it: of a message that leaves before the one that gets its room, of one handed over first that it was sent,
then that it was received. A tapped mailbox tells, in the same way, whenever somebody asks it for what comes next. Pure,
as `lanes` and `mailbox` are.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from typing_extensions import TypeVar, override

from orchestra_trio.delivery.lanes import Lane
from orchestra_trio.delivery.mailbox import Mailbox
from orchestra_trio.delivery.shared import SharedLane, SharedMailbox

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orchestra_trio.delivery.credit import Credit
    from orchestra_trio.delivery.lanes import Reply, Sender, Tap
    from orchestra_trio.delivery.mailbox import Empty

__all__ = ["TappedLane", "TappedMailbox", "TappedSharedLane", "TappedSharedMailbox", "tap_asks", "tap_lane"]

T = TypeVar("T")
MessageT = TypeVar("MessageT")
SignalT = TypeVar("SignalT")


class TappedLane(Lane[T]):
    """A lane that tells of its steps."""

    __slots__ = ()

    @override
    def post(self, item: T, sender: str | None, reply: Reply | None = None) -> bool:
        receiver = next(iter(self._receivers), None)
        if receiver is not None:
            self.tap("send", self, item, sender, is_request=reply is not None)
            self.tap("receive", self, item, None, who=receiver)
            return super().post(item, sender, reply)
        is_posted = super().post(item, sender, reply)
        if is_posted:
            self.tap("send", self, item, sender, is_request=reply is not None)
        return is_posted

    @override
    def post_many(self, items: Sequence[T], start: int, sender: str | None) -> int:
        posted = 0
        while start + posted < len(items) and self.post(items[start + posted], sender):
            posted += 1
        return posted

    @override
    def take(self) -> T:
        if not self.items:
            self._admit()
        self.tap("receive", self, self.items[0], None, who=self._turn.taker)
        return super().take()

    @override
    def take_many(self, limit: int) -> list[T]:
        if not self.items and self.offers:
            self._admit()
        for item in islice(self.items, limit):
            self.tap("receive", self, item, None)
        return super().take_many(limit)

    @override
    def lend_posts(self, credit: Credit) -> None:
        """Lend none: each step is told."""

    @override
    def lend_takes(self, credit: Credit) -> None:
        """Lend none: each step is told."""

    @override
    def offer(self, waiting: Sender, item: T, sender: str | None, reply: Reply | None) -> bool:
        self.tap("block", self, item, sender, is_request=reply is not None, who=waiting)
        return super().offer(waiting, item, sender, reply)

    @override
    def withdraw(self, waiting: Sender) -> bool:
        offer = self.offers.get(waiting)
        if offer is not None:
            self.tap("withdraw", self, offer.item, offer.sender, is_request=offer.reply is not None, who=waiting)
        return super().withdraw(waiting)

    @override
    def _admit(self) -> None:
        waiting, offer = next(iter(self.offers.items()))
        self.tap("send", self, offer.item, offer.sender, is_request=offer.reply is not None, who=waiting)
        super()._admit()


class TappedSharedLane(SharedLane[T], TappedLane[T]):
    """The same, each step and what is told of it under the lane's lock."""

    __slots__ = ()


def tap_lane(lane: Lane[T], tap: Tap[T]) -> None:
    """Tell somebody of every step of a lane from now on; they must not raise."""
    lane.end_credit()
    lane.tap = tap
    if isinstance(lane, SharedLane):
        lane.__class__ = TappedSharedLane
    else:
        lane.__class__ = TappedLane


class TappedMailbox(Mailbox[MessageT, SignalT]):
    """A mailbox that tells when somebody asks for what comes next, whether there is anything or not."""

    __slots__ = ()

    @override
    def take(self) -> MessageT | SignalT | Empty:
        self._ask()
        return super().take()

    @override
    def take_many(self, limit: int) -> list[MessageT | SignalT]:
        self._ask()
        return super().take_many(limit)

    @override
    def take_signal(self) -> SignalT | Empty:
        self._ask()
        return super().take_signal()

    def _ask(self) -> None:
        if self.on_ask is not None and self._turn.taker is None:  # who takes for somebody else asks for nothing
            self.on_ask()


class TappedSharedMailbox(SharedMailbox[MessageT, SignalT], TappedMailbox[MessageT, SignalT]):
    """The same, under the mailbox's lock."""

    __slots__ = ()


def tap_asks(mailbox: Mailbox[Any, Any], on_ask: Callable[[], object]) -> None:
    """Tell somebody whenever a mailbox is asked for what comes next; they must not raise."""
    mailbox.bounded.end_credit()
    mailbox.on_ask = on_ask
    if isinstance(mailbox, SharedMailbox):
        mailbox.__class__ = TappedSharedMailbox
    else:
        mailbox.__class__ = TappedMailbox
