"""What hypothesis draws of wirings: topologies, and loads for them or for any other orchestra."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from orchestra_trio.delivery.strategies import Biased, Weighted
from orchestra_trio.records import Priority
from orchestra_trio.testing.wirings.loads import Broadcast, Load, Pause, Route, SendEvent
from orchestra_trio.testing.wirings.packets import MOST_NODES, PACKETS, SIGNALS, Packet, Pulse
from orchestra_trio.testing.wirings.topology import Link, Node, Topology

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

    from orchestra_trio.records import MessageLane
    from orchestra_trio.testing.wirings.loads import Action

__all__ = ["loads", "packets", "pulses", "topologies"]


def topologies(
    *,
    min_nodes: int = 1,
    max_nodes: int = 5,
    cycles: bool = True,
    wip: bool = False,
    blocking: bool = False,
) -> SearchStrategy[Topology]:
    """Draw valid wirings: random slots, links, lanes, capacities, lane strategies and subscriptions.

    None of them can deadlock when its subsystems send as relays do; see `Topology`. They shrink towards one slot
    without links, and towards plain slots.

    Args:
        min_nodes: The fewest slots.
        max_nodes: The most slots; 8 at the most.
        cycles: Whether links may lead back.
        wip: Whether slots may be declared that are not built yet.
        blocking: Whether slots may run in threads: then schedules cannot decide everything.

    Raises:
        ValueError: There cannot be so many slots.
    """
    if not 1 <= min_nodes <= max_nodes <= MOST_NODES:
        raise ValueError(f"a topology has 1 to {MOST_NODES} nodes, not {min_nodes} to {max_nodes}")
    return _topologies(min_nodes, max_nodes, cycles=cycles, wip=wip, blocking=blocking)


@st.composite
def _topologies(draw: DrawFn, fewest: int, most: int, *, cycles: bool, wip: bool, blocking: bool) -> Topology:
    count = draw(st.integers(fewest, most))
    return Topology(
        tuple(
            Node(
                links=draw(_links(number, count, cycles=cycles)),
                message_capacity=draw(st.integers(1, 4)),
                signal_capacity=draw(st.integers(1, 3)),
                priority=draw(st.booleans()),
                select=draw(st.none() | _selections),
                hears=draw(st.sampled_from([(0,), (), (1,), (0, 1)])),
                wip=wip and draw(st.booleans()),
                blocking=blocking and draw(st.booleans()),
            )
            for number in range(count)
        )
    )


_weights = st.integers(1, 5)
_lanes: tuple[MessageLane, ...] = ("priority", "unbounded", "bounded")
_selections = st.builds(Weighted, _weights, _weights, _weights) | st.permutations(_lanes).map(
    lambda order: Biased(*order)
)


def _links(number: int, count: int, *, cycles: bool) -> SearchStrategy[tuple[Link, ...]]:
    """Draw the links of one node; a type that it sends unbounded it sends in no other way."""
    onward = [Link(one, kind) for one in range(number + 1, count) for kind in ("bounded", "request", "unbounded")]
    back = [Link(one, "unbounded") for one in range(number + 1)] if cycles else []
    if not onward + back:
        return st.just(())
    return st.lists(
        st.sampled_from(onward + back), max_size=4, unique_by=lambda link: (link.consumer, link.kind == "request")
    ).map(tuple)


def packets(topology: Topology, *, max_hops: int = 6) -> SearchStrategy[Packet]:
    """Draw packets for the nodes of a topology, to be routed into it."""
    kinds = PACKETS[: len(topology.nodes)]
    return st.one_of([st.builds(one, st.integers(0, 99), st.integers(0, max_hops), st.booleans()) for one in kinds])


def pulses() -> SearchStrategy[Pulse]:
    """Draw signals for any topology."""
    return st.one_of([st.builds(one, st.integers(0, 99)) for one in SIGNALS])


def loads(
    messages: SearchStrategy[Any],
    *,
    signals: SearchStrategy[Any] | None = None,
    events: SearchStrategy[Any] | None = None,
    priority: bool = True,
    pauses: bool = True,
    max_size: int = 20,
) -> SearchStrategy[Load]:
    """Draw what comes into an orchestra from outside, one thing after another.

    Args:
        messages: What is routed, such as `st.builds(Fetch, st.text())`.
        signals: What is broadcast.
        events: What is sent to `on_event`.
        priority: Whether messages may be routed with high priority.
        pauses: Whether there may be pauses, of up to some seconds of the (mock) clock.
        max_size: The most actions.
    """
    priorities = st.sampled_from(Priority) if priority else st.just(Priority.NORMAL)
    actions: SearchStrategy[Action] = st.builds(Route, messages, priorities)
    if signals is not None:
        actions |= st.builds(Broadcast, signals)
    if events is not None:
        actions |= st.builds(SendEvent, events)
    if pauses:
        actions |= st.builds(Pause, st.sampled_from([0.0, 0.1, 1.0, 5.0]))
    return st.builds(Load, st.lists(actions, max_size=max_size).map(tuple))
