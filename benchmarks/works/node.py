"""The network node of the examples, with realistic traffic."""

from __future__ import annotations

from time import perf_counter
from typing import Final

import trio

from benchmarks.harness import Peer, Work
from benchmarks.peers import trio_channels
from benchmarks.workload import check_count
from benchmarks.works.running import count_received
from examples.network_node.program import make_node, run_node

__all__ = ["WORKS", "network_node"]


def network_node(count: int) -> float:
    """Messages among 25 subsystems: `examples/network_node`, with its requests, signals, and simulated latencies.

    Of a block's 125 messages every seventh goes through an unbounded lane, a third carry a reply end, and the senders
    of some wait for room; besides there are 16 signals. The blocks that make the most messages up to `count`,
    and the rest in proportion. Opening and ending are in it, and so are the latencies of the peers that it plays: more
    than half of the time nothing runs.
    """
    blocks = max(1, count // MESSAGES_PER_BLOCK)
    began = perf_counter()
    outcome = trio.run(lambda: run_node(make_node(), blocks=blocks, pause=0))
    seconds = perf_counter() - began
    check_count("blocks made", len(outcome.inherents), blocks)
    check_count("messages left", sum(outcome.report.undelivered.values()), 0)
    return seconds * count / count_received(outcome.statistics)


MESSAGES_PER_BLOCK: Final = 125
"""About how many messages one block of the network node is."""

WORKS: Final = (
    Work(
        "network node of 25 subsystems",
        network_node,
        [Peer("trio.open_memory_channel, bare", trio_channels.one_at_a_time)],
        count=1_000,
    ),
)
"""In the order in which they are shown."""
