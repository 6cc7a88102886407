"""anyio's memory object streams, on its trio backend."""

from __future__ import annotations

from benchmarks.workload import CAPACITY, MESSAGE, Message, Stopwatch

__all__ = ["one_at_a_time"]


def one_at_a_time(count: int) -> float:
    """One message at a time."""
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
