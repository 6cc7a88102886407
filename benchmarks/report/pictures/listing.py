"""Pictures that are lists: groups of lines under headings, each with a label, a place for a mark, and its figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from benchmarks.report.pictures.canvas import MARGIN, SMALL, WIDTH, add_axes, text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Group", "Line", "add_listing", "body_height", "set_log_scale"]

LINE: Final = 0.19
"""Inches from one line to the next."""
GAP: Final = 0.5
"""Lines between groups."""
AXIS: Final = 0.3
"""Inches for the labels of the axis, above and below."""
WIDEST: Final = 4.0
"""Inches for labels: what is wider is cut short by the picture's edge, or lies above the grid."""


@attrs.frozen
class Line:
    """One figure."""

    label: str
    figure: str
    """What is written at the right."""


@attrs.frozen
class Group:
    """Lines under a heading."""

    heading: str
    lines: Sequence[Line]


def body_height(groups: Sequence[Group]) -> float:
    """Return how many inches a listing takes."""
    return 2 * AXIS + LINE * _count_lines(groups)


def add_listing(figure: Figure, groups: Sequence[Group], *, top: float) -> tuple[Axes, list[float]]:
    """Write the headings, labels and figures; return the axes between them, and where on them each line is.

    Args:
        figure: What is drawn on.
        groups: What is listed.
        top: Inches from the top of the picture.
    """
    lines = [line for group in groups for line in group.lines]
    widest = max(*(text_width(line.label) + 0.3 for line in lines), *(text_width(group.heading) for group in groups))
    left = MARGIN + min(widest, WIDEST)
    right = MARGIN + 0.1 + max(text_width(line.figure) for line in lines)
    count = _count_lines(groups)
    axes = add_axes(figure, left=left, top=top + AXIS, width=WIDTH - left - right, height=LINE * count)
    axes.set_ylim(count - 0.5, -0.5)
    axes.yaxis.set_major_locator(NullLocator())
    axes.tick_params(axis="x", which="both", top=True, labeltop=True)
    inch = 1 / (WIDTH - left - right)
    beside = axes.get_yaxis_transform()
    places: list[float] = []
    place = 0.0
    for group in groups:
        heading = axes.text((MARGIN - left) * inch, place, group.heading, transform=beside, weight="bold", va="center")
        heading.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1})
        for line in group.lines:
            place += 1
            places.append(place)
            axes.text(-0.08 * inch, place, line.label, transform=beside, size=SMALL, ha="right", va="center")
            axes.text(1 + 0.08 * inch, place, line.figure, transform=beside, size=SMALL, va="center")
        place += 1 + GAP
    return axes, places


def set_log_scale(axes: Axes, low: float, high: float, *, unit: str = "") -> None:
    """Make the axis of figures logarithmic, with labels at 1, 2 and 5 where there is room for them."""
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    subs = (1.0, 2.0, 5.0) if high / low < 1000 else (1.0,)  # noqa: PLR2004 - three decades
    axes.xaxis.set_major_locator(LogLocator(subs=subs))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}{unit}"))
    axes.grid(visible=True, axis="x")


def _count_lines(groups: Sequence[Group]) -> float:
    return sum(1 + len(group.lines) for group in groups) + GAP * (len(groups) - 1)
