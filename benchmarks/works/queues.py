"""Queues at several depths, many who wait to send, and many types of messages: what each message takes."""

from __future__ import annotations

from functools import cache, partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, Never, TypeAlias

import attrs
import trio
import trio.testing

from benchmarks.harness import Growth
from benchmarks.workload import BATCH, CAPACITY, MESSAGE, Message, Stopwatch, check_count
from benchmarks.works.running import run_until_stopped
from benchmarks.works.wide import quiet
from orchestra_trio import Orchestra, Priority, Subsystem, SubsystemContext, make_orchestra, subsystem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["DEEP", "GROWTHS", "Deep", "blocked_senders", "burial", "deep_queue", "many_types", "send_batches"]

DEEP: Final = 1_000_000

_COUNT: Final = 20_000
"""Messages in one measurement; a multiple of `BATCH`."""


@attrs.frozen
class Log:
    """A message that is sent unbounded."""


_LOG: Final = Log()


class Deep(Orchestra, message_capacity=2 * DEEP):
    """One sends, and the other receives when it is told to."""

    source: Subsystem[Never, Message | Log] = subsystem(unbounded={Log: "the count of the benchmark"})
    sink: Subsystem[Message | Log] = subsystem(priority=True)


_Source: TypeAlias = SubsystemContext[Never, Message | Log]
_Sink: TypeAlias = SubsystemContext[Message | Log]


async def send_each(ctx: _Source, count: int) -> None:
    """Send messages into the bounded lane, one by one."""
    for _ in range(count):
        await ctx.send(MESSAGE)


async def send_batches(ctx: _Source, count: int) -> None:
    """Send messages into the bounded lane, in batches; the last one may be smaller."""
    batch = [MESSAGE] * BATCH
    for start in range(0, count, BATCH):
        await ctx.send_many(batch[: count - start])


async def send_high(ctx: _Source, count: int) -> None:
    """Send messages into the priority lane."""
    for _ in range(count):
        await ctx.send(MESSAGE, priority=Priority.HIGH)


async def send_unbounded(ctx: _Source, count: int) -> None:
    """Send messages into the unbounded lane."""
    for _ in range(count):
        ctx.send_unbounded(_LOG)
    await trio.lowlevel.checkpoint()


async def receive_each(ctx: _Sink, count: int) -> None:
    """Receive messages one by one."""
    for _ in range(count):
        await ctx.receive()


async def receive_batches(ctx: _Sink, count: int) -> None:
    """Receive messages in batches."""
    left = count
    while left:
        left -= len(await ctx.receive_many(min(left, BATCH)))


def deep_queue(
    send: Callable[[_Source, int], Awaitable[None]],
    receive: Callable[[_Sink, int], Awaitable[None]],
    depth: int,
) -> float:
    """The seconds to send a message and to receive one while so many wait in the same lane."""
    seconds = 0.0
    sent, received = trio.Event(), trio.Event()

    async def source(ctx: _Source) -> None:
        nonlocal seconds
        await (send_batches if send is send_each else send)(ctx, depth)
        began = perf_counter()
        await send(ctx, _COUNT)
        seconds += perf_counter() - began
        sent.set()
        await received.wait()  # who lives may send yet: it is an open queue that is measured

    async def sink(ctx: _Sink) -> None:
        nonlocal seconds
        await sent.wait()
        began = perf_counter()
        await receive(ctx, _COUNT)
        seconds += perf_counter() - began
        await receive_batches(ctx, depth)
        received.set()

    trio.run(run_until_stopped, Deep(source=source, sink=sink), depth + _COUNT)
    return seconds / _COUNT


class Narrow(Orchestra, message_capacity=1):
    """A lane that has room for one message."""

    source: Subsystem[Never, Message]
    sink: Subsystem[Message]


def blocked_senders(size: int) -> float:
    """The seconds to receive a message where so many jobs wait for room, and each that is let in sends another one."""
    count = 2_000

    async def send(ctx: SubsystemContext[Never, Message]) -> None:
        while True:
            await ctx.send(MESSAGE)

    async def source(ctx: SubsystemContext[Never, Message]) -> None:
        for _ in range(size):
            ctx.start_soon(send, ctx)
        await trio.lowlevel.checkpoint()

    async def sink(ctx: SubsystemContext[Message]) -> None:
        await trio.testing.wait_all_tasks_blocked()
        began = perf_counter()
        for _ in range(count):
            await ctx.receive()
        taken.append(perf_counter() - began)
        cancel.set()
        await trio.sleep_forever()

    async def main() -> None:
        async with Narrow(source=source, sink=sink).open() as running:
            await cancel.wait()
            running.cancel()

    taken: list[float] = []
    cancel = trio.Event()
    with quiet():
        trio.run(main)
    return taken[0] / count


def burial(size: int) -> float:
    """The seconds in which a message that nobody received becomes a dead letter, where so many lie in a lane."""
    seconds = 0.0
    began = 0.0
    filled = trio.Event()

    async def source(ctx: _Source) -> None:
        await send_batches(ctx, size)
        filled.set()

    async def sink(_: _Sink) -> None:
        nonlocal began
        await filled.wait()
        began = perf_counter()

    async def main() -> None:
        nonlocal seconds
        async with Deep(source=source, sink=sink).open() as running:
            await running.wait_stopped()
            seconds = perf_counter() - began
        check_count("dead letters", sum(running.statistics().dead_letters.values()), size)

    with quiet():
        trio.run(main)
    return seconds / size


@cache
def _typed(size: int) -> tuple[type[Orchestra[Any, Any]], list[object]]:
    """Return the class of an orchestra of two with so many types of messages, and a message of each."""
    types = [type(f"Message{number}", (), {"__slots__": ()}) for number in range(size)]
    fields = {"source": subsystem(sends=tuple(types)), "sink": subsystem(consumes=tuple(types))}
    return make_orchestra("Typed", fields, message_capacity=CAPACITY), [one() for one in types]


def many_types(size: int) -> float:
    """The seconds of a message, sent and received, where each of so many is of another type, one after another."""
    cls, messages = _typed(size)
    rounds = max(1, _COUNT // size)
    watch = Stopwatch()

    async def source(ctx: SubsystemContext[Never, Any]) -> None:
        for message in messages:
            await ctx.send(message)  # the first of its type finds its way
        watch.begin()
        for _ in range(rounds):
            for message in messages:
                await ctx.send(message)

    async def sink(ctx: SubsystemContext[Any]) -> None:
        for _ in range((rounds + 1) * size):
            await ctx.receive()
        watch.end()

    mains: dict[str, Any] = {"source": source, "sink": sink}
    trio.run(run_until_stopped, cls(**mains), (rounds + 1) * size)
    return watch.seconds / rounds / size


_DEPTHS: Final = (10, DEEP)

GROWTHS: Final = (
    Growth(
        "deep queue, one at a time",
        partial(deep_queue, send_each, receive_each),
        _DEPTHS,
        "waiting message",
        at_most=1.2,
    ),
    Growth(
        "deep queue, batches",
        partial(deep_queue, send_batches, receive_batches),
        _DEPTHS,
        "waiting message",
        at_most=1.2,
    ),
    Growth("deep queue, priority lane", partial(deep_queue, send_high, receive_each), (10, 100_000), "waiting message"),
    Growth(
        "deep queue, unbounded lane",
        partial(deep_queue, send_unbounded, receive_each),
        (10, 100_000),
        "waiting message",
    ),
    Growth("senders that wait for room", blocked_senders, (10, 10_000), "waiting sender"),
    Growth("messages left over become dead letters", burial, (100, 1_000, 10_000), "message"),
    Growth("types of messages", many_types, (10, 1_000), "type"),
)
"""In the order in which they are shown."""
