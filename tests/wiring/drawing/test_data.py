"""The graph as plain data."""

from __future__ import annotations

import json

from hypothesis import given

from orchestra_trio.wiring.graph import WiringGraph, build_graph
from tests.wiring.drawing.samples import Kitchen, graphs, live


def test_all_facts_of_a_wiring() -> None:
    data = Kitchen.graph().to_json()
    assert data["orchestra"] == "Kitchen"
    assert data["nodes"] == ["waiter", "cook", "larder", "chef", "tracer", "later"]
    assert data["edges"][0] == {"sender": "waiter", "consumer": "cook", "type": "Cut", "lane": "bounded"}
    assert {"sender": "cook", "consumer": "cook", "type": "Mull", "lane": "unbounded"} in data["edges"]
    assert data["components"] == [["waiter"], ["cook", "chef"], ["larder"], ["tracer"]]
    assert data["cycles"] == [
        {
            "members": ["cook", "chef"],
            "path": [{"sender": "cook", "consumer": "cook", "type": "Again", "lane": "bounded"}],
            "can_block": True,
            "text": "cook -[Again]-> cook",
        }
    ]
    assert data["wip"] == ["later"]
    assert data["signals"] == ["Go", "Halt"]
    assert data["events"] == ["Outside"]
    assert data["hearing"]["cook"] == ["Go", "Halt"]
    assert data["unsent"] == [{"slot": "waiter", "type": "Order"}]
    assert data["unconsumed"] == [{"slot": "waiter", "type": "Lost"}]
    assert data["entries"] == [
        {"through": "on_event", "slot": None, "type": "Outside"},
        {"through": "route_message", "slot": "waiter", "type": "Order"},
    ]
    assert data["exits"] == [{"through": "outgoing", "slot": "cook", "type": "Dish"}]
    assert list(data["conditional"]) == ["tracer"]
    assert data["blocking"] == ["larder"]
    assert data["figures"] is None


def test_figures_are_plain_too() -> None:
    figures = live(Kitchen.graph()).to_json()["figures"]
    assert figures["traffic"][0] == {"sender": "waiter", "consumer": "cook", "lane": "bounded", "messages": 1_204}
    assert figures["queues"][2] == {"consumer": "cook", "lane": "unbounded", "length": 3, "capacity": None}


def test_a_graph_of_nodes_and_edges_alone_has_the_same_keys() -> None:
    assert build_graph("ab", []).to_json().keys() == Kitchen.graph().to_json().keys()


@given(graphs())
def test_any_wiring_survives_json(graph: WiringGraph) -> None:
    """Every node and edge is there once, and nothing is changed by writing it and reading it back."""
    data = graph.to_json()
    assert json.loads(json.dumps(data)) == data
    assert data["nodes"] == list(graph.nodes)
    assert [(one["sender"], one["consumer"], one["lane"]) for one in data["edges"]] == [
        (edge.sender, edge.consumer, edge.lane) for edge in graph.edges
    ]
