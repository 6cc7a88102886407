"""What one may do with a running orchestra: above all, end it."""

from __future__ import annotations

from typing import Any, Never

import pytest
import trio
from trio.testing import MockClock, assert_checkpoints, wait_all_tasks_blocked

from orchestra_trio import Orchestra, RunningOrchestra, StopReport, Subsystem, SubsystemContext, UndeclaredMessage
from tests.runtime.samples import (
    AnyContext,
    Ask,
    Collect,
    Duo,
    Fails,
    Imported,
    Item,
    Other,
    Ring,
    Solo,
    Tick,
    done,
    forever,
    idle,
    stopped,
)


class Chain(Orchestra[Tick], message_capacity=4, signal_capacity=1):
    """Three in a row, and one apart."""

    first: Subsystem[Item, Other, Tick]
    middle: Subsystem[Other, bytes]
    last: Subsystem[bytes]
    apart: Subsystem[str, Never, Tick]


async def test_terminate_reports_who_ended_by_itself(autojump_clock: MockClock) -> None:
    """All of them here: the report comes when the last has ended, not when the grace is over."""

    async def slow(ctx: AnyContext) -> None:
        await idle(ctx)
        await trio.sleep(3)

    async with Chain(first=slow, middle=slow, last=idle, apart=done).open() as running:
        report = await running.terminate(grace=10)
        assert trio.current_time() == 6
    assert report == StopReport(finished=("first", "middle", "last", "apart"), cancelled=(), undelivered={})


async def test_terminate_broadcasts_its_signal_first(autojump_clock: MockClock) -> None:
    """It takes an epoch as any broadcast; who hears it can end at once."""
    apart = Collect()

    async def until_tick(ctx: AnyContext) -> None:
        await ctx.receive_signal()
        states.append((ctx.epoch, trio.current_time()))

    states: list[Any] = []
    async with Chain(first=until_tick, middle=idle, last=idle, apart=apart).open() as running:
        await running.broadcast_signal(Tick(0))
        await trio.sleep(1)
        await running.terminate(Tick(1))
        assert running.statistics().epoch == 2
    assert apart.numbers == [0, 1]


async def test_terminate_with_what_is_no_signal_does_nothing(autojump_clock: MockClock) -> None:
    """The input stays open, and nothing is stopping."""
    worker = Collect()
    async with Solo(worker=worker).open() as running:
        wrong: Any = Item(1)
        with pytest.raises(UndeclaredMessage):
            await running.terminate(wrong)
        await running.route_message(Item(2))
        await wait_all_tasks_blocked()
        assert running.statistics().subsystems["worker"].state == "running"
    assert worker.numbers == [2]


async def test_a_stuck_subsystem_is_cancelled_with_what_waits_behind_it(autojump_clock: MockClock) -> None:
    """The grace is for all together; others have ended by themselves, and what was left is counted."""
    async with Chain(first=idle, middle=forever, last=idle, apart=idle).open() as running:
        for number in range(3):
            await running.route_message(Other(number))
        await running.route_message(b"1")
        report = await running.terminate(grace=5)
        assert trio.current_time() == 5
    assert report == StopReport(finished=("first", "apart"), cancelled=("middle", "last"), undelivered={"middle": 3})
    assert running.map_subsystems(lambda one: one.state) == ["finished", "cancelled", "cancelled", "finished"]


async def test_the_grace_is_for_all_at_once(autojump_clock: MockClock) -> None:
    """A fault of the crate: there, each subsystem had a timeout of its own, one after the other."""
    async with Chain(first=forever, middle=forever, last=forever, apart=forever).open() as running:
        report = await running.terminate(Tick(), grace=4)
    assert trio.current_time() == 4
    assert report.cancelled == ("first", "middle", "last", "apart")


async def test_a_stalled_signal_lane_is_no_reason_to_wait_longer(autojump_clock: MockClock) -> None:
    """Nor is it reported as success: the crate's fault. It is delivered all the same."""

    async def late(ctx: AnyContext) -> None:
        await trio.sleep(3)
        await trio.lowlevel.checkpoint()
        got.extend([incoming async for incoming in ctx])

    got: list[Any] = []
    async with Chain(first=late, middle=idle, last=idle, apart=forever).open() as running:
        await running.broadcast_signal(Tick(0))
        report = await running.terminate(Tick(1), grace=8)
        assert trio.current_time() == 8
    assert report.cancelled == ("apart",)
    assert got == [Tick(0), Tick(1)]


async def test_a_subsystem_that_catches_its_cancellation_was_cancelled_all_the_same(autojump_clock: MockClock) -> None:
    """It would not have ended by itself; it is waited for while it cleans up."""

    async def careful(_: AnyContext) -> None:
        with trio.CancelScope() as scope:
            try:
                await trio.sleep_forever()
            finally:
                scope.shield = True
                with trio.CancelScope(shield=True):
                    await trio.sleep(3)

    async with Solo(worker=careful).open() as running:
        report = await running.terminate(grace=1)
        assert trio.current_time() == 4
    assert report == StopReport((), ("worker",), {})


async def test_terminate_again_returns_the_same_report(autojump_clock: MockClock) -> None:
    """At once; it does not call who was cancelled finished."""
    async with Chain(first=idle, middle=forever, last=idle, apart=idle).open() as running:
        await running.route_message(Other(1))
        report = await running.terminate(grace=2)
        assert await running.terminate(grace=2) == report
        assert trio.current_time() == 2
    assert await running.terminate() == report
    assert report.cancelled == ("middle", "last")


async def test_concurrent_terminates_agree_and_the_shortest_grace_counts(autojump_clock: MockClock) -> None:
    """Each reports what became of all."""
    reports: list[StopReport] = []

    async def terminate(grace: float) -> None:
        reports.append(await running.terminate(grace=grace))

    async with Solo(worker=forever).open() as running, trio.open_nursery() as nursery:
        nursery.start_soon(terminate, 7)
        nursery.start_soon(terminate, 3)
    assert reports == [StopReport((), ("worker",), {})] * 2
    assert trio.current_time() == 3


async def test_the_block_goes_on_after_terminate(autojump_clock: MockClock) -> None:
    """Only its subsystems have ended."""
    async with Solo(worker=forever).open() as running:
        await running.terminate(grace=1)
        await trio.sleep(5)
        assert running.statistics().subsystems["worker"].state == "cancelled"
        with pytest.raises(trio.ClosedResourceError):
            await running.route_message(Item(1))
        with pytest.raises(trio.ClosedResourceError):
            await running.request(Ask)
    assert trio.current_time() == 6


async def test_a_cancelled_terminate_leaves_all_draining(autojump_clock: MockClock) -> None:
    """The signal stays delivered, the input closed."""

    async def slow(ctx: AnyContext) -> None:
        await idle(ctx)
        await trio.sleep(5)

    async with Solo(worker=slow).open() as running:
        with trio.move_on_after(1) as scope:
            await running.terminate(Tick(), grace=3)
        assert scope.cancelled_caught
        assert running.statistics().subsystems["worker"].state == "ending"
    assert running.statistics().subsystems["worker"].state == "finished"
    assert trio.current_time() == 5


async def test_terminate_drains_a_cycle(autojump_clock: MockClock) -> None:
    """The deadline of its grace does not count as one inside the orchestra."""
    async with Ring(ping=idle, pong=idle).open() as running:
        report = await running.terminate(grace=5)
    assert report.finished == ("ping", "pong")
    assert trio.current_time() == 0


class Eventful(Orchestra[Tick, Imported]):
    """Whose events take a while."""

    worker: Subsystem[Item, Never, Tick]
    handled: list[int]

    async def on_event(self, event: Imported, running: RunningOrchestra[Tick, Imported]) -> None:
        await trio.sleep(3)
        self.handled.append(event.number)


async def test_terminate_lets_queued_events_be_handled_within_the_grace(autojump_clock: MockClock) -> None:
    """Also where all subsystems have ended already; what is not done in time is cancelled, and logged."""
    orchestra = Eventful(worker=done, handled=[])
    async with orchestra.open() as running:
        for number in range(3):
            await running.handle.send(Imported(number))
        report = await running.terminate(grace=7)
        assert trio.current_time() == 7
    assert orchestra.handled == [0, 1]
    assert report.finished == ("worker",)


async def test_an_error_while_terminating_comes_out_of_open(autojump_clock: MockClock) -> None:
    """A call from the block is cancelled by it; one from outside gets a report that does not call it success."""
    boom = ValueError("boom")

    async def explodes(ctx: AnyContext) -> None:
        await idle(ctx)
        raise boom

    reports: list[StopReport] = []
    with stopped() as errors:
        async with trio.open_nursery() as nursery:
            running = await nursery.start(Duo(source=explodes, sink=forever).serve)
            reports.append(await running.terminate(grace=9))
    assert isinstance(errors[0], ExceptionGroup)
    assert errors[0].exceptions == (boom,)
    for report in reports:
        assert report.cancelled == ("sink",)
    with stopped() as errors:
        async with Duo(source=Fails(boom, after=1), sink=idle).open() as running:
            await running.terminate()
    assert errors == [boom]


async def test_waiting_for_the_end(autojump_clock: MockClock) -> None:
    """`wait_stopped` and `wait_input_closed` are checkpoints, also when there is nothing to wait for."""
    async with Solo(worker=idle).open() as running:
        with trio.move_on_after(1) as scope:
            await running.wait_stopped()
        assert scope.cancelled_caught
        with trio.move_on_after(1) as scope:
            await running.wait_input_closed()
        assert scope.cancelled_caught
        running.close_input()
        await running.wait_stopped()
        with assert_checkpoints():
            await running.wait_stopped()
        with assert_checkpoints():
            await running.wait_input_closed()
    assert running.name == "Solo"


async def test_checkpoints_of_calls_that_say_that_they_are_always_one(autojump_clock: MockClock) -> None:
    """As trio means it."""
    async with Solo(worker=idle).open() as running:
        with assert_checkpoints():
            await running.broadcast_signal(Tick())
        with assert_checkpoints():
            await running.send_signal("worker", Tick())
        with assert_checkpoints():
            await running.wait_epoch(1)
        with assert_checkpoints():
            await running.terminate()
        with assert_checkpoints():
            await running.terminate()


async def test_cancelled_calls_have_changed_nothing(autojump_clock: MockClock) -> None:
    """`route_message` in a cancelled scope, and while it waits for room."""
    worker = Collect(delay=3)
    async with Solo(worker=worker).open() as running:
        with trio.CancelScope() as scope:
            scope.cancel()
            await running.route_message(Item(-1))
        assert scope.cancelled_caught
        await running.route_message(Item(0))
        await running.route_message(Item(1))
        with trio.move_on_after(1) as scope:
            await running.route_message(Item(2))
        assert scope.cancelled_caught
    assert worker.numbers == [0, 1]


async def test_what_is_used_after_the_end_says_so(autojump_clock: MockClock) -> None:
    """Calls from outside are refused; what only looks goes on working."""
    async with Solo(worker=idle).open() as running:
        pass
    with pytest.raises(trio.ClosedResourceError):
        await running.route_message(Item(1))
    with pytest.raises(trio.ClosedResourceError):
        running.route_message_nowait(Item(1))
    assert await running.broadcast_signal(Tick()) == 1
    await running.wait_epoch(1)
    await running.wait_stopped()
    running.close_input()
    running.cancel()
    assert running.statistics().subsystems["worker"].signals.sent == 0
    boom = ValueError("boom")
    with stopped():
        async with Solo(worker=Fails(boom)).open() as running:
            await trio.sleep_forever()
    with pytest.raises(trio.ClosedResourceError):
        await running.route_message(Item(1))


async def test_a_subsystem_may_close_the_input_of_its_orchestra(autojump_clock: MockClock) -> None:
    """By way of what it was given: nothing of the call is bound to the block's task."""
    kept: list[RunningOrchestra[Tick, Never]] = []

    async def worker(ctx: SubsystemContext[Any, Any, Any]) -> None:
        await trio.sleep(2)
        kept[0].close_input()
        await idle(ctx)

    async with Solo(worker=worker).open() as running:
        kept.append(running)
        await running.wait_stopped()
    assert trio.current_time() == 2
    await wait_all_tasks_blocked()


async def test_terminate_refuses_a_negative_grace(autojump_clock: MockClock) -> None:
    """Before anything has happened: the input is still open."""
    async with Solo(worker=idle).open() as running:
        with pytest.raises(ValueError, match="grace must be at least 0 seconds, not -1"):
            await running.terminate(grace=-1)
        await running.route_message(Item(1))


async def test_terminate_reports_who_failed_as_neither_finished_nor_cancelled(autojump_clock: MockClock) -> None:
    """The error itself comes out of `open()`."""
    reports: list[StopReport] = []

    async def fails_at_the_end(ctx: AnyContext) -> None:
        await idle(ctx)
        raise ValueError

    with pytest.RaisesGroup(ValueError):
        async with Solo(worker=fails_at_the_end).open() as running:
            with trio.CancelScope(shield=True):
                reports.append(await running.terminate())
    assert reports == [StopReport((), (), {})]


async def test_representations_say_what_they_are(autojump_clock: MockClock) -> None:
    shown: list[str] = []

    async def shows(ctx: AnyContext) -> None:
        shown.extend([repr(ctx), repr(ctx.sender)])
        await trio.lowlevel.checkpoint()

    async with Solo(worker=shows).open() as running:
        assert repr(running) == "<RunningOrchestra Solo: 0 of 1 subsystems ended>"
    assert repr(running) == "<RunningOrchestra Solo: 1 of 1 subsystems ended>"
    assert shown == ["<SubsystemContext of 'worker' in Solo>", "<SubsystemSender of 'worker' in Solo>"]
