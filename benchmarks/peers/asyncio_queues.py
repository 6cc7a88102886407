"""`asyncio.Queue`: messages one at a time and in batches, and the shapes in which they flow.

Bare: a call that need not wait is no schedule point and does not look for a cancellation, as ours do. So a sender runs
until a queue is full, and a receiver until one is empty.
"""

from __future__ import annotations

import asyncio
from itertools import cycle, islice, pairwise

from benchmarks.workload import BATCH, CAPACITY, HOPS, MANY, MESSAGE, Message, Parcel, Stopwatch, share

__all__ = ["batches", "batches_nowait", "chain", "fan_in", "fan_out", "one_at_a_time", "parcels"]


def one_at_a_time(count: int) -> float:
    """One message at a time."""
    watch = Stopwatch()

    async def send(queue: asyncio.Queue[Message]) -> None:
        watch.begin()
        for _ in range(count):
            await queue.put(MESSAGE)

    async def receive(queue: asyncio.Queue[Message]) -> None:
        for _ in range(count):
            await queue.get()
        watch.end()

    async def main() -> None:
        queue: asyncio.Queue[Message] = asyncio.Queue(CAPACITY)
        await asyncio.gather(send(queue), receive(queue))

    asyncio.run(main())
    return watch.seconds


def parcels(count: int, *, size: int) -> float:
    """One message at a time, each made right before it is sent, with a body of so many bytes."""
    watch = Stopwatch()
    buffer = bytearray(size)

    async def send(queue: asyncio.Queue[Parcel]) -> None:
        watch.begin()
        for _ in range(count):
            await queue.put(Parcel(bytes(buffer)))

    async def receive(queue: asyncio.Queue[Parcel]) -> None:
        for _ in range(count):
            await queue.get()
        watch.end()

    async def main() -> None:
        queue: asyncio.Queue[Parcel] = asyncio.Queue(CAPACITY)
        await asyncio.gather(send(queue), receive(queue))

    asyncio.run(main())
    return watch.seconds


def batches(count: int) -> float:
    """Batches through a queue, which knows no batches: as many puts and gets as a batch has messages."""
    watch = Stopwatch()
    batch = [MESSAGE] * BATCH

    async def send(queue: asyncio.Queue[Message]) -> None:
        watch.begin()
        for _ in range(count // BATCH):
            for message in batch:
                await queue.put(message)

    async def receive(queue: asyncio.Queue[Message]) -> None:
        for _ in range(count // BATCH):
            received: list[Message] = []
            for _ in range(BATCH):
                received.append(await queue.get())  # noqa: PERF401 - plain loops, see the package's head
        watch.end()

    async def main() -> None:
        queue: asyncio.Queue[Message] = asyncio.Queue(CAPACITY)
        await asyncio.gather(send(queue), receive(queue))

    asyncio.run(main())
    return watch.seconds


def batches_nowait(count: int) -> float:
    """Batches through a queue with its nowait calls: the faster way, which its users write by hand.

    Like ours, the receiver waits for one message only, and takes of the others what is there.
    """
    watch = Stopwatch()
    batch = [MESSAGE] * BATCH

    async def send(queue: asyncio.Queue[Message]) -> None:
        watch.begin()
        for _ in range(count // BATCH):
            for message in batch:
                if queue.full():
                    await queue.put(message)
                else:
                    queue.put_nowait(message)

    async def receive(queue: asyncio.Queue[Message]) -> None:
        left = count
        while left:
            received = [await queue.get()]
            while len(received) < BATCH and not queue.empty():
                received.append(queue.get_nowait())
            left -= len(received)
        watch.end()

    async def main() -> None:
        queue: asyncio.Queue[Message] = asyncio.Queue(CAPACITY)
        await asyncio.gather(send(queue), receive(queue))

    asyncio.run(main())
    return watch.seconds


def fan_in(count: int) -> float:
    """Many tasks send to one.

    Each fills the queue whenever it runs: the messages of one come in long runs, where ours are dealt out evenly among
    the senders that wait.
    """
    watch = Stopwatch()

    async def send(queue: asyncio.Queue[Message], messages: int) -> None:
        watch.begin()
        for _ in range(messages):
            await queue.put(MESSAGE)

    async def receive(queue: asyncio.Queue[Message]) -> None:
        for _ in range(count):
            await queue.get()
        watch.end()

    async def main() -> None:
        queue: asyncio.Queue[Message] = asyncio.Queue(CAPACITY)
        await asyncio.gather(*[send(queue, share(count, index)) for index in range(MANY)], receive(queue))

    asyncio.run(main())
    return watch.seconds


def fan_out(count: int) -> float:
    """One task sends to many, in turn, each with a queue of its own."""
    watch = Stopwatch(MANY)

    async def send(queues: list[asyncio.Queue[Message]]) -> None:
        watch.begin()
        for queue in islice(cycle(queues), count):
            await queue.put(MESSAGE)

    async def receive(queue: asyncio.Queue[Message], messages: int) -> None:
        for _ in range(messages):
            await queue.get()
        watch.end()

    async def main() -> None:
        queues: list[asyncio.Queue[Message]] = [asyncio.Queue(CAPACITY) for _ in range(MANY)]
        receivers = [receive(queue, share(count, index)) for index, queue in enumerate(queues)]
        await asyncio.gather(send(queues), *receivers)

    asyncio.run(main())
    return watch.seconds


def chain(count: int) -> float:
    """Messages go from task to task, through as many queues as there are hops."""
    watch = Stopwatch()

    async def send(queue: asyncio.Queue[Message]) -> None:
        watch.begin()
        for _ in range(count):
            await queue.put(MESSAGE)

    async def relay(inbox: asyncio.Queue[Message], outbox: asyncio.Queue[Message]) -> None:
        for _ in range(count):
            await inbox.get()
            await outbox.put(MESSAGE)

    async def receive(queue: asyncio.Queue[Message]) -> None:
        for _ in range(count):
            await queue.get()
        watch.end()

    async def main() -> None:
        queues: list[asyncio.Queue[Message]] = [asyncio.Queue(CAPACITY) for _ in range(HOPS)]
        relays = [relay(inbox, outbox) for inbox, outbox in pairwise(queues)]
        await asyncio.gather(send(queues[0]), *relays, receive(queues[-1]))

    asyncio.run(main())
    return watch.seconds
