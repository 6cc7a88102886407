"""Cycles of small random graphs, against networkx, which lists all of them."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestra_trio.wiring.cycles import Cycle, shortest_cycle, strongly_connected
from orchestra_trio.wiring.graph import Edge


class Ball: ...


class Log: ...


def ring(names: list[str]) -> list[Edge]:
    return [Edge(one, other, Ball, "bounded") for one, other in pairwise([*names, names[0]])]


@st.composite
def multigraphs(draw: st.DrawFn) -> tuple[list[str], list[Edge]]:
    """Names, and edges among them and one more, several of them between the same two."""
    names = [f"n{number}" for number in range(draw(st.integers(1, 6)))]
    name = st.sampled_from([*names, "outside"])
    edges = st.builds(Edge, name, name, st.sampled_from([Ball, Log]), st.sampled_from(["bounded", "unbounded"]))
    return names, draw(st.lists(edges, max_size=14))


@given(st.lists(st.lists(st.integers(0, 7), max_size=4), min_size=8, max_size=8))
def test_components_are_those_of_networkx(successors: list[list[int]]) -> None:
    """Each node is in one of them, and each is in the order of its numbers."""
    model: nx.DiGraph[int] = nx.DiGraph([(node, one) for node, reached in enumerate(successors) for one in reached])
    model.add_nodes_from(range(8))
    found = strongly_connected(successors)
    assert sorted(found) == sorted(sorted(one) for one in nx.strongly_connected_components(model))


@given(multigraphs())
@example((["n0", "n1", "n2"], [*ring(["n0", "n1", "n2"]), *ring(["n1", "n2"])]))
@example((["n0", "n1"], [*ring(["n0", "n1"]), *ring(["n1"])]))
def test_the_shortest_cycle_is_one_of_the_shortest_that_networkx_lists(drawn: tuple[list[str], list[Edge]]) -> None:
    """It is made of edges that exist, each beginning where the last one led, among the members alone.

    Of several it is the one with the member that is declared first, and it begins there.
    """
    names, edges = drawn
    pairs = [(edge.sender, edge.consumer) for edge in edges if {edge.sender, edge.consumer} <= {*names}]
    model: nx.DiGraph[str] = nx.DiGraph(pairs)
    cycles = [tuple(one) for one in nx.simple_cycles(model)]
    shortest = [one for one in cycles if len(one) == min(map(len, cycles))]

    found = shortest_cycle(names, iter(edges))
    assert set(found) <= set(edges)
    members = [edge.sender for edge in found]
    assert [edge.consumer for edge in found] == members[1:] + members[:1]
    assert {frozenset(members)} <= set(map(frozenset, shortest)) if cycles else not found
    if cycles:
        assert names.index(members[0]) == min(names.index(name) for one in shortest for name in one)


@pytest.mark.parametrize("length", [1, 2, 1000])
def test_a_ring_is_its_own_cycle(length: int) -> None:
    """However long, and wherever it begins: the path starts at the member that is declared first."""
    names = [f"n{number}" for number in range(length)]
    edges = ring(names)
    assert shortest_cycle(names, edges[length // 2 :] + edges[: length // 2]) == tuple(edges)


def test_a_ring_of_a_thousand_with_a_short_cut() -> None:
    """The way round by the short cut is one shorter."""
    names = [f"n{number}" for number in range(1000)]
    found = shortest_cycle(names, [*ring(names), Edge("n500", "n502", Log, "bounded")])
    assert len(found) == 999
    assert Edge("n500", "n502", Log, "bounded") in found


def test_without_a_cycle_the_path_is_empty() -> None:
    assert shortest_cycle([], []) == ()
    assert shortest_cycle(["a", "b"], [Edge("a", "b", Ball, "bounded")]) == ()


def test_a_cycle_reads_as_a_way_through_the_wiring() -> None:
    """Slots and types of messages, back to where it began."""
    way = (Edge("a", "b", Log, "bounded"), Edge("b", "a", Ball, "unbounded"))
    assert str(Cycle(("a", "b", "c"), way, can_block=False)) == "a -[Log]-> b -[Ball]-> a"
    assert str(Cycle(("a",), (Edge("a", "a", Ball, "bounded"),), can_block=True)) == "a -[Ball]-> a"
