"""The arrows of an SVG picture, and their labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra_trio.wiring.drawing.layout.plan import Box
from orchestra_trio.wiring.drawing.svg.text import shortened, width_of

if TYPE_CHECKING:
    from orchestra_trio.wiring.drawing.layout.plan import Route
    from orchestra_trio.wiring.drawing.picture import Arrow
    from orchestra_trio.wiring.drawing.svg.canvas import Canvas

__all__ = ["draw_arrow", "label_box"]

SIZE, LINE, PAD_X, PAD_Y = 11.0, 14.0, 4.0, 1.0


def label_box(arrow: Arrow) -> Box:
    """Return how much room the label of an arrow needs."""
    if not arrow.lines:
        return Box(0, 0)
    widest = max(width_of(shortened(one), SIZE) for one in arrow.lines)
    return Box(widest + 2 * PAD_X, LINE * len(arrow.lines) + 2 * PAD_Y)


def draw_arrow(canvas: Canvas, arrow: Arrow, route: Route, ends: tuple[str, str]) -> None:
    """Draw an arrow, with its label on its line.

    Args:
        canvas: Draws it.
        arrow: What it stands for.
        route: Its way.
        ends: The names of its ends.
    """
    style = ["arrow", arrow.lane, *(["faded"] if arrow.is_faded else [])]
    if arrow.cycling != "no":
        style.append(arrow.cycling)
    what = ", ".join([*arrow.types, *([] if arrow.figure is None else [arrow.figure])])
    keys = {"data-source": arrow.source, "data-target": arrow.target}
    canvas.begin(" ".join(style), f"{ends[0]} to {ends[1]}: {what}", **keys)
    canvas.arrow(route.points, is_thick=arrow.cycling == "blocking")
    if arrow.lines:
        label = route.label
        canvas.box("under", label.x, label.y, label.width, label.height, 3)
        base = label.y - label.height / 2 + SIZE
        styles = ["code middle"] * len(arrow.lines)
        if arrow.figure is not None:
            styles[-1] = "figure code middle"
        for line, look in zip(arrow.lines, styles, strict=True):
            canvas.text(label.x, base, shortened(line), look)
            base += LINE
    canvas.end()
