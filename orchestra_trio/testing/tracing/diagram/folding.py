"""Folding: runs of the same row become one row, runs of the same few rows become a loop, and so on with these.

How often something came does not count for its shape: so a loop of "some of these, then some of those" is found where
the numbers differ from turn to turn. Where rows come in no regular order, as in pipelines whose stages take turns by
chance, one loop can stand for all rows that are not rare.
"""

from __future__ import annotations

from collections import Counter
from functools import partial, reduce
from itertools import groupby
from typing import TYPE_CHECKING, Final

import attrs

from orchestra_trio.testing.tracing.diagram.rows import Loop, overlay

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence

    from orchestra_trio.testing.tracing.diagram.rows import Node, Row

__all__ = ["common_shapes", "fold", "mix"]

_LONGEST: Final = 10
"""The most rows of a pattern."""

_TALLEST: Final = 24
"""The most lines of a pattern."""

_WORTH: Final = 1 / 250
"""The part of all rows that folding a pattern must save."""


def fold(rows: Sequence[Row], *, least: int, with_types: bool) -> list[Node]:
    """Return rows and loops that stand for these rows, in the same order.

    Args:
        rows: All rows.
        least: How often a pattern must come in a row somewhere, to be folded wherever it comes.
        with_types: Whether rows about different types of messages differ in shape.
    """
    folding = _Folding(list(rows))
    folding.shapes = [folding.number(row.shape(with_type=with_types)) for row in rows]
    while pattern := folding.find(least):
        folding.replace(pattern)
    return list(_unrolled(folding.nodes))


def common_shapes(rows: Iterable[Row], *, least: int) -> set[Hashable]:
    """Return the shapes of which there are at least so many rows; not of those that the caller of all asked for."""
    counts = Counter(row.shape(with_type=True) for row in rows if row.tone != "shown")
    return {shape for shape, count in counts.items() if count >= least}


def mix(rows: Iterable[Row], *, common: Collection[Hashable]) -> list[Node]:
    """Return rows and loops that stand for these rows; each loop for rows of common shapes, in whatever order."""
    nodes: list[Node] = []
    shaped = ((row.shape(with_type=True), row) for row in rows)
    for is_common, group in groupby(shaped, key=lambda one: one[0] in common):
        piece = list(group)
        kinds: dict[Hashable, list[Row]] = {}
        for shape, row in piece:
            kinds.setdefault(shape, []).append(row)
        if is_common and len(piece) > len(kinds) + 2:  # else it would save no line
            nodes.append(Loop(body=tuple(map(_sum, kinds.values())), is_mixed=True))
        else:
            nodes += (row for _, row in piece)
    return nodes


@attrs.define(eq=False)
class _Folding:
    """The rows and loops so far, each with a number for its shape."""

    nodes: list[Node]
    shapes: list[int] = attrs.Factory(list[int])
    _numbers: dict[Hashable, int] = attrs.Factory(dict["Hashable", int])

    def number(self, shape: Hashable) -> int:
        """Return the number of a shape."""
        return self._numbers.setdefault(shape, len(self._numbers))

    def find(self, least: int) -> tuple[int, ...] | None:
        """Return the shapes of the pattern that saves most rows, the shortest of several; None if none saves enough."""
        savings: dict[tuple[int, ...], int] = {}
        for length in range(1, _LONGEST + 1):
            for start, times in self._runs(length, least):
                if sum(one.height for one in self.nodes[start : start + length]) <= _TALLEST:
                    pattern = tuple(self.shapes[start : start + length])
                    savings[pattern] = savings.get(pattern, 0) + (times - 1) * length
        best = max(savings, key=lambda pattern: savings[pattern], default=None)
        return None if best is None or savings[best] < _WORTH * len(self.nodes) else best

    def _runs(self, length: int, least: int) -> Iterator[tuple[int, int]]:
        """Yield where as many shapes come again and again, and how often."""
        shapes = self.shapes
        alike = 0
        for place in range(len(shapes) - length + 1):
            if place + length < len(shapes) and shapes[place] == shapes[place + length]:
                alike += 1
                continue
            if (times := alike // length + 1) >= least:
                yield place - alike, times
            alike = 0

    def replace(self, pattern: tuple[int, ...]) -> None:
        """Put one node where the pattern comes, once or in a row.

        Once, too: then it is of the same shape as where it comes often, and larger patterns are found.
        """
        length = len(pattern)
        shape = self.number(pattern)
        nodes: list[Node] = []
        shapes: list[int] = []
        place = 0
        while place < len(self.nodes):
            end = place
            while tuple(self.shapes[end : end + length]) == pattern:
                end += length
            if end == place:
                nodes.append(self.nodes[place])
                shapes.append(self.shapes[place])
                place += 1
            else:
                nodes.append(_join([self.nodes[one : one + length] for one in range(place, end, length)]))
                shapes.append(shape)
                place = end
        self.nodes, self.shapes = nodes, shapes


def _join(turns: Sequence[Sequence[Node]]) -> Node:
    if len(turns[0]) == 1:
        return _sum([turn[0] for turn in turns])
    body = tuple(reduce(partial(overlay, is_next=False), column) for column in zip(*turns, strict=True))
    return Loop(body=body, fewest=len(turns), most=len(turns))


def _sum(nodes: Sequence[Node]) -> Node:
    return reduce(partial(overlay, is_next=True), nodes)


def _unrolled(nodes: Iterable[Node]) -> Iterator[Node]:
    for node in nodes:
        if isinstance(node, Loop) and not node.is_block:
            yield from _unrolled(node.body)
        else:
            yield node
