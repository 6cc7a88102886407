"""Nothing grows faster than the number of subsystems concerned: ten times as many make ten times the calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import trio
import trio.testing

from orchestra_trio import feature, make_orchestra, subsystem, subsystem_if
from tests.laws.growing import LARGE, SHAPES, SMALL, counted, declared, fields_of, grow_alike, held, messages, names
from tests.runtime.samples import Tick, idle

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from trio.testing import MockClock

    from orchestra_trio import RunningOrchestra
    from tests.laws.growing import Work
    from tests.runtime.samples import AnyContext

shapes = pytest.mark.parametrize("shape", SHAPES)


@shapes
def test_declaring(shape: str) -> None:
    """Reading a class and checking it."""

    def work(size: int) -> Work:
        fields, _ = fields_of(shape, size)
        with counted() as work:
            make_orchestra("Grown", fields, signals=Tick)
        return work

    assert grow_alike(work(SMALL), work(LARGE))


@shapes
def test_making_and_replacing(shape: str) -> None:
    """Also with names that are not those of the class, but only equal."""

    def work(size: int) -> Work:
        cls, _ = declared(shape, size)
        with counted() as work:
            held(cls, [idle] * size).replace(**dict.fromkeys(names(size), idle))
        return work

    assert grow_alike(work(SMALL), work(LARGE))


async def worked(
    shape: str, size: int, act: Callable[[RunningOrchestra[Any, Any], list[type]], Awaitable[object]]
) -> Work:
    """Count what it takes to do something with a running orchestra, until nothing moves."""
    cls, types = declared(shape, size)
    async with held(cls, [idle] * size).open() as running:
        await trio.testing.wait_all_tasks_blocked()
        with counted() as work:
            await act(running, types)
            await trio.testing.wait_all_tasks_blocked()
        running.cancel()
    return work


@shapes
async def test_opening(autojump_clock: MockClock, shape: str) -> None:
    """Until all subsystems wait for what comes."""

    async def work(size: int) -> Work:
        cls, _ = declared(shape, size)
        orchestra = held(cls, [idle] * size)
        with counted() as work:
            async with orchestra.open() as running:
                await trio.testing.wait_all_tasks_blocked()
                running.cancel()
        return work

    assert grow_alike(await work(SMALL), await work(LARGE))


async def test_opening_what_is_in_use_in_part(autojump_clock: MockClock) -> None:
    """With half of the slots disabled."""

    async def work(size: int) -> Work:
        rare = [subsystem_if(feature("rare"), consumes=one) for one in messages(size)[1::2]]
        used = [subsystem(consumes=one) for one in messages(size)[::2]]
        cls = make_orchestra("Grown", dict(zip(names(size), used + rare, strict=True)))
        orchestra = held(cls, [idle] * len(used))
        with counted() as work:
            async with orchestra.open() as running:
                await trio.testing.wait_all_tasks_blocked()
                running.cancel()
        return work

    assert grow_alike(await work(SMALL), await work(LARGE))


@shapes
async def test_draining(autojump_clock: MockClock, shape: str) -> None:
    """A cycle, too, whose members are told to end one by one."""

    async def close(running: RunningOrchestra[Any, Any], _: list[type]) -> None:
        running.close_input()
        await running.wait_stopped()

    assert grow_alike(await worked(shape, SMALL, close), await worked(shape, LARGE, close))


@shapes
async def test_terminating(autojump_clock: MockClock, shape: str) -> None:
    """With a signal, in order."""

    async def terminate(running: RunningOrchestra[Any, Any], _: list[type]) -> None:
        await running.terminate(Tick())

    assert grow_alike(await worked(shape, SMALL, terminate), await worked(shape, LARGE, terminate))


@shapes
async def test_signals(autojump_clock: MockClock, shape: str) -> None:
    """A broadcast to all, and a signal to each."""

    async def signal(running: RunningOrchestra[Any, Any], types: list[type]) -> None:
        await running.wait_epoch(await running.broadcast_signal(Tick()))
        for name in names(len(types)):
            await running.send_signal(name, Tick())

    assert grow_alike(await worked(shape, SMALL, signal), await worked(shape, LARGE, signal))


@shapes
async def test_looking(autojump_clock: MockClock, shape: str) -> None:
    """Statistics, graph and dump."""

    async def look(running: RunningOrchestra[Any, Any], _: list[type]) -> None:
        running.statistics()
        running.graph()
        running.dump()
        await trio.lowlevel.checkpoint()

    assert grow_alike(await worked(shape, SMALL, look), await worked(shape, LARGE, look))


async def test_first_messages(autojump_clock: MockClock) -> None:
    """One of each type to its consumer, from outside and from a hub that sends them all."""

    async def work(size: int) -> Work:
        cls, (hub, *others) = declared("star", size)

        async def deal(ctx: AnyContext) -> None:
            async for _ in ctx:
                for one in others:
                    await ctx.send(one())

        async with held(cls, [deal] + [idle] * (size - 1)).open() as running:
            with counted() as work:
                for one in others:
                    await running.route_message(one())
                await trio.testing.wait_all_tasks_blocked()
                await running.route_message(hub())
                await trio.testing.wait_all_tasks_blocked()
            running.cancel()
        return work

    assert grow_alike(await work(SMALL), await work(LARGE), room=3)  # up to 1.8, by which task trio runs next


async def test_broadcasters(autojump_clock: MockClock) -> None:
    """Many who broadcast at once, and wait until there is room again, and until their signals were received."""

    async def work(size: int) -> Work:
        async def broadcast() -> None:
            await running.wait_epoch(await running.broadcast_signal(Tick()))

        cls, _ = declared("unconnected", 3, signal_capacity=1)
        async with held(cls, [idle] * 3).open() as running:
            await trio.testing.wait_all_tasks_blocked()
            with counted() as work:
                async with trio.open_nursery() as nursery:
                    for _ in range(size):
                        nursery.start_soon(broadcast)
            running.cancel()
        return work

    assert grow_alike(await work(SMALL), await work(LARGE))
