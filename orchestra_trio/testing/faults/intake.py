"""The way in: what stands between the mailbox of a subsystem and the context of one that is intercepted.

An `Intake` has the methods of a mailbox that contexts use, so that an intercepted context receives by the same code as
any other. Intakes lie one upon another, the outermost fault next to the mailbox; below all is one `Arrivals`, for what
was handed to a waiting task of the subsystem.

Invariants:

* Signals go straight from the mailbox to whoever asks: no intake holds one back, or lets a message come before one that
  was there when a receiver asked (law 3). While one is there, no message is taken from the mailbox. So the epoch is the
  mailbox's own, and what is held here was sent before the broadcasts that its subsystem has yet to receive (law 5).
* A message is held here only because several took the place of one, for its delay, or among the few that change places.
  It is handed out before any that came after it, but for those changes; while the first one waits for its delay, all
  do, and only signals pass.
* End-of-input comes when the mailbox is exhausted and nothing is held.
* While something is held, every task that waits for messages waits at most until the first is due: nothing is forgotten
  when one of them is cancelled. Such a wait has a deadline, so that nothing counts as at rest meanwhile.
* What is held stays for the next incarnation, as what lies in the mailbox does. When the subsystem has ended, it is
  counted as lost, the requests among it are cancelled, and the log tells of it.
"""

from __future__ import annotations

from collections import deque
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final, Protocol

import attrs
import trio

from orchestra_trio.delivery.mailbox import EMPTY, Empty
from orchestra_trio.delivery.shared import SharedMailbox
from orchestra_trio.delivery.waiting import Parked, ParkedBesideThreads, park_receiver
from orchestra_trio.errors import a_type
from orchestra_trio.runtime.contexts.workers import LOOK_AGAIN
from orchestra_trio.testing.faults.losing import lose
from orchestra_trio.testing.faults.replies import close_replies
from orchestra_trio.testing.faults.stages import Parcel, draw

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from trio.lowlevel import Task

    from orchestra_trio.delivery.credit import Credit
    from orchestra_trio.delivery.lanes import Lane
    from orchestra_trio.delivery.mailbox import Mailbox
    from orchestra_trio.runtime.life.live import LiveSubsystem
    from orchestra_trio.testing.faults.stages import Stage
    from orchestra_trio.testing.faults.tally import Tally

__all__ = ["Arrivals", "Intake", "Upstream"]

AT_ONCE: Final = -float("inf")


class Upstream(Protocol):
    """What messages come from: the arrivals, or another intake."""

    arrivals: Arrivals

    @property
    def due(self) -> float:
        """When the first message that is held may go on, on trio's clock; infinity where none is held."""
        ...

    @property
    def is_holding(self) -> bool:
        """Whether messages are held."""
        ...

    def take_signal(self) -> Any:  # noqa: ANN401 - what the wiring lets in
        """Take the next signal, or `EMPTY`."""

    def pull(self) -> Parcel | Empty:
        """Take the next message that may go on, or `EMPTY`."""
        ...


class Arrivals:
    """The mailbox itself, and what it has handed to tasks that waited."""

    def __init__(self, live: LiveSubsystem) -> None:
        self.arrivals: Arrivals = self
        self.mailbox: Mailbox[Any, Any] = live.mailbox
        self.waiting: set[Task] = set()
        """The tasks of intercepted contexts that wait at the mailbox."""
        self._signal_types = live.slot.signals
        self._signals: deque[Any] = deque()
        self._messages: deque[Parcel] = deque()
        self._known = self._counts()
        """Of each lane, how many of the messages that have left it were seen here."""
        self._unclear = 0
        """Messages that were handed over, it is not clear through which lane."""

    @property
    def due(self) -> float:
        """Nothing is kept waiting here."""
        return float("inf")

    @property
    def is_holding(self) -> bool:
        """Whether a message was handed over and not pulled yet."""
        return bool(self._messages)

    def feed(self, item: object) -> bool:
        """Take what a waiting task was handed; return whether that was a message."""
        if item is LOOK_AGAIN:
            return False
        if isinstance(item, self._signal_types):
            self._signals.append(item)
            return False
        self._messages.append(Parcel(item, self._lane_of_handed()))
        return True

    def take_signal(self) -> Any:  # noqa: ANN401 - what the wiring lets in
        """Take the next signal, or `EMPTY`."""
        return self._signals.popleft() if self._signals else self.mailbox.take_signal()

    def pull(self) -> Parcel | Empty:
        """Take the next message, or `EMPTY`: from the mailbox, none while a signal is there, which comes before it."""
        if self._messages:
            return self._messages.popleft()
        if self._signals or self.mailbox.signals.items:
            return EMPTY
        with self.mailbox.lock if isinstance(self.mailbox, SharedMailbox) else nullcontext():
            before = self._counts()
            item: Any = self.mailbox.take()
            if isinstance(item, Empty):
                return item
            after = self._counts()
        lane = next(lane for lane, count in after.items() if count != before[lane])
        self._known[lane] += 1
        return Parcel(item, lane)

    async def park(self, *, signals_only: bool) -> Any:  # noqa: ANN401 - as above
        """Wait at the mailbox for an item, also where it is exhausted: something may be held, and signals may come.

        Raises:
            trio.EndOfChannel: The mailbox was exhausted, or shut, while the task waited.
        """
        mailbox = self.mailbox
        if not isinstance(mailbox, SharedMailbox):
            return await park_receiver(mailbox, signals_only=signals_only)
        parked: ParkedBesideThreads[Any] = ParkedBesideThreads(mailbox.leave)
        with mailbox.lock:
            # Another thread may have put something here since the caller looked.
            item = mailbox.take_signal() if signals_only else mailbox.take()
            if not isinstance(item, Empty):
                return item  # noqa: ASYNC910 - callers have checked for cancellation
            (mailbox.signal_receivers if signals_only else mailbox.receivers)[parked] = None
        return await parked.wait()

    def rouse(self) -> None:
        """Let the tasks that wait for messages look again."""
        for one in list(self.mailbox.receivers):
            if isinstance(one, Parked) and one.task in self.waiting and self.mailbox.leave(one):
                one.hand(LOOK_AGAIN)

    def lose(self, live: LiveSubsystem, tally: Tally) -> None:
        """Lose what was handed over and not pulled, once the subsystem has ended."""
        lost = [parcel.message for parcel in self._messages]
        self._messages.clear()
        tally.seen += len(lost)
        lose(lost, live, tally)

    def _counts(self) -> dict[Lane[Any], int]:
        return {lane: lane.taken for lane in self.mailbox.message_lanes}

    def _lane_of_handed(self) -> Lane[Any] | None:
        """Return the lane of a message that was handed over: of those that have moved unseen, if that is only one."""
        counts = self._counts()
        moved = {lane: count - self._known[lane] for lane, count in counts.items() if count != self._known[lane]}
        if len(moved) == 1 and not self._unclear:
            (lane,) = moved
            self._known[lane] += 1
            return lane
        self._unclear += 1
        if self._unclear == sum(moved.values()):
            self._known, self._unclear = counts, 0
        return None


@attrs.frozen(eq=False)
class _Held:
    """A message that is to be handed out."""

    parcel: Parcel
    due: float


class Intake:
    """What an intercepted context receives from, in place of the mailbox. One for each fault and subsystem."""

    def __init__(
        self,
        upstream: Upstream,
        live: LiveSubsystem,
        stage: Stage,
        tally: Tally,
        on_signal: Callable[[Any], object] | None,
        on_end: Callable[[LiveSubsystem], object],
    ) -> None:
        self.arrivals: Arrivals = upstream.arrivals
        self.stage = stage
        self._upstream = upstream
        self._live = live
        self._tally = tally
        self._on_signal = on_signal
        self._on_end = on_end
        self._held: list[_Held] = []
        live.watchers[self] = None

    # What contexts ask of mailboxes.

    @property
    def epoch(self) -> int:
        """The mailbox's."""
        return self.arrivals.mailbox.epoch

    @property
    def receivers(self) -> MutableMapping[Any, None]:
        """The mailbox's."""
        return self.arrivals.mailbox.receivers

    @property
    def signal_receivers(self) -> MutableMapping[Any, None]:
        """The mailbox's."""
        return self.arrivals.mailbox.signal_receivers

    @property
    def is_exhausted(self) -> bool:
        """Whether nothing is held, and nothing will come."""
        return not self.is_holding and self.arrivals.mailbox.is_exhausted

    def take(self) -> Any:  # noqa: ANN401 - what the wiring lets in
        """Take what comes next, or `EMPTY`."""
        signal = self.take_signal()
        return self._take_message() if isinstance(signal, Empty) else signal

    def take_handed(self) -> Any:  # noqa: ANN401 - as above
        """Take what comes next after a message was handed over: before a signal that came only then."""
        message = self._take_message()
        return self.take() if isinstance(message, Empty) else message

    def take_many(self, limit: int) -> list[Any]:
        """Take what comes next: one signal alone, or up to `limit` messages; an empty list if there is nothing."""
        signal = self.take_signal()
        if not isinstance(signal, Empty):
            return [signal]
        batch: list[Parcel] = []
        try:
            while len(batch) < limit and not isinstance(parcel := self.pull(), Empty):
                batch.append(parcel)
        except BaseException:  # of a hook, or of a lane strategy: what was taken must not be lost
            self._held[:0] = [_Held(parcel, AT_ONCE) for parcel in batch]
            self._tally.passed -= len(batch)
            raise
        finally:
            self.tidy()
        return [parcel.message for parcel in batch]

    def lend_takes(self, credit: Credit) -> None:
        """Lend none: each message passes the fault."""

    def take_signal(self) -> Any:  # noqa: ANN401 - as above
        """Take the next signal, or `EMPTY`."""
        signal = self._upstream.take_signal()
        if self._on_signal is not None and not isinstance(signal, Empty):
            self._on_signal(signal)
        return signal

    def leave(self, waiting: Any) -> bool:  # noqa: ANN401 - as the mailbox has it
        """Let somebody wait no longer."""
        return self.arrivals.mailbox.leave(waiting)

    def widen(self, waiting: Parked[Any]) -> None:
        """Let a task that waits for signals alone look for messages too."""
        if self.leave(waiting):
            waiting.hand(LOOK_AGAIN)

    # What intakes ask of each other.

    @property
    def due(self) -> float:
        """When the first message that is held may go on."""
        return self._held[0].due if self._held else self._upstream.due

    @property
    def is_holding(self) -> bool:
        """Whether messages are held, here or nearer to the mailbox."""
        return bool(self._held) or self._upstream.is_holding

    def pull(self) -> Parcel | Empty:
        """Take the next message that may go on, or `EMPTY`."""
        while True:
            self._fill()
            if not self._held:
                return EMPTY
            if self._held[0].due > trio.current_time():
                return EMPTY
            parcel = self._draw()
            self._tally.passed += 1
            return parcel

    # The rest.

    def tidy(self) -> None:
        """See to those who wait, after a task has asked for a message: what is held is for them too."""
        if self.is_holding:
            self.arrivals.rouse()
        elif self.is_exhausted:
            self.arrivals.mailbox.close_input()  # tells all that wait, as the mailbox did when it was exhausted itself

    def look_again(self, live: LiveSubsystem) -> None:
        """Lose what is held, once the subsystem has ended. Called by the library."""
        if live.has_ended:
            del live.watchers[self]
            self._on_end(live)
            lost = [held.parcel.message for held in self._held]
            self._held.clear()
            lose(lost, live, self._tally)
            self.arrivals.lose(live, self._tally)

    def _take_message(self) -> Any:  # noqa: ANN401 - what the wiring lets in
        parcel = self.pull()
        self.tidy()
        return parcel if isinstance(parcel, Empty) else parcel.message

    def _fill(self) -> None:
        """Hold as many messages as the next one is chosen among, if they are there; always one, if it is."""
        while len(self._held) < self.stage.window:
            parcel = self._upstream.pull()
            if isinstance(parcel, Empty):
                return
            self._admit(parcel)

    def _draw(self) -> Parcel:
        if self.stage.window == 1:
            return self._held.pop(0).parcel
        parcels = [held.parcel for held in self._held]
        chosen = draw(self.stage, parcels)
        self._held = [_Held(parcel, AT_ONCE) for parcel in parcels]
        return chosen

    def _check(self, message: object, results: tuple[object, ...]) -> None:
        """Refuse what the subsystem does not consume.

        Raises:
            TypeError: A hook returned such a thing.
        """
        for one in results:
            if one is not message and not isinstance(one, self._live.slot.consumes):
                raise TypeError(
                    f"a hook returned {a_type(type(one))} in the place of {a_type(type(message))}, which "
                    f"{self._live.name!r} does not consume: return None, a message, or Instead(...)"
                )

    def _admit(self, parcel: Parcel) -> None:
        message: object = parcel.message
        self._tally.seen += 1
        try:
            results = self.stage.results(message, is_request=False)
            self._check(message, results)
        except BaseException:
            self._tally.lost += 1
            raise
        if not results:
            self._tally.dropped += 1
        else:
            self._tally.added += len(results) - 1
        close_replies(message, results)
        for one in results:
            seconds = self.stage.seconds(one)
            due = trio.current_time() + seconds if seconds else AT_ONCE
            self._held.append(_Held(Parcel(one, parcel.lane), due))
