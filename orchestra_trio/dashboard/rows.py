"""A plain layout in rows, for machines that have neither python-igraph nor Graphviz. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra_trio.wiring.drawing.layout.plan import Plan, Rect, Route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestra_trio.wiring.drawing.layout.plan import Box, Line, Point

__all__ = ["make_rows"]

_IN_A_ROW = 8
_GAP_X, _GAP_Y = 40.0, 60.0
_LOOP = 26.0


def make_rows(boxes: Sequence[Box], lines: Sequence[Line]) -> Plan:
    """Return a plan with what is sent to below what sends, as far as no arrow leads back to an earlier box."""
    rows = _rows(len(boxes), lines)
    rects: dict[int, Rect] = {}
    top = 0.0
    for row in rows:
        left = _LOOP
        height = max(boxes[one].height for one in row)
        for one in row:
            rects[one] = Rect(left + boxes[one].width / 2, top + height / 2, boxes[one].width, boxes[one].height)
            left += boxes[one].width + _GAP_X
        top += height + _GAP_Y
    placed = tuple(rects[one] for one in range(len(boxes)))
    return Plan(
        width=max((rect.x + rect.width / 2 for rect in placed), default=0) + _LOOP,
        height=max(top - _GAP_Y, 0),
        boxes=placed,
        routes=tuple(_route(line, placed[line.source], placed[line.target]) for line in lines),
    )


def _rows(count: int, lines: Sequence[Line]) -> list[list[int]]:
    depth = [0] * count
    for line in sorted(lines, key=lambda line: (line.source, line.target)):
        if line.target > line.source:  # an arrow to an earlier box leads back
            depth[line.target] = max(depth[line.target], depth[line.source] + 1)
    levels: dict[int, list[int]] = {}
    for one, level in enumerate(depth):
        levels.setdefault(level, []).append(one)
    return [
        levels[level][begin : begin + _IN_A_ROW]
        for level in sorted(levels)
        for begin in range(0, len(levels[level]), _IN_A_ROW)
    ]


def _route(line: Line, source: Rect, target: Rect) -> Route:
    right = source.x + source.width / 2
    if line.is_loop:
        up, down = source.y - source.height / 4, source.y + source.height / 4
        points: tuple[Point, ...] = ((right, up), (right + _LOOP, up), (right + _LOOP, down), (right, down))
        return Route(points, Rect(right + _LOOP, source.y, line.label.width, line.label.height))
    down = 1 if target.y > source.y else -1
    begin = (source.x, source.y + down * source.height / 2)
    end = (target.x, target.y - down * target.height / 2)
    if target.y == source.y:  # beside each other: from the upper side of one to that of the other
        begin, end = (source.x, source.y - source.height / 2), (target.x, target.y - target.height / 2)
    bend = _GAP_Y / 2
    points = (begin, (begin[0], begin[1] + down * bend), (end[0], end[1] - down * bend), end)
    if target.y == source.y:
        points = (begin, (begin[0], begin[1] - bend), (end[0], end[1] - bend), end)
    middle = Rect((begin[0] + end[0]) / 2, (begin[1] + end[1]) / 2, line.label.width, line.label.height)
    return Route(points, middle)
