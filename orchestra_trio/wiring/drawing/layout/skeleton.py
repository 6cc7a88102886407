"""What a plan stands on, whichever way it runs: layers, chains of vertices through them, and the vertices' order.

Labels lie in layers of their own between those of the boxes, and an arrow that passes a layer has a lane of its own
there: so nothing lies on top of anything else, and arrows cross each other only between layers.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import attrs

from orchestra_trio.wiring.drawing.layout.layers import assign_layers, backward_links
from orchestra_trio.wiring.drawing.layout.order import order_layers
from orchestra_trio.wiring.drawing.layout.untangle import untangled

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Chain", "Skeleton", "Tie", "build_skeleton"]


@attrs.frozen
class Tie:
    """An arrow between two boxes, by their numbers, as far as the order of things is concerned."""

    source: int
    target: int
    weight: int
    """How much it is to be short, and not to lead back."""

    has_label: bool


@attrs.frozen
class Chain:
    """The way of an arrow from its upper box to its lower one, with a vertex in each layer between."""

    upper: int
    lower: int
    vertices: tuple[int, ...]
    label: int | None
    """The vertex at which its label lies."""

    is_backward: bool
    """Whether the arrow leads from the lower box to the upper one."""


@attrs.frozen
class Skeleton:
    """Layers and chains. Vertices are numbers; the boxes come first."""

    boxes: int
    levels: tuple[int, ...]
    """The layer of each vertex: even ones for boxes, odd ones for labels."""

    chains: tuple[Chain, ...]
    """One for each tie, in their order."""

    links: tuple[tuple[int, int], ...]
    """All steps of the chains."""

    layers: tuple[tuple[int, ...], ...]
    """The vertices of each layer, in order."""


def build_skeleton(boxes: int, ties: Sequence[Tie]) -> Skeleton:
    """Return the skeleton of these boxes and the arrows between different ones.

    Raises:
        RuntimeError: Neither python-igraph nor Graphviz is installed.
    """
    backward = backward_links(boxes, [(one.source, one.target, one.weight) for one in ties])
    ends = [
        (one.target, one.source) if number in backward else (one.source, one.target) for number, one in enumerate(ties)
    ]
    box_levels = assign_layers(boxes, [(*pair, tie.weight) for pair, tie in zip(ends, ties, strict=True)])
    levels = [2 * one for one in box_levels]
    chains: dict[int, Chain] = {}
    links: list[tuple[int, int]] = []
    labels: dict[int, int] = {}
    # The shorter ones have less choice where their labels lie.
    for number in sorted(range(len(ties)), key=lambda one: levels[ends[one][1]] - levels[ends[one][0]]):
        upper, lower = ends[number]
        between = range(levels[upper] + 1, levels[lower])
        vertices = range(len(levels), len(levels) + len(between))
        levels += between
        label = _label_level(between, labels) if ties[number].has_label else None
        chains[number] = Chain(
            upper,
            lower,
            tuple(vertices),
            None if label is None else vertices[label - between.start],
            is_backward=number in backward,
        )
        whole = [upper, *vertices, lower]
        links += pairwise(whole)
    as_declared: list[list[int]] = [[] for _ in range(max(levels, default=-1) + 1)]
    for vertex, level in enumerate(levels):
        as_declared[level].append(vertex)
    layers = untangled([order_layers(levels, links), as_declared], links)
    return Skeleton(
        boxes=boxes,
        levels=tuple(levels),
        chains=tuple(chains[number] for number in range(len(ties))),
        links=tuple(links),
        layers=tuple(map(tuple, layers)),
    )


def _label_level(between: range, labels: dict[int, int]) -> int:
    """Choose the layer in which few labels lie so far, and rather in the middle of the arrow."""
    middle = (between.start + between.stop - 1) / 2
    level = min(between[::2], key=lambda one: (labels.get(one, 0) // 2, abs(one - middle)))
    labels[level] = labels.get(level, 0) + 1
    return level
