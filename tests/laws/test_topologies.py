"""The laws on random topologies under explored schedules, with the tools that users have for their own orchestras.

The other files of this folder hold the laws with models of their own; here the library's own tools look at the library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestra_trio.testing import (
    Load,
    Packet,
    Priorities,
    Schedule,
    Topology,
    cancellable,
    check_laws,
    loads,
    packets,
    pulses,
    recording,
    schedules,
    topologies,
)
from orchestra_trio.testing.wirings.packets import PACKETS

if TYPE_CHECKING:
    from orchestra_trio.testing import Trace

Scene = tuple[Topology, tuple[Load, ...]]


@st.composite
def scenes(draw: st.DrawFn, *, wip: bool = True) -> Scene:
    """A wiring, and what several tasks put into it at once."""
    topology = draw(topologies(wip=wip))
    feeds = st.lists(loads(packets(topology), signals=pulses(), max_size=8), min_size=1, max_size=3)
    return topology, tuple(draw(feeds))


async def perform(scene: Scene, **options: Any) -> Trace:  # noqa: ANN401 - class options
    """Play all loads at once, and drain."""
    topology, feeds = scene
    with recording() as traces:
        async with topology.hold(**options).open() as running, trio.open_nursery() as nursery:
            for load in feeds:
                nursery.start_soon(load.play, running)
    return traces[0]


@settings(max_examples=80)
@given(scenes(), schedules(shrink_capacities=True))
def test_the_laws_hold_under_any_schedule(scene: Scene, schedule: Schedule) -> None:
    trace = schedule.run(perform, scene)
    assert trace is not None
    assert trace.has_ended
    check_laws(trace)


@settings(max_examples=80)
@given(scenes(), schedules(Priorities(), cancel=True, shrink_capacities=True), st.integers(1, 4))
def test_the_laws_hold_whatever_is_cancelled_and_when(scene: Scene, schedule: Schedule, yield_every: int) -> None:
    kept: list[list[Trace]] = []

    async def main() -> None:
        topology, feeds = scene
        with recording() as traces:
            kept.append(traces)  # filled when the orchestra opens
            with cancellable():
                async with topology.hold(yield_every=yield_every).open() as running, trio.open_nursery() as nursery:
                    for load in feeds:
                        nursery.start_soon(_play_cancellably, load, running)

    schedule.run(main)
    for trace in [trace for traces in kept for trace in traces]:
        check_laws(trace)


async def _play_cancellably(load: Load, running: Any) -> None:  # noqa: ANN401 - of any types
    with cancellable():
        await load.play(running)


@settings(max_examples=40)
@given(scenes(), schedules())
def test_one_schedule_gives_one_trace(scene: Scene, schedule: Schedule) -> None:
    """Law 11: of what a schedule decided, its text is enough to do all of it again."""
    first = schedule.run(perform, scene)
    second = Schedule(str(schedule)).run(perform, scene)
    assert first is not None
    assert second is not None
    assert first.to_json_lines() == second.to_json_lines()


@settings(max_examples=60)
@given(scenes(wip=False), schedules())
def test_relays_pass_on_all_that_comes(scene: Scene, schedule: Schedule) -> None:
    """The number of packets that arrive anywhere is that of an independent walk along the links."""
    topology, feeds = scene

    async def main() -> int:
        trace = await perform(scene)
        check_laws(trace)
        return sum(event.kind == "receive" and event.lane != "signals" for event in trace)

    arrived = schedule.run(main)
    routed = [action.message for load in feeds for action in load.actions if hasattr(action, "message")]
    assert arrived == sum(_walk(topology, message) for message in routed if isinstance(message, Packet))


def _walk(topology: Topology, packet: Packet) -> int:
    """Return how many nodes a packet comes to."""
    place = PACKETS.index(type(packet))
    visited = 1
    for _ in range(packet.hops):
        links = topology.nodes[place].links
        if not links:
            break
        place = links[packet.number % len(links)].consumer
        visited += 1
    return visited
