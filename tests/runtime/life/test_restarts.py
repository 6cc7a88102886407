"""Restarts of one subsystem: what ends before it begins anew, what stays, and when an error is one too many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from orchestra_trio import Orchestra, Restart, Subsystem, fresh, subsystem
from tests.runtime.life.lives import Hardy, Lives, boom, failing, hardy, restart_records, tidying
from tests.runtime.samples import AnyContext, Collect, Fails, Item, Other, Tick, done, idle, stopped

if TYPE_CHECKING:
    from collections.abc import Callable


async def test_what_lies_in_the_mailbox_stays(autojump_clock: MockClock) -> None:
    """Messages and signals are received once each, in order, by whichever incarnation; the one in hand is not again."""
    got: list[tuple[int, object, int]] = []

    async def worker(ctx: AnyContext) -> None:
        async for incoming in ctx:
            got.append((lives.begun.index(lives.begun[-1]), incoming, ctx.epoch))
            if incoming in (Item(2), Tick(2)):
                raise ValueError

    lives = Lives(worker, worker, worker)
    async with Hardy(worker=lives).open() as running:
        for number in (1, 2, 3):
            await running.route_message(Item(number))
        await wait_all_tasks_blocked()
        assert running.statistics().subsystems["worker"].bounded.channel_len == 1
        await running.broadcast_signal(Tick(1))
        await running.broadcast_signal(Tick(2))
        await running.wait_epoch(2)
        await running.route_message(Item(4))
        await running.broadcast_signal(Tick(3))
    assert got == [
        (0, Item(1), 0),
        (0, Item(2), 0),
        (1, Tick(1), 1),
        (1, Tick(2), 2),
        (2, Tick(3), 3),
        (2, Item(3), 3),
        (2, Item(4), 3),
    ]
    assert not running.dead_letters


async def test_senders_wait_on_while_their_consumer_begins_anew(autojump_clock: MockClock) -> None:
    """A full lane stays full; it is no deadlock, though the wiring is a cycle, and nobody has exited."""

    class Loop(Orchestra, message_capacity=1):
        first: Subsystem[Item, Other]
        second: Subsystem[Other, Item] = subsystem(restart=Restart(backoff=5))

    sent_at: list[float] = []
    second = Collect()

    async def first(ctx: AnyContext) -> None:
        for number in range(3):
            await ctx.send(Other(number))
            sent_at.append(trio.current_time())

    async with Loop(first=first, second=Lives(failing(after=1), second)).open():
        pass
    assert (sent_at, second.numbers) == ([0, 6, 6], [0, 1, 2])


def _job(ctx: AnyContext, ended: list[float]) -> None:
    ctx.start_soon(tidying, 3, ended)


def _background_job(ctx: AnyContext, ended: list[float]) -> None:
    ctx.start_soon(tidying, 3, ended, background=True)


def _job_of_a_job(ctx: AnyContext, ended: list[float]) -> None:
    async def job() -> None:
        ctx.start_soon(tidying, 3, ended)
        await trio.sleep_forever()

    ctx.start_soon(job)


@pytest.mark.parametrize("start", [_job, _background_job, _job_of_a_job])
@pytest.mark.parametrize("who", ["main", "job", "background"])
async def test_jobs_have_ended_before_it_begins_anew(
    start: Callable[[AnyContext, list[float]], None], who: str, autojump_clock: MockClock
) -> None:
    """All kinds, whoever has failed; the backoff begins when the last has ended."""
    ended: list[float] = []

    async def worker(ctx: AnyContext) -> None:
        start(ctx, ended)
        if who == "main":
            await failing(after=1)(ctx)
        ctx.start_soon(failing(after=1), ctx, background=who == "background")
        await tidying(2, ended)

    lives = Lives(worker)
    async with Hardy(worker=lives).open() as running:
        await trio.sleep(3.5)
        statistics = running.statistics().subsystems["worker"]
        assert (statistics.state, statistics.restarts, statistics.jobs) == ("restarting", 0, 1)
        await trio.sleep(1)
        statistics = running.statistics().subsystems["worker"]
        assert (statistics.state, statistics.restarts, statistics.jobs) == ("restarting", 0, 0)
        await trio.sleep(1)
        statistics = running.statistics().subsystems["worker"]
        assert (statistics.state, statistics.restarts, statistics.jobs) == ("running", 1, 0)
    assert ended == ([4] if who == "main" else [3, 4])
    assert lives.begun == [0, 5]


async def test_workers_and_nurseries_have_ended_before_it_begins_anew(autojump_clock: MockClock) -> None:
    """The error of a worker lets the whole subsystem begin anew, as that of a task in a nursery of its own does."""
    ended: list[float] = []

    async def with_workers(ctx: AnyContext) -> None:
        async with ctx.open_workers(3) as workers:
            async for _ in workers:
                workers.start_soon(tidying, 2, ended)
                workers.start_soon(tidying, 3, ended)
                workers.start_soon(Fails(ValueError(), after=1))

    async def with_nursery(_: AnyContext) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tidying, 2, ended)
            await trio.sleep(1)
            raise ValueError

    lives = Lives(with_workers, with_nursery)
    async with hardy(Restart(backoff=1, factor=1, on=ValueError))(worker=lives).open() as running:
        await running.route_message(Item(1))
        await trio.sleep(20)
        assert running.statistics().subsystems["worker"].restarts == 2
    assert ended == [3, 4, 8]
    assert lives.begun == [0, 5, 9]


async def test_a_background_job_that_fails_at_the_end_lets_it_begin_anew(autojump_clock: MockClock) -> None:
    """An error is an error, though the main function has returned."""

    async def worker(ctx: AnyContext) -> None:
        ctx.start_soon(tidying, 1, None, ValueError(), background=True)
        await trio.sleep(1)

    lives = Lives(worker)
    async with Hardy(worker=lives).open():
        await trio.sleep(10)
    assert lives.begun == [0, 3]


async def test_each_restart_is_logged_once(autojump_clock: MockClock, caplog: pytest.LogCaptureFixture) -> None:
    """As a warning with the origin and the error; further errors of the same incarnation have records of their own."""

    async def in_job(ctx: AnyContext) -> None:
        await ctx.receive()
        ctx.start_soon(boom, ctx, name="chore")
        ctx.start_soon(tidying, 1, None, KeyError("late"), name="tidying")
        await trio.sleep_forever()

    async with Hardy(worker=Lives(boom, in_job)).open() as running:
        await running.broadcast_signal(Tick())
        await trio.sleep(10)
        assert running.statistics().subsystems["worker"].restarts == 2
    records = restart_records(caplog)
    assert [record.getMessage() for record in records] == [
        "subsystem 'worker' of Hardy failed with ValueError and begins anew after a backoff of 1 s",
        "subsystem 'worker' of Hardy failed with ValueError in its job 'chore' and begins anew after a backoff of 2 s",
        "subsystem 'worker' of Hardy failed also with KeyError while it ended",
    ]
    places = [vars(record) for record in records]
    assert [(one["orchestra"], one["subsystem"], one["epoch"]) for one in places] == [
        ("Hardy", "worker", 0),
        ("Hardy", "worker", 1),
        ("Hardy", "worker", 1),
    ]
    errors = [record.exc_info[1] for record in records if record.exc_info]
    assert [str(error) for error in errors] == ["boom", "boom", "'late'"]


# --- fresh objects ---------------------------------------------------------------------------------------------------


class Once:
    """A subsystem that must not be used again; it fails at the first message that says so."""

    made: int = 0

    def __init__(self) -> None:
        Once.made += 1
        self.number = Once.made
        self.is_used = False

    async def __call__(self, ctx: AnyContext) -> None:
        assert not self.is_used
        self.is_used = True
        async for message in ctx:
            if message.number < 0:
                raise ValueError


async def test_a_fresh_object_for_each_incarnation(autojump_clock: MockClock) -> None:
    """And for each opening."""
    Once.made = 0
    orchestra = hardy(Restart(on=ValueError))(worker=fresh(Once))
    for opening in (1, 2):
        async with orchestra.open() as running:
            await running.route_message(Item(-1))
        assert Once.made == 2 * opening


async def test_without_a_factory_the_same_object_is_called_again(autojump_clock: MockClock) -> None:
    """Which this one does not survive."""
    with stopped() as errors:
        async with hardy(Restart(on=ValueError))(worker=Once()).open() as running:
            await running.route_message(Item(-1))
    assert [type(error) for error in errors] == [AssertionError]


async def test_a_factory_that_fails_is_a_failure_of_its_subsystem(autojump_clock: MockClock) -> None:
    """As one that makes no subsystem."""
    made: list[Any] = [ValueError("no luck"), 7, idle]

    def factory() -> Any:  # noqa: ANN401 - also what is no subsystem
        one = made.pop(0)
        if isinstance(one, Exception):
            raise one
        return one

    async with Hardy(worker=fresh(factory)).open() as running:
        await trio.sleep(10)
        assert running.statistics().subsystems["worker"].restarts == 2
    assert not made


# --- opening, and the states of a life -------------------------------------------------------------------------------


async def test_readiness_may_come_with_a_later_incarnation(autojump_clock: MockClock) -> None:
    """Opening waits on; whoever was ready once need not say so again."""
    states: list[str] = []

    async def ready(ctx: AnyContext) -> None:
        await trio.sleep(1)
        ctx.started()
        await trio.sleep(5)
        raise ValueError

    lives = Lives(failing(after=1), ready)
    async with hardy(Restart(backoff=1), readiness=True)(worker=lives).open() as running:
        assert trio.current_time() == 3
        for _ in range(3):
            states.append(running.statistics().subsystems["worker"].state)
            await trio.sleep(5.5)
    assert lives.begun == [0, 2, 10]
    assert states == ["running", "restarting", "running"]


async def test_the_limit_may_be_reached_before_it_was_ready(autojump_clock: MockClock) -> None:
    """Then opening raises."""
    with stopped() as errors:
        async with hardy(Restart(max_restarts=1), readiness=True)(worker=boom).open():
            pytest.fail("it is not ready")
    assert [type(error) for error in errors] == [ValueError]


async def test_one_that_ends_and_was_never_ready_is_a_fault_as_ever(autojump_clock: MockClock) -> None:
    """It has ended: there is nothing to begin anew."""
    with stopped() as errors:
        async with hardy(Restart(backoff=1), readiness=True)(worker=Lives(boom, done)).open():
            pytest.fail("it is not ready")
    assert "ended without calling ctx.started()" in str(errors[0])


async def test_between_two_incarnations_no_jobs_can_be_started(autojump_clock: MockClock) -> None:
    """A context that is still held says so; it serves the next incarnation, too."""
    held: list[AnyContext] = []
    begun: list[float] = []

    async def job(task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:  # noqa: ASYNC114 - a job of this test alone
        begun.append(trio.current_time())
        task_status.started()
        await trio.lowlevel.checkpoint()

    async def worker(ctx: AnyContext) -> None:
        held.append(ctx)
        await boom(ctx)

    async with Hardy(worker=Lives(worker)).open() as running:
        await trio.sleep(0.5)
        assert running.statistics().subsystems["worker"].state == "restarting"
        message = "subsystem 'worker' of Hardy begins anew: it can start no jobs now"
        with pytest.raises(RuntimeError, match=message):
            held[0].start_soon(job)
        with pytest.raises(RuntimeError, match=message):
            await held[0].start(job)
        with pytest.raises(RuntimeError, match=message):
            held[0].start_blocking_soon(print)
        await trio.sleep(1)
        held[0].start_soon(job)
        await held[0].start(job)
    assert begun == [1.5, 1.5]


async def test_what_was_in_hand_before_is_not_in_hand_any_more(autojump_clock: MockClock) -> None:
    """The note of an error speaks of its own incarnation."""

    async def worker(ctx: AnyContext) -> None:
        await ctx.receive()
        raise ValueError

    with stopped() as errors:
        async with hardy(Restart(max_restarts=1))(worker=Lives(worker, boom)).open() as running:
            await running.route_message(Item(1))
            await trio.sleep_forever()
    assert errors[0].__notes__[-1] == "orchestra_trio: raised in 'worker' of Varied"
