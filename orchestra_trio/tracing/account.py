"""Which message lies where, and in which span it was sent: the lanes, mirrored from what observers are told.

A lane is first in, first out, so its mirror is a queue. The identity of each object is kept beside it, never the object
itself: reply ends must be collected as if nobody watched. A mirror that missed a step, as it can while a thread is at
work when watching begins, finds its place again by that.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.trace import SpanContext

    from orchestra_trio.records import LaneName

__all__ = ["Account", "Place", "Sent"]

Place: TypeAlias = "tuple[str | None, LaneName]"
"""Whose lane, and which."""


class Sent(NamedTuple):
    """What is known of a message that was sent, or of a signal."""

    item: int
    """The identity of the object, which somebody keeps alive for as long as this is kept."""
    link: SpanContext | None = None
    """The span that sent it; None where none was current."""
    sender: str | None = None
    """Who sent it; None for the embedding program."""
    is_request: bool = False
    epoch: int | None = None
    """The number of a signal's broadcast."""


class Account:
    """What lies in lanes, and what waits for room. Each lane is told of by one thread at a time: no lock."""

    def __init__(self, before: Mapping[Place, int]) -> None:
        """Begin to watch.

        Args:
            before: How much lies in lanes already, which nothing is known about.
        """
        self._before = Counter(before)
        self._lying: dict[Place, deque[Sent]] = {}
        self._waiting: dict[Place, dict[object, Sent]] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known to lie or to wait anywhere."""
        return not any(self._lying.values()) and not any(self._waiting.values())

    def wait(self, place: Place, task: object, sent: Sent) -> None:
        """Note that a task waits for room for one thing."""
        self._waiting.setdefault(place, {})[task] = sent

    def waited(self, place: Place, task: object, item: int) -> Sent | None:
        """Return that for which a task waited, and forget it; None if it did not."""
        waiting = self._waiting.get(place)
        if not waiting:
            return None
        found = waiting.get(task)
        return waiting.pop(task) if found is not None and found.item == item else None

    def waited_oldest(self, place: Place, item: int) -> Sent | None:
        """Return that for which any task waited, and forget it; None if none did."""
        waiting = self._waiting.get(place, {})
        found = next((task for task, sent in waiting.items() if sent.item == item), None)
        return None if found is None else waiting.pop(found)

    def lay(self, place: Place, sent: Sent) -> None:
        """Note that something lies in a lane, behind all that does."""
        lying = self._lying.get(place)
        if lying is None:
            lying = self._lying[place] = deque()
        lying.append(sent)

    def take(self, place: Place, item: int) -> Sent | None:
        """Return what is known of that which leaves a lane, and forget it; None if it came before the watching."""
        if self._before and self._before[place] > 0:
            self._before[place] -= 1
            return None
        lying = self._lying.get(place)
        if not lying:
            return None
        if lying[0].item != item and all(sent.item != item for sent in lying):
            return None
        while True:
            sent = lying.popleft()
            if sent.item == item:
                return sent

    def forget(self, place: Place) -> None:
        """Forget what lies in a lane: it was dropped."""
        self._lying.pop(place, None)
        self._before.pop(place, None)
