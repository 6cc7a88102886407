"""Messages through the thread of a blocking subsystem."""

from __future__ import annotations

from typing import Final, Never

import trio

from benchmarks.harness import Peer, Work
from benchmarks.peers import threads
from benchmarks.workload import CAPACITY, PING, PONG, Ping, Pong, Stopwatch, part_of
from benchmarks.works.running import run_until_stopped
from orchestra_trio import BlockingSubsystem, BlockingSubsystemContext, Orchestra, Subsystem, SubsystemContext

__all__ = ["WORKS", "blocking_in_and_out"]


class ThroughThread(Orchestra, message_capacity=CAPACITY):
    """Messages go from one subsystem through the thread of another to a third."""

    source: Subsystem[Never, Ping]
    thread: BlockingSubsystem[Ping, Pong]
    sink: Subsystem[Pong]


def blocking_in_and_out(count: int) -> float:
    """Messages into the thread of a blocking subsystem and out of it, one at a time."""
    watch = Stopwatch()

    async def source(ctx: SubsystemContext[Never, Ping]) -> None:
        watch.begin()
        for _ in range(count):
            await ctx.send(PING)

    def thread(ctx: BlockingSubsystemContext[Ping, Pong]) -> None:
        for _ in range(count):
            ctx.receive()
            ctx.send(PONG)

    async def sink(ctx: SubsystemContext[Pong]) -> None:
        for _ in range(count):
            await ctx.receive()
        watch.end()

    trio.run(run_until_stopped, ThroughThread(source=source, thread=thread, sink=sink), 2 * count)
    return watch.seconds


WORKS: Final = (
    Work(
        "blocking subsystem, in and out",
        blocking_in_and_out,
        [
            Peer("one trio.from_thread.run_sync each", threads.trio_from_thread, at_least=5),
            Peer("threads with queue.SimpleQueue", threads.simple_queues_in_and_out),
            Peer("thread and asyncio with janus.Queue", part_of(threads.janus_in_and_out, 2), package="janus"),
            Peer("thread and trio with culsans.Queue", part_of(threads.culsans_in_and_out, 2), package="culsans"),
        ],
        count=10_000,
    ),
)
"""In the order in which they are shown."""
