"""A picture of a wiring as an SVG document: heading, drawing and legend, below each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra_trio.wiring.drawing.layout.plan import Line, make_plans
from orchestra_trio.wiring.drawing.svg.arrows import draw_arrow, label_box
from orchestra_trio.wiring.drawing.svg.canvas import Canvas
from orchestra_trio.wiring.drawing.svg.legend import draw_legend, legend_width
from orchestra_trio.wiring.drawing.svg.nodes import draw_node, node_box
from orchestra_trio.wiring.drawing.svg.style import STYLE
from orchestra_trio.wiring.drawing.svg.text import shortened, width_of, wrapped

if TYPE_CHECKING:
    from orchestra_trio.wiring.drawing.layout.plan import Plan
    from orchestra_trio.wiring.drawing.picture import Picture

__all__ = ["to_svg"]

MARGIN, SECTION_GAP = 20.0, 14.0
TITLE_SIZE, TITLE_LINE, NOTE_SIZE, NOTE_LINE = 17.0, 22.0, 11.0, 15.0
NARROWEST = 320.0
PAGE = 900.0
"""What a page shows at once, in pixels: drawings that are larger are scrolled, or made smaller."""

BOUNDED, OTHER = 3, 2


def to_svg(picture: Picture) -> str:
    """Return the picture as the text of an SVG document.

    Raises:
        RuntimeError: Neither python-igraph nor Graphviz is installed.
    """
    plan = _plan(picture)
    title = shortened(picture.title or "")
    width = max(plan.width, width_of(title, TITLE_SIZE), legend_width(picture.legend), NARROWEST)
    canvas = Canvas()
    top = _draw_heading(canvas, picture, title, width)
    aside = {"transform": f"translate({MARGIN + (width - plan.width) / 2:.1f} {top:.1f})"}
    canvas.begin("drawing", **aside)
    names = {node.key: node.title for node in picture.nodes}
    for arrow, route in zip(picture.arrows, plan.routes, strict=True):
        draw_arrow(canvas, arrow, route, (names[arrow.source], names[arrow.target]))
    for node, rect in zip(picture.nodes, plan.boxes, strict=True):
        draw_node(canvas, node, rect)
    canvas.end()
    bottom = draw_legend(canvas, picture.legend, MARGIN, top + plan.height + SECTION_GAP, width)
    return _document(picture, canvas, width + 2 * MARGIN, bottom + MARGIN / 2)


def _plan(picture: Picture) -> Plan:
    """Lay it out both ways, and take the one that needs less room and fits better on a page.

    It is worse to scroll to the side than downwards.
    """
    places = {node.key: number for number, node in enumerate(picture.nodes)}
    boxes = [node_box(node) for node in picture.nodes]
    lines = [
        Line(
            places[one.source],
            places[one.target],
            label_box(one),
            weight=BOUNDED if one.lane == "bounded" else OTHER,
        )
        for one in picture.arrows
    ]
    return min(make_plans(boxes, lines), key=_cost)


def _cost(plan: Plan) -> float:
    too_wide, too_high = max(plan.width / PAGE, 1), max(plan.height / PAGE, 1)
    return plan.width * plan.height * too_wide**2 * too_high


def _draw_heading(canvas: Canvas, picture: Picture, title: str, width: float) -> float:
    y = MARGIN - 6
    if title:
        y += TITLE_LINE
        canvas.text(MARGIN, y, title, "title code")
        y += 4
    lines: list[tuple[str, str]] = []
    if picture.signals:
        lines += [(one, "quiet") for one in wrapped(f"signals: {', '.join(picture.signals)}", width, NOTE_SIZE)]
    for cycles, style in ((picture.blocking_notes, "code blocking"), (picture.calm_notes, "code calm")):
        lines += [(line, style) for note in cycles for line in wrapped(note, width, NOTE_SIZE, code=True)]
    for line, style in lines:
        y += NOTE_LINE
        canvas.text(MARGIN, y, line, style)
    return y + SECTION_GAP


def _document(picture: Picture, canvas: Canvas, width: float, height: float) -> str:
    size = {"width": f"{width:.0f}", "height": f"{height:.0f}"}
    whole = Canvas()
    whole.tag("title", {}, f"The wiring of {picture.title}" if picture.title else "A wiring")
    whole.tag("desc", {}, "; ".join([picture.description, *picture.notes]))
    whole.parts.append(f"<style>\n{STYLE}\n</style>")
    whole.tag("rect", {"class": "paper", **size, "rx": "6"})
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="orchestra" role="img" '
        f'width="{size["width"]}" height="{size["height"]}" viewBox="0 0 {size["width"]} {size["height"]}">'
    )
    return "\n".join([opening, *whole.parts, *canvas.parts, "</svg>", ""])
