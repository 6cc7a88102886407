"""One lane: a queue, who waits to put more into it, and its meter. Pure: it knows neither trio nor tasks.

Invariants, each checked by the lane's tests after every step:

* ``sent == taken + len(items)``: what left the lane was received or became a dead letter (``dead``). Only what was
  taken is counted. For the steps that are made on credit, without the lane's own methods, see `credit`.
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
from typing import TYPE_CHECKING, Any, Generic, TypeAlias

from typing_extensions import TypeVar

from orchestra_trio.delivery.credit import Turn
from orchestra_trio.delivery.parties import Buried, Offer, Receiver, Reply, Sender, Tap
from orchestra_trio.delivery.sources import Sources
from orchestra_trio.records import Readout

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orchestra_trio.delivery.credit import Credit
    from orchestra_trio.records import LaneName

__all__ = ["Buried", "Lane", "Offer", "Receiver", "Reply", "Sender", "Tap"]

T = TypeVar("T")

TOF_KEPT = 100
"""How many times of flight a lane keeps."""


_Mark: TypeAlias = "tuple[int, float | None, Reply | None]"
"""The number of a message, when it entered if its flight is timed, and the reply end that it carries, if any.

A tuple: a frozen class took 0.4 µs to make, for one message in 16.
"""


class Lane(Generic[T]):
    """One queue of a mailbox."""

    __slots__ = (
        "_clock",
        "_limit",
        "_marks",
        "_next_mark",
        "_next_stamp",
        "_peak",
        "_receivers",
        "_sent_before",
        "_sources",
        "_taken",
        "_tof",
        "_tof_every",
        "_turn",
        "blocked",
        "capacity",
        "dead",
        "items",
        "name",
        "offers",
        "on_flight",
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
        turn: Turn | None = None,
    ) -> None:
        """Make an empty lane.

        Args:
            name: Which lane it is, for statistics and errors.
            capacity: How many items it holds at the most; `math.inf` for no bound.
            clock: Gives the time, in seconds, for times of flight.
            receivers: Who waits for an item of this lane, in the order they came; shared by the lanes of a mailbox.
            tof_every: Every how many messages a time of flight is taken.
            turn: Who has credit; shared by the lanes of a mailbox.
        """
        self.name: LaneName = name
        self.capacity: float = capacity
        self.items: deque[T] = deque()
        self.offers: OrderedDict[Sender, Offer[T]] = OrderedDict()
        self.dead: int = 0
        self.blocked: int = 0
        self.on_flight: Callable[[float], object] | None = None
        """Told of each time of flight that is kept, in seconds."""
        self._taken = 0
        self._sent_before: int | None = None
        """How many were sent when takes on credit began; None unless these are being made."""
        self._peak = 0
        self._turn = Turn() if turn is None else turn
        self._limit = capacity
        self._clock = clock
        self._receivers: OrderedDict[Receiver[Any], None] = OrderedDict() if receivers is None else receivers
        self._tof_every = tof_every
        self._tof: deque[float] | None = None
        self._next_stamp = tof_every
        self._marks: deque[_Mark] = deque()
        self._next_mark = 0
        self._sources = Sources()

    def __len__(self) -> int:
        """Return how many items lie in the lane."""
        return len(self.items)

    @property
    def sent(self) -> int:
        """How many items entered the lane."""
        return self.taken + len(self.items)

    @property
    def taken(self) -> int:
        """How many items left the lane."""
        return self._taken if self._sent_before is None else self._sent_before - len(self.items)

    @property
    def peak(self) -> int:
        """How many items lay in the lane at the most; what only passes through a lane without capacity does not lie."""
        length = len(self.items)
        return length if length > self._peak and self.capacity else self._peak

    @property
    def is_shut(self) -> bool:
        """Whether the lane takes nothing more, its consumer having ended."""
        return self._limit < 0

    def post(self, item: T, sender: str | None, reply: Reply | None = None) -> bool:
        """Hand the item to the first who waits, or else put it into the lane; return False where there is no room."""
        if self._turn.credit is not None:
            self._turn.end()
        receivers = self._receivers
        if receivers:  # the first gets it, as if it had gone through the lane in no time
            receiver, _ = receivers.popitem(False)  # noqa: FBT003 - the keyword would take 0.02 µs
            self._taken = number = self._taken + 1
            if sender is not self._sources.last:
                self._sources.begin(number, sender, number)
            if number == self._next_stamp:
                self._next_stamp = number + self._tof_every
                self._keep_tof(0.0)
            receiver.hand(item)  # with it, a reply end is the consumer's
            return True
        items = self.items
        length = len(items)
        if length >= self._limit:
            return False
        items.append(item)
        number = self._taken + length + 1
        if sender is not self._sources.last:
            self._sources.begin(number, sender, self._taken)
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
        self._turn.end()
        posted = 0
        while self._receivers and start + posted < len(items):
            self.post(items[start + posted], sender)
            posted += 1
        count = int(min(len(items) - start - posted, self._limit - len(self.items)))
        if count <= 0:
            return posted
        first = self._taken + len(self.items) + 1
        self.items.extend(islice(items, start + posted, start + posted + count))
        if sender is not self._sources.last:
            self._sources.begin(first, sender, self._taken)
        while self._next_stamp < first + count:
            self._mark(self._next_stamp, None)
        return posted + count

    def take(self) -> T:
        """Take the oldest item; the lane must have one, or one on offer. Who waited for the room is let in."""
        if self._turn.credit is not None:
            self._turn.end()
        items = self.items
        length = len(items)
        if length > self._peak:
            self._peak = self.peak
        if not length:
            self._admit()
        item = items.popleft()
        self._taken = number = self._taken + 1
        if number == self._next_mark:
            self._pass_marks()
        if self.offers and len(items) < self._limit:
            self._admit()
        return item

    def take_many(self, limit: int) -> list[T]:
        """Take the oldest items, at most `limit`; then let in who waited for the room."""
        self._turn.end()
        self._peak = self.peak
        items = self.items
        if not items and self.offers:
            self._admit()
        if limit >= len(items):
            batch = list(items)
            items.clear()
        else:
            batch = [items.popleft() for _ in range(limit)]
        self._taken += len(batch)
        if 0 < self._next_mark <= self._taken:
            self._pass_marks()
        while self.offers and len(items) < self._limit:
            self._admit()
        return batch

    def lend_posts(self, credit: Credit) -> None:
        """Let who has just put an item here put more behind it on credit, as far as nothing else is to be done."""
        turn = self._turn
        if turn.last is not credit:
            turn.last = credit  # where several take turns, credit does not pay
        elif not self._receivers:
            length = len(self.items)
            room, unmarked = self._limit - length, self._next_stamp - self._taken - length - 1
            steps = int(room) if room < unmarked else unmarked
            if steps > 0:
                turn.give(credit, steps)

    def lend_takes(self, credit: Credit) -> None:
        """Let who has just taken an item of this mailbox take from here on credit, where nothing else is to be done."""
        turn = self._turn
        if turn.last is not credit:
            turn.last = credit
        elif not self.offers:
            length = len(self.items)
            unmarked = self._next_mark - self._taken - 1 if self._next_mark else length
            steps = min(unmarked, length)
            if steps > 0:
                self._peak = self.peak
                self._sent_before = self._taken + length
                turn.taking = self
                turn.give(credit, steps)

    def post_in_run(self, item: T, credit: Credit) -> bool:
        """Put an item behind those put on credit, which is used up but has not ended, and lend more.

        Returns:
            Whether it was done; False where the lane is full.
        """
        items = self.items
        length = len(items)
        if length >= self._limit:
            return False
        items.append(item)
        number = self._taken + length + 1
        if number == self._next_stamp:
            clock = self._clock  # by name: what lies in a slot is slower to call as if it were a method
            self._marks.append((number, clock(), None))
            self._next_stamp = number + self._tof_every
            if not self._next_mark:
                self._next_mark = number
        room, unmarked = self._limit - length - 1, self._next_stamp - number - 1
        credit.until = credit.budget.lend(int(room) if room < unmarked else unmarked)
        return True

    def take_in_run(self, credit: Credit) -> T:
        """Take the oldest item, behind those taken on credit, which is used up but has not ended, and lend more."""
        sent: Any = self._sent_before
        item = self.items.popleft()
        length = len(self.items)
        self._taken = number = sent - length
        if number == self._next_mark:
            self._pass_marks()
        unmarked = self._next_mark - number - 1 if self._next_mark else length
        credit.until = credit.budget.lend(unmarked if unmarked < length else length)  # noqa: FURB136 - `min` takes longer
        return item

    def settle(self) -> None:
        """Count what was taken on credit, now that it ends."""
        if self._sent_before is not None:
            self._taken = self._sent_before - len(self.items)
            self._sent_before = None

    def end_credit(self) -> None:
        """Let nobody put or take anything on credit."""
        self._turn.end()

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
        if any(carried is reply for _, _, carried in self._marks):
            return True
        return any(offer.reply is reply for offer in self.offers.values())

    def bury(self) -> list[Buried[T]]:
        """Shut the lane and return what lies in it; requests among it are cancelled. Offers stay for the caller."""
        self._turn.end()
        self._peak = self.peak
        self._limit = -1
        senders = self._sources.of_items(self._taken, self.sent)
        dead = [Buried(item, sender) for item, sender in zip(self.items, senders, strict=True)]
        self.items.clear()
        self.dead += len(dead)
        self._taken += len(dead)
        for _, _, reply in self._marks:
            if reply is not None:
                reply.cancel()
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
        return self._sources.count(self.sent)

    def _admit(self) -> None:
        waiting, offer = self.offers.popitem(last=False)
        self.items.append(offer.item)
        number = self._taken + len(self.items)
        if offer.sender is not self._sources.last:
            self._sources.begin(number, offer.sender, self._taken)
        if number == self._next_stamp or offer.reply is not None:
            self._mark(number, offer.reply)
        waiting.admit()

    def _mark(self, number: int, reply: Reply | None) -> None:
        stamp = None
        if number == self._next_stamp:
            clock = self._clock
            stamp = clock()
            self._next_stamp += self._tof_every
        self._marks.append((number, stamp, reply))
        if not self._next_mark:
            self._next_mark = number

    def _pass_marks(self) -> None:
        """Deal with the marks of all messages that have been taken."""
        marks = self._marks
        while marks and marks[0][0] <= self._taken:
            _, stamp, _ = marks.popleft()
            if stamp is not None:
                clock = self._clock
                self._keep_tof(clock() - stamp)
        self._next_mark = marks[0][0] if marks else 0

    def _keep_tof(self, seconds: float) -> None:
        if seconds >= 0:  # else it is no number: there was no clock at one end of the flight, or at both
            if self._tof is None:
                self._tof = deque(maxlen=TOF_KEPT)
            self._tof.append(seconds)
            if self.on_flight is not None:
                self.on_flight(seconds)
