"""What is made of stored figures and those of now. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import attrs

from benchmarks.counts.counters import BYTECODES, INSTRUCTIONS
from benchmarks.counts.figures import SHARE
from benchmarks.counts.runs import YARDSTICK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.counts.counters import Figure
    from benchmarks.counts.figures import Counted, Versions

__all__ = ["LIMIT", "LIMIT_BETWEEN_BUILDS", "Comparison", "Row", "Shift", "compare", "shifts"]

LIMIT: Final = 0.05
"""The change past which a figure is worse, or better."""

LIMIT_BETWEEN_BUILDS: Final = 0.10
"""The same for instructions that were counted with another build of the interpreter, which alone makes up to 4 %."""

_SLACK: Final = 1e-9
"""What is lost to rounding: at the limit is not past it."""


@attrs.frozen
class Row:
    """One counter of one run."""

    run: str
    counter: str
    stored: float
    now: float
    limit: float = LIMIT

    @property
    def change(self) -> float:
        """By how much of what is stored it has grown; infinite where that was nothing."""
        if self.stored == 0:
            return math.inf if self.now else 0.0
        return self.now / self.stored - 1

    @property
    def is_worse(self) -> bool:
        """Whether it has grown past the limit."""
        return self.change > self.limit + _SLACK

    @property
    def is_better(self) -> bool:
        """Whether it has shrunk past the limit."""
        return self.change < -self.limit - _SLACK


@attrs.frozen
class Comparison:
    """All that could be compared, and what could not."""

    rows: list[Row]
    notes: list[str]
    """What does not fit, each in one line."""

    @property
    def passed(self) -> bool:
        """Whether nothing is worse; not where nothing could be compared."""
        return bool(self.rows) and not any(row.is_worse for row in self.rows)


def compare(stored: Mapping[str, Counted], now: Mapping[str, Counted]) -> Comparison:
    """Compare what fits; both are by counter."""
    comparison = Comparison([], [])
    for counter, counted in now.items():
        kept = stored.get(counter)
        if kept is None:
            comparison.notes.append(f"{counter}: nothing is stored, and nothing compared")
            continue
        comparison.notes.extend(_find_differences(counter, kept.versions, counted.versions))
        if _fits(counter, kept.versions, counted.versions):
            _compare_runs(comparison, counter, kept, counted)
    comparison.notes.extend(f"{counter}: not counted here, not compared" for counter in stored if counter not in now)
    return comparison


def _compare_runs(comparison: Comparison, counter: str, kept: Counted, counted: Counted) -> None:
    same_build = counter != INSTRUCTIONS or kept.versions.build == counted.versions.build
    limit = LIMIT if same_build else LIMIT_BETWEEN_BUILDS
    for run, figure in counted.figures.items():
        if run == YARDSTICK.name:
            continue
        if run not in kept.figures:
            comparison.notes.append(f"{counter}: nothing is stored for {run}, which is not compared")
            continue
        comparison.rows.append(Row(run, counter, kept.figures[run].total, figure.total, limit))


def _fits(counter: str, kept: Versions, here: Versions) -> bool:
    return kept.python == here.python or counter not in {BYTECODES, INSTRUCTIONS}


def _find_differences(counter: str, kept: Versions, here: Versions) -> Iterator[str]:
    if kept.python != here.python:
        verdict = "compared all the same" if _fits(counter, kept, here) else "not compared"
        yield f"{counter}: stored for Python {kept.python}, counted with {here.python}: {verdict}"
    elif counter == INSTRUCTIONS and kept.build != here.build:
        yield (
            f"{counter}: stored for another build of Python ({kept.build}): "
            f"only a change past {LIMIT_BETWEEN_BUILDS:.0%} counts"
        )
    if kept.trio != here.trio:
        yield f"{counter}: stored for trio {kept.trio}, counted with {here.trio}: what trio does is part of the change"


@attrs.frozen
class Shift:
    """What one function has to do with the cost of a unit."""

    function: str
    stored: float | None
    """None where nothing is stored that it could be compared with."""
    now: float

    @property
    def difference(self) -> float:
        """By how much it has grown; what it is now where nothing is stored."""
        return self.now - (self.stored or 0)


def shifts(stored: Figure | None, now: Figure) -> list[Shift]:
    """Return the functions, those that changed most first; those that cost most first where nothing is stored."""
    if stored is None:
        found = [Shift(function, None, number) for function, number in now.functions.items()]
    else:
        # What is little now and not stored may have been little then, too, and is not known to have changed.
        shown = [name for name, number in now.functions.items() if number >= 2 * SHARE * now.total]
        names = dict.fromkeys([*shown, *stored.functions])
        found = [Shift(name, stored.functions.get(name, 0.0), now.functions.get(name, 0.0)) for name in names]
    return sorted(found, key=lambda shift: (-abs(round(shift.difference, 3)), -shift.now, shift.function))
