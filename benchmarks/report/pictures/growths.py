"""The growths: what one unit costs at each size. What is flat costs the same at any size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from benchmarks.report.pictures.canvas import COLOURS, FAINT, MARGIN, SMALL, TOP, WIDTH, add_axes, make_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from benchmarks.harness import GrowthRow
    from benchmarks.report.stored import Report

__all__ = ["draw_growths"]

_MARKS: Final = "osD^vPX*"
_ENTRY: Final = 0.36
"""Inches that one growth takes in the legend."""
_LEGEND: Final = 3.0
"""How wide that is."""
_AXIS: Final = 0.6
"""Inches below and above a panel for what belongs to its axes."""


def draw_growths(report: Report) -> Figure:
    """Draw the growths of a run, a panel for each unit; one of them at least was measured at more than one size."""
    panels: dict[str, list[GrowthRow]] = {}
    for row in report.growths:
        if len(row.sizes) > 1:
            panels.setdefault(row.unit, []).append(row)
    heights = [max(2.4, _ENTRY * len(rows)) for rows in panels.values()]
    figure = make_figure(
        report,
        title="Growth: what one unit costs at each size",
        note="Flat is good: it costs the same at any size. Dotted: what would grow with the size.",
        body=sum(heights) + _AXIS * len(heights),
    )
    top = TOP
    for (unit, rows), height in zip(panels.items(), heights, strict=True):
        axes = add_axes(figure, left=MARGIN + 0.65, top=top, width=WIDTH - 2 * MARGIN - 0.8 - _LEGEND, height=height)
        _set_scales(axes, rows)
        axes.set_xlabel(f"{unit}s", size=SMALL)
        axes.set_ylabel(f"microseconds per {unit}", size=SMALL)
        for number, row in enumerate(rows):
            _draw_growth(axes, row, number, height)
        top += height + _AXIS
    return figure


def _draw_growth(axes: Axes, row: GrowthRow, number: int, height: float) -> None:
    colour, mark = COLOURS[number % len(COLOURS)], _MARKS[number % len(_MARKS)]
    axes.plot([one.size for one in row.sizes], [one.us for one in row.sizes], color=colour, marker=mark, markersize=4.5)
    place = 1 - _ENTRY * (number + 0.5) / height
    beside = axes.transAxes
    axes.plot([1.04], [place], color=colour, marker=mark, markersize=5.5, transform=beside, clip_on=False)
    axes.text(1.07, place, f"{row.growth}\n{_describe(row)}", size=SMALL, va="center", transform=beside)


def _describe(row: GrowthRow) -> str:
    if row.times is None:
        return ""
    goal = "" if row.at_most is None else f"; goal: at most {row.at_most:g}"
    return f"{row.times:.2f}x from {row.small:,} to {row.large:,}{goal}"


def _set_scales(axes: Axes, rows: Sequence[GrowthRow]) -> None:
    """Make both axes logarithmic, that of costs with two decades at the least, so that noise looks like what it is."""
    sizes = [one.size for row in rows for one in row.sizes]
    costs = [one.us for row in rows for one in row.sizes]
    room = max(100 / (max(costs) / min(costs)), 4) ** 0.5
    low, high = min(costs) / room, max(costs) * room
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(min(sizes) / 1.4, max(sizes) * 1.4)
    axes.set_ylim(low, high)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator())
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.grid(visible=True)
    start = high
    while start * max(sizes) / min(sizes) > low:
        start /= 10
        axes.plot([min(sizes), max(sizes)], [start, start * max(sizes) / min(sizes)], ":", color=FAINT, linewidth=0.6)
