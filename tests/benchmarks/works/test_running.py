"""A work whose messages do not all arrive is an error, not a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio

from benchmarks.workload import MESSAGE, Message
from benchmarks.works.messages import OneWay
from benchmarks.works.running import count_received, run_until_stopped

if TYPE_CHECKING:
    from orchestra_trio import SubsystemContext


def one_way(*, sent: int, received: int) -> OneWay:
    async def source(ctx: SubsystemContext[object, Message]) -> None:
        for _ in range(sent):
            await ctx.send(MESSAGE)

    async def sink(ctx: SubsystemContext[Message]) -> None:
        for _ in range(received):
            await ctx.receive()

    return OneWay(source=source, sink=sink)


async def test_what_arrives_is_counted() -> None:
    orchestra = one_way(sent=5, received=5)
    await run_until_stopped(orchestra, 5)
    async with orchestra.open() as running:
        await running.wait_stopped()
    assert count_received(running.statistics()) == 5


async def test_a_consumer_that_misses_a_message_is_found() -> None:
    with pytest.raises(RuntimeError, match="messages received: 4 in place of 5"):
        await run_until_stopped(one_way(sent=5, received=4), 5)


async def test_a_sender_that_sends_too_much_or_too_little_is_found() -> None:
    for sent in (4, 6):
        with pytest.raises(RuntimeError, match=f"messages sent: {sent} in place of 5"):
            await run_until_stopped(one_way(sent=sent, received=sent), 5)


async def test_a_consumer_that_waits_for_a_message_too_many_does_not_come_to_its_end(
    autojump_clock: trio.abc.Clock,
) -> None:
    """It waits: nothing of the work ends, and so nothing of it is told."""
    with trio.move_on_after(1) as scope:
        await run_until_stopped(one_way(sent=4, received=5), 4)
    assert scope.cancelled_caught
