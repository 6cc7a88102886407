"""What happened in an episode, written down by the scripted subsystems themselves and never by the library.

Every call is noted right before and right after, in the step in which it returns. The laws are read off these notes.
"""

from __future__ import annotations

import math
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import attrs
import trio

from orchestra_trio import DeadLetter, OneshotCancelled, SubsystemExited, SubsystemStalled
from tests.laws.wirings import Message, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Attempt", "Boom", "Entry", "Recorder"]

What: TypeAlias = Literal[
    "begin",
    "exit",
    "try",
    "sent",
    "refused",
    "unanswered",
    "cancelled",
    "call",
    "got",
    "heard",
    "nothing",
    "missed",
    "end",
    "broadcast",
    "signal",
    "unsignalled",
    "dead",
    "raise",
    "nursery",
    "left",
    "closed",
]
"""`missed`: a call that receives was cancelled. `nursery`: a task waits for those in a nursery of its own.
`unsignalled`: a signal for one subsystem was refused. `left`: the block was left. `closed`: `open()` was left."""

MOST_MESSAGES = 150
"""In one episode; after that nothing is sent any more."""

MOST_BROADCASTS = 20


class Entry(NamedTuple):
    """One note."""

    what: What
    who: str | None
    """The subsystem; None for the embedding program."""
    number: int
    """Of the message, signal or error; 0 where there is none."""
    epoch: int
    """The number of the last broadcast that the subsystem is known to have received."""
    lane: str
    task: int


@attrs.define(eq=False)
class Attempt:
    """One message that somebody tried to send."""

    number: int
    sender: str | None
    consumer: str
    lane: str
    task: int
    epoch: int
    how: str
    batch: int | None = None
    """The call of `send_many` that it belongs to."""
    outcome: Literal["pending", "sent", "refused", "unanswered", "cancelled"] = "pending"


class Boom(Exception):
    """What scripts raise."""


@attrs.define(eq=False)
class Recorder:
    """The notes of one episode."""

    trace: list[Entry] = attrs.Factory(list)
    attempts: dict[int, Attempt] = attrs.Factory(dict)
    letters: list[DeadLetter] = attrs.Factory(list)
    raised: list[tuple[Boom, str | None, bool]] = attrs.Factory(list)
    """Each error, whose it is, and whether it leaves a task of the subsystem as it is."""
    raised_at: float = math.inf
    """When the first error was raised, on the mock clock."""
    scopes: dict[trio.CancelScope, None] = attrs.Factory(dict)
    """Around the steps that are limited in time and run now."""
    epochs: Counter[str | None] = attrs.Factory(Counter)
    """The last broadcast that each subsystem has received; for None, the last one."""
    in_hand: dict[str | None, type] = attrs.Factory(dict)
    """What each subsystem received last."""
    hands: dict[Boom, type | None] = attrs.Factory(dict)
    """The same, when each error was raised."""
    signals: dict[int, int] = attrs.Factory(dict)
    """The epochs of the signals that were broadcast."""
    kinds: dict[int, int] = attrs.Factory(dict)
    """Their types, by place in `SIGNALS`."""
    receiving: Counter[str] = attrs.Factory(Counter)
    """How many tasks are in a call that receives."""
    pending: Counter[tuple[str, str]] = attrs.Factory(Counter)
    """By consumer and lane: messages of which it is not known whether they were accepted."""
    accepted: Counter[tuple[str, str]] = attrs.Factory(Counter)
    received: Counter[str] = attrs.Factory(Counter)
    unlaned: Counter[tuple[str, str]] = attrs.Factory(Counter)
    """Dead letters that were in no lane."""
    left_over: Counter[tuple[str, str]] = attrs.Factory(Counter)
    """Dead letters that lay in a lane."""
    calls: Counter[str | None] = attrs.Factory(Counter)
    """Async calls of each context that have returned within the current step of a task."""
    _tasks: dict[trio.lowlevel.Task, int] = attrs.Factory(dict)
    _numbers: int = 0

    def note(self, what: What, who: str | None, number: int = 0, lane: str = "") -> None:
        """Write down that something happened, in the current task."""
        self.trace.append(Entry(what, who, number, self.epochs[who], lane, self.task()))

    def task(self) -> int:
        return self._tasks.setdefault(trio.lowlevel.current_task(), len(self._tasks))

    def next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    def may_send(self) -> bool:
        return len(self.attempts) < MOST_MESSAGES

    def may_broadcast(self) -> bool:
        return len(self.signals) < MOST_BROADCASTS

    def attempt(
        self, sender: str | None, consumer: str, lane: str, how: str, *, number: int, batch: int | None = None
    ) -> Attempt:
        """Write down that a message is about to be sent."""
        made = Attempt(number, sender, consumer, lane, self.task(), self.epochs[sender], how, batch)
        self.attempts[number] = made
        self.pending[consumer, lane] += 1
        self.note("try", sender, number, lane)
        return made

    def settle(self, attempt: Attempt, outcome: Literal["sent", "refused", "unanswered", "cancelled"]) -> None:
        """Write down what became of it, as far as the sender knows."""
        attempt.outcome = outcome
        where = attempt.consumer, attempt.lane
        known = outcome != "cancelled" or (attempt.batch is None and attempt.how != "request")
        if known:
            self.pending[where] -= 1
        if outcome in {"sent", "unanswered"}:
            self.accepted[where] += 1
        self.note(outcome, attempt.sender, attempt.number, attempt.lane)

    @contextmanager
    def sending(self, attempts: Sequence[Attempt], *, is_call: bool = True) -> Iterator[None]:
        """Around a call that sends: write down how it ends. What refuses a message ends here."""
        outcome: Literal["sent", "refused", "unanswered", "cancelled"] = "cancelled"
        try:
            yield
            outcome = "sent"
            self.calls[attempts[0].sender if attempts else None] += is_call
        except OneshotCancelled:
            outcome = "unanswered"
        except (trio.WouldBlock, trio.ClosedResourceError, SubsystemExited, SubsystemStalled):
            # Of several, those before the one that was refused were sent.
            outcome = "refused" if len(attempts) == 1 else "cancelled"
        finally:
            for one in attempts:
                self.settle(one, outcome)

    @contextmanager
    def taking(self, who: str, items: list[object], *, is_call: bool = True) -> Iterator[None]:
        """Around a call that receives into a list: write down how it ends. End-of-input goes on."""
        self.note("call", who)
        self.receiving[who] += 1
        try:
            yield
            self.calls[who] += is_call
        except trio.WouldBlock:
            self.note("nothing", who)
        except trio.EndOfChannel:
            self.note("end", who)
            raise
        except trio.Cancelled:
            self.note("missed", who)
            raise
        finally:
            self.receiving[who] -= 1
        for item in items:
            self.take_in(who, item)

    def take_in(self, who: str, item: object) -> None:
        """Write down what a subsystem received."""
        if isinstance(item, Signal):
            self.epochs[who] = max(self.epochs[who], self.signals.get(item.number, 0))
            self.note("heard", who, item.number)
        else:
            assert isinstance(item, Message)
            self.received[who] += 1
            self.note("got", who, item.number, self.attempts[item.number].lane)
        self.in_hand[who] = type(item)

    def broadcast(self, number: int, kind: int) -> int:
        """Write down that a signal is about to be broadcast; return the epoch that it must get."""
        self.epochs[None] += 1
        self.signals[number] = self.epochs[None]
        self.kinds[number] = kind
        self.note("broadcast", None, number)
        return self.epochs[None]

    def bury(self, letter: DeadLetter) -> None:
        """Write down a dead letter: the orchestra's hook."""
        assert isinstance(letter.message, Message)
        assert letter.consumer is not None
        self.letters.append(letter)
        counter = self.left_over if letter.reason == "left over" else self.unlaned
        counter[letter.consumer, letter.lane] += 1
        self.note("dead", letter.consumer, letter.message.number, letter.lane)

    def boom(self, who: str | None, *, direct: bool) -> Boom:
        """Write down that an error is about to be raised, and return it."""
        error = Boom(self.next_number())
        self.raised.append((error, who, direct))
        self.raised_at = min(self.raised_at, trio.current_time())
        self.hands[error] = self.in_hand.get(who)
        self.note("raise", who)
        return error
