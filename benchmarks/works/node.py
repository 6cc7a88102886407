"""The network node of the examples, with realistic traffic."""

from __future__ import annotations

from time import perf_counter
from typing import Final

import trio

from benchmarks import peers
from benchmarks.harness import Peer, Work
from examples.network_node.program import make_node, run_node

__all__ = ["WORKS", "network_node"]


def network_node(count: int) -> float:
    """Messages among 25 subsystems: `examples/network_node`, with its requests, signals, and simulated latencies.

    The blocks that make the most messages up to `count`, and the rest in proportion. Opening and ending are in it.
    """
    began = perf_counter()
    outcome = trio.run(lambda: run_node(make_node(), blocks=max(1, count // MESSAGES_PER_BLOCK), pause=0))
    seconds = perf_counter() - began
    received = sum(
        lane.received
        for one in outcome.statistics.subsystems.values()
        for lane in (one.priority, one.unbounded, one.bounded)
    )
    return seconds * count / received


MESSAGES_PER_BLOCK: Final = 125
"""About how many messages one block of the network node is."""

WORKS: Final = (
    Work(
        "network node of 25 subsystems",
        network_node,
        [Peer("trio.open_memory_channel, bare", peers.trio_channel)],
        count=1_000,
    ),
)
"""In the order in which they are shown."""
