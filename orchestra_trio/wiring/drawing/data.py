"""The graph of a wiring as plain data, which `json` can write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from orchestra_trio.errors import type_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra_trio.wiring.cycles import Cycle
    from orchestra_trio.wiring.drawing.figures import Figures
    from orchestra_trio.wiring.graph import Edge, OpenEnd, WiringGraph

__all__ = ["to_data"]


def to_data(graph: WiringGraph) -> dict[str, Any]:
    """Return the graph as dicts, lists, texts, numbers, booleans and None alone."""
    boundary = graph.boundary
    cycles = dict.fromkeys((*graph.cycles, *graph.blocking_cycles))
    data: dict[str, Any] = {
        "orchestra": None,
        "nodes": list(graph.nodes),
        "edges": [_edge(one) for one in graph.edges],
        "components": [list(one) for one in graph.components],
        "cycles": [_cycle(one) for one in cycles],
        "wip": [name for name in graph.nodes if name in graph.wip],
        "signals": [],
        "events": [],
        "hearing": {},
        "unsent": [],
        "unconsumed": [],
        "entries": [],
        "exits": [],
        "conditional": {},
        "blocking": [],
        "figures": None if graph.figures is None else _figures(graph.figures),
    }
    if boundary is not None:
        data |= {
            "orchestra": boundary.orchestra,
            "signals": [type_name(one) for one in boundary.signal_types],
            "events": [type_name(one) for one in boundary.event_types],
            "hearing": {name: [type_name(one) for one in types] for name, types in boundary.hearing.items()},
            "unsent": _ends(boundary.unsent),
            "unconsumed": _ends(boundary.unconsumed),
            "entries": [
                *({"through": "on_event", "slot": None, "type": type_name(one)} for one in boundary.event_types),
                *({"through": "route_message", **end} for end in _ends(boundary.unsent)),
            ],
            "exits": [{"through": "outgoing", **end} for end in _ends(boundary.outgoing)],
            "conditional": dict(boundary.conditional),
            "blocking": [name for name in graph.nodes if name in boundary.blocking],
        }
    return data


def _figures(figures: Figures) -> dict[str, Any]:
    return {
        "traffic": [attrs.asdict(one) for one in figures.traffic],
        "queues": [attrs.asdict(one) for one in figures.queues],
    }


def _edge(edge: Edge) -> dict[str, str]:
    return {
        "sender": edge.sender,
        "consumer": edge.consumer,
        "type": type_name(edge.message_type),
        "lane": edge.lane,
    }


def _cycle(cycle: Cycle) -> dict[str, Any]:
    return {
        "members": list(cycle.members),
        "path": [_edge(one) for one in cycle.path],
        "can_block": cycle.can_block,
        "text": str(cycle),
    }


def _ends(ends: Iterable[OpenEnd]) -> list[dict[str, str]]:
    return [{"slot": end.slot, "type": type_name(end.message_type)} for end in ends]
