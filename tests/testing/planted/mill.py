"""The program that is explored with bugs planted in the library: a small orchestra with a bit of everything.

Two lines of work lead into one store; an oracle answers some questions and ends; ticks are broadcast; feeders outside
try again what was cancelled. What must come of it is checked by the program's own books, and by the laws.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Never

import attrs
import trio

from orchestra_trio import (
    OneshotCancelled,
    OneshotSender,
    Orchestra,
    Priority,
    RunningOrchestra,
    Subsystem,
    SubsystemExited,
    subsystem,
)
from orchestra_trio.testing.scheduling.steering import cancellable
from orchestra_trio.testing.tracing.laws.checking import check_laws
from orchestra_trio.testing.tracing.recorder import recording

Context = Any
Running = RunningOrchestra[Any, Any]


@attrs.frozen
class Raw:
    number: int


@attrs.frozen
class Other:
    number: int


@attrs.frozen
class Part:
    number: int


@attrs.frozen
class Ask:
    reply: OneshotSender[int]
    number: int


@attrs.frozen
class Tick:
    number: int


class Mill(Orchestra[Tick], message_capacity=2, signal_capacity=2):
    left: Subsystem[Raw, Part | Ask, Tick]
    right: Subsystem[Other, Part | Ask, Tick]
    oracle: Subsystem[Ask, Never, Tick] = subsystem(message_capacity=4, after_exit="dead_letter")
    store: Subsystem[Part, Never, Tick] = subsystem(message_capacity=2, priority=True)


FLUSHED_LEFT, FLUSHED_RIGHT = 100, 200
ANSWERS = 6
LEISURE = 40
"""Schedule points before the end: in the plain order, all work is done by then."""


@attrs.define(eq=False)
class Books:
    """What the program knows of its own messages."""

    expected: list[int] = attrs.Factory(list)
    """What the store must get, each once."""
    stored: list[Part] = attrs.Factory(list)

    async def left(self, ctx: Context) -> None:
        ctx.start_soon(self.watch, ctx)
        async for incoming in ctx:
            if isinstance(incoming, Raw):
                await self.work(ctx, incoming.number)
        await ctx.send(Part(FLUSHED_LEFT))

    async def right(self, ctx: Context) -> None:
        async for incoming in ctx:
            if isinstance(incoming, Other):
                ctx.start_soon(self.work, ctx, incoming.number)
        await ctx.send(Part(FLUSHED_RIGHT))

    async def work(self, ctx: Context, number: int) -> None:
        await self.ask(ctx, number)
        await ctx.send(Part(number), priority=Priority.HIGH if number % 2 else Priority.NORMAL)

    async def watch(self, ctx: Context) -> None:
        try:
            while True:
                await ctx.receive_signal()
        except trio.EndOfChannel:
            return

    async def ask(self, ctx: Context, number: int) -> None:
        with suppress(OneshotCancelled, SubsystemExited):  # the oracle may have ended
            assert await ctx.request(Ask, number) == number + 1

    async def oracle(self, ctx: Context) -> None:
        answered = 0
        async for incoming in ctx:
            if isinstance(incoming, Ask):
                incoming.reply.send(incoming.number + 1)
                answered += 1
                if answered == ANSWERS:
                    return

    async def store(self, ctx: Context) -> None:
        async for incoming in ctx:
            if isinstance(incoming, Part):
                self.stored.append(incoming)

    async def feed(self, running: Running, make: type, numbers: list[int]) -> None:
        for number in numbers:
            self.expected.append(number)
            with cancellable() as scope:
                await running.route_message(make(number))
            if scope.cancelled_caught:
                await running.route_message(make(number))  # once more: it was not sent

    async def tick(self, running: Running) -> None:
        for number in range(3):
            await running.broadcast_signal(Tick(number))
            await trio.lowlevel.checkpoint()


async def main() -> None:
    """Run the mill once, and see that all is as it should be."""
    books = Books()
    with recording() as traces:
        mill = Mill(left=books.left, right=books.right, oracle=books.oracle, store=books.store)
        async with mill.open() as running:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(books.feed, running, Raw, [1, 2, 3, 4])
                nursery.start_soon(books.feed, running, Other, [11, 12, 13])
                nursery.start_soon(books.tick, running)
            for _ in range(LEISURE):
                await trio.lowlevel.checkpoint()
    numbers = sorted(part.number for part in books.stored)
    assert numbers == sorted([*books.expected, FLUSHED_LEFT, FLUSHED_RIGHT]), "each part is stored once"
    check_laws(traces[0])
