"""The works: a bar for each peer, from 1 to the ratio, with the spread and the goal."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from benchmarks.report.pictures.canvas import INK, OURS_COLOUR, PEER_COLOUR, TOP, make_figure
from benchmarks.report.pictures.listing import Group, Line, add_listing, body_height, set_log_scale
from benchmarks.report.tables import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from benchmarks.harness import Row
    from benchmarks.report.stored import Report

__all__ = ["draw_ratios"]


def draw_ratios(report: Report) -> Figure:
    """Draw the works of a run, of which there is at least one."""
    groups = [
        Group(work, [Line(f"{row.peer} ({number(row.peer_us)})", _figure(row)) for row in rows])
        for work, rows in ((_heading(row), [row, *rest]) for (row, *rest) in _by_work(report.rows))
    ]
    figure = make_figure(
        report,
        title="Throughput of orchestra_trio, as a multiple of that of each peer",
        note="Orange: the peer is faster. Thin line: spread within one round. Thick mark: the goal. In brackets: us.",
        body=body_height(groups),
    )
    axes, places = add_listing(figure, groups, top=TOP)
    figures = [figure for row in report.rows for figure in (row.lowest, row.highest, row.at_least or 1, row.ratio)]
    set_log_scale(axes, min(figures) / 1.2, max(*figures, 2) * 1.2, unit="x")
    axes.axvline(1, color=INK, linewidth=0.8)
    for place, row in zip(places, report.rows, strict=True):
        colour = OURS_COLOUR if row.ratio >= 1 else PEER_COLOUR
        axes.barh(place, row.ratio - 1, left=1, height=0.6, color=colour)
        axes.plot([row.lowest, row.highest], [place, place], color=INK, linewidth=0.8)
        if row.at_least is not None:
            axes.plot([row.at_least] * 2, [place - 0.42, place + 0.42], color="black", linewidth=2.2)
    return figure


def _by_work(rows: list[Row]) -> list[list[Row]]:
    return [list(group) for _, group in groupby(rows, key=lambda row: row.work)]


def _heading(row: Row) -> str:
    return f"{row.work} ({number(row.ours_us)} per {row.unit})"


def _figure(row: Row) -> str:
    return f"{row.ratio:.2f}x" + ("" if row.at_least is None else f", goal {row.at_least:g}")
