"""The nodes of an SVG picture: how much room they need, and how they are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra_trio.wiring.drawing.layout.plan import Box
from orchestra_trio.wiring.drawing.svg.text import shortened, width_of, wrapped

if TYPE_CHECKING:
    from orchestra_trio.wiring.drawing.layout.plan import Rect
    from orchestra_trio.wiring.drawing.picture import Node
    from orchestra_trio.wiring.drawing.svg.canvas import Canvas

__all__ = ["draw_node", "node_box"]

NAME_SIZE, NOTE_SIZE = 13.0, 11.0
NAME_LINE, NOTE_LINE, GAUGE = 17.0, 14.0, 6.0
PAD_X, PAD_Y, MARK_PAD_Y = 11.0, 7.0, 5.0
NOTE_WIDTH = 150.0
SIDE, CUT, CORNER = 6.0, 10.0, 6.0
NEARLY_FULL = 0.9


def node_box(node: Node) -> Box:
    """Return how much room a node needs."""
    widest = max(
        width_of(shortened(node.title), NAME_SIZE),
        *(width_of(one, NOTE_SIZE, code=False) for one in _notes(node)),
        *(width_of(one, NOTE_SIZE) for one in node.queue_lines),
        0,
    )
    if node.is_slot:
        sides = 2 * PAD_X + (2 * SIDE if node.kind == "thread" else 0)
        return Box(widest + sides, _text_height(node) + 2 * PAD_Y)
    width = widest + 2 * PAD_X
    return Box(width, width if node.kind == "nobody" else NAME_LINE + 2 * MARK_PAD_Y, is_round=True)


def draw_node(canvas: Canvas, node: Node, rect: Rect) -> None:
    """Draw a node, with what is written in it."""
    style = ["node", "slot" if node.is_slot else "mark", node.kind, node.presence]
    if node.cycling != "no" and node.presence not in ("wip", "disabled"):
        style.append(node.cycling)
    canvas.begin(" ".join(style), "; ".join([node.title, *node.subtitle]), **{"data-node": node.key})
    _outline(canvas, node, rect)
    base = rect.y - _text_height(node) / 2 + NAME_SIZE
    canvas.text(rect.x, base, shortened(node.title), "name code middle")
    for note in _notes(node):
        base += NOTE_LINE
        canvas.text(rect.x, base, note, "quiet middle")
    for queue, line in zip(node.queues, node.queue_lines, strict=True):
        base += NOTE_LINE
        canvas.text(rect.x, base, line, "figure code middle")
        if queue.capacity is not None:
            base += GAUGE
            _gauge(canvas, queue.length / queue.capacity, rect.x, base - 1, rect.width - 4 * PAD_X)
    canvas.end()


def _notes(node: Node) -> list[str]:
    return [line for note in node.subtitle for line in wrapped(note, NOTE_WIDTH, NOTE_SIZE)]


def _text_height(node: Node) -> float:
    gauges = sum(GAUGE for queue in node.queues if queue.capacity is not None)
    return NAME_LINE + NOTE_LINE * (len(_notes(node)) + len(node.queues)) + gauges


def _outline(canvas: Canvas, node: Node, rect: Rect) -> None:
    x, y, width, height = rect.x, rect.y, rect.width, rect.height
    if node.kind == "on_event":
        left, right, flat = x - width / 2, x + width / 2, width / 2 - CUT
        high, low = y - height / 2, y + height / 2
        corners = [(left, y), (x - flat, high), (x + flat, high), (right, y), (x + flat, low), (x - flat, low)]
        canvas.polygon("box", corners)
    elif node.kind == "thread":
        canvas.box("box", x, y, width, height)
        for side in (x - width / 2 + SIDE, x + width / 2 - SIDE):
            canvas.upright("box", side, y, height)
    else:
        canvas.box("box", x, y, width, height, CORNER if node.is_slot else height / 2)


def _gauge(canvas: Canvas, share: float, x: float, y: float, width: float) -> None:
    """A bar that is as full as the lane is."""
    canvas.begin("full" if share >= NEARLY_FULL else "part")
    canvas.box("gauge", x, y, width, 3, 1.5)
    if share:
        filled = width * min(share, 1)
        canvas.box("level", x - (width - filled) / 2, y, filled, 3, 1.5)
    canvas.end()
