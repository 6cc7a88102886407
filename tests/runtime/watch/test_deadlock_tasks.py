"""Deadlocks of subsystems with nurseries, workers, threads and restarts: found when the last of their tasks waits."""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from orchestra_trio import (
    BlockingSubsystem,
    BlockingSubsystemContext,
    DeadlockDetected,
    Orchestra,
    Restart,
    Subsystem,
    subsystem,
)
from orchestra_trio.runtime.watch import deadlock
from orchestra_trio.runtime.watch.standing import leading_tasks
from tests.runtime.samples import AnyContext, Tick, stopped
from tests.runtime.watch.stuck import (
    LONG,
    Main,
    MsgA,
    MsgB,
    MsgC,
    Pair,
    QueryB,
    Trio,
    deadlock_in,
    fills,
    sleeps,
    stays_open,
    takes,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trio.testing import MockClock

    from orchestra_trio.runtime.life.live import LiveSubsystem


async def one_signal(ctx: AnyContext) -> None:
    """Wait for a signal alone."""
    await ctx.receive_signal()


async def one_message_to_c(ctx: AnyContext) -> None:
    """Wait until c receives."""
    await ctx.send(MsgC())
    await ctx.send(MsgC())


async def in_vain(ctx: AnyContext) -> None:
    """Wait for another one, with a time limit."""
    with trio.move_on_after(3):
        await fills(MsgB())(ctx)


async def nap(_: AnyContext) -> None:
    """Do something that the library does not know of."""
    await trio.sleep(3)


async def takes_late(ctx: AnyContext) -> None:
    """Receive from the third second on."""
    await trio.sleep(3)
    async for _ in ctx:
        pass


CHILDREN: list[Main] = [nap, one_signal, one_message_to_c, in_vain]


@pytest.mark.parametrize("child", CHILDREN)
@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("in_job", [False, True])
async def test_a_child_that_ends_in_a_nursery_of_users(
    autojump_clock: MockClock, child: Main, depth: int, in_job: bool
) -> None:
    """Nobody tells of its end, after which the other child and whoever waits for them are all that is left."""

    async def family(ctx: AnyContext, depth: int) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fills(MsgB()), ctx)
            nursery.start_soon(child, ctx)
            if depth:
                nursery.start_soon(family, ctx, depth - 1)

    async def a(ctx: AnyContext) -> None:
        if in_job:
            ctx.start_soon(family, ctx, depth)
        else:
            await family(ctx, depth)

    with stopped() as errors, trio.fail_after(LONG):
        async with Trio(a=a, b=fills(MsgA()), c=takes_late).open() as running:
            await trio.sleep(3)
            for number in range(2**depth):
                await running.send_signal("a", Tick(number))
            await trio.sleep_forever()
    assert [type(error) for error in errors] == [DeadlockDetected]
    assert trio.current_time() == 3


@pytest.mark.parametrize("body", CHILDREN)
@pytest.mark.parametrize("in_job", [False, True])
async def test_a_task_that_comes_to_the_end_of_its_nursery(autojump_clock: MockClock, body: Main, in_job: bool) -> None:
    """Nobody tells of that either, whatever it was waiting for before."""

    async def parent(ctx: AnyContext) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fills(MsgB()), ctx)
            await body(ctx)

    async def a(ctx: AnyContext) -> None:
        if in_job:
            ctx.start_soon(parent, ctx)
        else:
            await parent(ctx)

    with stopped() as errors, trio.fail_after(LONG):
        async with Trio(a=a, b=fills(MsgA()), c=takes_late).open() as running:
            await trio.sleep(3)
            await running.send_signal("a", Tick())
            await trio.sleep_forever()
    assert [type(error) for error in errors] == [DeadlockDetected]
    assert trio.current_time() == 3


async def test_nested_nurseries_in_one_task(autojump_clock: MockClock) -> None:
    """The task stands at the end of the inner one; the children of the outer one count too."""

    async def a(ctx: AnyContext) -> None:
        async with trio.open_nursery() as outer:
            outer.start_soon(nap, ctx)
            async with trio.open_nursery() as inner:
                for _ in range(2):
                    inner.start_soon(fills(MsgB()), ctx)

    assert (await deadlock_in(Pair(a=a, b=fills(MsgA())))).cycle == ("a", "b")
    assert trio.current_time() == 3


async def test_children_that_sleep_are_no_deadlock(autojump_clock: MockClock) -> None:
    """Nor is a parent in the body of its nursery."""

    async def a(ctx: AnyContext) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fills(MsgB()), ctx)
            nursery.start_soon(sleeps, ctx)

    async def b(ctx: AnyContext) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fills(MsgA()), ctx)
            await trio.sleep_forever()

    await stays_open(Pair(a=a, b=fills(MsgA())))
    await stays_open(Pair(a=fills(MsgB()), b=b))


async def test_suspects_are_looked_at_only_when_they_move(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What else runs in the program does not make the library look at them again."""
    looks: list[str] = []

    def counted(live: LiveSubsystem) -> Iterator[trio.lowlevel.Task]:
        looks.append(live.name)
        return leading_tasks(live)

    monkeypatch.setattr(deadlock, "leading_tasks", counted)

    async def a(ctx: AnyContext) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fills(MsgB()), ctx)
            nursery.start_soon(nap, ctx)

    with stopped() as errors, trio.fail_after(LONG):
        async with Pair(a=a, b=fills(MsgA())).open():
            await trio.sleep(1)
            assert 0 < len(looks) < 20
            before = len(looks)
            for _ in range(1000):
                await trio.lowlevel.checkpoint()
            assert len(looks) == before
            await trio.sleep_forever()
    assert [type(error) for error in errors] == [DeadlockDetected]
    assert trio.current_time() == 3


class Workshop(Orchestra[Tick], message_capacity=1):
    """One without signals, one with them; and their customer."""

    deaf: Subsystem[MsgA, MsgC]
    hearing: Subsystem[MsgB, MsgC, Tick]
    customer: Subsystem[MsgC, MsgA | MsgB]


def works(most: int, then: Main) -> Main:
    """Make a subsystem that gives each message to a worker."""

    async def serve(ctx: AnyContext) -> None:
        async with ctx.open_workers(most) as workers:
            async for incoming in workers:
                if not isinstance(incoming, Tick):
                    workers.start_soon(then, ctx)

    return serve


async def test_all_workers_are_stuck_and_nobody_else_receives(autojump_clock: MockClock) -> None:
    """The task that would receive has no free worker for a message, and hears no signals."""
    shop = Workshop(deaf=works(2, fills(MsgC())), hearing=takes, customer=fills(MsgA()))
    assert (await deadlock_in(shop)).cycle == ("deaf", "customer")


async def test_a_worker_that_ends_lets_a_message_in(autojump_clock: MockClock) -> None:
    """It is no deadlock while one is at work; there is one when that, too, waits."""

    async def slowly(ctx: AnyContext) -> None:
        await trio.sleep(3)
        await fills(MsgC())(ctx)

    shop = Workshop(deaf=works(2, slowly), hearing=takes, customer=fills(MsgA()))
    assert (await deadlock_in(shop)).cycle == ("deaf", "customer")
    assert trio.current_time() == 3


async def test_stuck_workers_of_one_that_hears_signals(autojump_clock: MockClock) -> None:
    """A signal may come, and its task then do anything."""
    await stays_open(Workshop(deaf=takes, hearing=works(2, fills(MsgC())), customer=fills(MsgB())))


async def test_who_leaves_its_stuck_workers_after_a_signal(autojump_clock: MockClock) -> None:
    """Then it waits for them, and no other signal can change that."""

    async def hearing(ctx: AnyContext) -> None:
        async with ctx.open_workers(2) as workers:
            async for incoming in workers:
                if isinstance(incoming, Tick):
                    break
                workers.start_soon(fills(MsgC()), ctx)

    with stopped() as errors, trio.fail_after(LONG):
        async with Workshop(deaf=takes, hearing=hearing, customer=fills(MsgB())).open() as running:
            await trio.sleep(3)
            await running.broadcast_signal(Tick())
            await trio.sleep_forever()
    assert [type(error) for error in errors] == [DeadlockDetected]
    assert trio.current_time() == 3


async def test_a_time_limit_around_workers_that_are_all_stuck(autojump_clock: MockClock) -> None:
    """When it is over, the task that waits for a free worker receives by itself."""
    got: list[object] = []

    async def deaf(ctx: AnyContext) -> None:
        async with ctx.open_workers(1) as workers:
            with trio.move_on_after(5):
                async for _ in workers:
                    workers.start_soon(fills(MsgC()), ctx)
            async for incoming in ctx:
                got.append(incoming)
                await trio.sleep(1)

    await stays_open(Workshop(deaf=deaf, hearing=takes, customer=fills(MsgA())))
    assert len(got) > 50


async def test_a_cycle_is_not_at_rest_while_a_time_limit_runs_around_workers(autojump_clock: MockClock) -> None:
    """What is sent when it is over is received before anybody is told that the input ends."""
    got: list[tuple[object, float]] = []

    async def deaf(ctx: AnyContext) -> None:
        async def take_one(ctx: AnyContext) -> None:
            with suppress(trio.EndOfChannel):
                await ctx.receive()

        async with ctx.open_workers(1) as workers:
            with trio.move_on_after(5):
                async for _ in workers:
                    workers.start_soon(take_one, ctx)
            await ctx.send(MsgC())

    async def customer(ctx: AnyContext) -> None:
        nonlocal got
        await ctx.send(MsgA())
        got += [(incoming, trio.current_time()) async for incoming in ctx]

    await Workshop(deaf=deaf, hearing=takes, customer=customer).run()
    assert got == [(MsgC(), 5)]


class Threaded(Orchestra, message_capacity=1):
    """One in a thread, one in a task."""

    a: BlockingSubsystem[MsgA, MsgB | QueryB]
    b: Subsystem[MsgB | QueryB, MsgA]


async def test_a_thread_that_waits(mock_clock: MockClock) -> None:
    """It counts as the task that would wait in its place."""

    def sends(ctx: BlockingSubsystemContext[Any, Any]) -> None:
        while True:
            ctx.send(MsgB())

    def requests(ctx: BlockingSubsystemContext[Any, Any]) -> None:
        ctx.request(QueryB)

    for main, link in [(sends, "bounded: MsgB"), (requests, "request: QueryB")]:
        with stopped() as errors:
            async with Threaded(a=main, b=fills(MsgA())).open():
                await trio.sleep_forever()
        (error,) = errors
        assert isinstance(error, DeadlockDetected)
        assert f"a -[{link}]-> b -[bounded: MsgA]-> a" in str(error)
        assert "thread of a:" in error.__notes__[0]


@pytest.mark.parametrize("kind", ["its own", "of a job"])
async def test_a_thread_that_computes_is_no_deadlock(mock_clock: MockClock, kind: str) -> None:
    """It may call its context; once it has ended, it cannot."""
    computing, may_end = trio.Event(), threading.Event()

    def compute() -> None:
        trio.from_thread.run_sync(computing.set)
        may_end.wait()

    def main(ctx: BlockingSubsystemContext[Any, Any]) -> None:
        def job() -> None:
            while True:
                ctx.send(MsgB())

        ctx.start_soon(job)
        compute()

    async def async_main(ctx: AnyContext) -> None:
        ctx.start_blocking_soon(compute)
        await fills(MsgB())(ctx)

    orchestra: Any = Threaded(a=main, b=fills(MsgA()))
    if kind == "of a job":
        orchestra = Pair(a=async_main, b=fills(MsgA()))
    with stopped() as errors:
        async with orchestra.open() as running:
            await computing.wait()
            await wait_all_tasks_blocked()
            assert {wait.kind for one in running.map_subsystems(lambda one: one.waits) for wait in one} == {"send"}
            may_end.set()
            await running.wait_stopped()
    assert [type(error) for error in errors] == [DeadlockDetected]


async def test_restarts_in_backoff(autojump_clock: MockClock) -> None:
    """One that begins anew may receive; what its next incarnation does counts then."""

    class Robust(Orchestra, message_capacity=1):
        a: Subsystem[MsgA, MsgB] = subsystem(restart=Restart(backoff=10))
        b: Subsystem[MsgB, MsgA]

    incarnations: list[float] = []

    async def a(ctx: AnyContext) -> None:
        incarnations.append(trio.current_time())
        ctx.start_soon(fills(MsgB()), ctx)
        await trio.sleep(1)
        if len(incarnations) == 1:
            raise ValueError

    error = await deadlock_in(Robust(a=a, b=fills(MsgA())))
    assert incarnations == [0, 11]
    assert trio.current_time() == 12
    assert error.cycle == ("a", "b")


async def test_two_that_wait_for_threads_of_trio(autojump_clock: MockClock) -> None:
    """A thread that users started calls in by `trio.from_thread`: the task that waits for it does what it says."""

    async def a(ctx: AnyContext) -> None:
        await trio.to_thread.run_sync(partial(trio.from_thread.run, fills(MsgB()), ctx))

    with stopped() as errors:
        async with Pair(a=a, b=fills(MsgA())).open() as running:
            await running.wait_stopped()
    assert [type(error) for error in errors] == [DeadlockDetected]
