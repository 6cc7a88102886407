"""A spawner that fails: its error comes out where the task was to be started, and nothing waits for that task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Never

import pytest
import trio

from orchestra_trio import BlockingSubsystem, BlockingSubsystemContext, Connector, DeadLetter, Orchestra, Subsystem
from tests.runtime.life.spawners import Everything, Mixed, Structural, wait_for_all
from tests.runtime.samples import AnyContext, Duo, Imported, Item, Other, Solo, Tick, forever, idle, stopped

if TYPE_CHECKING:
    from trio.testing import MockClock


class Opened(Orchestra[Tick, Imported], message_capacity=2, outgoing=str):
    """A little of all that has to end when it cannot be opened."""

    first: Subsystem[Never, Item | str]
    second: Subsystem[Item, Never, Tick]
    third: BlockingSubsystem[Other]

    async def on_event(self, event: Imported, running: object) -> None:
        await trio.sleep_forever()


@pytest.mark.parametrize("starts_before", [False, True])
@pytest.mark.parametrize("name", ["first", "second", "third"])
async def test_an_error_for_a_main_task_comes_out_of_open(
    autojump_clock: MockClock, name: str, starts_before: bool
) -> None:
    """Those that were started have ended, nothing waits for those that were not, and it can be opened again."""
    begun: list[str] = []
    ended: list[str] = []

    async def subsystem(ctx: AnyContext) -> None:
        begun.append(ctx.name)
        try:
            await forever(ctx)
        finally:
            ended.append(ctx.name)

    def thread(ctx: BlockingSubsystemContext[Other]) -> None:
        for _ in ctx:
            pass

    opened = Opened(first=subsystem, second=subsystem, third=thread)
    connector = Connector[Imported](1)
    connector.handle.send_nowait(Imported(1))
    before = trio.lowlevel.current_statistics().tasks_living
    with stopped() as errors:
        spawner = Structural(fails_at=("start_soon", name), starts_before=starts_before)
        async with opened.open(connector=connector, spawner=spawner):
            pytest.fail("it was opened")
    assert [(type(error), error.args) for error in errors] == [(LookupError, (name,))]
    assert trio.lowlevel.current_statistics().tasks_living == before
    assert sorted(begun) == sorted(ended)
    with pytest.raises(trio.BrokenResourceError):
        await connector.handle.send(Imported(2))
    async with opened.open() as running:
        running.cancel()


@pytest.mark.parametrize("how", ["job", "background", "start", "worker", "blocking"])
async def test_an_error_for_a_job_comes_out_where_it_was_to_be_started(autojump_clock: MockClock, how: str) -> None:
    """It is not counted, and others can be started."""
    counts: list[int] = []

    async def job(*, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:  # noqa: ASYNC114 - a job of this test alone
        task_status.started()
        await trio.sleep(1)

    async def start(ctx: AnyContext, name: str) -> None:
        match how:
            case "job" | "background":
                ctx.start_soon(job, name=name, background=how == "background")
            case "start":
                await ctx.start(job, name=name)
            case "blocking":
                ctx.start_blocking_soon(int, name=name)
            case _:
                async with ctx.open_workers(1) as workers:
                    workers.start_soon(job, name=name)

    async def worker(ctx: AnyContext) -> None:
        await trio.sleep(1)
        with pytest.raises(LookupError, match="bad"):
            await start(ctx, "bad")
        counts.append(running.statistics().subsystems["worker"].jobs)
        await start(ctx, "good")

    spawner = Structural(fails_at=("start" if how == "start" else "start_soon", "bad"))
    async with Solo(worker=worker).open(spawner=spawner) as running:
        pass
    counts.append(running.statistics().subsystems["worker"].jobs)
    assert counts == [0, 0]
    assert any(name == "good" for _, name, _ in spawner.calls)


@pytest.mark.parametrize("how", ["start", "worker"])
async def test_an_error_after_a_job_was_started_changes_no_counts(autojump_clock: MockClock, how: str) -> None:
    """The job runs on."""
    counts: list[int] = []
    ended: list[str] = []

    async def job(*, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:  # noqa: ASYNC114 - a job of this test alone
        task_status.started()
        await trio.sleep(2)
        ended.append("job")

    async def worker(ctx: AnyContext) -> None:
        async with ctx.open_workers(1) as workers:
            if how == "start":
                with pytest.raises(LookupError, match="bad"):
                    await ctx.start(job, name="bad")
            else:
                with pytest.raises(LookupError, match="bad"):
                    workers.start_soon(job, name="bad")
            assert workers.in_flight == 0
        await trio.sleep(3)
        counts.append(running.statistics().subsystems["worker"].jobs)

    spawner = Structural(fails_at=("start" if how == "start" else "start_soon", "bad"), starts_before=True)
    async with Solo(worker=worker).open(spawner=spawner) as running:
        await trio.sleep(1)
    assert counts == [0]
    assert ended == ["job"]


async def test_an_error_for_the_thread_of_a_job_is_an_error_of_that_job(autojump_clock: MockClock) -> None:
    """Its task is where the thread was to be started."""

    async def worker(ctx: AnyContext) -> None:
        ctx.start_blocking_soon(int, name="bad")
        await trio.sleep_forever()

    with stopped() as errors:
        async with Solo(worker=worker).open(spawner=Structural(fails_at=("run_in_thread", "bad"))):
            pass
    assert [(type(error), error.__notes__) for error in errors] == [
        (LookupError, ["orchestra_trio: raised in 'worker' of Solo, in its job 'bad'"])
    ]


@pytest.mark.parametrize("name", ["thread", "job of a thread"])
async def test_an_error_for_a_thread_of_a_blocking_subsystem_is_an_error_of_it(name: str) -> None:
    """Nothing waits for a thread that is not there."""
    everything = Everything()
    with stopped() as errors:
        async with Mixed(worker=forever, thread=everything.run).open(
            spawner=Structural(fails_at=("run_in_thread", name))
        ):
            await trio.sleep_forever()
    job = "" if name == "thread" else ", in its job 'job of a thread'"
    assert [(type(error), error.__notes__) for error in errors] == [
        (LookupError, [f"orchestra_trio: raised in 'thread' of Mixed{job}"])
    ]


async def test_an_error_for_a_job_of_a_thread_comes_out_in_that_thread() -> None:
    """Where it was to be started; the count is right."""
    caught: list[BaseException] = []

    def thread(ctx: BlockingSubsystemContext[Other, Never, Tick]) -> None:
        try:
            ctx.start_soon(print, name="bad")
        except LookupError as error:
            caught.append(error)
        wait_for_all(ctx)

    async with Mixed(worker=idle, thread=thread).open(spawner=Structural(fails_at=("start_soon", "bad"))) as running:
        pass
    assert [type(error) for error in caught] == [LookupError]
    assert running.statistics().subsystems["thread"].jobs == 0


async def test_an_error_after_a_job_was_started_leaves_the_counts_right(autojump_clock: MockClock) -> None:
    """The job runs and counts; the background jobs go on with the main task."""

    async def worker(ctx: AnyContext) -> None:
        ctx.start_soon(trio.sleep_forever, background=True)
        with pytest.raises(LookupError):
            ctx.start_soon(trio.sleep, 1, name="bad")
        await trio.sleep(2)

    spawner = Structural(fails_at=("start_soon", "bad"), starts_before=True)
    async with Solo(worker=worker).open(spawner=spawner) as running:
        await trio.sleep(0.5)
        assert running.statistics().subsystems["worker"].jobs == 2
        await trio.sleep(1)
        assert running.statistics().subsystems["worker"].jobs == 1
    assert running.statistics().subsystems["worker"].jobs == 0


class Telling(Duo):
    """Says what nobody received."""

    letters: list[DeadLetter]

    def on_dead_letter(self, letter: DeadLetter) -> None:
        self.letters.append(letter)


async def test_what_was_sent_to_a_subsystem_that_never_began_is_a_dead_letter(autojump_clock: MockClock) -> None:
    async def source(ctx: AnyContext) -> None:
        ctx.send_nowait(Item(1))
        await trio.lowlevel.checkpoint()

    letters: list[DeadLetter] = []
    with stopped() as errors:
        async with Telling(source=source, sink=idle, letters=letters).open(
            spawner=Structural(fails_at=("start_soon", "sink"))
        ):
            pytest.fail("it opened")
    assert [type(error) for error in errors] == [LookupError]
    assert [(letter.message, letter.reason) for letter in letters] == [(Item(1), "left over")]
