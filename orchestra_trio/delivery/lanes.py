"""One lane: a queue, who waits to put more into it, and its meter. Pure: it knows neither trio nor tasks.

Invariants, each checked by the lane's tests after every step:

* ``sent == taken + len(items)``: what left the lane was received or became a dead letter (``dead``).
* ``len(items) <= capacity``, but for signals, which a broadcast may put beyond it (``put``).
* Somebody waits to put more (``offers``) only while the lane is full, and they are served in the order they came.
* Nobody waits to take while something lies in the lane: ``post`` hands over at once.

Messages are numbered from 1 in the order in which they enter. A *mark* stands at the number of a message that needs
a second look when it leaves: its time of flight is measured, or it carries a reply end. Marks keep both off the path
of all other messages.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, Protocol

import attrs
from typing_extensions import TypeVar

from orchestra_trio.records import Readout

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orchestra_trio.records import LaneName, LaneStep

__all__ = ["Buried", "Lane", "Offer", "Receiver", "Reply", "Sender", "Tap"]

T = TypeVar("T")
ItemT_contra = TypeVar("ItemT_contra", contravariant=True)

TOF_KEPT = 100
"""How many times of flight a lane keeps."""


class Receiver(Protocol[ItemT_contra]):
    """Somebody who waits to take one item."""

    def hand(self, item: ItemT_contra, /) -> None:
        """Give them the item. They stand in no queue any more."""

    def end(self) -> None:
        """Tell them that nothing will come any more. They stand in no queue any more."""


class Sender(Protocol):
    """Somebody who waits to put one item into a full lane."""

    def admit(self) -> None:
        """Tell them that the lane holds their item now."""

    def refuse(self, error: BaseException | None, /) -> None:
        """Tell them that the lane will never hold it; None where it was dealt with otherwise."""


class Reply(Protocol):
    """The state of a reply end that a message carries."""

    def cancel(self) -> None:
        """Tell the requester that no answer will come."""


@attrs.frozen
class Offer(Generic[T]):
    """An item that waits outside of a full lane, with what the lane needs to know once it enters."""

    item: T
    sender: str | None
    reply: Reply | None


@attrs.frozen
class Buried(Generic[T]):
    """An item that lay in a lane when its consumer ended."""

    item: T
    sender: str | None


@attrs.frozen
class _Mark:
    """What to do when the message with this number leaves the lane."""

    number: int
    stamp: float | None
    reply: Reply | None


class Tap(Protocol[ItemT_contra]):
    """Somebody who is told of every step of a lane, in that step."""

    def __call__(
        self,
        step: LaneStep,
        lane: Lane[Any],
        item: ItemT_contra,
        sender: str | None,
        *,
        is_request: bool = False,
        who: object = None,
    ) -> object:
        """Take note of a step.

        Args:
            step: What happens.
            lane: Where.
            item: To what.
            sender: Who sends it; None is the embedding program. Unknown, and None, when it is received.
            is_request: Whether it carries a reply end; unknown, and False, when it is received.
            who: Who waited for it to be let in, or to take it; None where that is whoever makes the step.
        """


class Lane(Generic[T]):
    """One queue of a mailbox."""

    __slots__ = (
        "_clock",
        "_counts",
        "_limit",
        "_marks",
        "_next_mark",
        "_next_stamp",
        "_receivers",
        "_run_first",
        "_run_sender",
        "_runs",
        "_tof",
        "_tof_every",
        "blocked",
        "capacity",
        "dead",
        "items",
        "name",
        "offers",
        "peak",
        "sent",
        "taken",
        "tap",
    )

    tap: Tap[T]
    """Told of every step; only a tapped lane has one (`tapped`)."""

    def __init__(
        self,
        name: LaneName,
        capacity: float,
        *,
        clock: Callable[[], float],
        receivers: OrderedDict[Receiver[Any], None] | None = None,
        tof_every: int = 16,
    ) -> None:
        """Make an empty lane.

        Args:
            name: Which lane it is, for statistics and errors.
            capacity: How many items it holds at the most; `math.inf` for no bound.
            clock: Gives the time, in seconds, for times of flight.
            receivers: Who waits for an item of this lane, in the order they came; shared by the lanes of a mailbox.
            tof_every: Every how many messages a time of flight is taken.
        """
        self.name: LaneName = name
        self.capacity: float = capacity
        self.items: deque[T] = deque()
        self.offers: OrderedDict[Sender, Offer[T]] = OrderedDict()
        self.sent: int = 0
        self.taken: int = 0
        self.dead: int = 0
        self.peak: int = 0
        self.blocked: int = 0
        self._limit = capacity
        self._clock = clock
        self._receivers: OrderedDict[Receiver[Any], None] = OrderedDict() if receivers is None else receivers
        self._tof_every = tof_every
        self._tof: deque[float] | None = None
        self._next_stamp = tof_every
        self._marks: deque[_Mark] = deque()
        self._next_mark = 0
        self._runs: deque[tuple[int, str | None]] = deque()
        self._run_sender: str | object | None = self
        self._run_first = 0
        self._counts: dict[str | None, int] = {}

    def __len__(self) -> int:
        """Return how many items lie in the lane."""
        return len(self.items)

    @property
    def is_shut(self) -> bool:
        """Whether the lane takes nothing more, its consumer having ended."""
        return self._limit < 0

    def post(self, item: T, sender: str | None, reply: Reply | None = None) -> bool:
        """Hand the item to the first who waits, or else put it into the lane; return False where there is no room."""
        if self._receivers:
            self._hand_over(item, sender)  # with it, a reply end is the consumer's
            return True
        items = self.items
        length = len(items)
        if length >= self._limit:
            return False
        items.append(item)
        self.sent = number = self.sent + 1
        if length >= self.peak:
            self.peak = length + 1
        if sender is not self._run_sender:
            self._begin_run(number, sender)
        if number == self._next_stamp or reply is not None:
            self._mark(number, reply)
        return True

    def put(self, item: T, sender: str | None) -> None:
        """Put the item into the lane whatever its capacity: for signals, which all lanes take in one step."""
        limit, self._limit = self._limit, math.inf
        try:
            self.post(item, sender)
        finally:
            self._limit = limit

    def post_many(self, items: Sequence[T], start: int, sender: str | None) -> int:
        """Put items from index `start` on into the lane, as many as find room, and return how many that were."""
        posted = 0
        while self._receivers and start + posted < len(items):
            self._hand_over(items[start + posted], sender)
            posted += 1
        count = int(min(len(items) - start - posted, self._limit - len(self.items)))
        if count <= 0:
            return posted
        first = self.sent + 1
        self.items.extend(islice(items, start + posted, start + posted + count))
        self.sent += count
        self.peak = max(self.peak, len(self.items))
        if sender is not self._run_sender:
            self._begin_run(first, sender)
        while self._next_stamp <= self.sent:
            self._mark(self._next_stamp, None)
        return posted + count

    def take(self) -> T:
        """Take the oldest item; the lane must have one, or one on offer. Who waited for the room is let in."""
        if not self.items:
            self._admit()
        item = self.items.popleft()
        self.taken = number = self.taken + 1
        if number == self._next_mark:
            self._pass_marks()
        if self.offers and len(self.items) < self._limit:
            self._admit()
        return item

    def take_many(self, limit: int) -> list[T]:
        """Take the oldest items, at most `limit`; then let in who waited for the room."""
        items = self.items
        if not items and self.offers:
            self._admit()
        if limit >= len(items):
            batch = list(items)
            items.clear()
        else:
            batch = [items.popleft() for _ in range(limit)]
        self.taken += len(batch)
        if 0 < self._next_mark <= self.taken:
            self._pass_marks()
        while self.offers and len(items) < self._limit:
            self._admit()
        return batch

    def offer(self, waiting: Sender, item: T, sender: str | None, reply: Reply | None) -> bool:
        """Let somebody wait, behind all others, until their item finds room.

        Returns:
            Whether they have to wait; False where another thread has made room just now, and the lane holds the item.
        """
        self.blocked += 1
        self.offers[waiting] = Offer(item, sender, reply)
        return True

    def withdraw(self, waiting: Sender) -> bool:
        """Let somebody wait no longer, their item never in the lane; return whether they did, not let in before."""
        return self.offers.pop(waiting, None) is not None

    def holds(self, reply: Reply) -> bool:
        """Return whether a request lies here, or waits to be let in."""
        if any(mark.reply is reply for mark in self._marks):
            return True
        return any(offer.reply is reply for offer in self.offers.values())

    def bury(self) -> list[Buried[T]]:
        """Shut the lane and return what lies in it; requests among it are cancelled. Offers stay for the caller."""
        self._limit = -1
        senders = self._senders()
        dead = [Buried(item, sender) for item, sender in zip(self.items, senders, strict=True)]
        self.items.clear()
        self.dead += len(dead)
        self.taken += len(dead)
        for mark in self._marks:
            if mark.reply is not None:
                mark.reply.cancel()
        self._marks.clear()
        self._next_mark = 0
        return dead

    def read(self) -> Readout:
        """Read the meter; changes nothing."""
        return Readout(
            sent=self.sent,
            received=self.taken - self.dead,
            channel_len=len(self.items),
            peak_channel_len=self.peak,
            blocked=self.blocked,
            tof=() if self._tof is None else tuple(self._tof),
        )

    def sent_by(self) -> dict[str | None, int]:
        """Return how many items each sender has put into the lane so far; None is the embedding program."""
        counts = dict(self._counts)
        if self._run_first:
            current: Any = self._run_sender
            counts[current] = counts.get(current, 0) + self.sent - self._run_first + 1
        return counts

    def _hand_over(self, item: T, sender: str | None) -> None:
        """Give the item to the first who waits, as if it had gone through the lane in no time."""
        receiver, _ = self._receivers.popitem(last=False)
        self.sent = number = self.sent + 1
        self.taken += 1
        if sender is not self._run_sender:
            self._begin_run(number, sender)
        if number == self._next_stamp:
            self._next_stamp += self._tof_every
            self._keep_tof(0.0)
        receiver.hand(item)

    def _admit(self) -> None:
        waiting, offer = self.offers.popitem(last=False)
        self.items.append(offer.item)
        self.sent = number = self.sent + 1
        if offer.sender is not self._run_sender:
            self._begin_run(number, offer.sender)
        if number == self._next_stamp or offer.reply is not None:
            self._mark(number, offer.reply)
        waiting.admit()

    def _begin_run(self, number: int, sender: str | None) -> None:
        """Note that messages from this number on come from this sender, and forget the runs that have left."""
        if self._run_first:
            before: Any = self._run_sender
            self._counts[before] = self._counts.get(before, 0) + number - self._run_first
        self._run_first = number
        runs = self._runs
        while len(runs) > 1 and runs[1][0] <= self.taken + 1:
            runs.popleft()
        runs.append((number, sender))
        self._run_sender = sender

    def _senders(self) -> list[str | None]:
        """Return who sent each of the items in the lane."""
        senders: list[str | None] = []
        if not self.items:
            return senders
        bounds = [number for number, _ in islice(self._runs, 1, None)] + [self.sent + 1]
        for (first, sender), bound in zip(self._runs, bounds, strict=True):
            senders.extend([sender] * max(0, bound - max(first, self.taken + 1)))
        return senders

    def _mark(self, number: int, reply: Reply | None) -> None:
        stamp = None
        if number == self._next_stamp:
            stamp = self._clock()
            self._next_stamp += self._tof_every
        self._marks.append(_Mark(number, stamp, reply))
        if not self._next_mark:
            self._next_mark = number

    def _pass_marks(self) -> None:
        """Deal with the marks of all messages that have been taken."""
        marks = self._marks
        while marks and marks[0].number <= self.taken:
            stamp = marks.popleft().stamp
            if stamp is not None:
                self._keep_tof(self._clock() - stamp)
        self._next_mark = marks[0].number if marks else 0

    def _keep_tof(self, seconds: float) -> None:
        if math.isnan(seconds):
            return  # there was no clock at one end of the flight, or at both
        if self._tof is None:
            self._tof = deque(maxlen=TOF_KEPT)
        self._tof.append(seconds)
