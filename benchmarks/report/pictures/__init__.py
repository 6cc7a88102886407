"""A run drawn as SVG, for the documents: `ratios.svg`, `growths.svg` and `quantities.svg`, if it has figures for them.

This room needs matplotlib, the extra `plot`; nothing else imports it before that is known to be there. `canvas` holds
what the pictures have in common, and `listing` the layout of those that are a list of lines, with a figure to each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.report.pictures.canvas import as_svg, settings
from benchmarks.report.pictures.growths import draw_growths
from benchmarks.report.pictures.quantities import draw_quantities
from benchmarks.report.pictures.ratios import draw_ratios

if TYPE_CHECKING:
    from benchmarks.report.stored import Report

__all__ = ["draw"]


def draw(report: Report) -> dict[str, str]:
    """Return the pictures by the name of their file; the same run always gives the same text."""
    pictures: dict[str, str] = {}
    with settings():
        if report.rows:
            pictures["ratios.svg"] = as_svg(draw_ratios(report))
        if any(len(row.sizes) > 1 for row in report.growths):
            pictures["growths.svg"] = as_svg(draw_growths(report))
        if report.quantities:
            pictures["quantities.svg"] = as_svg(draw_quantities(report))
    return pictures
