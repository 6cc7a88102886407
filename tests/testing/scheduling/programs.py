"""Small programs with known bugs, each of which comes out under certain schedules alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Never

import trio

from orchestra_trio import Orchestra, Subsystem, SubsystemContext
from orchestra_trio.testing.scheduling.steering import cancellable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


async def pause(steps: int) -> None:
    """Let others run, so many times."""
    for _ in range(steps):
        await trio.lowlevel.checkpoint()


async def lost_update() -> None:
    """Two tasks count: each reads, lets others run, and writes. In the plain order one is done before the other."""
    count = 0

    async def add(steps: int) -> None:
        nonlocal count
        await pause(steps)
        before = count
        await pause(1)
        count = before + 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(add, 0, name="early")
        nursery.start_soon(add, 2, name="late")
    assert count == 2


async def swapped() -> None:
    """One task must come before another that is started later: one choice decides."""
    ready = False

    async def prepare() -> None:
        nonlocal ready
        await pause(3)
        ready = True

    async def use() -> None:
        await pause(3)
        assert ready

    async with trio.open_nursery() as nursery:
        nursery.start_soon(prepare)
        nursery.start_soon(use)


async def deep() -> None:
    """Goes wrong where each of two tasks runs for long while the other one waits: three orderings must be met."""
    state = 0

    async def first() -> None:
        nonlocal state
        await pause(12)
        state = 1
        await pause(12)
        state = 3 if state == 2 else state

    async def second() -> None:
        nonlocal state
        await pause(2)
        state = 2 if state == 1 else state
        await pause(2)
        assert state != 3

    async with trio.open_nursery() as nursery:
        nursery.start_soon(first)
        nursery.start_soon(second)


async def untidy() -> None:
    """A task that is cancelled at the wrong moment leaves the door open."""
    doors_open = 0

    async def visit() -> None:
        nonlocal doors_open
        with cancellable():
            await pause(1)
            doors_open += 1
            await pause(1)
            doors_open -= 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(visit, name="left")
        nursery.start_soon(visit, name="right")
    assert not doors_open


class Configure(NamedTuple):
    """A message."""

    factor: int


class Work(NamedTuple):
    """Another message."""

    number: int


class Workshop(Orchestra):
    """The worker is to be configured by one before the other sends it work."""

    settings: Subsystem[Never, Configure]
    orders: Subsystem[Never, Work]
    worker: Subsystem[Configure | Work]


async def settings(ctx: SubsystemContext[Never, Configure]) -> None:
    await ctx.send(Configure(3))


async def orders(ctx: SubsystemContext[Never, Work]) -> None:
    await ctx.send(Work(14))


async def worker(ctx: SubsystemContext[Configure | Work]) -> None:
    factor: int | None = None
    async for incoming in ctx:
        match incoming:
            case Configure(factor):
                pass
            case Work(number):
                assert factor is not None, "work before the settings"
                assert number * factor == 42


async def workshop() -> None:
    await Workshop(settings=settings, orders=orders, worker=worker).run()


class Ping(NamedTuple):
    """A message."""


class Pong(NamedTuple):
    """The answer."""


class Table(Orchestra):
    """One sends several before it looks for answers; that needs room."""

    server: Subsystem[Pong, Ping]
    returner: Subsystem[Ping, Pong]


async def server(ctx: SubsystemContext[Pong, Ping]) -> None:
    for _ in range(4):
        await ctx.send(Ping())
    async for _ in ctx:
        pass


async def returner(ctx: SubsystemContext[Ping, Pong]) -> None:
    async for _ in ctx:
        await ctx.send(Pong())


async def table() -> None:
    await Table(server=server, returner=returner).run()


async def patient(event: trio.Event) -> None:
    await event.wait()


async def hanging() -> None:
    """Wait for what nobody will do."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(patient, trio.Event())
        await trio.sleep(5)
        nursery.start_soon(trio.sleep, 60)


def interleaved(log: list[Any]) -> Callable[[], Awaitable[None]]:
    """Return a program that notes in which order the steps of its tasks come."""

    async def main() -> None:
        log.clear()

        async def step(number: int) -> None:
            for place in range(4):
                log.append((number, place))
                await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            for number in range(4):
                nursery.start_soon(step, number)

    return main
