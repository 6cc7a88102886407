"""The legend of an SVG picture: a sample of each style that occurs, and what it means."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from orchestra_trio.wiring.drawing.svg.text import width_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orchestra_trio.wiring.drawing.picture import Entry, Sample
    from orchestra_trio.wiring.drawing.svg.canvas import Canvas

__all__ = ["draw_legend", "legend_width"]

SAMPLE, SPACE, ROW, COLUMN_GAP, SIZE = 34.0, 8.0, 20.0, 24.0, 11.0

STYLES: Mapping[Sample, str] = MappingProxyType(
    {
        "bounded": "arrow bounded",
        "unbounded": "arrow unbounded",
        "blocking path": "arrow bounded blocking",
        "calm path": "arrow bounded calm",
        "blocking node": "blocking",
        "calm node": "calm",
        "nobody": "mark",
    }
)


def legend_width(entries: Sequence[Entry]) -> float:
    """Return how wide one column is."""
    return max((SAMPLE + SPACE + width_of(one.meaning, SIZE, code=False) for one in entries), default=0)


def draw_legend(canvas: Canvas, entries: Sequence[Entry], left: float, top: float, width: float) -> float:
    """Draw the legend in as many columns as there is room for; return where it ends."""
    if not entries:
        return top
    column = legend_width(entries) + COLUMN_GAP
    columns = max(1, int((width + COLUMN_GAP) // column))
    rows = -(-len(entries) // columns)
    canvas.begin("legend")
    for number, entry in enumerate(entries):
        x, y = left + number // rows * column, top + (number % rows + 1) * ROW
        canvas.begin(STYLES.get(entry.sample, entry.sample), **{"data-sample": entry.sample})
        _draw_sample(canvas, entry.sample, x + SAMPLE / 2, y)
        canvas.end()
        canvas.text(x + SAMPLE + SPACE, y + 4, entry.meaning, "quiet")
    canvas.end()
    return top + rows * ROW + ROW / 2


def _draw_sample(canvas: Canvas, sample: Sample, x: float, y: float) -> None:
    match sample:
        case "bounded" | "unbounded" | "blocking path" | "calm path":
            begin, end = (x - SAMPLE / 2, y), (x + SAMPLE / 2, y)
            canvas.arrow([begin, begin, end, end], is_thick=sample == "blocking path")
        case "queue":
            canvas.box("gauge", x, y, SAMPLE, 3, 1.5)
            canvas.box("level", x - SAMPLE / 3, y, SAMPLE / 3, 3, 1.5)
        case "nobody":
            canvas.box("box", x, y, 14, 14, 7)
        case "thread":
            canvas.box("box", x, y, SAMPLE - 4, 14)
            for side in (x - SAMPLE / 2 + 6, x + SAMPLE / 2 - 6):
                canvas.upright("box", side, y, 14)
        case _:
            canvas.box("box", x, y, SAMPLE - 4, 14, 4)
