"""Messages from subsystem to subsystem: one at a time, in batches, and there and back.

The subsystems do nothing but send and receive, in the same loops as the peers.
"""

from __future__ import annotations

from functools import partial
from typing import Final, Never

import trio

from benchmarks.harness import Peer, Work
from benchmarks.peers import actors, anyio_streams, asyncio_queues, threads, trio_channels
from benchmarks.workload import (
    BATCH,
    CAPACITY,
    MESSAGE,
    PING,
    PONG,
    Message,
    Parcel,
    Ping,
    Pong,
    Stopwatch,
    part_of,
)
from benchmarks.works.running import run_until_stopped
from orchestra_trio import Orchestra, Subsystem, SubsystemContext

__all__ = ["WORKS", "batches", "one_at_a_time", "parcels", "ping_pong"]


class OneWay(Orchestra, message_capacity=CAPACITY):
    """Messages go from one subsystem to another."""

    source: Subsystem[Never, Message]
    sink: Subsystem[Message]


class Deliveries(Orchestra, message_capacity=CAPACITY):
    """Messages with a body go from one subsystem to another."""

    source: Subsystem[Never, Parcel]
    sink: Subsystem[Parcel]


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

    trio.run(run_until_stopped, OneWay(source=source, sink=sink), count)
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

    trio.run(run_until_stopped, OneWay(source=source, sink=sink), count)
    return watch.seconds


def parcels(count: int, *, size: int) -> float:
    """One message at a time, each made right before it is sent, with a body of so many bytes.

    Messages are passed by reference: of one and the same object, sent over and over, the size could not matter. So
    here each message has a body of its own, copied from a buffer as if it had been read from a socket, and the
    receiver lets go of it. What the copies and their room in memory cost is in the figures of all contenders, and is
    all that the size can change; to compare the two, ours with one byte takes its turns beside ours with many.
    """
    watch = Stopwatch()
    buffer = bytearray(size)

    async def source(ctx: SubsystemContext[Never, Parcel]) -> None:
        watch.begin()
        for _ in range(count):
            await ctx.send(Parcel(bytes(buffer)))

    async def sink(ctx: SubsystemContext[Parcel]) -> None:
        for _ in range(count):
            await ctx.receive()
        watch.end()

    trio.run(run_until_stopped, Deliveries(source=source, sink=sink), count)
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

    trio.run(run_until_stopped, RoundTrip(ping=ping, pong=pong), 2 * count)
    return watch.seconds


_TRIO: Final = "trio.open_memory_channel"


def _parcels(size: int) -> Work:
    ours = [Peer("ours, 1 byte", partial(parcels, size=1))] if size > 1 else []
    return Work(
        f"one at a time, {size:,} {'byte' if size == 1 else 'bytes'} made for each",
        partial(parcels, size=size),
        [
            Peer(_TRIO, partial(trio_channels.parcels, size=size)),
            Peer("asyncio.Queue", partial(asyncio_queues.parcels, size=size)),
            Peer("threads with queue.SimpleQueue", partial(threads.parcels, size=size)),
            *ours,
        ],
        count=30_000,
    )


WORKS: Final = (
    Work(
        "one at a time",
        one_at_a_time,
        [
            Peer(_TRIO, trio_channels.one_at_a_time, at_least=9),
            Peer("asyncio.Queue", asyncio_queues.one_at_a_time, at_least=1),
            Peer("anyio memory stream (trio)", part_of(anyio_streams.one_at_a_time, 5), package="anyio"),
            Peer("threads with queue.SimpleQueue", threads.one_at_a_time),
            Peer("pykka tell", actors.pykka_tell, package="pykka"),
            Peer("xoscar tell", part_of(actors.xoscar_tell, 25), package="xoscar"),
        ],
        count=50_000,
    ),
    _parcels(1),
    _parcels(1029),
    Work(
        f"batches of {BATCH}",
        batches,
        [
            Peer("asyncio.Queue", asyncio_queues.batches, at_least=3),
            Peer("asyncio.Queue, nowait by hand", asyncio_queues.batches_nowait),
        ],
        count=200_000,
    ),
    Work(
        "ping-pong",
        ping_pong,
        [Peer("two trio channels", trio_channels.ping_pong, at_least=1.8)],
        count=10_000,
        unit="round trip",
    ),
    Work(
        "one at a time, public trio only",
        one_at_a_time,
        [Peer(_TRIO, trio_channels.one_at_a_time, at_least=5.5)],
        count=50_000,
        public_only=True,
    ),
)
"""In the order in which they are shown."""
