"""Delays: in order, by the call that sends or before the call that receives returns; signals pass."""

from __future__ import annotations

import math
from contextlib import suppress
from functools import partial
from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio import DeadlockDetected, Priority
from orchestra_trio.testing.faults.chances import delay, reorder
from tests.runtime.samples import (
    AnyContext,
    Collect,
    Duo,
    Ends,
    Item,
    Other,
    Playing,
    Ring,
    Sends,
    Solo,
    Tick,
    countdown,
    stopped,
)
from tests.testing.faults.lines import Blue, Line, Red, Sink, Source, run_line

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from trio.testing import MockClock

    from orchestra_trio.testing.faults.chances import Direction


def pauses(count: int, low: float, high: float, probability: float | None, seed: int) -> list[float]:
    """The delays of so many messages, drawn one after another."""
    random, drawn = Random(seed), []
    for _ in range(count):
        is_struck = random.random() < (1 if probability is None else probability)
        drawn.append((low if low == high else random.uniform(low, high)) if is_struck else 0)
    return drawn


@given(
    st.sampled_from(["send", "receive"]),
    st.sampled_from([(1, 1), (0, 2), (0.5, 0.75)]),
    st.none() | st.sampled_from([0, 0.5, 1]),
    st.integers(0, 5),
    st.sampled_from([1, 1000]),
)
def test_delays_add_up_in_the_order_of_the_messages(
    on: Direction, seconds: tuple[float, float], probability: float | None, seed: int, capacity: int
) -> None:
    """Whatever the capacity: each is waited for before the next one is looked at."""
    load = [Red(number) for number in range(8)]
    sink = Sink(is_eager=True)
    source: Any = Source(load)
    faulty: Any = sink
    if on == "send":
        source = delay(source, seconds=seconds, probability=probability, seed=seed, on=on)
    else:
        faulty = delay(faulty, seconds=seconds, probability=probability, seed=seed, on=on)
    run_line(source, faulty, capacity=capacity)
    assert sink.got == load
    assert sink.times == pytest.approx(list(accumulate(pauses(8, *seconds, probability, seed))))


async def test_delays_around_one_another_add_up(autojump_clock: MockClock) -> None:
    """The second message waits in its lane until the first has passed them; its sender's delay has passed by then."""
    sink = Sink(is_eager=True)
    await Line(source=delay(Source([Red(1), Red(2)]), seconds=1), sink=delay(delay(sink, seconds=2), seconds=3)).run()
    assert sink.times == [6, 11]


Log: TypeAlias = list[tuple[float, object]]


async def by_receive(ctx: AnyContext, log: Log) -> None:
    with suppress(trio.EndOfChannel):
        while True:
            one = await ctx.receive()
            log.append((trio.current_time(), one))


async def by_receive_many(ctx: AnyContext, log: Log) -> None:
    with suppress(trio.EndOfChannel):
        while True:
            batch = await ctx.receive_many(9)
            log.extend((trio.current_time(), one) for one in batch)


async def by_iteration(ctx: AnyContext, log: Log) -> None:
    async for one in ctx:
        log.append((trio.current_time(), one))


async def by_workers(ctx: AnyContext, log: Log) -> None:
    async with ctx.open_workers(2) as workers:
        async for one in workers:
            log.append((trio.current_time(), one))
            if not isinstance(one, Tick):
                workers.start_soon(trio.sleep, 0)


async def by_two_tasks(ctx: AnyContext, log: Log) -> None:
    """One for signals alone."""

    async def receive_signals() -> None:
        with suppress(trio.EndOfChannel):
            while True:
                one = await ctx.receive_signal()
                log.append((trio.current_time(), one))

    ctx.start_soon(receive_signals)
    await by_receive(ctx, log)


@pytest.mark.parametrize("receive", [by_receive, by_receive_many, by_iteration, by_workers, by_two_tasks])
async def test_signals_are_received_while_a_message_waits_for_its_delay(
    autojump_clock: MockClock, receive: Callable[[AnyContext, Log], Awaitable[None]]
) -> None:
    """However the subsystem receives; and what comes after that message waits for it."""
    log: Log = []
    worker = delay(Playing(lambda ctx: receive(ctx, log)), Item, seconds=5)
    async with Solo(worker=worker).open() as running:
        await running.route_message(Item(1))
        await running.route_message(Other(2))
        for number in (1, 2):
            await trio.sleep(1)
            await running.broadcast_signal(Tick(number))
    assert log == [(1, Tick(1)), (2, Tick(2)), (5, Item(1)), (5, Other(2))]


async def test_a_cancelled_receive_loses_nothing(autojump_clock: MockClock) -> None:
    """The delay of the message goes on meanwhile."""
    log: Log = []

    async def main(ctx: Any) -> None:  # noqa: ANN401 - of any types
        with trio.move_on_after(1) as scope:
            await ctx.receive()
        assert scope.cancelled_caught
        with pytest.raises(trio.WouldBlock):
            ctx.receive_nowait()
        await trio.sleep(3)
        log.append((trio.current_time(), ctx.receive_nowait()))
        await by_iteration(ctx, log)

    faulty = delay(main, seconds=3)
    async with Solo(worker=faulty).open() as running:
        for number in (1, 2):
            await running.route_message(Item(number))
    assert log == [(4, Item(1)), (7, Item(2))]


async def test_another_task_gets_what_a_cancelled_one_waited_for(autojump_clock: MockClock) -> None:
    """Although it waited for anything, before there was anything to wait for."""
    log: list[tuple[str, float]] = []

    async def main(ctx: Any) -> None:  # noqa: ANN401 - of any types
        async def receive(name: str, patience: float) -> None:
            with trio.move_on_after(patience):
                await ctx.receive()
                log.append((name, trio.current_time()))

        ctx.start_soon(receive, "patient", math.inf)
        await trio.testing.wait_all_tasks_blocked()
        ctx.start_soon(receive, "hasty", 2)
        await receive("main", 2)

    async with Solo(worker=delay(main, seconds=5)).open() as running:
        await running.route_message(Item(1))
        await trio.sleep(10)
    assert log == [("patient", 5)]


async def test_a_cancelled_send_has_sent_nothing(autojump_clock: MockClock) -> None:
    async def main(ctx: Any) -> None:  # noqa: ANN401 - of any types
        with trio.move_on_after(1) as scope:
            await ctx.send(Item(1))
        assert scope.cancelled_caught
        await ctx.send(Item(2), priority=Priority.HIGH)

    sink = Collect()
    faulty = delay(main, seconds=3)
    await Duo(source=faulty, sink=sink).run()
    assert sink.numbers == [2]
    assert (faulty.sent.seen, faulty.sent.passed) == (1, 1)


async def test_unbounded_messages_are_under_way_while_their_sender_goes_on(autojump_clock: MockClock) -> None:
    """They stay in their order, also those that are not delayed; the subsystem ends after they are gone."""
    sink = Sink(is_eager=True)
    begun: list[float] = []

    async def main(ctx: Any) -> None:  # noqa: ANN401 - of any types
        for message in (Blue(0, "unbounded"), Red(1, "unbounded"), Blue(2, "unbounded"), Red(3, "unbounded")):
            ctx.send_unbounded(message)
        ctx.send_nowait(Red(4))
        begun.append(trio.current_time())
        await trio.sleep(1)
        ctx.send_unbounded(Red(5, "unbounded"))

    faulty = delay(main, Red, seconds=3)
    async with Line(source=faulty, sink=sink).open():
        await trio.sleep(2)
        assert faulty.sent.held == 4
    assert begun == [0]
    assert [(one.number, time) for one, time in zip(sink.got, sink.times, strict=True)] == [
        (0, 0),
        (4, 0),
        (1, 3),
        (2, 3),
        (3, 3),
        (5, 4),
    ]
    assert (faulty.sent.seen, faulty.sent.passed, faulty.sent.held) == (6, 6, 0)


async def test_unbounded_messages_that_come_too_late_are_lost(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """As to one that has ended meanwhile."""
    sink = Sink(is_eager=True)

    async def main(ctx: AnyContext) -> None:
        ctx.send_unbounded(Red(1, "unbounded"))
        await trio.sleep(9)

    async def brief(ctx: AnyContext) -> None:
        sink.got.append(ctx.name)
        await trio.sleep(1)

    faulty = delay(main, seconds=3)
    async with Line(source=faulty, sink=Playing(brief)).open():
        await trio.sleep(5)
        assert (faulty.sent.seen, faulty.sent.lost, faulty.sent.held) == (1, 1, 0)
    assert "lost messages that they held back: 1 Red" in caplog.text


@pytest.mark.parametrize("on", ["send", "receive"])
async def test_a_cycle_drains_only_when_no_message_is_kept(autojump_clock: MockClock, on: Direction) -> None:
    """Who waits for a delay is not at rest: the members end one after another, when all has come."""
    ends = Ends()
    got: list[int] = []
    slow = partial(delay, seconds=2, on=on)
    ping = slow(Playing(countdown(Other, ends, got)))
    pong = slow(Playing(countdown(Item, ends, got)))
    async with Ring(ping=ping, pong=pong).open() as running:
        await running.route_message(Item(4))
    assert got == [4, 3, 2, 1, 0]
    assert ends.log == [("ping", 8 if on == "send" else 10), ("pong", 8 if on == "send" else 10)]


async def test_a_deadlock_behind_delays_is_found(autojump_clock: MockClock) -> None:
    """When the last delay is over, and no sooner: a sleep is no wait for anybody."""

    def flood(kind: Any) -> Playing:  # noqa: ANN401 - a class of messages
        async def main(ctx: Any) -> None:  # noqa: ANN401 - of any types
            for number in range(9):
                await ctx.send(kind(number))

        return Playing(main)

    slow: Any = lambda one: reorder(delay(one, seconds=1), window=2)  # noqa: E731 - of any types
    with stopped() as errors:
        await Ring(ping=slow(flood(Other)), pong=slow(flood(Item))).run()
    assert isinstance(errors[0], DeadlockDetected)
    assert trio.current_time() == 5  # two in the lane of each, one that its job has in hand, one kept, one that waits


async def test_delays_of_nothing_wait_for_nothing(autojump_clock: MockClock) -> None:
    sink = Sink(is_eager=True)
    await Duo(source=delay(Sends(Item(1), Item(2)), seconds=0), sink=delay(sink, Other, seconds=5)).run()
    assert sink.got == [Item(1), Item(2)]
    assert trio.current_time() == 0
