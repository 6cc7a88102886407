"""Relays in threads: they do what relays in tasks do."""

from __future__ import annotations

import trio

from orchestra_trio.testing import BlockingRelay, Link, Node, Topology, check_laws, recording
from orchestra_trio.testing.wirings.packets import PACKETS, QUERIES, SIGNALS


def test_a_relay_in_a_thread_answers_and_passes_on() -> None:
    """Along links of all kinds, and with both priorities; a query to a node that is not built is given up."""
    links = (Link(0, "unbounded"), Link(1, "request"), Link(1, "bounded"), Link(2, "request"))
    nodes = (
        Node(links, hears=(0,), blocking=True),
        Node((Link(1, "unbounded"),), priority=True, blocking=True),
        Node(wip=True),
    )
    topology = Topology(nodes)
    relays: list[BlockingRelay] = []

    def make(of: Topology, number: int) -> BlockingRelay:
        relays.append(BlockingRelay(of, number))
        return relays[-1]

    async def main() -> None:
        async with topology.hold(make).open() as running:
            await running.broadcast_signal(SIGNALS[0](7))
            for number in range(4):
                await running.route_message(PACKETS[0](number, hops=1, is_high=number == 2))

    with recording() as traces:
        trio.run(main)
    check_laws(traces[0])
    first, second = relays
    assert sorted(map(str, first.received)) == sorted(
        map(str, [SIGNALS[0](7), *(PACKETS[0](number, 1, number == 2) for number in range(4)), PACKETS[0](0)])
    )
    assert [(type(one), one.number) for one in second.received] == [(QUERIES[1], 1), (PACKETS[1], 2)]
