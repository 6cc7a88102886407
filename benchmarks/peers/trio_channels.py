"""`trio.open_memory_channel`: messages one at a time, and the shapes in which they flow.

Every call is a full checkpoint: it looks for a cancellation, and it is a schedule point. A call of ours looks for a
cancellation too, and is a schedule point at the latest every 64 calls.
"""

from __future__ import annotations

from itertools import cycle, islice

import trio

from benchmarks.workload import (
    CAPACITY,
    HOPS,
    MANY,
    MESSAGE,
    PING,
    PONG,
    Message,
    Parcel,
    Ping,
    Pong,
    Stopwatch,
    share,
)

__all__ = ["chain", "fan_in", "fan_out", "one_at_a_time", "parcels", "ping_pong"]


def one_at_a_time(count: int) -> float:
    """One message at a time."""
    watch = Stopwatch()

    async def send(sender: trio.MemorySendChannel[Message]) -> None:
        watch.begin()
        for _ in range(count):
            await sender.send(MESSAGE)

    async def receive(receiver: trio.MemoryReceiveChannel[Message]) -> None:
        for _ in range(count):
            await receiver.receive()
        watch.end()

    async def main() -> None:
        sender, receiver = trio.open_memory_channel[Message](CAPACITY)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send, sender)
            nursery.start_soon(receive, receiver)

    trio.run(main)
    return watch.seconds


def parcels(count: int, *, size: int) -> float:
    """One message at a time, each made right before it is sent, with a body of so many bytes."""
    watch = Stopwatch()
    buffer = bytearray(size)

    async def send(sender: trio.MemorySendChannel[Parcel]) -> None:
        watch.begin()
        for _ in range(count):
            await sender.send(Parcel(bytes(buffer)))

    async def receive(receiver: trio.MemoryReceiveChannel[Parcel]) -> None:
        for _ in range(count):
            await receiver.receive()
        watch.end()

    async def main() -> None:
        sender, receiver = trio.open_memory_channel[Parcel](CAPACITY)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send, sender)
            nursery.start_soon(receive, receiver)

    trio.run(main)
    return watch.seconds


def ping_pong(count: int) -> float:
    """Round trips through two channels, one message under way at a time."""
    watch = Stopwatch()

    async def ping(sender: trio.MemorySendChannel[Ping], receiver: trio.MemoryReceiveChannel[Pong]) -> None:
        watch.begin()
        for _ in range(count):
            await sender.send(PING)
            await receiver.receive()
        watch.end()

    async def pong(sender: trio.MemorySendChannel[Pong], receiver: trio.MemoryReceiveChannel[Ping]) -> None:
        for _ in range(count):
            await receiver.receive()
            await sender.send(PONG)

    async def main() -> None:
        ping_sender, ping_receiver = trio.open_memory_channel[Ping](CAPACITY)
        pong_sender, pong_receiver = trio.open_memory_channel[Pong](CAPACITY)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ping, ping_sender, pong_receiver)
            nursery.start_soon(pong, pong_sender, ping_receiver)

    trio.run(main)
    return watch.seconds


def fan_in(count: int) -> float:
    """Many tasks send to one, each through a clone of one sending end, as trio's users do."""
    watch = Stopwatch()

    async def send(sender: trio.MemorySendChannel[Message], messages: int) -> None:
        watch.begin()
        for _ in range(messages):
            await sender.send(MESSAGE)

    async def receive(receiver: trio.MemoryReceiveChannel[Message]) -> None:
        for _ in range(count):
            await receiver.receive()
        watch.end()

    async def main() -> None:
        sender, receiver = trio.open_memory_channel[Message](CAPACITY)
        async with trio.open_nursery() as nursery:
            for index in range(MANY):
                nursery.start_soon(send, sender.clone(), share(count, index))
            nursery.start_soon(receive, receiver)

    trio.run(main)
    return watch.seconds


def fan_out(count: int) -> float:
    """One task sends to many, in turn, each with a channel of its own."""
    watch = Stopwatch(MANY)

    async def send(senders: list[trio.MemorySendChannel[Message]]) -> None:
        watch.begin()
        for sender in islice(cycle(senders), count):
            await sender.send(MESSAGE)

    async def receive(receiver: trio.MemoryReceiveChannel[Message], messages: int) -> None:
        for _ in range(messages):
            await receiver.receive()
        watch.end()

    async def main() -> None:
        senders: list[trio.MemorySendChannel[Message]] = []
        async with trio.open_nursery() as nursery:
            for index in range(MANY):
                sender, receiver = trio.open_memory_channel[Message](CAPACITY)
                senders.append(sender)
                nursery.start_soon(receive, receiver, share(count, index))
            nursery.start_soon(send, senders)

    trio.run(main)
    return watch.seconds


def chain(count: int) -> float:
    """Messages go from task to task, through as many channels as there are hops."""
    watch = Stopwatch()

    async def send(sender: trio.MemorySendChannel[Message]) -> None:
        watch.begin()
        for _ in range(count):
            await sender.send(MESSAGE)

    async def relay(receiver: trio.MemoryReceiveChannel[Message], sender: trio.MemorySendChannel[Message]) -> None:
        for _ in range(count):
            await receiver.receive()
            await sender.send(MESSAGE)

    async def receive(receiver: trio.MemoryReceiveChannel[Message]) -> None:
        for _ in range(count):
            await receiver.receive()
        watch.end()

    async def main() -> None:
        first, receiver = trio.open_memory_channel[Message](CAPACITY)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send, first)
            for _ in range(HOPS - 1):
                sender, next_receiver = trio.open_memory_channel[Message](CAPACITY)
                nursery.start_soon(relay, receiver, sender)
                receiver = next_receiver
            nursery.start_soon(receive, receiver)

    trio.run(main)
    return watch.seconds
