"""Topologies: what is drawn can be declared, opened and drained, and says the same as the class that it makes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from orchestra_trio import Weighted
from orchestra_trio.testing.scheduling.schedule import Schedule
from orchestra_trio.testing.tracing.laws.checking import check_laws
from orchestra_trio.testing.tracing.recorder import recording
from orchestra_trio.testing.wirings.packets import PACKETS, QUERIES, SIGNALS
from orchestra_trio.testing.wirings.relays import Relay
from orchestra_trio.testing.wirings.strategies import loads, packets, pulses, topologies
from orchestra_trio.testing.wirings.topology import Link, Node, Topology


@given(topologies(wip=True, blocking=True))
def test_the_class_says_what_the_topology_says(topology: Topology) -> None:
    graph = topology.declare("Drawn").graph()
    assert graph.nodes == topology.names
    assert graph.wip == {topology.names[number] for number, node in enumerate(topology.nodes) if node.wip}
    edges = {(edge.sender, edge.consumer, edge.message_type, edge.lane) for edge in graph.edges}
    assert edges == {
        (
            topology.names[number],
            topology.names[link.consumer],
            (QUERIES if link.kind == "request" else PACKETS)[link.consumer],
            "unbounded" if link.kind == "unbounded" else "bounded",
        )
        for number, node in enumerate(topology.nodes)
        for link in node.links
    }
    assert graph.boundary is not None
    hearing = {topology.names[number]: node.hears for number, node in enumerate(topology.nodes)}
    assert {name: set(types) for name, types in graph.boundary.hearing.items()} == {
        name: {SIGNALS[one] for one in hears} for name, hears in hearing.items()
    }
    assert graph.boundary.blocking == {
        topology.names[number] for number, node in enumerate(topology.nodes) if node.blocking
    }


@given(topologies(cycles=False))
def test_without_cycles_nothing_leads_back(topology: Topology) -> None:
    assert all(link.consumer > number for number, node in enumerate(topology.nodes) for link in node.links)


@given(topologies(max_nodes=8))
def test_nothing_that_can_wait_leads_back(topology: Topology) -> None:
    """So no wiring can deadlock."""
    assert not topology.declare().graph().blocking_cycles


@settings(max_examples=40)
@given(st.data())
def test_relays_pass_on_and_drain(data: st.DataObject) -> None:
    """Every packet is received as often as it has hops, where it finds links; and the laws hold."""
    topology = data.draw(topologies(wip=True))
    load = data.draw(loads(packets(topology), signals=pulses()))
    held = topology.hold()

    async def main() -> None:
        with recording() as traces:
            async with held.open() as running:
                await load.play(running)
        assert traces[0].has_ended
        check_laws(traces[0])

    Schedule().run(main)


def test_a_relay_answers_and_passes_on() -> None:
    topology = Topology((Node(links=(Link(1, "request"), Link(0, "unbounded"))), Node()))
    relays: list[Relay] = []

    def make(of: Topology, number: int) -> Relay:
        relays.append(Relay(of, number))
        return relays[-1]

    async def main() -> None:
        async with topology.hold(make).open() as running:
            await running.route_message(PACKETS[0](1, hops=1))
            await running.route_message(PACKETS[0](2, hops=2))

    Schedule().run(main)
    first, second = relays
    assert sorted(first.received, key=str) == [PACKETS[0](1, hops=0), PACKETS[0](1, hops=1), PACKETS[0](2, hops=2)]
    (query,) = second.received
    assert (type(query), query.number) == (QUERIES[1], 2)


@pytest.mark.parametrize("sizes", [(0, 1), (3, 2), (1, 9)])
def test_impossible_sizes_are_refused(sizes: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"^a topology has 1 to 8 nodes, not "):
        topologies(min_nodes=sizes[0], max_nodes=sizes[1])


@pytest.mark.parametrize(
    "wanted",
    [
        lambda topology: any(node.priority and node.select == Weighted(1, 1, 1) for node in topology.nodes),
        lambda topology: any(link.kind == "request" for node in topology.nodes for link in node.links),
        lambda topology: any(Link(number, "unbounded") in node.links for number, node in enumerate(topology.nodes)),
        lambda topology: any(node.wip for node in topology.nodes),
    ],
    ids=["priority and weights", "requests", "self loops", "not built"],
)
def test_all_features_occur(wanted: Any) -> None:  # noqa: ANN401 - a predicate
    found = find(topologies(wip=True), wanted)
    assert len(found.nodes) <= 2, "and what is found is small"
