"""What our works and those of the peers have in common: the messages, the capacity, and the clock."""

from __future__ import annotations

from time import perf_counter
from typing import Final

import attrs

__all__ = ["BATCH", "CAPACITY", "MESSAGE", "PING", "PONG", "Message", "Ping", "Pong", "Stopwatch"]

CAPACITY: Final = 1024
"""How many messages fit into a channel, queue or lane."""

BATCH: Final = 100
"""How many messages make a batch."""


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


MESSAGE: Final = Message(1)
PING: Final = Ping()
PONG: Final = Pong()


class Stopwatch:
    """Times the traffic alone: begun by who sends first, right before; ended by who receives last, right after.

    Making tasks, opening channels or an orchestra, and ending all of it, lie outside. What remains of the start, the
    first switches between the tasks, is spread over tens of thousands of messages.
    """

    def __init__(self) -> None:
        """Make a watch that has not been begun."""
        self._began: float | None = None
        self._ended: float | None = None

    def begin(self) -> None:
        """Note the time of the beginning."""
        self._began = perf_counter()

    def end(self) -> None:
        """Note the time of the end."""
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
