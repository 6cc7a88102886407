"""What the subsystems of one round have counted themselves, from whatever thread.

Each entry is one step of the interpreter (an append, an addition to a set), so it needs no lock, and is made before
anything else can happen to the task or thread that makes it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import contextmanager
from itertools import count
from threading import get_ident
from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs
import trio

from benchmarks.soak.messages import Parcel, Question, Tick
from orchestra_trio import OneshotCancelled

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from orchestra_trio import DeadLetter

__all__ = ["Dead", "Inside", "Kind", "Ledger", "Made", "Way"]

Kind: TypeAlias = Literal["main", "job", "worker", "request"]
"""What somebody can be in the midst of."""

Way: TypeAlias = Literal["normal", "high", "unbounded"]
"""How a message is sent: it decides in which lane."""


@attrs.frozen
class Made:
    """A message that somebody was about to send."""

    title: str
    """Its type, and who made it."""
    stream: tuple[int, Way]
    """The task or thread, and the way: what both have in common stays in its order."""
    epoch: int
    """The last broadcast that its maker had received."""


@attrs.frozen
class Dead:
    """A dead letter, without its message: that may carry a reply end."""

    number: int
    consumer: str | None
    lane: str
    reason: str


@attrs.frozen(eq=False)
class Inside:
    """Somebody in the midst of something, from its beginning to its end."""

    name: str
    kind: Kind


@attrs.define(eq=False)
class Ledger:
    """The entries of one round."""

    deaf: frozenset[str] = frozenset()
    """Consumers that hear no signals."""
    made: dict[int, Made] = attrs.Factory(dict[int, Made])
    """Every message by its number."""
    accepted: set[int] = attrs.Factory(set[int])
    """Messages whose sending came to its end."""
    unsure: set[int] = attrs.Factory(set[int])
    """Requests that were cancelled: they may have been sent."""
    cut_short: list[list[int]] = attrs.Factory(list[list[int]])
    """Lists whose sending was cut short: some of the first of each were accepted."""
    received: defaultdict[str, list[int]] = attrs.Factory(lambda: defaultdict(list))
    """For each consumer, the messages that it received."""
    dead: list[Dead] = attrs.Factory(list[Dead])
    heard: defaultdict[str, list[int]] = attrs.Factory(lambda: defaultdict(list))
    """For each subsystem, the broadcasts that it received."""
    signals: list[str] = attrs.Factory(list[str])
    """The subsystem for each signal that was received."""
    begun: list[str] = attrs.Factory(list[str])
    """The subsystem for each call of a main function."""
    inside: set[Inside] = attrs.Factory(set[Inside])
    notes: list[str] = attrs.Factory(list[str])
    """What is only counted."""
    faults: list[str] = attrs.Factory(list[str])
    """What should never have happened, and was seen in the act."""
    epoch: int = 0
    """How many broadcasts were begun."""
    _numbers: Iterator[int] = attrs.Factory(lambda: count(1))

    def make(self, kind: type, maker: str, way: Way = "normal") -> int:
        """Return the number of a new message, to be sent by the current task or thread next."""
        number = next(self._numbers)
        task = id(trio.lowlevel.current_task()) if trio.lowlevel.in_trio_task() else get_ident()
        heard = self.heard.get(maker)
        self.made[number] = Made(f"{kind.__name__} of {maker}", (task, way), heard[-1] if heard else 0)
        return number

    def next_tick(self) -> Tick:
        """Return the next signal to broadcast: at once, in the same step."""
        self.epoch += 1
        return Tick(self.epoch)

    @contextmanager
    def sending(self, number: int) -> Generator[None]:
        """Send one message: all or nothing."""
        yield
        self.accepted.add(number)

    @contextmanager
    def sending_list(self, numbers: list[int]) -> Generator[None]:
        """Send a list of messages."""
        try:
            yield
        except BaseException:
            self.cut_short.append(numbers)
            raise
        self.accepted.update(numbers)

    @contextmanager
    def sending_stream(self) -> Generator[list[int]]:
        """Send messages from an iterator, which notes the number of each that is taken from it."""
        taken: list[int] = []
        try:
            yield taken
        except BaseException:
            self.accepted.update(taken[:-1])  # all but the last found room, and that one did not
            raise
        self.accepted.update(taken)

    @contextmanager
    def requesting(self, number: int, who: str) -> Generator[None]:
        """Send a request and wait for its answer, or until none will come."""
        self.note("requests")
        with self.being(who, "request"):
            try:
                yield
            except OneshotCancelled:
                self.note("requests unanswered")  # it became a dead letter, or its consumer did not want to answer
            except trio.Cancelled:
                self.unsure.add(number)
                raise
        self.accepted.add(number)

    @contextmanager
    def being(self, name: str, kind: Kind) -> Generator[None]:
        """Be in the midst of something."""
        token = Inside(name, kind)
        self.inside.add(token)
        try:
            yield
        finally:
            self.inside.discard(token)

    @contextmanager
    def beginning(self, name: str) -> Generator[None]:
        """Run the main function of a subsystem: nothing of an earlier incarnation may be left."""
        left = [one.kind for one in list(self.inside) if one.name == name]
        if left:
            self.faults.append(f"{name} began anew while of its old incarnation there was still: {', '.join(left)}")
        self.begun.append(name)
        with self.being(name, "main"):
            yield

    def receive(self, name: str, incoming: object, epoch: int, *, alone: bool) -> None:
        """Note what somebody received, and their epoch right after it.

        Args:
            name: The consumer.
            incoming: A message or a signal.
            epoch: What the context says.
            alone: Whether nobody else receives for the same subsystem.
        """
        if isinstance(incoming, Parcel | Question):
            self.received[name].append(incoming.number)
            made = self.made[incoming.number]
            if epoch < made.epoch and name not in self.deaf:
                self.faults.append(f"{name} received {made.title} at epoch {epoch}, which was sent at {made.epoch}")
            return
        self.signals.append(name)
        if isinstance(incoming, Tick):
            self.heard[name].append(incoming.number)
            if epoch < incoming.number or (alone and epoch != incoming.number):
                self.faults.append(f"{name} received broadcast {incoming.number} and had the epoch {epoch}")

    def bury(self, letter: DeadLetter) -> None:
        """Note a dead letter."""
        message = letter.message
        if isinstance(message, Parcel | Question):
            self.dead.append(Dead(message.number, letter.consumer, letter.lane, letter.reason))
        else:
            self.faults.append(f"a dead letter is no message of this round: {message!r}")

    def note(self, what: str) -> None:
        """Count something."""
        self.notes.append(what)

    def count_notes(self) -> Counter[str]:
        """Return how often each thing was counted."""
        return Counter(self.notes)
