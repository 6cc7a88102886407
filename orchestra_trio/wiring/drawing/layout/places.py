"""Where the vertices of each layer stand: in order, apart, and as near as can be to what they are linked with."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Vertex", "place", "spread"]

Pull: TypeAlias = "tuple[float, float]"
"""A place where something wants to be, and how much it wants that."""

MEAN_ROUNDS, MEDIAN_ROUNDS = 30, 20
UNLINKED = 0.01


@attrs.frozen
class Vertex:
    """Something that takes up room in a layer."""

    before: float
    """How far it reaches from its middle, against the direction in which its layer is ordered."""

    after: float
    """How far it reaches in that direction."""

    gap: float
    """The room that it wants beside it."""

    pull: float = 1
    """How much it wants to lie straight with what it is linked with."""


def spread(wanted: Sequence[float], weights: Sequence[float], apart: Sequence[float]) -> list[float]:
    """Return places as near as can be to those wanted, in order and far enough apart.

    The sum of weighted squares of distances is the least possible: pools of neighbours that touch each other stand
    together where their wishes have their middle.

    Args:
        wanted: Where each wants to be.
        weights: How much it wants that.
        apart: How far each must be from the one before; the first of them does not count.
    """
    offset = 0.0
    offsets: list[float] = []
    pools: list[tuple[float, float, int]] = []
    for number, (wish, weight) in enumerate(zip(wanted, weights, strict=True)):
        offset += apart[number] if number else 0
        offsets.append(offset)
        mean, total, size = wish - offset, weight, 1
        while pools and pools[-1][0] >= mean:
            other, other_total, other_size = pools.pop()
            mean = (mean * total + other * other_total) / (total + other_total)
            total, size = total + other_total, size + other_size
        pools.append((mean, total, size))
    means = [mean for mean, _, size in pools for _ in range(size)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


def place(
    layers: Sequence[Sequence[int]],
    vertices: Sequence[Vertex],
    links: Sequence[tuple[int, int]],
    strands: Sequence[Sequence[int]],
) -> list[float]:
    """Return the middle of each vertex, along the direction in which the layers are ordered.

    Args:
        layers: The vertices of each layer, in order.
        vertices: How much room they take up.
        links: Between vertices of neighbouring layers.
        strands: Vertices of neighbouring layers that are to lie straight, one after the other.
    """
    return _Placing(layers, vertices, links, strands).places


class _Placing:
    """Vertices that are being moved.

    First each moves to the mean of what it is linked with, which lets all come near each other, and then to the median,
    which lets most lie straight.
    """

    def __init__(
        self,
        layers: Sequence[Sequence[int]],
        vertices: Sequence[Vertex],
        links: Sequence[tuple[int, int]],
        strands: Sequence[Sequence[int]],
    ) -> None:
        self.layers = layers
        self.linked: list[list[tuple[int, float]]] = [[] for _ in vertices]
        for source, target in links:
            pull = vertices[source].pull * vertices[target].pull
            self.linked[source].append((target, pull))
            self.linked[target].append((source, pull))
        self.apart = [
            [0.0, *(_apart(vertices[one], vertices[two]) for one, two in pairwise(layer))] for layer in layers
        ]
        self.spots = {vertex: (level, spot) for level, layer in enumerate(layers) for spot, vertex in enumerate(layer)}
        self.places = [0.0] * len(vertices)
        for level, layer in enumerate(layers):
            self._settle(level, [(0.0, 1.0)] * len(layer))
        for number in range(MEAN_ROUNDS + MEDIAN_ROUNDS):
            levels = range(len(layers))
            for level in levels if number % 2 else reversed(levels):
                self._move(level, mean=number < MEAN_ROUNDS)
            if number >= MEAN_ROUNDS:
                for strand in strands:
                    self._straighten(strand)

    def _move(self, level: int, *, mean: bool) -> None:
        wishes: list[Pull] = []
        for vertex in self.layers[level]:
            pulls = [(self.places[one], pull) for one, pull in self.linked[vertex]]
            total = sum(pull for _, pull in pulls)
            now = self.places[vertex]
            wish = (sum(spot * pull for spot, pull in pulls) / total if total else now) if mean else _median(now, pulls)
            wishes.append((wish, total or UNLINKED))
        self._settle(level, wishes)

    def _settle(self, level: int, wishes: Sequence[Pull]) -> None:
        found = spread([wish for wish, _ in wishes], [weight for _, weight in wishes], self.apart[level])
        for vertex, spot in zip(self.layers[level], found, strict=True):
            self.places[vertex] = spot

    def _straighten(self, strand: Sequence[int]) -> None:
        """Let as many as can be lie exactly straight, from the first on, as far as their neighbours leave room."""
        straight: list[int] = []
        low, high = float("-inf"), float("inf")
        for vertex in strand:
            begin, end = self._room(vertex)
            if max(low, begin) > min(high, end):
                self._align(straight, low, high)
                straight, low, high = [], begin, end
            low, high = max(low, begin), min(high, end)
            straight.append(vertex)
        self._align(straight, low, high)

    def _align(self, vertices: Sequence[int], low: float, high: float) -> None:
        if vertices:
            wanted = sum(self.places[one] for one in vertices) / len(vertices)
            for one in vertices:
                self.places[one] = min(max(wanted, low), high)

    def _room(self, vertex: int) -> tuple[float, float]:
        """Between which places a vertex can stand without moving its neighbours."""
        level, spot = self.spots[vertex]
        layer, apart = self.layers[level], self.apart[level]
        low = self.places[layer[spot - 1]] + apart[spot] if spot else float("-inf")
        high = self.places[layer[spot + 1]] - apart[spot + 1] if spot + 1 < len(layer) else float("inf")
        return low, high


def _median(now: float, pulls: Sequence[Pull]) -> float:
    """Where the sum of distances is least; there are often many such places, and then the nearest to where it is."""
    half = sum(pull for _, pull in pulls) / 2
    ordered = sorted(pulls)
    below = 0.0
    for number, (spot, pull) in enumerate(ordered):
        below += pull
        if below > half:
            return spot
        if below == half:
            return min(max(now, spot), ordered[number + 1][0])
    return now


def _apart(one: Vertex, other: Vertex) -> float:
    return one.after + other.before + max(one.gap, other.gap)
