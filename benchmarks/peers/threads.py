"""Threads: `queue.SimpleQueue` between them, and what else takes messages into a thread and out of it."""

from __future__ import annotations

import asyncio
import threading
from importlib import import_module
from queue import SimpleQueue
from typing import TYPE_CHECKING

import trio

from benchmarks.workload import CAPACITY, MESSAGE, PING, PONG, Message, Parcel, Ping, Pong, Stopwatch

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "culsans_in_and_out",
    "janus_in_and_out",
    "one_at_a_time",
    "parcels",
    "simple_queues_in_and_out",
    "trio_from_thread",
]


def one_at_a_time(count: int) -> float:
    """One message at a time from thread to thread through a `queue.SimpleQueue`.

    It has no bound, so that nobody waits for room: thousands of messages pass before the interpreter switches threads.
    There is no cancellation.
    """
    watch = Stopwatch()
    queue: SimpleQueue[Message] = SimpleQueue()

    def send() -> None:
        watch.begin()
        for _ in range(count):
            queue.put(MESSAGE)

    def receive() -> None:
        for _ in range(count):
            queue.get()
        watch.end()

    _run(receive, send)
    return watch.seconds


def parcels(count: int, *, size: int) -> float:
    """The same, each message made right before it is sent, with a body of so many bytes."""
    watch = Stopwatch()
    queue: SimpleQueue[Parcel] = SimpleQueue()
    buffer = bytearray(size)

    def send() -> None:
        watch.begin()
        for _ in range(count):
            queue.put(Parcel(bytes(buffer)))

    def receive() -> None:
        for _ in range(count):
            queue.get()
        watch.end()

    _run(receive, send)
    return watch.seconds


def simple_queues_in_and_out(count: int) -> float:
    """A thread between two others, with a `queue.SimpleQueue` on either side: no trio, no bound and no cancellation."""
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

    _run(receive, handle, send)
    return watch.seconds


def _run(*targets: Callable[[], None]) -> None:
    threads = [threading.Thread(target=target) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


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


def janus_in_and_out(count: int) -> float:
    """A thread between two tasks of asyncio, with a `janus.Queue` on either side.

    It has ends for both worlds. That the thread looks for no cancellation is no fault of it: asyncio has none there.
    """
    janus = import_module("janus")  # not everybody has this peer
    watch = Stopwatch()

    async def main() -> None:
        pings = janus.Queue(CAPACITY)
        pongs = janus.Queue(CAPACITY)

        async def send() -> None:
            watch.begin()
            for _ in range(count):
                await pings.async_q.put(PING)

        def handle() -> None:
            for _ in range(count):
                pings.sync_q.get()
                pongs.sync_q.put(PONG)

        async def receive() -> None:
            for _ in range(count):
                await pongs.async_q.get()
            watch.end()

        await asyncio.gather(asyncio.to_thread(handle), send(), receive())
        await pings.aclose()
        await pongs.aclose()

    asyncio.run(main())
    return watch.seconds


def culsans_in_and_out(count: int) -> float:
    """A thread between two tasks of trio, with a `culsans.Queue` on either side, which has ends for both worlds.

    The thread does not look for a cancellation, as ours does with each call.
    """
    culsans = import_module("culsans")  # not everybody has this peer
    watch = Stopwatch()
    pings = culsans.Queue(CAPACITY)
    pongs = culsans.Queue(CAPACITY)

    async def send() -> None:
        watch.begin()
        for _ in range(count):
            await pings.async_q.put(PING)

    def handle() -> None:
        for _ in range(count):
            pings.sync_q.get()
            pongs.sync_q.put(PONG)

    async def receive() -> None:
        for _ in range(count):
            await pongs.async_q.get()
        watch.end()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.to_thread.run_sync, handle)
            nursery.start_soon(send)
            nursery.start_soon(receive)

    trio.run(main)
    return watch.seconds
