"""Small orchestras that keep the laws, and what is recorded of them; each shows what some laws are about."""

from __future__ import annotations

import math
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any, Never

import trio
import trio.testing

from orchestra_trio import Orchestra, Priority, Subsystem, Weighted, subsystem
from orchestra_trio.testing.tracing.laws.checking import check_laws
from orchestra_trio.testing.tracing.recorder import recording
from tests.runtime.samples import AnyContext, Item, Other, Tick, idle

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from orchestra_trio import RunningOrchestra
    from orchestra_trio.testing.tracing.trace import Trace

__all__ = ["play_full", "play_line", "play_loop", "play_shared", "recorded"]


def recorded(play: Callable[[], Awaitable[object]], *, is_good: bool = True) -> Trace:
    """Play a scene under a mock clock, and return the trace of its orchestra.

    It ends, and keeps the laws, if it is good; else it may hang or fail, too.
    """

    async def main() -> None:
        with trio.move_on_after(1000), nullcontext() if is_good else suppress(BaseExceptionGroup):
            await play()

    with recording() as traces:
        trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert len(traces) == 1
    if is_good:
        assert traces[0].has_ended
        check_laws(traces[0])
    return traces[0]


class Line(Orchestra[Tick], message_capacity=8):
    """One sends two messages to the next, which sends them on."""

    source: Subsystem[Never, Item, Tick]
    relay: Subsystem[Item, Other, Tick]
    sink: Subsystem[Other, Never, Tick]


async def say_two(ctx: AnyContext) -> None:
    """Send two messages for every signal."""
    async for signal in ctx:
        await ctx.send(Item(2 * signal.number))
        await ctx.send(Item(2 * signal.number + 1))


async def pass_on(ctx: AnyContext) -> None:
    """Be late at first, so that both signals and messages lie in the lanes; then send on what comes."""
    await trio.sleep(5)
    async for incoming in ctx:
        if isinstance(incoming, Item):
            await ctx.send(Other(incoming.number))


async def play_line() -> None:
    """Two broadcasts, each of which makes the source send two messages, while the relay is not there yet."""
    async with Line(source=say_two, relay=pass_on, sink=idle).open() as running:
        await trio.testing.wait_all_tasks_blocked()
        for number in (1, 2):
            await running.broadcast_signal(Tick(number))
            await trio.sleep(1)


class Full(Orchestra, message_capacity=1):
    """Many send to one that is late."""

    sink: Subsystem[Item]


async def late(ctx: AnyContext) -> None:
    await trio.sleep(5)
    await idle(ctx)


async def late_and_busy(ctx: AnyContext) -> None:
    """Be late; then start a job for each message, and let it run before the next."""
    await trio.sleep(5)
    async for _ in ctx:
        ctx.start_soon(trio.lowlevel.checkpoint)
        await trio.sleep(1)


async def play_full() -> None:
    """One message lies in the lane, three wait for room, of which the second gives up."""

    async def send(running: RunningOrchestra[Any, Any], number: int, within: float) -> None:
        with trio.move_on_after(within):
            await running.route_message(Item(number))

    async with Full(sink=late_and_busy).open() as running, trio.open_nursery() as nursery:
        await trio.testing.wait_all_tasks_blocked()
        for number in range(4):
            nursery.start_soon(send, running, number, 1 if number == 2 else math.inf)
            await trio.testing.wait_all_tasks_blocked()


class Shared(Orchestra, message_capacity=64):
    """One receives from all its lanes, all of them full."""

    source: Subsystem[Never, Item | Other] = subsystem(unbounded={Other: "the test"})
    sink: Subsystem[Item | Other] = subsystem(priority=True, select=Weighted(4, 2, 1))


async def fill(ctx: AnyContext) -> None:
    for number in range(28):
        await ctx.send(Item(number), priority=Priority.HIGH)
        await ctx.send(Item(100 + number))
        ctx.send_unbounded(Other(number))


async def play_shared() -> None:
    async with Shared(source=fill, sink=late).open():
        pass


class Loop(Orchestra[Tick]):
    """A cycle, and one downstream of it."""

    ping: Subsystem[Item, Other]
    pong: Subsystem[Other, Item | str]
    sink: Subsystem[str]


async def play_loop() -> None:
    async def ping(ctx: AnyContext) -> None:
        async for item in ctx:
            if item.number:
                await ctx.send(Other(item.number))

    async def pong(ctx: AnyContext) -> None:
        async for other in ctx:
            await ctx.send(f"{other.number}")
            await ctx.send(Item(other.number - 1))

    async with Loop(ping=ping, pong=pong, sink=idle).open() as running:
        await running.route_message(Item(2))
