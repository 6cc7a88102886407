"""Cycles of a wiring: one for each strongly connected component, the shortest, and whether it can block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from typing_extensions import override

from orchestra_trio.errors import type_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from orchestra_trio.wiring.graph import Edge

__all__ = ["Cycle", "shortest_cycle", "strongly_connected"]


@attrs.frozen
class Cycle:
    """Messages that can come back to where they began. As text: `a -[B]-> b -[A]-> a`."""

    members: tuple[str, ...]
    """All slots that lie on cycles with these, in declaration order: a strongly connected component."""

    path: tuple[Edge, ...]
    """One shortest cycle among them, from the member that is declared first."""

    can_block: bool
    """Whether every message on the path can make its sender wait: then a deadlock is possible."""

    @override
    def __str__(self) -> str:
        steps = [f"{edge.sender} -[{type_name(edge.message_type)}]->" for edge in self.path]
        return f"{' '.join(steps)} {self.path[0].sender}"


def strongly_connected(successors: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the strongly connected components of nodes that are numbered, each in the order of its numbers.

    Kosaraju's algorithm, with stacks of its own: a long chain of slots must not meet the recursion limit.
    """
    predecessors: list[list[int]] = [[] for _ in successors]
    for node, reached in enumerate(successors):
        for one in reached:
            predecessors[one].append(node)
    assigned = [False] * len(successors)
    components: list[list[int]] = []
    for root in reversed(_finishing_order(successors)):
        if assigned[root]:
            continue
        assigned[root] = True
        component = [root]
        # The list grows while it is walked: it is the component and the queue of what is still to be followed.
        for node in component:
            for one in predecessors[node]:
                if not assigned[one]:
                    assigned[one] = True
                    component.append(one)
        components.append(sorted(component))
    return components


def shortest_cycle(members: Sequence[str], edges: Iterable[Edge]) -> tuple[Edge, ...]:
    """Return a shortest cycle among slots, the first in declaration order of several; empty where there is none.

    Args:
        members: Slots, in declaration order.
        edges: Others than those between members do not count.
    """
    following: dict[str, list[Edge]] = {name: [] for name in members}
    for edge in edges:
        if edge.sender in following and edge.consumer in following:
            following[edge.sender].append(edge)
    best: tuple[Edge, ...] = ()
    for name in members:
        found = _way_back(name, following, len(best) or len(members) + 1)
        best = found or best
        del following[name]  # every cycle through it was looked at
    return best


def _way_back(start: str, following: dict[str, list[Edge]], limit: int) -> tuple[Edge, ...]:
    """Return the shortest way from a slot back to itself that is shorter than the limit; empty where there is none."""
    came_by: dict[str, Edge] = {}
    level = [start]
    for _ in range(limit - 1):
        reached: list[str] = []
        for edge in (edge for name in level for edge in following[name]):
            if edge.consumer == start:
                return (*_way_to(edge.sender, start, came_by), edge)
            if edge.consumer not in came_by and edge.consumer in following:
                came_by[edge.consumer] = edge
                reached.append(edge.consumer)
        level = reached
    return ()


def _way_to(end: str, start: str, came_by: dict[str, Edge]) -> Collection[Edge]:
    way: list[Edge] = []
    while end != start:
        way.append(came_by[end])
        end = came_by[end].sender
    return way[::-1]


def _finishing_order(successors: Sequence[Sequence[int]]) -> list[int]:
    finished: list[int] = []
    entered = [False] * len(successors)
    for root in range(len(successors)):
        if entered[root]:
            continue
        entered[root] = True
        path = [(root, iter(successors[root]))]
        while path:
            node, rest = path[-1]
            following = next((one for one in rest if not entered[one]), None)
            if following is None:
                path.pop()
                finished.append(node)
            else:
                entered[following] = True
                path.append((following, iter(successors[following])))
    return finished
