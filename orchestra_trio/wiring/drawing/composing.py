"""From the graph of a wiring to its picture."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from orchestra_trio.errors import type_name
from orchestra_trio.wiring.drawing.figures import Readings
from orchestra_trio.wiring.drawing.picture import Arrow, Node, Picture

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orchestra_trio.wiring.drawing.picture import Cycling, Kind, Presence
    from orchestra_trio.wiring.graph import Boundary, Edge, OpenEnd, WiringGraph

__all__ = ["compose"]

FEATURE = re.compile(r"feature\('([^']*)'\)")


def compose(graph: WiringGraph) -> Picture:
    """Return the picture of a graph, with its live figures where it has some."""
    boundary = graph.boundary
    readings = Readings(graph.figures)
    slots = tuple(_slots(graph, readings))
    keys = {node.title: node.key for node in slots}
    nodes, arrows = [*slots], [*_inner_arrows(graph, keys, readings)]
    if boundary is not None:
        for marks, arrow in (*_events(boundary), *_ends(boundary, graph, keys, readings)):
            nodes += marks
            arrows.append(arrow)
    return Picture(
        title=None if boundary is None else boundary.orchestra,
        signals=() if boundary is None else _names(boundary.signal_types),
        nodes=tuple(nodes),
        arrows=tuple(arrows),
        blocking_cycles=tuple(map(str, graph.blocking_cycles)),
        calm_cycles=tuple(str(one) for one in graph.cycles if not one.can_block),
    )


def _slots(graph: WiringGraph, readings: Readings) -> Iterator[Node]:
    boundary = graph.boundary
    hearing: Mapping[str, tuple[type, ...]] = {} if boundary is None else boundary.hearing
    conditional: Mapping[str, str] = {} if boundary is None else boundary.conditional
    threads = frozenset[str]() if boundary is None else boundary.blocking
    blocking = {name for cycle in graph.blocking_cycles for name in cycle.members}
    cyclic = {name for component in graph.components if graph.is_cyclic(component) for name in component}
    fed = {edge.consumer for edge in graph.edges} | {end.slot for end in (boundary.unsent if boundary else ())}
    for number, name in enumerate(graph.nodes):
        presence: Presence = "conditional" if name in conditional else "built"
        if name in graph.wip:
            presence = "disabled" if name in conditional else "wip"
        yield Node(
            key=f"n{number}",
            kind="thread" if name in threads else "subsystem",
            title=name,
            presence=presence,
            condition=None if name not in conditional else FEATURE.sub(r"\1", conditional[name]),
            cycling="blocking" if name in blocking else "calm" if name in cyclic else "no",
            signals=_names(hearing.get(name, ())),
            queues=tuple(one for one in readings.queues(name) if one.length or (one.lane == "bounded" and name in fed)),
        )


def _inner_arrows(graph: WiringGraph, keys: Mapping[str, str], readings: Readings) -> Iterator[Arrow]:
    steps: dict[tuple[str, str, str], Cycling] = {}
    for cycle in (*graph.cycles, *graph.blocking_cycles):
        for step in cycle.path:
            steps[_place(step)] = "blocking" if cycle.can_block else "calm"
    together: dict[tuple[str, str, str], list[Edge]] = {}
    for edge in graph.edges:
        together.setdefault(_place(edge), []).append(edge)
    lanes = Counter((sender, consumer) for sender, consumer, _ in together)
    for place, edges in together.items():
        first = edges[0]
        # A type that is declared unbounded may be sent bounded too: an arrow that is alone stands for all lanes.
        alone = lanes[first.sender, first.consumer] == 1
        messages, urgent = readings.sent(first.sender, first.consumer, None if alone else first.lane)
        is_faded = not graph.wip.isdisjoint((first.sender, first.consumer))
        yield Arrow(
            source=keys[first.sender],
            target=keys[first.consumer],
            types=_names(edge.message_type for edge in edges),
            lane=first.lane,
            cycling=steps.get(place, "no"),
            is_faded=is_faded,
            messages=messages or (None if is_faded else messages),
            urgent=urgent,
        )


def _events(boundary: Boundary) -> Iterator[tuple[list[Node], Arrow]]:
    if boundary.event_types:
        handle = Node(key="handle", kind="handle", title="handle")
        hook = Node(key="on_event", kind="on_event", title="on_event")
        names = _names(boundary.event_types)
        yield [handle, hook], Arrow(source=handle.key, target=hook.key, types=names, lane="outside")


def _ends(
    boundary: Boundary, graph: WiringGraph, keys: Mapping[str, str], readings: Readings
) -> Iterator[tuple[list[Node], Arrow]]:
    """What comes in and goes out, each with a mark of its own, so that no arrow has far to go."""
    routed = [name for name in keys if (None, name) in readings.pairs()]
    for name, types in _by_slot(boundary.unsent, routed).items():
        yield _end("route_message", name, types, readings.sent(None, name, None), graph, keys)
    for name, types in _by_slot(boundary.outgoing).items():
        yield _end("outgoing", name, types, readings.sent(name, None, None), graph, keys)
    for name, types in _by_slot(boundary.unconsumed).items():
        yield _end("nobody", name, types, (None, 0), graph, keys)


def _end(
    kind: Kind,
    name: str,
    types: Iterable[type],
    sent: tuple[int | None, int],
    graph: WiringGraph,
    keys: Mapping[str, str],
) -> tuple[list[Node], Arrow]:
    slot = keys[name]
    mark = Node(key=f"{kind}_{slot}", kind=kind, title=kind)
    inwards = kind == "route_message"
    arrow = Arrow(
        source=mark.key if inwards else slot,
        target=slot if inwards else mark.key,
        types=_names(types),
        lane="outside",
        is_faded=name in graph.wip,
        messages=sent[0],
        urgent=sent[1],
    )
    return [mark], arrow


def _by_slot(ends: Iterable[OpenEnd], others: Iterable[str] = ()) -> dict[str, list[type]]:
    types: dict[str, list[type]] = {}
    for end in ends:
        types.setdefault(end.slot, []).append(end.message_type)
    for name in others:
        types.setdefault(name, [])
    return types


def _place(edge: Edge) -> tuple[str, str, str]:
    return edge.sender, edge.consumer, edge.lane


def _names(types: Iterable[type]) -> tuple[str, ...]:
    return tuple(type_name(one) for one in types)
