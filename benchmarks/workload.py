"""What our works and those of the peers have in common: the messages, the numbers, and the clock."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "BATCH",
    "CAPACITY",
    "EVERY",
    "HOPS",
    "LOADERS",
    "MANY",
    "MESSAGE",
    "PING",
    "PONG",
    "Message",
    "Parcel",
    "Ping",
    "Pong",
    "Stopwatch",
    "Urgent",
    "check_count",
    "part_of",
    "share",
    "turn",
    "urgents_among",
]

CAPACITY: Final = 1024
"""How many messages fit into a channel, queue or lane."""

BATCH: Final = 100
"""How many messages make a batch."""

MANY: Final = 64
"""How many send to one, hear from one, or get a broadcast."""

HOPS: Final = 10
"""How many channels a message of the chain goes through, one after another."""

LOADERS: Final = 4
"""How many senders keep a lane full. One would not: sender and receiver take turns, and the lane stays near empty."""

EVERY: Final = 100
"""For so many messages there is one that is urgent, or a signal."""


@attrs.frozen
class Message:
    """What is sent. All contenders send one and the same object, over and over: making it is no part of the work."""

    number: int


@attrs.frozen
class Ping:
    """One way of a round trip."""


@attrs.frozen
class Pong:
    """The other way of a round trip."""


@attrs.frozen
class Parcel:
    """A message with a body of its own."""

    body: bytes


@attrs.frozen
class Urgent:
    """What should overtake the messages that wait."""

    sent_at: float
    """When its sender began to send it."""


MESSAGE: Final = Message(1)
PING: Final = Ping()
PONG: Final = Pong()


class Stopwatch:
    """Times the traffic alone: begun by who sends first, right before; ended by who receives last, right after.

    Making tasks, opening channels or an orchestra, and ending all of it, lie outside. What remains of the start, the
    first switches between the tasks, is spread over tens of thousands of messages.
    """

    def __init__(self, receivers: int = 1) -> None:
        """Make a watch that has not been begun.

        Args:
            receivers: How many must come to their end. Each calls `end()` once it has received its whole share.
        """
        self._left = receivers
        self._began: float | None = None
        self._ended: float | None = None

    def begin(self) -> None:
        """Note the time of the beginning, if nobody has yet."""
        if self._began is None:
            self._began = perf_counter()

    def end(self) -> None:
        """Note the time of the end, if all others have come to theirs."""
        self._left -= 1
        if not self._left:
            self._ended = perf_counter()

    @property
    def seconds(self) -> float:
        """The time between the two.

        Raises:
            RuntimeError: The work did not come to its end.
        """
        if self._began is None or self._ended is None:
            message = "the work did not come to its end"
            raise RuntimeError(message)
        return self._ended - self._began


def share(count: int, index: int, parties: int = MANY) -> int:
    """Return how many of `count` messages party `index` has, if they are dealt out one by one, beginning with 0."""
    return (count - index + parties - 1) // parties


def check_count(what: str, found: int, expected: int) -> None:
    """Raise if something has gone missing, or came twice.

    Raises:
        RuntimeError: Says what, and how many.
    """
    if found != expected:
        message = f"{what}: {found} in place of {expected}"
        raise RuntimeError(message)


def part_of(timed: Callable[[int], float], part: int) -> Callable[[int], float]:
    """Return a work that does one `part`-th of its count, and tells `part` times its seconds.

    For peers that are so slow that the whole would take too long.
    """

    def timed_in_part(count: int) -> float:
        done = max(1, count // part)
        return timed(done) * count / done

    return timed_in_part


def turn(index: int) -> int:
    """Return after which of every `EVERY` messages of its own sender `index` sends what is urgent: evenly apart."""
    return index * EVERY // LOADERS


def urgents_among(count: int) -> int:
    """Return how many urgent ones accompany `count` messages, which `LOADERS` senders share."""
    return sum(len(range(turn(index), share(count, index, LOADERS), EVERY)) for index in range(LOADERS))
