"""Fewer crossings: what any first order of the vertices can be made into by moving each towards its neighbours.

The orders that libraries find are good, and still twice as tangled as they need be: this halves what is left.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["crossings", "untangled"]

Order: TypeAlias = "list[list[int]]"

SWEEPS, SWITCHES = 24, 12
PATIENCE = 100_000
"""Links times sweeps that are worth the wait: a large graph gets fewer sweeps."""


def crossings(layers: Order, links: Sequence[tuple[int, int]]) -> int:
    """Return how many pairs of links cross.

    Args:
        layers: The vertices of each layer, in order.
        links: Between vertices of neighbouring layers.
    """
    places = {vertex: place for layer in layers for place, vertex in enumerate(layer)}
    levels = {vertex: level for level, layer in enumerate(layers) for vertex in layer}
    between: list[list[tuple[int, int]]] = [[] for _ in layers]
    for source, target in links:
        between[levels[source]].append((places[source], places[target]))
    count = 0
    for pairs in between:
        ends: list[int] = []
        for _, end in sorted(pairs):
            count += len(ends) - bisect_right(ends, end)
            insort(ends, end)
    return count


def untangled(starts: Iterable[Order], links: Sequence[tuple[int, int]]) -> Order:
    """Return the order with the fewest crossings that is found from any of these, the first of several.

    Sorts layer after layer by the average place of its vertices' neighbours, downwards and upwards in turns, and after
    each turn switches neighbours in a layer while that leaves fewer crossings.
    """
    sweeps = min(SWEEPS, PATIENCE // (len(links) + 1))
    best: Order = []
    fewest = -1
    for start in starts:
        tangle = _Tangle(start, links)
        for sweep in range(sweeps + 1):
            if sweep:
                tangle.sort_layers(upwards=bool(sweep % 2))
            tangle.switch_neighbours()
            count = crossings(tangle.layers, links)
            if fewest < 0 or count < fewest:
                best, fewest = [list(layer) for layer in tangle.layers], count
            if not fewest:
                return best
    return best


class _Tangle:
    """An order that is being changed."""

    def __init__(self, layers: Order, links: Sequence[tuple[int, int]]) -> None:
        self.layers = [list(layer) for layer in layers]
        self.places = {vertex: place for layer in layers for place, vertex in enumerate(layer)}
        self.above: dict[int, list[int]] = {vertex: [] for vertex in self.places}
        self.below: dict[int, list[int]] = {vertex: [] for vertex in self.places}
        for source, target in links:
            self.below[source].append(target)
            self.above[target].append(source)

    def sort_layers(self, *, upwards: bool) -> None:
        neighbours = self.below if upwards else self.above

        def average(vertex: int) -> float:
            others = neighbours[vertex]
            return sum(map(self.places.__getitem__, others)) / len(others) if others else self.places[vertex]

        for layer in reversed(self.layers) if upwards else self.layers:
            layer.sort(key=average)
            for place, vertex in enumerate(layer):
                self.places[vertex] = place

    def switch_neighbours(self) -> None:
        for _ in range(SWITCHES):
            switched = sum(self._switch_in(layer) for layer in self.layers)
            if not switched:
                return

    def _switch_in(self, layer: list[int]) -> bool:
        switched = False
        for place in range(len(layer) - 1):
            one, other = layer[place : place + 2]
            if self._crossings(one, other) > self._crossings(other, one):
                layer[place : place + 2] = other, one
                self.places[one], self.places[other] = place + 1, place
                switched = True
        return switched

    def _crossings(self, left: int, right: int) -> int:
        """How many links of two neighbours cross, where one is left of the other."""
        count = 0
        for neighbours in (self.above, self.below):
            ends = sorted(map(self.places.__getitem__, neighbours[right]))
            count += sum(bisect_left(ends, self.places[one]) for one in neighbours[left])
        return count
