"""Where the page draws what: the library's own layout of wirings, or a plain one where that has no helper. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orchestra_trio.dashboard.rows import make_rows
from orchestra_trio.wiring.drawing.layout.plan import Box, Line, make_plans
from orchestra_trio.wiring.drawing.svg.text import shortened, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestra_trio.dashboard.wiring import Shown, Wiring
    from orchestra_trio.wiring.drawing.layout.plan import Plan, Point, Rect

__all__ = ["lay_out"]

_NAME_SIZE: Final = 13.0
_NARROWEST, _PAD = 128.0, 14.0
_HEAD, _LANE = 44.0, 14.0
_MARK: Final = Box(22, 22, is_round=True)
_LABEL: Final = Box(62, 16)
_SCREEN: Final = (1200.0, 800.0)
_MARGIN = 16.0
_BOUNDED, _OTHER = 3, 2


def lay_out(wiring: Wiring, shown: Shown) -> dict[str, Any]:
    """Return the places of all entries and the ways of all edges between them, as plain data.

    It takes long for many entries: a second for 200.

    Returns:
        `width` and `height` of the drawing. `nodes`: for each name the left upper corner and the size. `marks`: the
        same of the small marks where messages come `in` from the embedding program and go `out` to it, each with the
        `subsystem` that they belong to. `edges`: sender and consumer (None for a mark), lane, the way as an SVG `path`,
        and the middle of its `label`.
    """
    places = _places(wiring, shown)
    names = list(shown.entries)
    numbers: dict[tuple[str | None, str | None], int] = {(name, name): at for at, name in enumerate(names)}
    marks: list[tuple[str, str]] = []
    for sender, consumer, _ in places:
        for inside, kind in ((consumer, "in"), (sender, "out")):
            outside = sender if kind == "in" else consumer
            if outside is None and inside is not None and (kind, inside) not in marks:
                marks.append((kind, inside))
    boxes = [_box(wiring, name, shown.entries[name]) for name in names] + [_MARK] * len(marks)
    lines: list[Line] = []
    for sender, consumer, lane in places:
        source = len(names) + marks.index(("in", str(consumer))) if sender is None else numbers[sender, sender]
        target = len(names) + marks.index(("out", str(sender))) if consumer is None else numbers[consumer, consumer]
        lines.append(Line(source, target, _LABEL, weight=_BOUNDED if lane == "bounded" else _OTHER))
    plan = _plan(boxes, lines)
    return {
        "width": round(plan.width + 2 * _MARGIN, 1),
        "height": round(plan.height + 2 * _MARGIN, 1),
        "nodes": {name: _rect(rect) for name, rect in zip(names, plan.boxes, strict=False)},
        "marks": [
            {"kind": kind, "subsystem": name, **_rect(rect)}
            for (kind, name), rect in zip(marks, plan.boxes[len(names) :], strict=True)
        ],
        "edges": [
            {
                "sender": sender,
                "consumer": consumer,
                "lane": lane,
                "path": _path(route.points),
                "label": {"x": round(route.label.x + _MARGIN, 1), "y": round(route.label.y + _MARGIN, 1)},
            }
            for (sender, consumer, lane), route in zip(places, plan.routes, strict=True)
        ],
    }


def _places(wiring: Wiring, shown: Shown) -> list[tuple[str | None, str | None, str]]:
    """Return the links between entries, each once; those that lead elsewhere are left out."""
    owner: dict[str | None, str | None] = dict(shown.owner.items())
    owner[None] = None
    return list(
        dict.fromkeys(
            (owner[link.sender], owner[link.consumer], link.lane)
            for link in wiring.links
            if link.sender in owner and link.consumer in owner
        )
    )


def _box(wiring: Wiring, name: str, members: tuple[str, ...]) -> Box:
    lanes = {lane for member in members for lane in wiring.lanes[member]}
    return Box(max(_NARROWEST, width_of(shortened(name), _NAME_SIZE) + 2 * _PAD), _HEAD + _LANE * len(lanes))


def _plan(boxes: Sequence[Box], lines: Sequence[Line]) -> Plan:
    try:
        plans = make_plans(boxes, lines)
    except RuntimeError:
        return make_rows(boxes, lines)
    return min(plans, key=lambda plan: max(plan.width / _SCREEN[0], plan.height / _SCREEN[1]))


def _rect(rect: Rect) -> dict[str, float]:
    return {
        "x": round(rect.x - rect.width / 2 + _MARGIN, 1),
        "y": round(rect.y - rect.height / 2 + _MARGIN, 1),
        "width": round(rect.width, 1),
        "height": round(rect.height, 1),
    }


def _path(points: Sequence[Point]) -> str:
    """Return the way of an arrow: a first point, and then Bézier curves of three points each."""
    texts = [f"{x + _MARGIN:.1f} {y + _MARGIN:.1f}" for x, y in points]
    return " ".join(
        [f"M {texts[0]}", *(f"C {', '.join(texts[begin : begin + 3])}" for begin in range(1, len(texts), 3))]
    )
