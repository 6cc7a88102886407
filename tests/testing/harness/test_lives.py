"""Subjects with jobs and workers; and a harness whose subject is recorded or limited by what surrounds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest
import trio
import trio.testing

from orchestra_trio.runtime.surroundings import surroundings
from orchestra_trio.testing.harness.opening import open_harness
from tests.runtime.samples import Item, Other, Tick, stopped
from tests.testing.harness.samples import relay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trio.testing import MockClock

    from orchestra_trio import RunningOrchestra, SubsystemContext


async def working(ctx: SubsystemContext[Item, Other, Tick]) -> None:
    """Work on two numbers at once, as long as each says; tell signals as -1."""

    async def work(number: int) -> None:
        await trio.sleep(number)
        await ctx.send(Other(number))

    async with ctx.open_workers(2) as workers:
        async for incoming in workers:
            if isinstance(incoming, Tick):
                await ctx.send(Other(-1))
            else:
                workers.start_soon(work, incoming.number)


async def delegating(ctx: SubsystemContext[Item, Other]) -> None:
    """Have a job for each number."""

    async def work(number: int) -> None:
        await trio.sleep(number)
        if not number:
            message = "in a job"
            raise ValueError(message)
        await ctx.send(Other(number))

    async for incoming in ctx:
        ctx.start_soon(work, incoming.number)


async def test_workers_take_no_more_than_they_can(autojump_clock: MockClock) -> None:
    async with open_harness(working, message_capacity=1, within=10) as harness:
        await harness.send_many([Item(3), Item(2), Item(1)])
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(trio.WouldBlock):
            harness.send_nowait(Item(1))
        await harness.signal(Tick())
        found = await harness.expect_many(Other, 4)
        assert [message.number for message in found][:2] == [-1, 2]
        assert {message.number for message in found[2:]} == {1, 3}
        assert trio.current_time() == 3


async def test_jobs_send_when_they_are_done(autojump_clock: MockClock) -> None:
    async with open_harness(delegating, within=5) as harness:
        await harness.send_many([Item(3), Item(1), Item(2)])
        assert [message.number for message in await harness.expect_many(Other, 3)] == [1, 2, 3]
        await harness.wait_at_rest()
        assert harness.statistics().jobs == 0


async def test_jobs_are_waited_for_at_the_end(autojump_clock: MockClock) -> None:
    async with open_harness(delegating, within=5) as harness:
        await harness.send(Item(3))
        harness.close_input()
        await harness.expect(Other)
        await harness.expect_end()
        assert trio.current_time() == 3


async def test_the_error_of_a_job_is_that_of_the_subject(autojump_clock: MockClock) -> None:
    with stopped() as errors:
        async with open_harness(delegating) as harness:
            await harness.send(Item(0))
            await harness.expect_nothing()
    assert [str(error) for error in errors] == ["in a job"]


@pytest.fixture
def surrounded() -> Iterator[list[RunningOrchestra]]:
    """Limit all lanes to 1, and tell of all orchestras that are opened."""
    opened: list[RunningOrchestra] = []
    token = surroundings.set(attrs.evolve(surroundings.get(), on_open=(opened.append,), capacity=1))
    yield opened
    surroundings.reset(token)


def test_what_surrounds_the_test_holds_for_the_subject(surrounded: list[RunningOrchestra]) -> None:
    async def test() -> None:
        async with open_harness(relay) as harness:
            assert surrounded == [harness.running]
            await harness.send(Item(1))
            await trio.testing.wait_all_tasks_blocked()
            await harness.send_many([Item(2), Item(3)])
            with pytest.raises(trio.WouldBlock):
                harness.send_nowait(Item(4))
            await harness.expect_many(Other, 3)

    trio.run(test, clock=trio.testing.MockClock(autojump_threshold=0))
