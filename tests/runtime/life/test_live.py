"""A subsystem while it runs: its jobs, its states, and what statistics say about it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Never

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.runtime.samples import (
    AnyContext,
    Collect,
    Duo,
    Fails,
    Item,
    Solo,
    done,
    forever,
    idle,
    stopped,
)

if TYPE_CHECKING:
    from orchestra_trio import SubsystemContext


async def test_jobs_run_in_the_subsystem_and_outlive_its_main_function(autojump_clock: MockClock) -> None:
    """The subsystem ends after its jobs; they may use its context."""
    sink = Collect()

    async def late(ctx: SubsystemContext[Never, Item], number: int) -> None:
        await trio.sleep(3)
        await ctx.send(Item(number))

    async def source(ctx: SubsystemContext[Never, Item]) -> None:
        ctx.start_soon(late, ctx, 1)
        await trio.lowlevel.checkpoint()

    async with Duo(source=source, sink=sink).open() as running:
        await trio.sleep(1)
        statistics = running.statistics().subsystems["source"]
        assert (statistics.state, statistics.jobs) == ("running", 1)
        await trio.sleep(3)
        statistics = running.statistics().subsystems["source"]
        assert (statistics.state, statistics.jobs) == ("finished", 0)
    assert sink.numbers == [1]


async def test_jobs_are_tasks_with_names(autojump_clock: MockClock) -> None:
    """As trio names them, or as given."""
    names: list[str] = []

    async def job() -> None:
        names.append(trio.lowlevel.current_task().name)
        await trio.lowlevel.checkpoint()

    class Anonymous:
        async def __call__(self) -> None:
            await job()

        def __repr__(self) -> str:
            return "anonymous"

    async def worker(ctx: AnyContext) -> None:
        ctx.start_soon(job)
        ctx.start_soon(job, name="given")
        ctx.start_soon(Anonymous())
        await idle(ctx)

    await Solo(worker=worker).run()
    own = test_jobs_are_tasks_with_names.__qualname__ + ".<locals>.job"
    assert sorted(names) == sorted([own, "given", "anonymous"])


async def test_an_error_of_a_job_is_an_error_of_its_subsystem(autojump_clock: MockClock) -> None:
    """It cancels the main function, the other jobs, and all other subsystems."""
    boom = ValueError("boom")

    async def source(ctx: AnyContext) -> None:
        ctx.start_soon(Fails(boom, after=1))
        ctx.start_soon(trio.sleep_forever)
        await trio.sleep_forever()

    with stopped() as errors:
        async with Duo(source=source, sink=idle).open() as running:
            await trio.sleep_forever()
    assert errors == [boom]
    assert trio.current_time() == 1
    assert running.map_subsystems(lambda one: one.state) == ["failed", "cancelled"]


async def test_start_waits_until_the_job_says_that_it_has_started(autojump_clock: MockClock) -> None:
    """And returns the value that it said so with."""
    got: list[Any] = []

    async def job(number: int, *, task_status: trio.TaskStatus[int]) -> None:  # noqa: ASYNC114 - a job of this test alone
        await trio.sleep(1)
        task_status.started(number)
        await trio.sleep(2)

    async def worker(ctx: AnyContext) -> None:
        got.append(await ctx.start(job, 7))
        got.append(trio.current_time())

    async with Solo(worker=worker).open() as running:
        await running.wait_stopped()
        assert trio.current_time() == 3
    assert got == [7, 1]


async def test_an_error_before_started_goes_to_the_caller_and_a_later_one_to_open(autojump_clock: MockClock) -> None:
    """Before it, the job is the caller's; from then on the subsystem's."""
    early, late = ValueError("early"), ValueError("late")

    async def job(error: Exception, *, task_status: trio.TaskStatus[None]) -> None:  # noqa: ASYNC114 - a job of this test alone
        if error is late:
            task_status.started()
            await trio.sleep(1)
        raise error

    async def never(*, task_status: object) -> None:  # noqa: ASYNC114, ASYNC128 - what this test is about
        await trio.lowlevel.checkpoint()

    async def worker(ctx: AnyContext) -> None:
        with pytest.raises(ValueError, match="early") as caught:
            await ctx.start(job, early)
        assert caught.value is early
        with pytest.raises(RuntimeError):
            await ctx.start(never)
        await ctx.start(job, late)
        await idle(ctx)

    with stopped() as errors:
        async with Solo(worker=worker).open() as running:
            await trio.sleep_forever()
    assert errors == [late]
    assert running.statistics().subsystems["worker"].jobs == 0


async def test_a_cancelled_start_cancels_a_job_that_has_not_started(autojump_clock: MockClock) -> None:
    """The subsystem does not wait for it."""
    ended: list[float] = []

    async def job(*, task_status: object) -> None:  # noqa: ASYNC114, ASYNC128 - what this test is about
        try:
            await trio.sleep_forever()
        finally:
            ended.append(trio.current_time())

    async def worker(ctx: AnyContext) -> None:
        with trio.move_on_after(2):
            await ctx.start(job)

    await Solo(worker=worker).run()
    assert ended == [2]


async def test_a_started_job_that_is_cancelled_counts_as_cancelled(autojump_clock: MockClock) -> None:
    """As any other job: the subsystem did not end by itself."""

    async def job(*, task_status: trio.TaskStatus[None]) -> None:  # noqa: ASYNC114 - a job of this test alone
        task_status.started()
        await trio.sleep_forever()

    async def worker(ctx: AnyContext) -> None:
        await ctx.start(job)

    async with Solo(worker=worker).open() as running:
        report = await running.terminate(grace=1)
    assert report.cancelled == ("worker",)
    assert running.statistics().subsystems["worker"].state == "cancelled"


async def test_background_jobs_are_cancelled_when_the_rest_has_ended(autojump_clock: MockClock) -> None:
    """Main function and other jobs; that is a normal end."""
    ended: list[float] = []

    async def background() -> None:
        try:
            await trio.sleep_forever()
        finally:
            ended.append(trio.current_time())

    async def worker(ctx: AnyContext) -> None:
        ctx.start_soon(background, background=True)
        ctx.start_soon(trio.sleep, 4)
        await trio.sleep(2)

    async with Solo(worker=worker).open() as running:
        await running.wait_stopped()
    assert ended == [4]
    assert running.statistics().subsystems["worker"].state == "finished"


async def test_a_background_job_that_is_started_last_of_all_ends_too(autojump_clock: MockClock) -> None:
    """Started in the last step of the main function, or by another background job while that is cancelled."""
    ended: list[str] = []

    async def background(ctx: AnyContext, name: str) -> None:
        try:
            await trio.sleep_forever()
        finally:
            ended.append(name)
            if name == "first":
                ctx.start_soon(background, ctx, "second", background=True)

    async def worker(ctx: AnyContext) -> None:
        ctx.start_soon(background, ctx, "first", background=True)
        await trio.lowlevel.checkpoint()

    await Solo(worker=worker).run()
    assert ended == ["first", "second"]


async def test_an_error_of_a_background_job_is_an_error_of_its_subsystem(autojump_clock: MockClock) -> None:
    """Also one that it raises while it is cancelled; cancellation in a group with it is taken out."""
    boom = ValueError("boom")

    async def worker(ctx: AnyContext) -> None:
        async def background() -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep_forever)
                try:
                    await trio.sleep_forever()
                finally:
                    raise boom

        ctx.start_soon(background, background=True)
        await trio.sleep(1)

    with stopped() as errors:
        await Solo(worker=worker).run()
    (group,) = errors
    assert isinstance(group, ExceptionGroup)
    assert group.exceptions == (boom,)


async def test_start_blocking_soon_runs_a_function_in_a_thread() -> None:
    """What it raises is an error of the subsystem; it cannot be cancelled, and is waited for."""
    go = threading.Event()
    threads: list[threading.Thread] = []

    begun = trio.Event()

    def block(number: int) -> None:
        threads.append(threading.current_thread())
        trio.from_thread.run_sync(begun.set)
        assert go.wait(10)
        raise ValueError(number)

    async def worker(ctx: AnyContext) -> None:
        ctx.start_blocking_soon(block, 7, name="blocks")
        await trio.lowlevel.checkpoint()

    with stopped() as errors:
        async with Solo(worker=worker).open() as running:
            await begun.wait()
            assert running.statistics().subsystems["worker"].jobs == 1
            running.cancel()
            go.set()
    assert threads[0] is not threading.current_thread()
    assert str(errors[0]) == "7"
    assert "in its job 'blocks'" in errors[0].__notes__[0]


async def test_jobs_cannot_be_started_after_the_end(autojump_clock: MockClock) -> None:
    """The error names subsystem and orchestra."""
    kept: list[AnyContext] = []

    async def worker(ctx: AnyContext) -> None:
        kept.append(ctx)
        await trio.lowlevel.checkpoint()

    async with Solo(worker=worker).open() as running:
        await running.wait_stopped()
        (ctx,) = kept
        text = "subsystem 'worker' of Solo has ended: it can start no jobs now"
        with pytest.raises(RuntimeError, match=text):
            ctx.start_soon(done, ctx)
        with pytest.raises(RuntimeError, match=text):
            ctx.start_blocking_soon(len, "x")
        with pytest.raises(RuntimeError, match=text):
            await ctx.start(done, ctx)
        with pytest.raises(trio.EndOfChannel):
            await ctx.receive()
        with pytest.raises(trio.EndOfChannel):
            ctx.receive_nowait()
    assert running.statistics().subsystems["worker"].jobs == 0


async def test_others_may_start_jobs_while_the_subsystem_runs(autojump_clock: MockClock) -> None:
    """With its context, from tasks of their own; the job is the subsystem's."""
    kept: list[AnyContext] = []

    async def worker(ctx: AnyContext) -> None:
        kept.append(ctx)
        await idle(ctx)

    async with Solo(worker=worker).open() as running:
        await wait_all_tasks_blocked()
        kept[0].start_soon(trio.sleep, 5)
        assert running.statistics().subsystems["worker"].jobs == 1
    assert trio.current_time() == 5


async def test_forever_is_a_job_that_open_cancels(autojump_clock: MockClock) -> None:
    """A job that never ends keeps its subsystem, until somebody gives up."""

    async def worker(ctx: AnyContext) -> None:
        ctx.start_soon(forever, ctx)
        await trio.lowlevel.checkpoint()

    async with Solo(worker=worker).open() as running:
        report = await running.terminate(grace=3)
    assert (trio.current_time(), report.cancelled) == (3, ("worker",))
