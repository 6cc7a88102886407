"""The quantities: a dot for each figure, with a line to the worst round; a panel for each unit."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from benchmarks.harness import OURS
from benchmarks.report.pictures.canvas import OURS_COLOUR, PEER_COLOUR, TOP, make_figure
from benchmarks.report.pictures.listing import Group, Line, add_listing, body_height, set_log_scale
from benchmarks.report.tables import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from benchmarks.harness import QuantityRow
    from benchmarks.report.stored import Report

__all__ = ["draw_quantities"]


def draw_quantities(report: Report) -> Figure:
    """Draw the quantities of a run, of which there is at least one."""
    panels: dict[str, list[QuantityRow]] = {}
    for row in report.quantities:
        panels.setdefault(row.unit, []).append(row)
    listings = [_groups(rows) for rows in panels.values()]
    figure = make_figure(
        report,
        title="Waiting times, memory, and the like",
        note="To the left is better. Dot: the best round; thin line: to the worst.",
        body=sum(map(body_height, listings)),
    )
    top = TOP
    for (unit, rows), groups in zip(panels.items(), listings, strict=True):
        axes, places = add_listing(figure, groups, top=top)
        _set_scale(axes, rows, unit)
        for place, row in zip(places, rows, strict=True):
            colour = OURS_COLOUR if row.whose == OURS else PEER_COLOUR
            axes.plot([row.figure, row.highest], [place, place], color=colour, linewidth=0.8)
            axes.plot([row.figure], [place], color=colour, marker="o", markersize=5)
        top += body_height(groups)
    return figure


def _groups(rows: Sequence[QuantityRow]) -> list[Group]:
    return [
        Group(f"{name}, {unit}", [Line(f"{row.label}, {row.whose}", _figure(row)) for row in group])
        for (name, unit), group in groupby(rows, key=lambda row: (row.quantity, row.unit))
    ]


def _figure(row: QuantityRow) -> str:
    return number(row.figure) + ("" if row.ratio is None else f" ({row.ratio:.2f}x)")


def _set_scale(axes: Axes, rows: Sequence[QuantityRow], unit: str) -> None:
    """Make the axis logarithmic where all figures are above 0."""
    low, high = min(row.figure for row in rows), max(row.highest for row in rows)
    if low > 0:
        set_log_scale(axes, low / 1.5, high * 1.5)
    else:
        axes.grid(visible=True, axis="x")
    axes.set_xlabel(unit, labelpad=2)
