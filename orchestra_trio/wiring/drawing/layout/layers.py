"""Which layer each box lies in: most arrows lead from one layer to a later one, and as few layers as possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Link", "assign_layers", "backward_links"]

Link = tuple[int, int, int]
"""Source, target, and how much it is to lead forwards and be short."""

ROUNDS = 20


def backward_links(count: int, links: Sequence[Link]) -> set[int]:
    """Return the places of links that are to lead backwards, so that the others make no cycle.

    The heuristic of Eades, Lin and Smyth: boxes that nothing leads from come last, those that nothing leads to come
    first, and then always the one that more leads from than to; of several, the one declared first.
    """
    following: list[dict[int, int]] = [{} for _ in range(count)]
    leading: list[dict[int, int]] = [{} for _ in range(count)]
    for source, target, weight in links:
        if source != target:
            following[source][target] = following[source].get(target, 0) + weight
            leading[target][source] = leading[target].get(source, 0) + weight
    left, first, last = dict.fromkeys(range(count)), list[int](), list[int]()

    def take(node: int) -> None:
        del left[node]
        for one in following[node]:
            del leading[one][node]
        for one in leading[node]:
            del following[one][node]

    while left:
        if sinks := [node for node in left if not following[node]]:
            last += sinks
            chosen = sinks
        elif sources := [node for node in left if not leading[node]]:
            first += sources
            chosen = sources
        else:
            chosen = [max(left, key=lambda node: sum(following[node].values()) - sum(leading[node].values()))]
            first += chosen
        for node in chosen:
            take(node)
    place = {node: number for number, node in enumerate([*first, *reversed(last)])}
    return {number for number, (source, target, _) in enumerate(links) if place[source] > place[target]}


def assign_layers(count: int, links: Sequence[Link]) -> list[int]:
    """Return a layer for each box: every link leads to a later layer, and links are short.

    Args:
        count: How many boxes there are.
        links: Without cycles.
    """
    following: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    leading: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for source, target, weight in links:
        following[source].append((target, weight))
        leading[target].append((source, weight))
    layers = [0] * count
    ordered = _upstream_first(following, leading)
    for node in ordered:
        layers[node] = max((layers[one] + 1 for one, _ in leading[node]), default=0)
    # Then each box moves to where its links are shortest, as far as the others let it.
    for _ in range(ROUNDS):
        moved = False
        for node in (*reversed(ordered), *ordered):
            pull = sum(weight for _, weight in following[node]) - sum(weight for _, weight in leading[node])
            earliest = max((layers[one] + 1 for one, _ in leading[node]), default=0)
            latest = min((layers[one] - 1 for one, _ in following[node]), default=layers[node])
            wanted = latest if pull > 0 else earliest if pull < 0 else layers[node]
            moved = moved or wanted != layers[node]
            layers[node] = wanted
        if not moved:
            break
    lowest = min(layers, default=0)
    return [layer - lowest for layer in layers]


def _upstream_first(
    following: Sequence[Sequence[tuple[int, int]]], leading: Sequence[Sequence[tuple[int, int]]]
) -> list[int]:
    waiting_for = [len(one) for one in leading]
    ordered = [node for node, number in enumerate(waiting_for) if not number]
    for node in ordered:  # it grows while it is walked
        for one, _ in following[node]:
            waiting_for[one] -= 1
            if not waiting_for[one]:
                ordered.append(one)
    return ordered
