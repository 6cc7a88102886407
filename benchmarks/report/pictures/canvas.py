"""What all pictures have in common: colours and sizes, the lines that say where the figures are from, and the SVG.

A picture has a white ground and a thin border, so that it reads alike in light and dark pages. Its text stays text.
What could differ from one drawing to the next, such as the date and random names, is left out, so that a picture
changes only where the figures do. For the same reason everything is placed in inches, not by how wide a text turns out
in the fonts of a machine.
"""

from __future__ import annotations

import textwrap
from contextlib import contextmanager
from io import StringIO
from typing import TYPE_CHECKING, Final

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

    from benchmarks.report.stored import Report

__all__ = [
    "COLOURS",
    "FAINT",
    "INK",
    "MARGIN",
    "OURS_COLOUR",
    "PEER_COLOUR",
    "SMALL",
    "TOP",
    "WIDTH",
    "add_axes",
    "as_svg",
    "make_figure",
    "settings",
    "text_width",
]

INK: Final = "#222222"
FAINT: Final = "#666666"
GRID: Final = "#dddddd"
OURS_COLOUR: Final = "#0072b2"
PEER_COLOUR: Final = "#d55e00"
COLOURS: Final = (OURS_COLOUR, PEER_COLOUR, "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#5d3a9b", "#7f7f7f")
"""Colours that are told apart by those, too, who see few (after Okabe and Ito)."""

SMALL: Final = 8
"""Points, of all text but titles."""

WIDTH: Final = 9.0
"""Inches, as all lengths here: about as many pixels as a page of the documents is wide."""
MARGIN: Final = 0.2
TOP: Final = 0.75
"""Where the body begins, below the title."""
_FOOT_LINE: Final = 0.15


@contextmanager
def settings() -> Iterator[None]:
    """Draw with our settings, whatever those of the user are, who has them back afterwards."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                "svg.fonttype": "none",
                "svg.hashsalt": "orchestra-trio",
                "font.family": ["sans-serif"],
                "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
                "font.size": SMALL,
                "axes.edgecolor": FAINT,
                "axes.linewidth": 0.6,
                "axes.axisbelow": True,
                "grid.color": GRID,
                "grid.linewidth": 0.6,
                "text.color": INK,
                "axes.labelcolor": INK,
                "xtick.color": FAINT,
                "ytick.color": FAINT,
                "xtick.labelcolor": INK,
                "ytick.labelcolor": INK,
            }
        )
        yield


def make_figure(report: Report, *, title: str, note: str, body: float) -> Figure:
    """Return a picture whose body is that high, with a title, a note below it, and at the foot what it was made on."""
    foot = _foot(report)
    height = TOP + body + MARGIN + _FOOT_LINE * len(foot) + MARGIN
    figure = Figure(figsize=(WIDTH, height), facecolor="white", edgecolor="#bbbbbb", linewidth=1.5)
    left = MARGIN / WIDTH
    figure.text(left, 1 - MARGIN / height, title, size=11, weight="bold", va="top")
    figure.text(left, 1 - (MARGIN + 0.25) / height, note, size=SMALL, color=FAINT, va="top")
    for number, line in enumerate(reversed(foot)):
        figure.text(left, (MARGIN + number * _FOOT_LINE) / height, line, size=SMALL - 1, color=FAINT, va="bottom")
    return figure


def add_axes(figure: Figure, *, left: float, top: float, width: float, height: float) -> Axes:
    """Return axes at that distance from the left and the top of the picture."""
    whole = figure.get_figheight()
    axes = figure.add_axes((left / WIDTH, 1 - (top + height) / whole, width / WIDTH, height / whole))
    axes.tick_params(which="both", length=2, labelsize=SMALL)
    for side in ("left", "right", "top", "bottom"):
        axes.spines[side].set_color(GRID)
    return axes


def text_width(text: str) -> float:
    """Return about how wide a small text is, rather too wide."""
    return len(text) * SMALL * 0.6 / 72


def as_svg(figure: Figure) -> str:
    """Return the picture as the text of an SVG file."""
    FigureCanvasSVG(figure)
    svg = StringIO()
    figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    return "\n".join(line.rstrip() for line in svg.getvalue().splitlines()) + "\n"


def _foot(report: Report) -> list[str]:
    lines = textwrap.wrap(str(report.machine), 165)
    lines.append(f"best rounds of {report.processes} x {report.rounds} (processes x rounds)")
    if not report.private_in_use:
        lines.append("all figures are those of trio's public interface alone")
    if report.quick:
        lines.append("a quick run, whose figures are not to be quoted")
    return lines
