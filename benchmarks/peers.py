"""What the peers do: the same messages, capacity and count as ours, through their public interface.

Each uses the calls that are fastest for the work as it is put: it sends and receives in plain loops, without iterators
or comprehensions around a call, as ours does. Where a peer cannot do quite the same, its function says so.
"""

from __future__ import annotations

import asyncio
import threading
from queue import SimpleQueue

import trio

from benchmarks.workload import BATCH, CAPACITY, MESSAGE, PING, PONG, Message, Ping, Pong, Stopwatch

__all__ = [
    "anyio_stream",
    "asyncio_queue",
    "asyncio_queue_batches",
    "asyncio_queue_batches_nowait",
    "pykka_tell",
    "simple_queues",
    "trio_channel",
    "trio_from_thread",
    "trio_ping_pong",
]


def trio_channel(count: int) -> float:
    """One message at a time through `trio.open_memory_channel`."""
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


def trio_ping_pong(count: int) -> float:
    """Round trips through two of trio's channels, one message under way at a time."""
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


def asyncio_queue(count: int) -> float:
    """One message at a time through `asyncio.Queue`.

    Bare: a call that need not wait is no schedule point and does not look for a cancellation, as ours do.
    """
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


def asyncio_queue_batches(count: int) -> float:
    """Batches through `asyncio.Queue`, which knows no batches: as many puts and gets as a batch has messages."""
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
                received.append(await queue.get())  # noqa: PERF401 - plain loops, see the module's head
        watch.end()

    async def main() -> None:
        queue: asyncio.Queue[Message] = asyncio.Queue(CAPACITY)
        await asyncio.gather(send(queue), receive(queue))

    asyncio.run(main())
    return watch.seconds


def asyncio_queue_batches_nowait(count: int) -> float:
    """Batches through `asyncio.Queue` with its nowait calls: the faster way, which its users write by hand.

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


def anyio_stream(count: int) -> float:
    """One message at a time through anyio's memory object stream, on its trio backend."""
    import anyio  # noqa: PLC0415 - not everybody has this peer
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream  # noqa: PLC0415, TC002 - as above

    watch = Stopwatch()

    async def send(sender: MemoryObjectSendStream[Message]) -> None:
        with sender:
            watch.begin()
            for _ in range(count):
                await sender.send(MESSAGE)

    async def receive(receiver: MemoryObjectReceiveStream[Message]) -> None:
        with receiver:
            for _ in range(count):
                await receiver.receive()
            watch.end()

    async def main() -> None:
        sender, receiver = anyio.create_memory_object_stream[Message](CAPACITY)
        async with anyio.create_task_group() as group:
            group.start_soon(send, sender)
            group.start_soon(receive, receiver)

    anyio.run(main, backend="trio")
    return watch.seconds


def pykka_tell(count: int) -> float:
    """One message at a time to a `pykka.ThreadingActor`, with `tell`.

    Its inbox has no bound, so that the sender never waits; the actor has a thread of its own.
    """
    import pykka  # noqa: PLC0415 - not everybody has this peer

    watch = Stopwatch()
    done = threading.Event()

    class Receiver(pykka.ThreadingActor):
        left = count

        def on_receive(self, message: object) -> None:  # noqa: ARG002 - a message is only counted, as everywhere
            self.left -= 1
            if not self.left:
                watch.end()
                done.set()

    actor = Receiver.start()
    watch.begin()
    for _ in range(count):
        actor.tell(MESSAGE)
    done.wait()
    actor.stop()
    return watch.seconds


def trio_from_thread(count: int) -> float:
    """A thread takes Pings from one of trio's channels and puts a Pong for each into another.

    It has one `trio.from_thread.run_sync` for each message, which does in trio's thread all that is to be done there:
    it puts the answer to the message before, and takes the next, with the channels' nowait calls. Only where one of
    them would block, the thread waits for that one with `trio.from_thread.run`. Given the run's token, such a call is
    carried out in trio's queue of callbacks; without it, the task that waits for the thread would have to be woken,
    which takes a third longer. Cancellation is not looked for, as ours does with each call.
    """
    watch = Stopwatch()

    async def send(sender: trio.MemorySendChannel[Ping]) -> None:
        watch.begin()
        for _ in range(count):
            await sender.send(PING)

    async def receive(receiver: trio.MemoryReceiveChannel[Pong]) -> None:
        for _ in range(count):
            await receiver.receive()
        watch.end()

    def handle(
        receiver: trio.MemoryReceiveChannel[Ping], sender: trio.MemorySendChannel[Pong], token: trio.lowlevel.TrioToken
    ) -> None:
        trio.from_thread.run(receiver.receive, trio_token=token)
        for _ in range(count - 1):
            is_sent, is_received = trio.from_thread.run_sync(_exchange, sender, receiver, trio_token=token)
            if not is_sent:
                trio.from_thread.run(sender.send, PONG, trio_token=token)
            if not is_received:
                trio.from_thread.run(receiver.receive, trio_token=token)
        trio.from_thread.run(sender.send, PONG, trio_token=token)

    async def main() -> None:
        ping_sender, ping_receiver = trio.open_memory_channel[Ping](CAPACITY)
        pong_sender, pong_receiver = trio.open_memory_channel[Pong](CAPACITY)
        async with trio.open_nursery() as nursery:
            token = trio.lowlevel.current_trio_token()
            nursery.start_soon(trio.to_thread.run_sync, handle, ping_receiver, pong_sender, token)
            nursery.start_soon(send, ping_sender)
            nursery.start_soon(receive, pong_receiver)

    trio.run(main)
    return watch.seconds


def _exchange(sender: trio.MemorySendChannel[Pong], receiver: trio.MemoryReceiveChannel[Ping]) -> tuple[bool, bool]:
    """Send an answer and take a message, in this order; return what of it was done without waiting."""
    try:
        sender.send_nowait(PONG)
    except trio.WouldBlock:
        return False, False
    try:
        receiver.receive_nowait()
    except trio.WouldBlock:
        return True, False
    return True, True


def simple_queues(count: int) -> float:
    """A thread between two others, with a `queue.SimpleQueue` on either side: no trio, no bound and no cancellation.

    For lack of a bound nobody has to wait: thousands of messages pass before the interpreter switches threads.
    """
    watch = Stopwatch()
    pings: SimpleQueue[Ping] = SimpleQueue()
    pongs: SimpleQueue[Pong] = SimpleQueue()

    def send() -> None:
        watch.begin()
        for _ in range(count):
            pings.put(PING)

    def handle() -> None:
        for _ in range(count):
            pings.get()
            pongs.put(PONG)

    def receive() -> None:
        for _ in range(count):
            pongs.get()
        watch.end()

    threads = [threading.Thread(target=target) for target in (receive, handle, send)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return watch.seconds
