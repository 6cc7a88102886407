"""Times of flight, counted into buckets: what makes a histogram, per lane."""

from __future__ import annotations

import math
from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestra_trio.records import LaneName

__all__ = ["BUCKETS", "FlightCounts", "Flights", "Place"]

Place: TypeAlias = "tuple[str | None, LaneName]"
"""Whose lane, and which; None is what goes out to the embedding program, `"on_event"` the channel of events."""

BUCKETS: Final = (1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Upper bounds in seconds: two for each power of ten, so that a quantile is right within a factor of three."""


@attrs.frozen
class FlightCounts:
    """The histogram of one lane, at one moment."""

    cumulative: tuple[tuple[float, int], ...]
    """For each upper bound in seconds, the last of them infinite, how many flights took no longer."""

    seconds: float
    """All these flights together."""


class Flights:
    """Counts flights by lane. Called in the step in which a message lands, also from threads."""

    def __init__(self, buckets: Sequence[float]) -> None:
        """Begin with no flights.

        Args:
            buckets: Upper bounds in seconds, ascending, without the infinite one.
        """
        self._bounds = tuple(buckets)
        self._counts: dict[Place, list[int]] = {}
        self._seconds: dict[Place, float] = {}

    def __call__(self, consumer: str | None, lane: LaneName, seconds: float) -> None:
        """Count a flight. No lock: of each lane it is called in one thread at a time."""
        place = (consumer, lane)
        counts = self._counts.get(place)
        if counts is None:
            counts = self._counts[place] = [0] * (len(self._bounds) + 1)
            self._seconds[place] = 0.0
        counts[bisect_left(self._bounds, seconds)] += 1
        self._seconds[place] += seconds

    def read(self, place: Place) -> FlightCounts:
        """Return the histogram of one lane."""
        counts = tuple(self._counts.get(place, ())) or (0,) * (len(self._bounds) + 1)
        return FlightCounts(
            cumulative=tuple(zip((*self._bounds, math.inf), accumulate(counts), strict=True)),
            seconds=self._seconds.get(place, 0.0),
        )
