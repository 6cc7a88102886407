"""Draining cycles: which tasks of a member count as resting, and which do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from tests.runtime.samples import (
    Ends,
    Item,
    Other,
    Ring,
    Tick,
    countdown,
    forever,
    idle,
)

if TYPE_CHECKING:
    from trio.testing import MockClock

    from orchestra_trio import SubsystemContext


async def test_a_job_that_is_busy_keeps_its_component_from_ending(autojump_clock: MockClock) -> None:
    """It may still send; once it waits in its subsystem's receive, too, it is at rest."""
    ends, got = Ends(), list[int]()

    async def ping(ctx: SubsystemContext[Item, Other, Tick]) -> None:
        async def job() -> None:
            await trio.sleep(7)
            await ctx.send(Other(1))
            await idle(ctx)

        ctx.start_soon(job)
        await countdown(Other, ends)(ctx)

    await Ring(ping=ping, pong=countdown(Item, ends, got)).run()
    assert got == [1]
    assert ends.log == [("ping", 7), ("pong", 7)]


async def test_a_job_that_waits_for_something_else_is_not_at_rest(autojump_clock: MockClock) -> None:
    """The library cannot know that nothing will come of it."""
    go = trio.Event()
    ends = Ends()

    async def ping(ctx: SubsystemContext[Item, Other, Tick]) -> None:
        ctx.start_soon(go.wait)
        await countdown(Other, ends)(ctx)

    async with Ring(ping=ping, pong=countdown(Item, ends)).open() as running:
        running.close_input()
        await trio.sleep(10)
        assert ends.log == []
        go.set()
    assert ends.log == [("ping", 10), ("pong", 10)]


async def test_background_jobs_count_as_waiting(autojump_clock: MockClock) -> None:
    """Whatever they do; they are cancelled when the rest of their subsystem has ended."""
    ends = Ends()

    async def ping(ctx: SubsystemContext[Item, Other, Tick]) -> None:
        ctx.start_soon(forever, ctx, background=True)
        ctx.start_soon(trio.sleep, 50, background=True)
        await countdown(Other, ends)(ctx)

    await Ring(ping=ping, pong=countdown(Item, ends)).run()
    assert ends.log == [("ping", 0), ("pong", 0)]
    assert trio.current_time() == 0


async def test_children_of_a_members_own_nursery_count(autojump_clock: MockClock) -> None:
    """A task at the end of a nursery is at rest when all tasks in that nursery are, to any depth."""
    ends = Ends()

    async def ping(ctx: SubsystemContext[Item, Other, Tick]) -> None:
        async def child(depth: int) -> None:
            async with trio.open_nursery() as nursery:
                if depth:
                    nursery.start_soon(child, depth - 1)
                else:
                    nursery.start_soon(idle, ctx)
                    nursery.start_soon(trio.sleep, 6)

        await child(3)
        ends.note(ctx)

    await Ring(ping=ping, pong=countdown(Item, ends)).run()
    assert ends.log == [("ping", 6), ("pong", 6)]


async def test_a_task_that_receives_inside_a_nursery_with_busy_children_is_not_at_rest(
    autojump_clock: MockClock,
) -> None:
    """Its children may still send."""
    ends, got = Ends(), list[int]()

    async def ping(ctx: SubsystemContext[Item, Other, Tick]) -> None:
        async def child() -> None:
            await trio.sleep(4)
            await ctx.send(Other(0))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(child)
            await idle(ctx)
        ends.note(ctx)

    await Ring(ping=ping, pong=countdown(Item, ends, got)).run()
    assert got == [0]
    assert ends.log == [("ping", 4), ("pong", 4)]


async def test_a_receive_with_a_deadline_inside_is_not_at_rest(autojump_clock: MockClock) -> None:
    """When it has passed, the subsystem may send; a deadline around the orchestra does not matter."""
    ends, got = Ends(), list[int]()

    async def ping(ctx: SubsystemContext[Item, Other, Tick]) -> None:
        for _ in range(3):
            with trio.move_on_after(2):
                await ctx.receive()
            await ctx.send(Other(0))
        await countdown(Other, ends)(ctx)

    with trio.fail_after(100):
        await Ring(ping=ping, pong=countdown(Item, ends, got)).run()
    assert got == [0, 0, 0]
    assert ends.log == [("ping", 6), ("pong", 6)]


async def test_deadlines_around_open_do_not_matter(autojump_clock: MockClock) -> None:
    """Nor do those of the block, and scopes without a deadline inside."""
    ends = Ends()

    async def ping(ctx: SubsystemContext[Item, Other, Tick]) -> None:
        with trio.CancelScope():
            await countdown(Other, ends)(ctx)

    for around in (trio.CancelScope(), trio.CancelScope(deadline=trio.current_time() + 50)):
        with around:
            async with Ring(ping=ping, pong=countdown(Item, ends)).open() as running:
                with trio.move_on_after(3):
                    running.close_input()
                    await running.wait_stopped()
    assert ends.log == [("ping", 0), ("pong", 0)] * 2


async def test_a_shielded_receive_without_a_deadline_is_at_rest(autojump_clock: MockClock) -> None:
    """A shield keeps out the deadlines around it."""
    ends = Ends()

    async def ping(ctx: SubsystemContext[Item, Other, Tick]) -> None:
        with trio.CancelScope(shield=True):
            await countdown(Other, ends)(ctx)

    with trio.fail_after(100):
        await Ring(ping=ping, pong=countdown(Item, ends)).run()
    assert ends.names == ["ping", "pong"]


async def test_a_start_that_waits_for_a_job_at_rest(autojump_clock: MockClock) -> None:
    """It waits at the end of a nursery of trio's own, whose task is at rest."""
    ends = Ends()

    async def ping(ctx: SubsystemContext[Item, Other, Tick]) -> None:
        async def job(*, task_status: trio.TaskStatus[None]) -> None:  # noqa: ASYNC114 - a job of this test alone
            await idle(ctx)
            task_status.started()

        await ctx.start(job)
        ends.note(ctx)

    await Ring(ping=ping, pong=countdown(Item, ends)).run()
    assert ends.names == ["ping", "pong"]
