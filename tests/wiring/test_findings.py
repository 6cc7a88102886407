"""What a check of a wiring finds, against networkx on random wirings."""

from __future__ import annotations

from typing import Never

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio import Orchestra, Subsystem
from orchestra_trio.wiring.findings import Allowed, find_in_wiring
from orchestra_trio.wiring.graph import Edge, WiringGraph, build_graph
from tests.wiring.samples import Fetch, Imported, Parse, Tick
from tests.wiring.test_graph import graphs
from tests.wiring.wirings import Knots


def kinds(graph: WiringGraph, allowed: Allowed | None = None) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.kind, one.subject) for one in find_in_wiring(graph, allowed or Allowed())]


def test_one_of_each_kind() -> None:
    assert kinds(Knots.graph()) == [
        ("blocking cycle", ("a", "b")),
        ("unsent", ("start", "Start")),
        ("unconsumed", ("a", "Lost")),
        ("unreachable", ("x",)),
        ("unreachable", ("y",)),
    ]


def test_a_larger_cycle_is_another_one() -> None:
    """Allowing its members less one does not allow it."""
    assert ("blocking cycle", ("a", "b")) in kinds(Knots.graph(), Allowed(cycles=[frozenset("a")]))


class Woken(Orchestra[Tick]):
    """A signal can move it."""

    echo: Subsystem[Fetch, Fetch, Tick]


class Eventful(Orchestra[Never, Imported]):
    """An event can."""

    echo: Subsystem[Fetch, Fetch]

    async def on_event(self, event: Imported, running: object) -> None: ...


class Fed(Orchestra):
    """Something comes to the first, and so to the second."""

    source: Subsystem[Never, Fetch]
    first: Subsystem[Fetch, Parse]
    second: Subsystem[Parse]


@pytest.mark.parametrize("orchestra", [Woken, Eventful, Fed])
def test_what_something_can_move_is_reachable(orchestra: type[Orchestra]) -> None:
    assert "unreachable" not in {kind for kind, _ in kinds(orchestra.graph())}


@given(graphs(), st.sets(st.integers(0, 19)))
def test_blocking_cycles_are_the_cyclic_components_of_bounded_edges(
    drawn: tuple[list[str], list[tuple[str, str]], set[str]], unbounded: set[int]
) -> None:
    """As networkx finds them."""
    names, pairs, wip = drawn
    edges = [
        Edge(sender, consumer, int, "unbounded" if number in unbounded else "bounded")
        for number, (sender, consumer) in enumerate(pairs)
    ]
    graph = build_graph(names, edges, wip)
    bounded: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    bounded.add_nodes_from(name for name in graph.nodes if name not in graph.wip)
    built = set(bounded.nodes)
    bounded.add_edges_from(
        (edge.sender, edge.consumer)
        for edge in graph.edges
        if edge.lane == "bounded" and {edge.sender, edge.consumer} <= built
    )
    expected = {
        frozenset(component)
        for component in nx.strongly_connected_components(bounded)
        if len(component) > 1 or any(bounded.has_edge(one, one) for one in component)
    }
    found = [frozenset(subject) for kind, subject in kinds(graph) if kind == "blocking cycle"]
    assert set(found) == expected
    assert kinds(graph, Allowed(cycles=expected)) == []
