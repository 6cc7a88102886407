"""Who sent the items of a lane: one entry for each run of items by the same sender, not one for each item. Pure."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Any

__all__ = ["Sources"]


class Sources:
    """Who sent what to one lane. Its items are numbered from 1 in the order in which they enter.

    Attributes:
        last: Who sent the last item; before the first, an object that is no sender.
    """

    __slots__ = ("_counts", "_first", "_runs", "last")

    def __init__(self) -> None:
        """Begin before the first item."""
        self.last: str | object | None = self
        self._first = 0
        self._runs: deque[tuple[int, str | None]] = deque()
        self._counts: dict[str | None, int] = {}

    def __len__(self) -> int:
        """Return how many runs are remembered."""
        return len(self._runs)

    def begin(self, number: int, sender: str | None, taken: int) -> None:
        """Note that items from this number on come from this sender, and forget the runs that have left."""
        if self._first:
            before: Any = self.last
            self._counts[before] = self._counts.get(before, 0) + number - self._first
        self._first = number
        runs = self._runs
        while len(runs) > 1 and runs[1][0] <= taken + 1:
            runs.popleft()
        runs.append((number, sender))
        self.last = sender

    def of_items(self, taken: int, sent: int) -> list[str | None]:
        """Return who sent each of the items that were sent and not taken."""
        senders: list[str | None] = []
        if taken >= sent:
            return senders
        bounds = [number for number, _ in islice(self._runs, 1, None)] + [sent + 1]
        for (first, sender), bound in zip(self._runs, bounds, strict=True):
            senders.extend([sender] * max(0, bound - max(first, taken + 1)))
        return senders

    def count(self, sent: int) -> dict[str | None, int]:
        """Return how many of the items sent so far come from each sender."""
        counts = dict(self._counts)
        if self._first:
            current: Any = self.last
            counts[current] = counts.get(current, 0) + sent - self._first + 1
        return counts
