"""The graph of the wiring, against networkx, which finds the same in its own way."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio import (
    BlockingSubsystem,
    Orchestra,
    RunningOrchestra,
    Subsystem,
    feature,
    subsystem,
    subsystem_if,
)
from orchestra_trio.wiring.graph import Edge, EdgeLane, OpenEnd, build_graph, wiring_edges
from orchestra_trio.wiring.routing import build_routes
from tests.wiring.samples import make_slot

if TYPE_CHECKING:
    from collections.abc import Iterable


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


@st.composite
def laned_graphs(draw: st.DrawFn) -> tuple[list[str], list[Edge], set[str]]:
    """Graphs whose edges are bounded or not, several between the same two."""
    names, pairs, wip = draw(graphs())
    lanes: list[EdgeLane] = ["bounded", "unbounded"]
    kinds = st.tuples(st.sampled_from([Ball, Log]), st.sampled_from(lanes))
    return names, [Edge(*pair, *draw(kinds)) for pair in pairs], wip


def cyclic_components(edges: Iterable[Edge], wip: set[str]) -> dict[frozenset[str], int]:
    """By networkx: each set of nodes that reach each other, with the length of a shortest cycle among them."""
    model: nx.DiGraph[str] = nx.DiGraph([(one.sender, one.consumer) for one in edges])
    model.remove_nodes_from(wip)
    cycles = list(nx.simple_cycles(model))
    components = map(frozenset, nx.strongly_connected_components(model))
    lengths = {one: [len(cycle) for cycle in cycles if one.issuperset(cycle)] for one in components}
    return {one: min(found) for one, found in lengths.items() if found}


@given(laned_graphs())
def test_each_cyclic_component_is_named_by_a_shortest_cycle(drawn: tuple[list[str], list[Edge], set[str]]) -> None:
    """By one that can block where there is one: all of its edges are bounded then."""
    names, edges, wip = drawn
    graph = build_graph(names, edges, wip)
    bounded = [one for one in edges if one.lane == "bounded"]
    everything, blocking = cyclic_components(edges, wip), cyclic_components(bounded, wip)

    assert [cycle.members for cycle in graph.cycles] == [one for one in graph.components if graph.is_cyclic(one)]
    assert {frozenset(cycle.members) for cycle in graph.cycles} == set(everything)
    for cycle in graph.cycles:
        inside = [length for one, length in blocking.items() if one.issubset(cycle.members)]
        assert cycle.can_block == bool(inside) == all(one.lane == "bounded" for one in cycle.path)
        assert len(cycle.path) == (min(inside) if inside else everything[frozenset(cycle.members)])
        assert {one.sender for one in cycle.path} <= set(cycle.members)
        assert [one.consumer for one in cycle.path] == [one.sender for one in (*cycle.path[1:], cycle.path[0])]
        assert set(cycle.path) <= set(edges)


@given(laned_graphs())
def test_blocking_cycles_are_those_of_the_bounded_edges(drawn: tuple[list[str], list[Edge], set[str]]) -> None:
    """One for each cyclic component of what is left without the unbounded edges, named by a shortest cycle of it."""
    names, edges, wip = drawn
    blocking = cyclic_components((one for one in edges if one.lane == "bounded"), wip)
    found = build_graph(names, edges, wip).blocking_cycles

    assert {frozenset(cycle.members): len(cycle.path) for cycle in found} == blocking
    assert len(found) == len(blocking)
    for cycle in found:
        assert cycle.can_block
        assert all(one in edges and one.lane == "bounded" for one in cycle.path)
        assert list(cycle.members) == sorted(cycle.members, key=names.index)


def test_two_rings_that_share_a_slot() -> None:
    """They are one component, named by the shorter ring; without unbounded edges only one of them can block."""
    edges = [edge("a", "b"), edge("b", "c"), edge("c", "a"), edge("b", "d"), Edge("d", "b", Log, "unbounded")]
    graph = build_graph("abcd", edges)
    assert [(cycle.members, str(cycle)) for cycle in graph.cycles] == [
        (("a", "b", "c", "d"), "a -[Ball]-> b -[Ball]-> c -[Ball]-> a")
    ]
    assert [cycle.members for cycle in graph.blocking_cycles] == [("a", "b", "c")]

    loose = build_graph("abcd", [*edges[:2], Edge("c", "a", Log, "unbounded"), *edges[3:]])
    assert [(str(cycle), cycle.can_block) for cycle in loose.cycles] == [("b -[Ball]-> d -[Log]-> b", False)]
    assert loose.blocking_cycles == ()


def test_an_unbounded_type_beside_a_bounded_one() -> None:
    """The sender may still wait with the other, so that the ring can block."""
    edges = [Edge("a", "b", Log, "unbounded"), edge("a", "b"), edge("b", "a")]
    assert [str(cycle) for cycle in build_graph("ab", edges).cycles] == ["a -[Ball]-> b -[Ball]-> a"]


def test_a_ring_of_a_thousand_can_block_unless_one_edge_is_unbounded() -> None:
    """It is found in time for a test, whichever way."""
    names = [f"n{number}" for number in range(1000)]
    edges = [edge(*pair) for pair in pairwise([*names, names[0]])]
    assert [len(cycle.path) for cycle in build_graph(names, edges).blocking_cycles] == [1000]
    loose = build_graph(names, [*edges[1:], Edge("n0", "n1", Ball, "unbounded")])
    assert loose.blocking_cycles == ()
    assert [(len(cycle.path), cycle.can_block) for cycle in loose.cycles] == [(1000, False)]


class Tick: ...


class Whistle(Log): ...


class Match(Orchestra[Tick, int], outgoing=Log, unconsumed="allow"):
    """A wiring that has everything to do with the world around it."""

    kick: Subsystem[Ball, RedBall | Whistle | bytearray, Tick]
    keep: Subsystem[bool | bytes, Ball]
    late: Subsystem[str, Log] = subsystem(wip=True)
    film: Subsystem[range] = subsystem_if(feature("film") & ~feature("lite"))
    rest: BlockingSubsystem[float, bytes | complex, Tick]

    async def on_event(self, event: int, running: RunningOrchestra[Tick, int]) -> None: ...


def test_what_enters_and_leaves_a_wiring() -> None:
    """Signals, events, what goes out, what comes only from outside, what goes nowhere; each with its slot."""
    boundary = Match.graph().boundary
    assert boundary is not None
    assert (boundary.orchestra, boundary.signal_types, boundary.event_types) == ("Match", (Tick,), (int,))
    assert boundary.outgoing == (OpenEnd("kick", Whistle), OpenEnd("late", Log))
    unsent = [("keep", bool), ("late", str), ("film", range), ("rest", float)]
    assert boundary.unsent == tuple(OpenEnd(*one) for one in unsent)
    assert boundary.unconsumed == (OpenEnd("kick", bytearray), OpenEnd("rest", complex))
    assert boundary.hearing == {"kick": (Tick,), "keep": (), "late": (), "film": (), "rest": (Tick,)}
    assert boundary.blocking == {"rest"}
    assert boundary.conditional == {"film": "(feature('film') & ~feature('lite'))"}


def test_a_sent_type_may_be_consumed_and_go_nowhere() -> None:
    """Where only a subclass has a consumer: there is an edge, and an open end."""

    class P(Orchestra, unconsumed="allow"):
        source: Subsystem[bytes, Ball | Log]
        sink: Subsystem[RedBall]

    graph = P.graph()
    assert graph.edges == (Edge("source", "sink", Ball, "bounded"),)
    assert graph.boundary is not None
    assert graph.boundary.unconsumed == (OpenEnd("source", Ball), OpenEnd("source", Log))
    assert graph.boundary.unsent == (OpenEnd("source", bytes),)


def test_a_graph_of_nodes_and_edges_alone_has_no_boundary() -> None:
    assert build_graph("ab", [edge("a", "b")]).boundary is None
