"""Finding deadlocks grows no faster than the waits that there are, however long the ways along them.

Of the rings here all members wait for one that does something else: each wait that begins lies at the end of a long way
to one that may move.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
import trio
import trio.testing

from orchestra_trio import Orchestra, Subsystem
from tests.laws.growing import LARGE, SMALL, counted, declared, grow_alike, held
from tests.runtime.samples import Item, Other, Tick, forever

if TYPE_CHECKING:
    from collections.abc import Callable

    from trio.testing import MockClock

    from tests.laws.growing import Work
    from tests.runtime.samples import AnyContext


def passing(message: type) -> Callable[[AnyContext], Any]:
    """Make a subsystem that sends a message for each that it gets."""

    async def play(ctx: AnyContext) -> None:
        async for _ in ctx:
            await ctx.send(message())

    return play


def passing_in_a_nursery(message: type) -> Callable[[AnyContext], Any]:
    """Make one that does so in a nursery of its own, of whose end nobody tells the library."""

    async def play(ctx: AnyContext) -> None:
        async with trio.open_nursery() as nursery:  # noqa: ASYNC112 - the nursery is what this is about
            nursery.start_soon(passing(message), ctx)

    return play


async def waves(shape: str, size: int, make: Callable[[type], Callable[[AnyContext], Any]]) -> Work:
    """Count what it takes to let messages out of a full ring, one by one: each member moves, and waits again."""
    cls, types = declared(shape, size, message_capacity=1)
    places = range(size) if shape == "ring" else range(size)[::-1]
    gate = trio.Semaphore(0)

    async def let_out(ctx: AnyContext) -> None:
        while True:
            await gate.acquire()
            await ctx.receive()

    members: list[object] = [let_out] * size
    for place, after in pairwise(places):
        members[place] = make(types[after])
    async with held(cls, members).open() as running, trio.open_nursery() as nursery:

        async def feed() -> None:
            while True:
                await running.route_message(types[places[0]]())

        nursery.start_soon(feed)
        await trio.testing.wait_all_tasks_blocked()
        with counted() as work:
            for _ in range(3):
                gate.release()
                await trio.testing.wait_all_tasks_blocked()
        running.cancel()
    return work


@pytest.mark.parametrize("shape", ["ring", "ring backwards"])
@pytest.mark.parametrize("make", [passing, passing_in_a_nursery])
async def test_members_of_a_full_ring(
    autojump_clock: MockClock, shape: str, make: Callable[[type], Callable[[AnyContext], Any]]
) -> None:
    """Whatever the order in which they are declared, and whether the library is told of all that they do or not."""
    assert grow_alike(await waves(shape, SMALL, make), await waves(shape, LARGE, make), room=1.5)


class Crowd(Orchestra, message_capacity=1):
    """Many jobs send to one that waits."""

    crowd: Subsystem[Tick, Item]
    relay: Subsystem[Item, Other]
    end: Subsystem[Other, Tick]


async def test_jobs_that_wait_for_one_that_waits(autojump_clock: MockClock) -> None:
    """Each that begins to wait stands behind all the others."""

    async def work(size: int) -> Work:
        async def crowd(ctx: AnyContext) -> None:
            await trio.testing.wait_all_tasks_blocked()
            with counted() as found:
                for number in range(size):
                    ctx.start_soon(ctx.send, Item(number))
                await trio.testing.wait_all_tasks_blocked()
            works.append(found)
            running.cancel()

        works: list[Work] = []
        async with Crowd(crowd=crowd, relay=passes_two, end=forever).open() as running:
            await trio.sleep_forever()
        return works[0]

    assert grow_alike(await work(SMALL), await work(LARGE), room=1.5)


async def passes_two(ctx: AnyContext) -> None:
    """Wait for room."""
    while True:
        await ctx.send(Other(0))
