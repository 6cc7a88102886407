"""The life of an orchestra at several sizes: startup, broadcasts, statistics, the end; and a ring that is full.

One life gives a figure for several growths, and one of 10,000 subsystems takes more than a second. So none is lived for
one figure alone: each growth first uses up what the lives of the others have left.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import attrs
import trio
import trio.testing

from benchmarks.harness import Growth
from benchmarks.works.wide import Tick, declare, fields_of, quiet
from orchestra_trio import make_orchestra

if TYPE_CHECKING:
    from benchmarks.works.wide import Main, Shape
    from orchestra_trio import RunningOrchestra

__all__ = ["GROWTHS", "Lives", "bare_startup", "declaring", "full_ring"]

_SIZES: Final = (100, 1_000, 10_000)

_LEAST: Final = 300
"""Smaller sizes are lived as often as it takes to come to so many subsystems."""

_BROADCASTS: Final = 3


@attrs.define
class _Roll:
    """Notes when the last one has begun."""

    missing: int
    complete_at: float = 0.0

    def answer(self) -> None:
        """Note that one has."""
        self.missing -= 1
        if not self.missing:
            self.complete_at = perf_counter()


@attrs.define
class Lives:
    """Lives orchestras of one shape, and keeps what was measured and not asked for yet."""

    shape: Shape
    _left: dict[tuple[str, int], deque[float]] = attrs.Factory(dict[tuple[str, int], "deque[float]"])

    def timed(self, figure: str, size: int) -> float:
        """Return one figure of one life, in seconds per subsystem: startup, broadcast, statistics or drain."""
        left = self._left.setdefault((figure, size), deque())
        if not left:
            for name, seconds in trio.run(self._live_often, size).items():
                self._left.setdefault((name, size), deque()).append(seconds)
        return left.popleft()

    async def _live_often(self, size: int) -> dict[str, float]:
        times = max(1, _LEAST // size)
        totals: dict[str, float] = {}
        for _ in range(times):
            for name, seconds in (await self._live(size)).items():
                totals[name] = totals.get(name, 0.0) + seconds
        return {name: seconds / times / size for name, seconds in totals.items()}

    async def _live(self, size: int) -> dict[str, float]:
        roll = _Roll(size)

        async def idle(ctx: Any) -> None:  # noqa: ANN401 - of any slot
            roll.answer()
            async for _ in ctx:
                pass

        orchestra = declare(self.shape, size).hold([idle] * size)
        began = perf_counter()
        async with orchestra.open() as running:
            await running.wait_epoch(await running.broadcast_signal(Tick()))  # all have begun, and have a place to wait
            figures = {"startup": roll.complete_at - began, "broadcast": await _time_broadcasts(running)}
            at = perf_counter()
            running.statistics()
            figures["statistics"] = perf_counter() - at
            at = perf_counter()
            running.close_input()
            await running.wait_stopped()
            figures["drain"] = perf_counter() - at
        return figures


async def _time_broadcasts(running: RunningOrchestra[Any, Any]) -> float:
    """Return the seconds from a broadcast to its last receipt."""
    began = perf_counter()
    for _ in range(_BROADCASTS):
        await running.wait_epoch(await running.broadcast_signal(Tick()))
    return (perf_counter() - began) / _BROADCASTS


def bare_startup(size: int) -> float:
    """The seconds in which trio starts one of so many tasks, each with a channel and a nursery, and nothing else."""

    async def idle(receiver: trio.MemoryReceiveChannel[object], roll: _Roll) -> None:
        async with trio.open_nursery():
            roll.answer()
            async for _ in receiver:
                pass

    async def start() -> float:
        roll = _Roll(size)
        began = perf_counter()
        async with trio.open_nursery() as nursery:
            senders: list[trio.MemorySendChannel[object]] = []
            for _ in range(size):
                sender, receiver = trio.open_memory_channel[object](1024)
                senders.append(sender)
                nursery.start_soon(idle, receiver, roll)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        return roll.complete_at - began

    async def main() -> float:
        return sum([await start() for _ in range(times)])

    times = max(1, _LEAST // size)
    return trio.run(main) / times / size


def declaring(size: int) -> float:
    """The seconds that a class statement takes for each slot of a chain."""
    times = max(1, _LEAST // size)
    fields = [fields_of("chain", size)[0] for _ in range(times)]
    began = perf_counter()
    for one in fields:
        make_orchestra("Many", one, signals=Tick)
    return (perf_counter() - began) / times / size


_WAVES: Final = 5


def full_ring(size: int) -> float:
    """The seconds of a hop in a ring of which all members wait for the last one, which takes out a message at times.

    Then all others move, one after another, and wait again; each time the library makes sure that it is not for ever.
    """
    wide = declare("ring", size, message_capacity=1)
    gate = trio.Semaphore(0)
    moved = trio.Semaphore(0)

    async def first(ctx: Any) -> None:  # noqa: ANN401 - of any slot
        while True:
            await ctx.send(wide.messages[1]())
            moved.release()  # it is the last to move

    def passing(message: object) -> Main:
        async def play(ctx: Any) -> None:  # noqa: ANN401 - as above
            await ctx.send(message)
            while True:
                await ctx.send(message)
                await ctx.receive()

        return play

    async def let_out(ctx: Any) -> None:  # noqa: ANN401 - as above
        while True:
            await gate.acquire()
            await ctx.receive()

    async def main() -> float:
        mains: list[Main] = [first, *(passing(after()) for after in wide.messages[2:]), let_out]
        async with wide.hold(mains).open() as running:
            await moved.acquire()  # the first message finds room, and then every lane is full
            await trio.testing.wait_all_tasks_blocked()
            began = perf_counter()
            for _ in range(_WAVES):
                gate.release()
                await moved.acquire()
            seconds = perf_counter() - began
            running.cancel()
        return seconds / _WAVES / size

    with quiet():
        return trio.run(main)


_CHAIN, _STAR = Lives("chain"), Lives("star")

GROWTHS: Final = (
    Growth("declaring a class", declaring, (100, 1_000), "slot"),
    Growth("full ring, a message passes", full_ring, (10, 1_000), "hop"),
    Growth("startup of bare trio tasks, a nursery and a channel each", bare_startup, _SIZES, "task"),
    Growth("startup", partial(_CHAIN.timed, "startup"), _SIZES, "subsystem", between=(100, 10_000), at_most=2),
    Growth("broadcast", partial(_CHAIN.timed, "broadcast"), _SIZES, "subsystem", between=(100, 10_000), at_most=2),
    Growth("statistics", partial(_CHAIN.timed, "statistics"), _SIZES, "subsystem"),
    Growth("drain of a chain", partial(_CHAIN.timed, "drain"), _SIZES, "subsystem"),
    Growth("drain of a star, all in cycles", partial(_STAR.timed, "drain"), (100, 1_000), "subsystem"),
)
"""In the order in which they are shown."""
