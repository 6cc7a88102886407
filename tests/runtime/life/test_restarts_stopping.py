"""How an orchestra drains and stops while a subsystem is to begin anew: everything ends, and no error is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Never, TypeAlias

import pytest
import trio

from orchestra_trio import OneshotCancelled, Orchestra, Restart, Subsystem, subsystem
from tests.runtime.life.lives import Hardy, Lives, Play, boom, failing, hardy, restart_records, tidying
from tests.runtime.samples import AnyContext, Ask, Collect, Ends, Item, Other, Tick, done, idle, stopped

if TYPE_CHECKING:
    from trio.testing import MockClock

Phase: TypeAlias = Literal["ending", "backoff"]

in_both_phases = pytest.mark.parametrize("phase", ["ending", "backoff"])


class Pair(Orchestra[Tick]):
    """A subsystem that fails and begins anew, beside another one."""

    worker: Subsystem[Item, Never, Tick] = subsystem(restart=Restart(backoff=20))
    other: Subsystem[Other]


class Scene:
    """A subsystem that fails after a second; then its old incarnation takes twenty to end, or its backoff does."""

    def __init__(self, phase: Phase, other: Play = idle) -> None:
        self.phase = phase
        self.error = ValueError("survived")
        self.lives = Lives(self._fail)
        self.pair = Pair(worker=self.lives, other=other)

    async def _fail(self, ctx: AnyContext) -> None:
        if self.phase == "ending":
            ctx.start_soon(tidying, 20)
        await trio.sleep(1)
        raise self.error

    @property
    def stops_at(self) -> float:
        """When all has ended, if it is cancelled at 5."""
        return 5 if self.phase == "backoff" else 21


@in_both_phases
async def test_cancel(phase: Phase, autojump_clock: MockClock) -> None:
    """It does not begin anew, and so the error was not survived."""
    scene = Scene(phase)
    with stopped() as errors:
        async with scene.pair.open() as running:
            await trio.sleep(5)
            assert running.statistics().subsystems["worker"].state == "restarting"
            running.cancel()
    assert errors == [scene.error]
    assert scene.error.__notes__ == ["orchestra_trio: raised in 'worker' of Pair"]
    assert trio.current_time() == scene.stops_at
    assert running.map_subsystems(lambda one: (one.state, one.restarts)) == [("failed", 0), ("cancelled", 0)]


@in_both_phases
async def test_cancellation_from_around(phase: Phase, autojump_clock: MockClock) -> None:
    """The error comes out in place of the cancellation."""
    scene = Scene(phase)
    with stopped() as errors, trio.move_on_after(5):
        async with scene.pair.open() as running:
            await trio.sleep_forever()
    assert errors == [scene.error]
    assert trio.current_time() == scene.stops_at
    assert running.map_subsystems(lambda one: one.state) == ["failed", "cancelled"]


@in_both_phases
@pytest.mark.parametrize("who", ["other", "block"])
async def test_first_error(phase: Phase, who: str, autojump_clock: MockClock) -> None:
    """What stopped the orchestra comes first; then what could not be survived for that reason."""
    first = KeyError("first")

    async def other(_: AnyContext) -> None:
        await trio.sleep(5)
        raise first

    scene = Scene(phase, other if who == "other" else idle)
    with stopped() as errors:
        async with scene.pair.open() as running:
            await trio.sleep(5)
            if who == "block":
                raise first
            await trio.sleep_forever()
    assert errors == [first, scene.error]
    assert trio.current_time() == scene.stops_at
    state = "failed" if who == "other" else "cancelled"
    assert running.map_subsystems(lambda one: one.state) == ["failed", state]


@in_both_phases
async def test_terminate_with_too_short_a_grace(phase: Phase, autojump_clock: MockClock) -> None:
    """The error comes out when the grace is over."""
    scene = Scene(phase)
    with stopped() as errors:
        async with scene.pair.open() as running:
            await trio.sleep(2)
            await running.terminate(grace=3)
    assert errors == [scene.error]
    assert trio.current_time() == scene.stops_at
    assert running.map_subsystems(lambda one: one.state) == ["failed", "finished"]


@in_both_phases
async def test_terminate_with_time_enough(phase: Phase, autojump_clock: MockClock) -> None:
    """It begins anew, receives what lies there, and ends."""
    scene = Scene(phase)
    collect = Collect()
    scene.lives.plays += (collect,)
    async with scene.pair.open() as running:
        await trio.sleep(2)
        await running.route_message(Item(1))
        report = await running.terminate(Tick(2), grace=100)
    assert (report.finished, report.cancelled, report.undelivered) == (("worker", "other"), (), {})
    assert collect.got == [Tick(2), Item(1)]
    assert trio.current_time() == (21 if phase == "backoff" else 41)
    assert running.map_subsystems(lambda one: (one.state, one.restarts)) == [("finished", 1), ("finished", 0)]


@in_both_phases
async def test_leaving_the_block_waits_for_the_restart(phase: Phase, autojump_clock: MockClock) -> None:
    """Messages that were taken in are received."""
    scene = Scene(phase)
    collect = Collect()
    scene.lives.plays += (collect,)
    async with scene.pair.open() as running:
        await trio.sleep(2)
        await running.route_message(Item(1))
    assert collect.numbers == [1]
    assert not running.dead_letters


async def test_errors_come_in_order_when_one_could_have_been_survived(autojump_clock: MockClock) -> None:
    """One raised while all are being cancelled was noted only when its subsystem had ended, behind later ones."""
    first, second, third = KeyError(1), KeyError(2), KeyError(3)

    async def worker(ctx: AnyContext) -> None:
        ctx.start_soon(tidying, 1, None, second)
        await tidying(5)

    async def other(ctx: AnyContext) -> None:
        ctx.start_soon(tidying, 2, None, third)
        await trio.sleep(1)
        raise first

    with stopped() as errors:
        async with Pair(worker=worker, other=other).open():
            await trio.sleep_forever()
    assert errors == [first, second, third]


async def test_errors_while_it_ends_that_are_not_survived(autojump_clock: MockClock) -> None:
    """They are first errors; the one that was to be survived comes after, since nothing begins anew any more."""
    survived, fatal = ValueError(), KeyError()

    async def worker(ctx: AnyContext) -> None:
        ctx.start_soon(tidying, 1, None, fatal)
        await trio.sleep(1)
        raise survived

    with stopped() as errors:
        async with hardy(Restart(on=ValueError))(worker=worker).open() as running:
            await trio.sleep_forever()
    assert errors == [fatal, survived]
    assert running.statistics().subsystems["worker"].state == "failed"


# --- drain -----------------------------------------------------------------------------------------------------------


async def test_what_is_downstream_is_told_to_end_after_the_last_incarnation(autojump_clock: MockClock) -> None:
    """One that fails after it was told to end begins anew, too, and is told again at once."""

    class Line(Orchestra):
        upper: Subsystem[Other, Item] = subsystem(restart=Restart(backoff=5))
        lower: Subsystem[Item]

    states: list[str] = []
    ends = Ends()

    async def fails_at_the_end(ctx: AnyContext) -> None:
        await idle(ctx)
        await trio.sleep(1)
        raise ValueError

    async def flushes(ctx: AnyContext) -> None:
        await idle(ctx)
        await trio.sleep(1)
        await ctx.send(Item(7))
        ends.note(ctx)

    async def lower(ctx: AnyContext) -> None:
        states.append(f"got {(await ctx.receive()).number}")
        await idle(ctx)
        ends.note(ctx)

    async with Line(upper=Lives(fails_at_the_end, flushes), lower=lower).open() as running:
        running.close_input()
        for pause in (0.5, 1, 5, 2):
            await trio.sleep(pause)
            states.append(running.statistics().subsystems["upper"].state)
    assert states == ["ending", "restarting", "ending", "got 7", "finished"]
    assert ends.log == [("upper", 7), ("lower", 7)]


async def test_a_cycle_does_not_rest_during_a_backoff(autojump_clock: MockClock) -> None:
    """What the next incarnation sends is still received by the others."""

    class Ring(Orchestra):
        first: Subsystem[Item, Other]
        second: Subsystem[Other, Item] = subsystem(restart=Restart(backoff=5))

    collect = Collect()

    async def sends(ctx: AnyContext) -> None:
        await ctx.send(Item(1))
        await idle(ctx)

    async with Ring(first=collect, second=Lives(boom, sends)).open() as running:
        await trio.sleep(1)
    assert collect.numbers == [1]
    assert trio.current_time() == 5
    assert running.map_subsystems(lambda one: one.state) == ["finished", "finished"]


async def test_on_exit_speaks_of_the_last_incarnation(autojump_clock: MockClock) -> None:
    """A failure that is survived stops nobody."""

    class Stopping(Orchestra):
        worker: Subsystem[Item] = subsystem(restart=Restart(backoff=5), on_exit="stop")
        other: Subsystem[Other]

    async with Stopping(worker=Lives(failing(after=1), done), other=idle).open() as running:
        await running.wait_input_closed()
        assert trio.current_time() == 6
        await running.wait_stopped()


# --- an answer that will not come ------------------------------------------------------------------------------------


class Asking(Orchestra):
    client: Subsystem[Item, Ask] = subsystem(restart=Restart(backoff=1))
    server: Subsystem[Ask]


async def refusing(ctx: AnyContext) -> None:
    async for question in ctx:
        await trio.sleep(3)
        question.reply.close()


@pytest.mark.parametrize("way", ["terminate", "told to end"])
async def test_while_stopping_it_is_the_end(
    way: str, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Not a failure: nothing begins anew."""

    async def client(ctx: AnyContext) -> None:
        if way == "told to end":
            await idle(ctx)
        await ctx.request(Ask, 1)

    lives = Lives(client)
    async with Asking(client=lives, server=refusing).open() as running:
        await trio.sleep(1)
        if way == "terminate":
            await running.terminate()
    assert lives.begun == [0]
    assert running.map_subsystems(lambda one: (one.state, one.restarts)) == [("finished", 0), ("finished", 0)]
    assert not restart_records(caplog)


async def test_else_it_is_a_failure_as_any(autojump_clock: MockClock, caplog: pytest.LogCaptureFixture) -> None:
    """It may be survived."""

    async def client(ctx: AnyContext) -> None:
        await ctx.request(Ask, 1)

    lives = Lives(client)
    async with Asking(client=lives, server=refusing).open():
        await trio.sleep(10)
    assert lives.begun == [0, 4]
    (record,) = restart_records(caplog)
    assert record.exc_info
    assert record.exc_info[0] is OneshotCancelled


async def test_a_hardy_subsystem_that_only_ends_is_not_called_again(autojump_clock: MockClock) -> None:
    """A normal end is no failure."""
    lives = Lives(done)
    async with Hardy(worker=lives).open() as running:
        await running.wait_stopped()
    assert lives.begun == [0]
