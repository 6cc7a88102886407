"""Faults around subsystems in threads: the same faults, decided in trio's thread."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from orchestra_trio import (
    BlockingSubsystem,
    BlockingSubsystemContext,
    OneshotCancelled,
    Orchestra,
    Subsystem,
    subsystem,
)
from orchestra_trio.testing.faults.chances import delay, drop, duplicate, reorder
from orchestra_trio.testing.faults.intercepted import intercept
from tests.runtime.contexts.blocking import (
    AnyBlockingContext,
    Collects,
    Desk,
    Does,
    Gate,
    Lanes,
    Press,
    Tandem,
    answering,
    idle,
    until,
    until_it_waits,
)
from tests.runtime.samples import Ask, Collect, Item, Other, Tick, stopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from trio.testing import MockClock

SIX = [Item(number) for number in range(6)]


def one_by_one(ctx: AnyBlockingContext) -> None:
    for item in SIX:
        ctx.send(item)


def as_a_list(ctx: AnyBlockingContext) -> None:
    ctx.send_many(SIX)


def as_an_iterable(ctx: AnyBlockingContext) -> None:
    ctx.send_many(iter(SIX))


def by_a_job(ctx: AnyBlockingContext) -> None:
    ctx.start_soon(one_by_one, ctx)


def by_a_sender(ctx: AnyBlockingContext) -> None:
    sender: Any = ctx.sender
    trio.from_thread.run(sender.send_many, SIX)


def at_once(ctx: AnyBlockingContext) -> None:
    for item in SIX:
        while True:
            try:
                ctx.send_nowait(item)
            except trio.WouldBlock:
                ctx.check_cancelled()
            else:
                break


@pytest.mark.parametrize("send", [one_by_one, as_a_list, as_an_iterable, by_a_job, by_a_sender, at_once])
async def test_what_a_thread_sends(send: Callable[[AnyBlockingContext], None]) -> None:
    """However it sends. A message that finds no room was not sent, so that it counts once it has found some."""
    sink = Collect()
    faulty = intercept(send, on_send=lambda one: None if one.number % 3 else one._replace(number=100 + one.number))
    await Press(source=faulty, sink=sink).run()
    assert sink.numbers == [100, 1, 2, 103, 4, 5]
    assert (faulty.sent.seen, faulty.sent.passed) == (6, 6)


def by_receive(ctx: AnyBlockingContext, got: list[Any]) -> None:
    while True:
        got.append(ctx.receive())


def by_receive_nowait(ctx: AnyBlockingContext, got: list[Any]) -> None:
    while True:
        try:
            got.append(ctx.receive_nowait())
        except trio.WouldBlock:
            ctx.check_cancelled()


def by_receive_many(ctx: AnyBlockingContext, got: list[Any]) -> None:
    while True:
        got += ctx.receive_many(3)


def by_iteration(ctx: AnyBlockingContext, got: list[Any]) -> None:
    got.extend(ctx)


@pytest.mark.parametrize("receive", [by_receive, by_receive_nowait, by_receive_many, by_iteration])
async def test_what_a_thread_receives(receive: Callable[[AnyBlockingContext, list[Any]], None]) -> None:
    """However it receives; to the end."""
    got: list[Any] = []

    def main(ctx: AnyBlockingContext) -> None:
        assert isinstance(ctx, BlockingSubsystemContext)
        try:
            receive(ctx, got)
        except trio.EndOfChannel:
            got.append(ctx.name)

    faulty = drop(duplicate(main), every=2)
    await Tandem(source=one_by_one, sink=faulty).run()
    numbers = [one.number for one in got if isinstance(one, Item)]
    assert numbers == [0, 0, 2, 2, 4, 4]
    assert faulty.dropped == 3


async def test_signals_pass_while_a_message_waits_for_its_delay(mock_clock: MockClock) -> None:
    """A thread that waits is a task that waits, on a mock clock too; here it does not jump while threads run."""
    got: list[Any] = []

    def main(ctx: AnyBlockingContext) -> None:
        got.extend(ctx)

    async with Desk(worker=delay(main, seconds=5)).open() as running:
        await running.route_message(Item(1))
        await until_it_waits(running, "worker")
        mock_clock.jump(4)
        await running.broadcast_signal(Tick(1))
        await until(lambda: got == [Tick(1)])
        await until_it_waits(running, "worker")
        running.close_input()
        await running.broadcast_signal(Tick(2))
        await until(lambda: got == [Tick(1), Tick(2)])
        mock_clock.jump(1)
    assert got == [Tick(1), Tick(2), Item(1)]


async def test_unbounded_messages_of_a_thread_are_under_way_while_it_goes_on(mock_clock: MockClock) -> None:
    """A task carries them, and keeps the subsystem alive."""
    sent = Gate()

    def feeder(ctx: AnyBlockingContext) -> None:
        ctx.send_unbounded(Other(1))
        ctx.send_unbounded(Other(2))
        sent.open()

    worker = Collects()
    faulty = delay(feeder, seconds=2)
    async with Lanes(feeder=faulty, worker=worker).open() as running:
        await until(lambda: faulty.sent.held == 2)
        await trio.to_thread.run_sync(sent.wait)
        assert running.statistics().subsystems["feeder"].state in {"running", "ending"}
        assert worker.got == []
        mock_clock.jump(2)
    assert worker.got == [Other(1), Other(2)]


async def test_a_send_of_a_thread_takes_as_long_as_its_delay(mock_clock: MockClock) -> None:
    sent: list[int] = []

    def source(ctx: AnyBlockingContext) -> None:
        for item in SIX[:2]:
            ctx.send(item)
            sent.append(item.number)

    sink = Collect()
    faulty = delay(source, seconds=2)
    async with Press(source=faulty, sink=sink).open():
        for count in (1, 2):
            await until(lambda: trio.lowlevel.current_statistics().seconds_to_next_deadline <= 2)  # it waits
            mock_clock.jump(1)
            await wait_all_tasks_blocked()
            assert len(sent) < count
            mock_clock.jump(1)
            await until(partial(sent.__contains__, count - 1))
    assert sink.got == SIX[:2]


@pytest.mark.parametrize("side", ["source", "sink"])
async def test_requests_of_threads(side: str) -> None:
    """A dropped one is cancelled, as for tasks."""
    answers: list[object] = []

    def asks(ctx: AnyBlockingContext) -> None:
        for number in range(4):
            try:
                answers.append(ctx.request(Ask, number))
            except OneshotCancelled:
                answers.append(None)

    subsystems: dict[str, Any] = {"source": asks, "sink": answering}
    subsystems[side] = duplicate(reorder(drop(subsystems[side], every=2)))
    await Tandem(**subsystems).run()
    assert answers == [0, None, 4, None]


async def test_a_thread_is_cancelled_out_of_a_delay() -> None:
    """The message that it waited for is lost, and counted."""
    faulty = delay(idle, seconds=10_000)
    async with Desk(worker=faulty).open() as running:
        await running.route_message(Item(1))
        await until(lambda: faulty.received.held)
        running.cancel()
    assert (faulty.received.seen, faulty.received.lost, faulty.received.held) == (1, 1, 0)


async def test_hooks_are_called_in_trios_thread() -> None:
    threads: set[int] = set()

    def hook(_: object) -> None:
        threads.add(threading.get_ident())

    async with Tandem(
        source=intercept(one_by_one, on_send=hook), sink=intercept(idle, on_receive=hook, on_signal=hook)
    ).open() as running:
        await running.broadcast_signal(Tick(1))
    assert threads == {threading.get_ident()}


async def test_other_threads_are_refused() -> None:
    """As by the original context."""
    foreign = Gate()
    contexts: list[AnyBlockingContext] = []

    def main(ctx: AnyBlockingContext) -> None:
        contexts.append(ctx)
        foreign.open()
        for _ in ctx:
            pass

    async with Desk(worker=drop(main)).open() as running:
        await until_it_waits(running, "worker")
        for call in (contexts[0].receive, contexts[0].receive_nowait, partial(contexts[0].receive_many, 1)):
            with pytest.raises(RuntimeError, match="from another thread than its own"):
                call()
        for send in (contexts[0].send, contexts[0].send_nowait, contexts[0].send_unbounded):
            with pytest.raises(RuntimeError, match="from another thread than its own"):
                send(Item(1))


async def test_a_task_sends_to_a_thread_that_reorders() -> None:
    """What tasks and threads put into the lane of a waiting thread goes through it once."""

    class Fan(Orchestra, message_capacity=2):
        first: Subsystem[Any, Item] = subsystem(consumes=())
        second: BlockingSubsystem[Any, Item] = subsystem(consumes=())
        sink: BlockingSubsystem[Item] = subsystem(priority=True)

    async def first(ctx: Any) -> None:  # noqa: ANN401 - of any types
        for number in range(100):
            await ctx.send(Item(number))

    def second(ctx: Any) -> None:  # noqa: ANN401 - as above
        for number in range(100, 200):
            ctx.send(Item(number))

    sink = Collects()
    await Fan(first=reorder(first, seed=1), second=reorder(second, seed=2), sink=reorder(sink, window=5)).run()
    assert sorted(one.number for one in sink.got) == list(range(200))


async def test_an_async_function_in_a_blocking_slot_is_refused_when_it_is_called() -> None:
    anything: Any = Collect()
    with stopped() as errors:
        await Desk(worker=drop(anything)).run()
    assert isinstance(errors[0], TypeError)
    assert "must not be async" in str(errors[0])


async def test_errors_of_the_thread_are_those_of_the_subsystem() -> None:
    def main(ctx: AnyBlockingContext) -> None:
        ctx.receive()
        raise KeyError

    faulty = Does(main)
    with stopped() as errors:
        async with Desk(worker=drop(faulty, every=5)).open() as running:
            await running.route_message(Item(1))
            await trio.sleep_forever()
    assert isinstance(errors[0], KeyError)
    assert "with an Item in hand" in errors[0].__notes__[0]
