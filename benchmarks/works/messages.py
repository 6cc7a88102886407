"""Messages from subsystem to subsystem: one at a time, in batches, and there and back.

The subsystems do nothing but send and receive, in the same loops as the peers.
"""

from __future__ import annotations

from typing import Final, Never

import trio

from benchmarks import peers
from benchmarks.harness import Peer, Work
from benchmarks.workload import BATCH, CAPACITY, MESSAGE, PING, PONG, Message, Ping, Pong, Stopwatch
from benchmarks.works.running import run_until_stopped
from orchestra_trio import Orchestra, Subsystem, SubsystemContext

__all__ = ["WORKS", "batches", "one_at_a_time", "ping_pong"]


class OneWay(Orchestra, message_capacity=CAPACITY):
    """Messages go from one subsystem to another."""

    source: Subsystem[Never, Message]
    sink: Subsystem[Message]


class RoundTrip(Orchestra, message_capacity=CAPACITY):
    """Every message is answered by one."""

    ping: Subsystem[Pong, Ping]
    pong: Subsystem[Ping, Pong]


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

    trio.run(run_until_stopped, OneWay(source=source, sink=sink))
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

    trio.run(run_until_stopped, OneWay(source=source, sink=sink))
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

    trio.run(run_until_stopped, RoundTrip(ping=ping, pong=pong))
    return watch.seconds


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
)
"""In the order in which they are shown."""
