"""The graph of the wiring, against networkx, which finds the same in its own way."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio.wiring.graph import Edge, build_graph, wiring_edges
from orchestra_trio.wiring.routing import build_routes
from tests.wiring.samples import make_slot


class Ball: ...


class RedBall(Ball): ...


class Log: ...


def edge(sender: str, consumer: str) -> Edge:
    return Edge(sender, consumer, Ball, "bounded")


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[str], list[tuple[str, str]], set[str]]:
    names = [f"n{number}" for number in range(draw(st.integers(1, 9)))]
    name = st.sampled_from(names)
    pairs = draw(st.lists(st.tuples(name, name), max_size=20))
    return names, pairs, draw(st.sets(name, max_size=2))


@given(graphs())
def test_components_are_those_of_networkx(drawn: tuple[list[str], list[tuple[str, str]], set[str]]) -> None:
    """Each built node is in one component; members in declaration order; cycles, self loops too, as networkx sees."""
    names, pairs, wip = drawn
    graph = build_graph(names, [edge(*pair) for pair in pairs], wip)
    model: nx.DiGraph[str] = nx.DiGraph()
    model.add_nodes_from(names)
    model.add_edges_from(pairs)
    model.remove_nodes_from(wip)

    assert {frozenset(one) for one in graph.components} == {
        frozenset(one) for one in nx.strongly_connected_components(model)
    }
    for component in graph.components:
        assert list(component) == sorted(component, key=names.index)
        inner = model.subgraph(component)
        assert graph.is_cyclic(component) == (not nx.is_directed_acyclic_graph(inner))
        before = {one for member in component for one in model.predecessors(member)} - set(component)
        assert graph.upstream(component) == tuple(sorted(before, key=names.index))


@given(graphs())
def test_components_come_upstream_first_and_else_as_declared(
    drawn: tuple[list[str], list[tuple[str, str]], set[str]],
) -> None:
    """The order is the topological one that, at each step, takes the component declared first."""
    names, pairs, wip = drawn
    graph = build_graph(names, [edge(*pair) for pair in pairs], wip)
    model: nx.DiGraph[str] = nx.DiGraph()
    model.add_nodes_from(names)
    model.add_edges_from(pairs)
    model.remove_nodes_from(wip)
    condensed = nx.condensation(model)
    members: dict[int, set[str]] = {number: condensed.nodes[number]["members"] for number in condensed}
    first = {number: min(map(names.index, inside)) for number, inside in members.items()}

    order = nx.lexicographical_topological_sort(condensed, key=first.__getitem__)
    assert [set(one) for one in graph.components] == [members[number] for number in order]


def test_slots_that_are_not_built_are_shown_but_have_no_part_in_components() -> None:
    """What is sent to them goes nowhere, so that they neither close a cycle nor lie upstream of anything."""
    graph = build_graph("abc", [edge("a", "b"), edge("b", "a"), edge("b", "c")], wip="b")

    assert graph.nodes == ("a", "b", "c")
    assert graph.wip == {"b"}
    assert len(graph.edges) == 3
    assert graph.components == (("a",), ("c",))
    assert not graph.is_cyclic(("a",))
    assert graph.upstream(("c",)) == ()


def test_an_unknown_component_has_no_upstream() -> None:
    """A name in place of a component, or half of one, is a mistake of the caller."""
    with pytest.raises(KeyError):
        build_graph("ab", [edge("a", "b"), edge("b", "a")]).upstream(("a",))


@pytest.mark.parametrize("closed", [False, True])
def test_a_chain_of_ten_thousand(closed: bool) -> None:
    """No step is recursive, whether the chain is one component or ten thousand."""
    names = [f"n{number}" for number in range(10_000)]
    pairs = list(pairwise(names))
    graph = build_graph(names, [edge(*pair) for pair in pairs + [(names[-1], names[0])] * closed])

    assert graph.components == ((tuple(names),) if closed else tuple((name,) for name in names))


def test_edges_lead_to_all_consumers_that_a_sent_type_can_have() -> None:
    """By sender, then by sent type; one edge for each consumer of the type, of its base or of subclasses of it."""
    slots = {
        "source": make_slot("source", (), (RedBall, Ball, Log), unbounded={Log: "one per ball"}),
        "red": make_slot("red", (RedBall,)),
        "log": make_slot("log", (Log,), (Log,)),
    }
    edges = wiring_edges(slots, build_routes("P", slots, (), ()))

    assert edges == (
        Edge("source", "red", RedBall, "bounded"),
        Edge("source", "red", Ball, "bounded"),  # nobody consumes every Ball, but a RedBall is one
        Edge("source", "log", Log, "unbounded"),
        Edge("log", "log", Log, "bounded"),
    )


def test_what_goes_out_is_no_edge() -> None:
    slots = {"source": make_slot("source", (), (Ball,))}
    assert wiring_edges(slots, build_routes("P", slots, (), (Ball,))) == ()


def test_graphs_of_the_same_wiring_are_equal() -> None:
    """They are plain data, and can be compared and hashed."""
    first, second = (build_graph("ab", [edge("a", "b")]) for _ in range(2))
    assert first == second
    assert hash(first) == hash(second)
    assert first != build_graph("ab", [edge("b", "a")])
