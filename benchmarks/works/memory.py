"""What is kept in memory: for a subsystem that waits for messages, and for a message that waits to be received.

Counted by `tracemalloc`, which sees all that Python allocates and nothing else.
"""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import attrs
import trio
import trio.testing

from benchmarks.harness import Quantity, QuantityPeer
from benchmarks.workload import MESSAGE, Message
from benchmarks.works.queues import Deep, send_batches
from benchmarks.works.wide import declare, quiet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["QUANTITIES"]


@attrs.define
class _Traced:
    """How much more memory is in use than at the beginning."""

    bytes: int = 0

    def look(self) -> None:
        """Note what is in use now, but for what was made and let go meanwhile."""
        gc.collect()
        self.bytes = tracemalloc.get_traced_memory()[0]


@contextmanager
def _traced() -> Iterator[_Traced]:
    tracemalloc.start()
    try:
        yield _Traced()
    finally:
        tracemalloc.stop()


def _per(unit: str, traced: _Traced, count: int) -> Mapping[str, float]:
    return {unit: traced.bytes / count}


def running_subsystems(count: int) -> Mapping[str, float]:
    """A subsystem that waits for messages, with all that the library keeps of it while it runs."""

    async def idle(ctx: Any) -> None:  # noqa: ANN401 - of any slot
        async for _ in ctx:
            pass

    orchestra = declare("chain", count).hold([idle] * count)

    async def main() -> _Traced:
        with _traced() as traced:
            async with orchestra.open():
                await trio.testing.wait_all_tasks_blocked()
                traced.look()
        return traced

    return _per("subsystem", trio.run(main), count)


def bare_tasks(count: int) -> Mapping[str, float]:
    """A task of trio that waits at a channel, in a nursery of its own."""

    async def idle(receiver: trio.MemoryReceiveChannel[object]) -> None:
        async with trio.open_nursery():
            async for _ in receiver:
                pass

    async def main() -> _Traced:
        with _traced() as traced:
            async with trio.open_nursery() as nursery:
                channels = [trio.open_memory_channel[object](1024) for _ in range(count)]
                for _, receiver in channels:
                    nursery.start_soon(idle, receiver)
                await trio.testing.wait_all_tasks_blocked()
                traced.look()
                nursery.cancel_scope.cancel()
        return traced

    return _per("subsystem", trio.run(main), count)


def queued_messages(count: int) -> Mapping[str, float]:
    """A message in a bounded lane, itself apart."""
    done = trio.Event()
    traced = _Traced()

    async def source(ctx: Any) -> None:  # noqa: ANN401 - of its slot
        nonlocal traced
        with _traced() as traced:
            await send_batches(ctx, count)
            traced.look()
        done.set()

    async def sink(_: Any) -> None:  # noqa: ANN401 - as above
        await done.wait()

    with quiet():
        trio.run(Deep(source=source, sink=sink).run)
    return _per("message", traced, count)


def trio_messages(count: int) -> Mapping[str, float]:
    """A message in a channel of trio."""
    sender, receiver = trio.open_memory_channel[Message](count)
    with _traced() as traced:
        for _ in range(count):
            sender.send_nowait(MESSAGE)
        traced.look()
    receiver.close()
    return _per("message", traced, count)


def asyncio_messages(count: int) -> Mapping[str, float]:
    """A message in a queue of asyncio."""
    queue: asyncio.Queue[Message] = asyncio.Queue()
    with _traced() as traced:
        for _ in range(count):
            queue.put_nowait(MESSAGE)
        traced.look()
    return _per("message", traced, count)


QUANTITIES: Final = (
    Quantity(
        "memory of a running subsystem",
        running_subsystems,
        unit="bytes",
        count=1_000,
        peers=[QuantityPeer("a task of trio with a channel and a nursery", bare_tasks)],
    ),
    Quantity(
        "memory of a waiting message",
        queued_messages,
        unit="bytes",
        count=10_000,
        peers=[
            QuantityPeer("trio.open_memory_channel", trio_messages),
            QuantityPeer("asyncio.Queue", asyncio_messages),
        ],
    ),
)
"""In the order in which they are shown."""
