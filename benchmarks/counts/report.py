"""What is printed and written of a comparison."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import attrs

from benchmarks.counts.counters import INSTRUCTIONS
from benchmarks.counts.runs import RUNS, YARDSTICK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.counts.comparing import Comparison, Row, Shift
    from benchmarks.counts.figures import Counted, Versions

__all__ = ["as_data", "as_text", "where_as_text"]

_UNITS: Final = {run.name: run.unit for run in RUNS}
_COMMAND: Final = "python -m benchmarks.counts"
_FUNCTIONS: Final = 15
"""How many functions are shown."""


def as_text(comparison: Comparison, here: Versions) -> str:
    """Return the table, and one line for each figure that is past its limit and for each thing that does not fit."""
    table = [("run", "counter", "per", "stored", "now", "change"), *map(_cells, comparison.rows)]
    lines = [f"Python {here.build}, trio {here.trio}", "", *_aligned(table, left=3), ""]
    lines += [f"note: {note}" for note in comparison.notes]
    lines += [_as_line(row) for row in comparison.rows if row.is_worse]
    lines += [f"{row.run}: {row.counter} better by {-row.change:.1%}" for row in comparison.rows if row.is_better]
    worse = any(row.is_worse for row in comparison.rows)
    if worse or any(row.is_better for row in comparison.rows):
        lines.append(f"to store the figures of now{', if that is meant' if worse else ''}: {_COMMAND} --update")
    if not comparison.rows:
        lines.append(f"nothing was compared; to store figures: {_COMMAND} --update")
    elif comparison.passed:
        lines.append(f"{len(comparison.rows)} figures compared, none is worse")
    return "\n".join(lines)


def as_data(comparison: Comparison, counted: Mapping[str, Counted]) -> dict[str, Any]:
    """Return the same for JSON; a change that is infinite is null."""
    return {
        "passed": comparison.passed,
        "versions": {counter: attrs.asdict(one.versions) for counter, one in counted.items()},
        "yardstick": next(
            (one.figures[YARDSTICK.name].total for one in counted.values() if YARDSTICK.name in one.figures), None
        ),
        "notes": comparison.notes,
        "rows": [
            {
                **attrs.asdict(row),
                "unit": _UNITS.get(row.run),
                "change": row.change if math.isfinite(row.change) else None,
                "is_worse": row.is_worse,
                "is_better": row.is_better,
            }
            for row in comparison.rows
        ],
    }


def where_as_text(counter: str, run: str, found: Sequence[Shift]) -> str:
    """Return a table of the functions that come first."""
    known = any(shift.stored is not None for shift in found)
    order = "those that changed most" if known else "nothing is stored: those that cost most"
    table = [("stored", "now", "change", "function")]
    table += [
        (
            "" if shift.stored is None else f"{shift.stored:,.3f}",
            f"{shift.now:,.3f}",
            "" if shift.stored is None else f"{round(shift.difference, 3) + 0.0:+,.3f}",
            shift.function,
        )
        for shift in found[:_FUNCTIONS]
    ]
    return "\n".join([f"{counter} per {_UNITS[run]} of {run}; {order}:", "", *_aligned(table, left=0, last_left=True)])


def _as_line(row: Row) -> str:
    return (
        f"WORSE {row.run}: {row.counter} {row.change:+.1%}, past {row.limit:+.0%} "
        f"({_number(row.stored)} -> {_number(row.now)} per {_UNITS.get(row.run)}); "
        f"where: {_COMMAND} --where {row.run}"
    )


def _cells(row: Row) -> tuple[str, ...]:
    counter = f"{row.counter}, in yardsticks" if row.counter == INSTRUCTIONS else row.counter
    return row.run, counter, _UNITS.get(row.run, ""), _number(row.stored), _number(row.now), _percent(row.change)


def _percent(change: float) -> str:
    return f"{round(change, 4) + 0.0:+.1%}"  # no minus before nothing


def _number(number: float) -> str:
    return f"{number:,.3f}"


def _aligned(table: Sequence[Sequence[str]], *, left: int, last_left: bool = False) -> list[str]:
    """Return the lines of a table, of which the first `left` columns, or the last one, are words."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    last = len(widths) - 1
    return [
        "  ".join(
            cell.ljust(width) if number < left or (last_left and number == last) else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
