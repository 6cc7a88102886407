"""Whether anything grows from round to round: lines laid through what was measured after the rounds.

What one round has left behind may still be held for a moment, by a thread that has not come to let go of it: so the
least of several readings counts. Lines are fitted on the way, in constant memory: the soak must not grow itself.
"""

from __future__ import annotations

import gc
import linecache
import os
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["BOUNDS", "Bound", "Growth", "Line", "count_library_objects", "read_memory"]

_STATM: Final = Path("/proc/self/statm")
_OWN: Final = ("orchestra_trio", "benchmarks.soak")
_ROUNDS: Final = 1000
"""Growth is told for so many rounds."""


@attrs.frozen
class Bound:
    """What is too much growth. A soak that is short grows by chance: so it has to grow by some amount at all, too."""

    unit: str
    steady: float
    """For 1,000 rounds."""
    total: float
    """From the end of the warm-up on."""


BOUNDS: Final[Mapping[str, Bound]] = {
    # Noise, as it was seen over minutes: 5,000 kB, as the heap gets its holes; 30 objects and 700 blocks, in a soak of
    # a few hundred rounds, as rare ways are gone for the first time.
    "resident memory": Bound("kB", 10_000, 10_000),
    "library objects": Bound("objects", 100, 50),
    "memory blocks": Bound("blocks", 2_000, 2_000),
}
"""A leaked orchestra is 150 objects and 1,200 blocks; one lost object in each tenth round is too much already."""


@attrs.define
class Line:
    """A line through points, by least squares."""

    count: int = 0
    _first: float = 0
    _last: float = 0
    _mean_x: float = 0
    _mean_y: float = 0
    _sum_xx: float = 0
    _sum_xy: float = 0

    def add(self, x: float, y: float) -> None:
        """Add a point; x must not be less than that of the point before."""
        if not self.count:
            self._first = x
        self._last = x
        self.count += 1
        from_mean = x - self._mean_x
        self._mean_x += from_mean / self.count
        self._mean_y += (y - self._mean_y) / self.count
        self._sum_xx += from_mean * (x - self._mean_x)
        self._sum_xy += from_mean * (y - self._mean_y)

    @property
    def slope(self) -> float:
        """How much y grows by for each x; 0 where all points have the same x."""
        return self._sum_xy / self._sum_xx if self._sum_xx else 0

    @property
    def rise(self) -> float:
        """How much the line grows by from the first point to the last."""
        return self.slope * (self._last - self._first)


@attrs.define
class Growth:
    """What is measured after rounds, and how it grows."""

    warm_up: int = 100
    """Rounds that do not count: caches fill, threads are started."""
    every: int = 10
    """After every how many rounds it is measured."""
    readings: int = 5
    """Of how many readings the least counts."""
    read: Callable[[], dict[str, float]] = attrs.field(factory=lambda: read_memory)
    lines: dict[str, Line] = attrs.field(factory=dict[str, Line], init=False)
    _least: dict[str, float] = attrs.field(factory=dict[str, float], init=False)
    _pending: int = attrs.field(default=0, init=False)
    """Readings since the last point."""
    _base: Counter[str] | None = attrs.field(default=None, init=False)

    def look(self, number: int) -> None:
        """Measure after a round, if it is due."""
        if number < self.warm_up or number % self.every:
            return
        if self._base is None:
            gc.collect()
            self._base = count_library_objects()
        for name, value in self.read().items():
            self._least[name] = min(value, self._least.get(name, value))
        self._pending += 1
        if self._pending == self.readings:
            for name, value in self._least.items():
                self.lines.setdefault(name, Line()).add(number, value)
            self._least.clear()
            self._pending = 0

    @property
    def is_known(self) -> bool:
        """Whether there were rounds enough for a line."""
        return any(line.count > 2 for line in self.lines.values())  # noqa: PLR2004 - through two points there always is one

    def find_faults(self) -> list[str]:
        """Say what has grown beyond its bound."""
        found: list[str] = []
        for name, line in self.lines.items():
            bound = BOUNDS[name]
            steady = line.slope * _ROUNDS
            if self.is_known and steady > bound.steady and line.rise > bound.total:
                more = f"; most of it: {self._name_types()}" if name == "library objects" else ""
                found.append(
                    f"{name} grow by {steady:,.0f} {bound.unit} in 1,000 rounds, more than {bound.steady:,.0f}{more}"
                )
        return found

    def describe(self) -> str:
        """Say in one line how everything grows."""
        if not self.is_known:
            return f"unknown: it takes {self.warm_up + 3 * self.every * self.readings:,} rounds"
        parts = [f"{line.slope * _ROUNDS:+,.0f} {BOUNDS[name].unit}" for name, line in self.lines.items()]
        bounds = [f"{BOUNDS[name].steady:,.0f}" for name in self.lines]
        return f"{', '.join(parts)} in 1,000 rounds; too much were {', '.join(bounds)}"

    def _name_types(self) -> str:
        """Name the types of which there are most more than after the warm-up."""
        gc.collect()
        now = count_library_objects()
        now.subtract(self._base or {})
        return ", ".join(f"{count:+} {name}" for name, count in now.most_common(3))


def read_memory() -> dict[str, float]:
    """Read what there is now, after collecting what is garbage; resident memory only where the system tells it."""
    linecache.clearcache()  # stacks are told with their lines: of one more file now and then
    gc.collect()
    values: dict[str, float] = {}
    if _STATM.exists():
        pages = int(_STATM.read_text("ascii").split()[1])
        values["resident memory"] = pages * os.sysconf("SC_PAGE_SIZE") / 1024
    values["library objects"] = count_library_objects().total()
    values["memory blocks"] = sys.getallocatedblocks()
    return values


def count_library_objects() -> Counter[str]:
    """Count the objects of the library's classes, and of the soak's, by type."""
    types = Counter(map(type, gc.get_objects()))
    return Counter(
        {
            f"{kind.__module__}.{kind.__qualname__}": count
            for kind, count in types.items()
            if str(kind.__module__).startswith(_OWN)
        }
    )
