"""Live figures on the graph of a running orchestra."""

from __future__ import annotations

from typing import Never, cast

import trio.testing

from orchestra_trio import Orchestra, Priority, Subsystem, subsystem
from orchestra_trio.wiring.drawing.figures import Figures, Queue, Traffic
from tests.runtime.samples import AnyContext, Item, Other, forever, idle


class Plain(Orchestra, message_capacity=4, outgoing=int):
    """One sends in all lanes; one does not receive."""

    source: Subsystem[Never, Item | Other | int] = subsystem(unbounded={Other: "the test"})
    stuck: Subsystem[Item] = subsystem(priority=True)
    sink: Subsystem[Other]


async def source(ctx: AnyContext) -> None:
    await ctx.send(Item(1))
    await ctx.send(Item(2))
    await ctx.send(Item(3), priority=Priority.HIGH)
    ctx.send_unbounded(Other(4))
    await ctx.send(5)


async def test_figures_by_sender_consumer_and_lane() -> None:
    """What was sent along each edge, what the embedding program routed, and what lies in the lanes."""
    async with Plain(source=source, stuck=forever, sink=idle).open() as running:
        await running.route_message(Item(0))
        await trio.testing.wait_all_tasks_blocked()
        figures = cast("Figures", running.graph().figures)
        assert set(figures.traffic) == {
            Traffic(None, "stuck", "bounded", 1),
            Traffic("source", "stuck", "bounded", 2),
            Traffic("source", "stuck", "priority", 1),
            Traffic("source", "sink", "unbounded", 1),
            Traffic("source", None, "bounded", 1),
        }
        assert {one for one in figures.queues if one.length} == {
            Queue("stuck", "bounded", 3, 4),
            Queue("stuck", "priority", 1, 4),
        }
        assert Queue("sink", "unbounded", 0, None) in figures.queues
        assert "3 sent" in running.graph().to_mermaid()
        running.cancel()


async def test_nothing_was_sent_yet() -> None:
    async with Plain(source=idle, stuck=idle, sink=idle).open() as running:
        figures = cast("Figures", running.graph().figures)
        assert figures.traffic == ()
        assert not any(one.length for one in figures.queues)
    assert Plain.graph().figures is None
