"""The plan of a drawing: where each box stands, the way of each arrow, and where its label is."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import attrs

from orchestra_trio.wiring.drawing.layout.places import Vertex, place, spread
from orchestra_trio.wiring.drawing.layout.skeleton import Tie, build_skeleton

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestra_trio.wiring.drawing.layout.skeleton import Chain, Skeleton

__all__ = ["Box", "Line", "Plan", "Point", "Rect", "Route", "make_plans"]

Point: TypeAlias = "tuple[float, float]"

PORT_GAP = 13.0
"""Between two arrows that reach the same side of a box."""

LOOP = 26.0
"""How far an arrow from a box to itself reaches out."""

BOX_GAP, LABEL_GAP, LANE_GAP = 22.0, 9.0, 9.0
LAYER_GAP, WIDEST_LAYER_GAP, SLOPE = 22.0, 60.0, 12.0


@attrs.frozen
class Box:
    """Something to be placed, as large as what is written in it."""

    width: float
    height: float
    is_round: bool = False
    """Whether arrows can reach it in the middle of a side only."""

    def flipped(self) -> Box:
        """Return it with width and height exchanged."""
        return Box(self.height, self.width, self.is_round)


@attrs.frozen
class Line:
    """An arrow to be laid, from one box to another or to itself, with what is written at it."""

    source: int
    target: int
    label: Box
    weight: int = 1
    """How much it is to be short, and not to lead back."""

    @property
    def is_loop(self) -> bool:
        """Whether it leads from a box to itself."""
        return self.source == self.target


@attrs.frozen
class Rect:
    """Where something is: its middle and its size."""

    x: float
    y: float
    width: float
    height: float

    def flipped(self) -> Rect:
        """Return it with the axes exchanged."""
        return Rect(self.y, self.x, self.height, self.width)


@attrs.frozen
class Route:
    """The way of one arrow: a first point, and then Bézier curves of three points each."""

    points: tuple[Point, ...]
    label: Rect

    def flipped(self) -> Route:
        """Return it with the axes exchanged."""
        return Route(tuple((y, x) for x, y in self.points), self.label.flipped())


@attrs.frozen
class Plan:
    """Where everything is. All coordinates lie between nought and width or height."""

    width: float
    height: float
    boxes: tuple[Rect, ...]
    routes: tuple[Route, ...]

    def flipped(self) -> Plan:
        """Return it with the axes exchanged."""
        return Plan(
            self.height,
            self.width,
            tuple(one.flipped() for one in self.boxes),
            tuple(one.flipped() for one in self.routes),
        )


def make_plans(boxes: Sequence[Box], lines: Sequence[Line]) -> tuple[Plan, Plan]:
    """Return two plans: with the layers below each other, and with the layers beside each other.

    Raises:
        RuntimeError: Neither python-igraph nor Graphviz is installed.
    """
    ties = [Tie(one.source, one.target, one.weight, one.label.width > 0) for one in lines if not one.is_loop]
    skeleton = build_skeleton(len(boxes), ties)
    turned = [attrs.evolve(one, label=one.label.flipped()) for one in lines]
    return (
        _Planner(skeleton, boxes, lines).make(),
        _Planner(skeleton, [one.flipped() for one in boxes], turned).make().flipped(),
    )


class _Planner:
    """Lays layers below each other."""

    def __init__(self, skeleton: Skeleton, boxes: Sequence[Box], lines: Sequence[Line]) -> None:
        self.skeleton = skeleton
        self.lines = lines
        chains = iter(skeleton.chains)
        self.chains = [None if line.is_loop else next(chains) for line in lines]
        self.loops: dict[int, list[Line]] = {}
        for line in lines:
            if line.is_loop:
                self.loops.setdefault(line.source, []).append(line)
        self.boxes = self._widened(boxes)
        labels = {chain.label: line.label for chain, line in zip(self.chains, lines, strict=True) if chain is not None}
        self.sizes = [*self.boxes, *(labels.get(one, Box(0, 0)) for one in range(len(boxes), len(skeleton.levels)))]
        self.vertices = [self._vertex(number, size) for number, size in enumerate(self.sizes)]
        self.across = self._across()
        self.bands = self._bands()
        self.ports = self._ports()

    def make(self) -> Plan:
        rects = tuple(
            Rect(self.across[number], self._middle(number), box.width, box.height)
            for number, box in enumerate(self.boxes)
        )
        return Plan(
            width=max((self.across[one] + vertex.after for one, vertex in enumerate(self.vertices)), default=0),
            height=max((end for _, end in self.bands), default=0),
            boxes=rects,
            routes=tuple(
                self._loop(line, rects[line.source]) if chain is None else self._route(line, chain, rects)
                for line, chain in zip(self.lines, self.chains, strict=True)
            ),
        )

    def _widened(self, boxes: Sequence[Box]) -> list[Box]:
        """Make boxes so wide that there is room for all arrows at their upper and at their lower side."""
        above, below = [0] * len(boxes), [0] * len(boxes)
        for chain in self.skeleton.chains:
            below[chain.upper] += 1
            above[chain.lower] += 1
        return [
            attrs.evolve(box, width=max(box.width, (max(ports) + 1) * PORT_GAP))
            for box, *ports in zip(boxes, below, above, strict=True)
        ]

    def _vertex(self, number: int, size: Box) -> Vertex:
        half = size.width / 2
        if number < len(self.boxes):
            sides = [half, half]
            for side, loop in enumerate(self.loops.get(number, ())):
                sides[side % 2] = half + LOOP + loop.label.width
            return Vertex(before=sides[1], after=sides[0], gap=BOX_GAP)
        return Vertex(half, half, LABEL_GAP, pull=2) if half else Vertex(0, 0, LANE_GAP, pull=4)

    def _across(self) -> list[float]:
        strands = [one.vertices for one in self.skeleton.chains]
        across = place(self.skeleton.layers, self.vertices, self.skeleton.links, strands)
        start = min((across[one] - vertex.before for one, vertex in enumerate(self.vertices)), default=0)
        return [one - start for one in across]

    def _bands(self) -> list[tuple[float, float]]:
        """Where each layer begins and ends; the farther arrows lead aside between two, the farther apart these are."""
        aside = [0.0] * len(self.skeleton.layers)
        for source, target in self.skeleton.links:
            level = self.skeleton.levels[source]
            aside[level] = max(aside[level], abs(self.across[source] - self.across[target]))
        bands: list[tuple[float, float]] = []
        begin = 0.0
        for layer, distance in zip(self.skeleton.layers, aside, strict=True):
            end = begin + max(map(self._height, layer), default=0)
            bands.append((begin, end))
            begin = end + min(WIDEST_LAYER_GAP, LAYER_GAP + distance / SLOPE)
        return bands

    def _height(self, vertex: int) -> float:
        return max([self.sizes[vertex].height, *(one.label.height for one in self.loops.get(vertex, ()))])

    def _middle(self, vertex: int) -> float:
        begin, end = self._band(vertex)
        return (begin + end) / 2

    def _band(self, vertex: int) -> tuple[float, float]:
        return self.bands[self.skeleton.levels[vertex]]

    def _ports(self) -> dict[tuple[int, int], float]:
        """Where each link of a box leaves or reaches it: as straight as can be, and apart from the others."""
        sides: dict[tuple[int, bool], list[int]] = {}
        for source, target in self.skeleton.links:
            if source < len(self.boxes):
                sides.setdefault((source, True), []).append(target)
            if target < len(self.boxes):
                sides.setdefault((target, False), []).append(source)
        ports: dict[tuple[int, int], float] = {}
        for (box, _), others in sides.items():
            others.sort(key=self.across.__getitem__)
            reach = 0 if self.boxes[box].is_round else (self.boxes[box].width - PORT_GAP) / 2
            low, high = self.across[box] - reach, self.across[box] + reach
            wanted = [min(max(self.across[one], low), high) for one in others]
            found = spread(wanted, [1.0] * len(others), [PORT_GAP] * len(others))
            last = len(others) - 1
            for number, (one, port) in enumerate(zip(others, found, strict=True)):
                ports[box, one] = min(max(port, low + number * PORT_GAP), high - (last - number) * PORT_GAP)
        return ports

    def _route(self, line: Line, chain: Chain, rects: Sequence[Rect]) -> Route:
        upper, lower = rects[chain.upper], rects[chain.lower]
        first, last = chain.vertices[0], chain.vertices[-1]
        stations = [
            (self.ports[chain.upper, first], upper.y + upper.height / 2, self._band(chain.upper)[1]),
            *((self.across[one], *self._band(one)) for one in chain.vertices),
            (self.ports[chain.lower, last], self._band(chain.lower)[0], lower.y - lower.height / 2),
        ]
        points = _curve(stations)
        at = chain.vertices[len(chain.vertices) // 2] if chain.label is None else chain.label
        label = Rect(self.across[at], self._middle(at), line.label.width, line.label.height)
        return Route(tuple(reversed(points) if chain.is_backward else points), label)

    def _loop(self, line: Line, box: Rect) -> Route:
        side = -1 if self.loops[line.source].index(line) % 2 else 1
        border, up, down = box.x + side * box.width / 2, box.y - box.height / 4, box.y + box.height / 4
        far = border + side * LOOP
        label = Rect(far + side * line.label.width / 2, box.y, line.label.width, line.label.height)
        return Route(((border, up), (far, up - 4), (far, down + 4), (border, down)), label)


def _curve(stations: Sequence[tuple[float, float, float]]) -> list[Point]:
    """Return Bézier curves that run straight through layers, each given by place, begin and end, and bend between."""
    points = [(stations[0][0], stations[0][1])]
    for (across, begin, end), (following, until, _) in pairwise(stations):
        if end > begin:
            points += [(across, begin), (across, end), (across, end)]
        middle = (end + until) / 2
        points += [(across, middle), (following, middle), (following, until)]
    across, begin, end = stations[-1]
    if end > begin:
        points += [(across, begin), (across, end), (across, end)]
    return points
