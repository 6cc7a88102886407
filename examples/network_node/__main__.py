"""Run the node for some blocks, and print what it did: `python -m examples.network_node [BLOCKS]`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import trio

from examples.network_node.program import make_node, run_node

if TYPE_CHECKING:
    from examples.network_node.program import Outcome
    from orchestra_trio import SubsystemStatistics

BLOCKS = 12
PAUSE = 0.05


def describe(outcome: Outcome) -> str:
    """Return what a run came to, as text."""
    numbers = outcome.statistics
    rows = [f"  {name:<16} {received(one):>8} {one.epoch:>6}" for name, one in numbers.subsystems.items()]
    letters = ", ".join(f"{count} {reason}" for reason, count in numbers.dead_letters.items()) or "none"
    last = outcome.inherents[-1]
    return "\n".join(
        [
            f"{numbers.name}: {len(outcome.inherents)} blocks in {numbers.uptime:.2f} s, epoch {numbers.epoch}",
            f"  {'subsystem':<16} {'messages':>8} {'epoch':>6}",
            *rows,
            f"for block {last.block}: {last.backed} candidates backed, {last.bitfields} bitfields",
            f"dead letters: {letters}",
            f"ended by themselves: {len(outcome.report.finished)} of {len(numbers.subsystems)} subsystems",
        ]
    )


def received(statistics: SubsystemStatistics) -> int:
    """Return how many messages a subsystem has received."""
    return sum(lane.received for lane in (statistics.priority, statistics.unbounded, statistics.bounded))


if __name__ == "__main__":
    blocks = int(sys.argv[1]) if sys.argv[1:] else BLOCKS
    print(describe(trio.run(lambda: run_node(make_node({"telemetry"}), blocks=blocks, pause=PAUSE))))
