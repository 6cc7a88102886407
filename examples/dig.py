"""A wiring as a directed graph: who sends to whom, what can come back, and which cycles can block.

Run it with `python examples/dig.py`; `python examples/dig.py --mermaid` prints the picture instead.
`orchestra-trio check examples.dig:Mine --allow-cycle digger,sorter` is how continuous integration would look at it.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

from orchestra_trio import Orchestra, Subsystem, subsystem


class Dig(NamedTuple):
    """Dig here."""

    meters: int


class Rock(NamedTuple):
    """What came up."""

    weight: int


class Gold(NamedTuple):
    """What was in it."""

    weight: int


class Report(NamedTuple):
    """What is to be known of it."""

    text: str


class Shift(NamedTuple):
    """A signal: the next shift begins."""

    number: int


class Mine(Orchestra[Shift]):
    """Where there was gold, one digs on: the sorter sends back to the digger."""

    foreman: Subsystem[Report, Dig, Shift]
    digger: Subsystem[Dig, Rock, Shift] = subsystem(priority=True)
    sorter: Subsystem[Rock, Gold | Dig]
    vault: Subsystem[Gold, Report] = subsystem(unbounded={Report: "one for each piece of gold"})


def main() -> None:
    """Print what the graph says."""
    graph = Mine.graph()
    if "--mermaid" in sys.argv[1:]:
        print(graph.to_mermaid())
        return
    for edge in graph.edges:
        print(f"{edge.sender} -> {edge.consumer}: {edge.message_type.__name__} ({edge.lane})")
    for cycle in graph.cycles:
        print(f"together: {', '.join(cycle.members)}")
    for cycle in graph.blocking_cycles:
        print(f"can block: {cycle}")


if __name__ == "__main__":
    main()
