"""What is measured: the library's own works, and for each the peers and the goals of section 10 of the design.

The subsystems do nothing but send and receive, in the same loops as the peers. A metered channel has nothing to route;
it is measured on its own, beside the channel that it can take the place of.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Final, Never

import trio

from benchmarks import peers
from benchmarks.harness import Peer, Work
from benchmarks.workload import BATCH, CAPACITY, MESSAGE, PING, PONG, Message, Ping, Pong, Stopwatch
from examples.network_node.program import make_node, run_node
from orchestra_trio import (
    BlockingSubsystem,
    BlockingSubsystemContext,
    Orchestra,
    Subsystem,
    SubsystemContext,
    open_metered_channel,
)

if TYPE_CHECKING:
    from orchestra_trio import MeteredReceiver, MeteredSender

__all__ = [
    "WORKS",
    "batches",
    "blocking_in_and_out",
    "metered_channel",
    "metered_channel_in_strides",
    "network_node",
    "one_at_a_time",
    "ping_pong",
]


class OneWay(Orchestra, message_capacity=CAPACITY):
    """Messages go from one subsystem to another."""

    source: Subsystem[Never, Message]
    sink: Subsystem[Message]


class RoundTrip(Orchestra, message_capacity=CAPACITY):
    """Every message is answered by one."""

    ping: Subsystem[Pong, Ping]
    pong: Subsystem[Ping, Pong]


class ThroughThread(Orchestra, message_capacity=CAPACITY):
    """Messages go from one subsystem through the thread of another to a third."""

    source: Subsystem[Never, Ping]
    thread: BlockingSubsystem[Ping, Pong]
    sink: Subsystem[Pong]


async def _run(orchestra: Orchestra) -> None:
    """Run until the subsystems have ended by themselves, with the input open all the while.

    `run()` would close it at once, and measure an orchestra that drains.
    """
    async with orchestra.open() as running:
        await running.wait_stopped()


def one_at_a_time(count: int) -> float:
    """One message at a time from subsystem to subsystem."""
    watch = Stopwatch()

    async def source(ctx: SubsystemContext[Never, Message]) -> None:
        watch.begin()
        for _ in range(count):
            await ctx.send(MESSAGE)

    async def sink(ctx: SubsystemContext[Message]) -> None:
        for _ in range(count):
            await ctx.receive()
        watch.end()

    trio.run(_run, OneWay(source=source, sink=sink))
    return watch.seconds


def batches(count: int) -> float:
    """Batches from subsystem to subsystem."""
    watch = Stopwatch()
    batch = [MESSAGE] * BATCH

    async def source(ctx: SubsystemContext[Never, Message]) -> None:
        watch.begin()
        for _ in range(count // BATCH):
            await ctx.send_many(batch)

    async def sink(ctx: SubsystemContext[Message]) -> None:
        left = count
        while left:
            left -= len(await ctx.receive_many(BATCH))
        watch.end()

    trio.run(_run, OneWay(source=source, sink=sink))
    return watch.seconds


def ping_pong(count: int) -> float:
    """Round trips between two subsystems, one message under way at a time."""
    watch = Stopwatch()

    async def ping(ctx: SubsystemContext[Pong, Ping]) -> None:
        watch.begin()
        for _ in range(count):
            await ctx.send(PING)
            await ctx.receive()
        watch.end()

    async def pong(ctx: SubsystemContext[Ping, Pong]) -> None:
        for _ in range(count):
            await ctx.receive()
            await ctx.send(PONG)

    trio.run(_run, RoundTrip(ping=ping, pong=pong))
    return watch.seconds


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

    trio.run(_run, ThroughThread(source=source, thread=thread, sink=sink))
    return watch.seconds


def metered_channel(count: int, *, yield_every: int = 1) -> float:
    """One message at a time through a metered channel; by default every call is a full checkpoint, as trio's are."""
    watch = Stopwatch()

    async def send(sender: MeteredSender[Message]) -> None:
        watch.begin()
        for _ in range(count):
            await sender.send(MESSAGE)

    async def receive(receiver: MeteredReceiver[Message]) -> None:
        for _ in range(count):
            await receiver.receive()
        watch.end()

    async def main() -> None:
        sender, receiver = open_metered_channel[Message](CAPACITY, yield_every=yield_every)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send, sender)
            nursery.start_soon(receive, receiver)

    trio.run(main)
    return watch.seconds


def metered_channel_in_strides(count: int) -> float:
    """The same with the `yield_every` that an orchestra has by default."""
    return metered_channel(count, yield_every=64)


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

_TRIO: Final = "trio.open_memory_channel"

WORKS: Final = (
    Work(
        "one at a time",
        one_at_a_time,
        [
            Peer(_TRIO, peers.trio_channel, at_least=9),
            Peer("asyncio.Queue", peers.asyncio_queue, at_least=1),
            Peer("anyio memory stream (trio)", peers.anyio_stream, package="anyio"),
            Peer("pykka tell", peers.pykka_tell, package="pykka"),
        ],
        count=50_000,
    ),
    Work(
        f"batches of {BATCH}",
        batches,
        [
            Peer("asyncio.Queue", peers.asyncio_queue_batches, at_least=3),
            Peer("asyncio.Queue, nowait by hand", peers.asyncio_queue_batches_nowait),
        ],
        count=200_000,
    ),
    Work(
        "ping-pong",
        ping_pong,
        [Peer("two trio channels", peers.trio_ping_pong, at_least=1.8)],
        count=10_000,
        unit="round trip",
    ),
    Work(
        "one at a time, public trio only",
        one_at_a_time,
        [Peer(_TRIO, peers.trio_channel, at_least=5.5)],
        count=50_000,
        public_only=True,
    ),
    Work(
        "blocking subsystem, in and out",
        blocking_in_and_out,
        [
            Peer("one trio.from_thread.run_sync each", peers.trio_from_thread, at_least=5),
            Peer("threads with queue.SimpleQueue", peers.simple_queues),
        ],
        count=10_000,
    ),
    Work("network node of 25 subsystems", network_node, [Peer(f"{_TRIO}, bare", peers.trio_channel)], count=1_000),
    Work("metered channel, yield_every=1", metered_channel, [Peer(_TRIO, peers.trio_channel)], count=20_000),
    Work(
        "metered channel, yield_every=64", metered_channel_in_strides, [Peer(_TRIO, peers.trio_channel)], count=50_000
    ),
)
"""All works, in the order in which they are shown."""
