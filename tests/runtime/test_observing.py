"""Observers: what they are told, when, and what becomes of what they raise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Never

import attrs
import pytest
import trio

from orchestra_trio import BlockingSubsystem, Orchestra, Restart, Subsystem, subsystem
from orchestra_trio.runtime.surroundings import Surroundings, surroundings
from tests.runtime.samples import AnyContext, Ask, Item, Other, Tick, stopped

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from trio.testing import MockClock

    from orchestra_trio import BlockingSubsystemContext, Happening, RunningOrchestra


@attrs.define
class Seen:
    """What an observer was told, as short texts."""

    lines: list[str] = attrs.Factory(list)
    tasks: list[object] = attrs.Factory(list)

    def __call__(self, one: Happening) -> None:
        facts = [one.kind, one.subsystem or "-"]
        if one.sender is not None:
            facts.append(f"from {one.sender}")
        if one.lane is not None:
            facts.append(one.lane)
        if one.payload is not None:
            facts.append(type(one.payload).__name__)
        facts += ["request"] * one.is_request
        if one.detail is not None:
            facts.append(one.detail)
        self.lines.append(" ".join(facts))
        self.tasks.append(one.task)


class Pair(Orchestra[Tick, Never]):
    left: Subsystem[Item, Other | Ask, Tick]
    right: Subsystem[Other | Ask]


async def left(ctx: AnyContext) -> None:
    async for incoming in ctx:
        if isinstance(incoming, Item):
            await ctx.send(Other(incoming.number))
            await ctx.request(Ask)


async def right(ctx: AnyContext) -> None:
    async for incoming in ctx:
        if isinstance(incoming, Ask):
            incoming.reply.send(1)


async def test_the_way_of_a_message_and_of_a_signal_is_told(autojump_clock: MockClock) -> None:
    seen = Seen()
    async with Pair(left=left, right=right).open() as running:
        await trio.sleep(1)
        running.observe(seen)
        await running.route_message(Item(1))
        await trio.sleep(1)
        await running.broadcast_signal(Tick())
        await trio.sleep(1)
    assert seen.lines == [
        "send left bounded Item",
        "receive left bounded Item",
        "send right from left bounded Other",
        "receive right bounded Other",
        "send right from left bounded Ask request",
        "receive right bounded Ask",
        "answer left from right Ask",
        "broadcast - Tick",
        "send left signals Tick",
        "receive left signals Tick",
        "end of input left",
        "exit left finished",
        "end of input right",
        "exit right finished",
    ]


async def test_who_receives_is_the_task_that_waited(autojump_clock: MockClock) -> None:
    seen = Seen()
    async with Pair(left=left, right=right).open() as running:
        await trio.sleep(1)
        running.observe(seen)
        await running.route_message(Item(1))
        await trio.sleep(1)
    assert [getattr(task, "name", None) for task in seen.tasks[1:4]] == ["left", "left", "right"]


async def test_lives_jobs_errors_and_dead_letters_are_told(autojump_clock: MockClock) -> None:
    class Retried(Orchestra):
        left: Subsystem[Item, Other] = subsystem(restart=Restart(max_restarts=1))
        right: Subsystem[Other] = subsystem(wip=True)

    async def work(ctx: AnyContext) -> None:
        await ctx.send(Other(1))
        raise ValueError

    async def fail_once(ctx: AnyContext) -> None:
        async for _ in ctx:
            ctx.start_soon(work, ctx, name="work")

    seen = Seen()
    surroundings.set(Surroundings(on_open=(lambda running: running.observe(seen),)))  # of this test's task alone
    async with Retried(left=fail_once).open() as running:
        await trio.sleep(1)
        await running.route_message(Item(1))
        await trio.sleep(60)
    assert seen.lines == [
        "start left",
        "send left bounded Item",
        "receive left bounded Item",
        "job left work",
        "dead letter right from left bounded Other wip",
        "error left ValueError work",
        "job end left work",
        "start left",
        "end of input left",
        "exit left finished",
    ]


async def test_who_waits_for_room_is_told_and_who_gives_up(autojump_clock: MockClock) -> None:
    class Narrow(Orchestra, message_capacity=1):
        sink: Subsystem[Item]

    async def sleep(_: AnyContext) -> None:
        await trio.sleep(10)

    seen = Seen()
    async with Narrow(sink=sleep).open() as running:
        await trio.sleep(1)
        running.observe(seen)
        await running.route_message(Item(1))
        with trio.move_on_after(1):
            await running.route_message(Item(2))
    assert seen.lines == [
        "send sink bounded Item",
        "block sink bounded Item",
        "withdraw sink bounded Item",
        "end of input sink",
        "exit sink finished",
        "dead letter sink bounded Item left over",
    ]


@pytest.mark.parametrize("close_handle", [True, False])
async def test_an_event_that_waits_for_room_in_vain_is_told(autojump_clock: MockClock, close_handle: bool) -> None:
    """Whether its sender is closed, or the input."""

    class Slow(Orchestra[Never, int], event_capacity=1):
        sink: Subsystem[Item]

        async def on_event(self, event: int, running: RunningOrchestra[Never, int]) -> None:
            await trio.sleep(event)

    async def send(running: RunningOrchestra[Never, int]) -> None:
        for _ in range(3):
            await running.handle.send(10)

    async def sink(ctx: AnyContext) -> None:
        async for _ in ctx:
            pass

    seen = Seen()
    async with Slow(sink=sink).open() as running, trio.open_nursery() as nursery:
        running.observe(seen)
        nursery.start_soon(_refused, send, running)
        await trio.sleep(1)
        running.handle.close() if close_handle else running.close_input()
    blocked = [line for line in seen.lines if line.startswith(("block", "withdraw"))]
    assert blocked == ["block on_event bounded int", "withdraw on_event bounded int"]


async def _refused(async_fn: Callable[..., Awaitable[None]], running: RunningOrchestra[Never, int]) -> None:
    with pytest.raises((trio.ClosedResourceError, trio.BrokenResourceError)):
        await async_fn(running)


async def test_events_and_what_goes_out_are_told(autojump_clock: MockClock) -> None:
    class Out(Orchestra[Never, int], outgoing=Other):
        relay: Subsystem[Item, Other]

        async def on_event(self, event: int, running: RunningOrchestra[Never, int]) -> None:
            await running.route_message(Item(event))

    async def relay(ctx: AnyContext) -> None:
        async for item in ctx:
            await ctx.send(Other(item.number))

    seen = Seen()
    async with Out(relay=relay).open() as running:
        running.observe(seen)
        running.handle.send_nowait(1)
        await running.outgoing.receive()
    assert [line for line in seen.lines if "start" not in line][:6] == [
        "send on_event bounded int",
        "receive on_event bounded int",
        "send relay bounded Item",
        "receive relay bounded Item",
        "send - from relay bounded Other",
        "receive - bounded Other",
    ]


async def test_steps_of_a_thread_are_told() -> None:
    class Threaded(Orchestra):
        sink: BlockingSubsystem[Item, Other]
        end: Subsystem[Other]

    def sink(ctx: BlockingSubsystemContext[Item, Other]) -> None:
        for item in ctx:
            ctx.send(Other(item.number))

    async def end(ctx: AnyContext) -> None:
        async for _ in ctx:
            pass

    seen = Seen()
    async with Threaded(sink=sink, end=end).open() as running:
        running.observe(seen)
        await running.route_message(Item(1))
    kinds = [line for line in seen.lines if "bounded" in line and "block" not in line]
    assert kinds == [
        "send sink bounded Item",
        "receive sink bounded Item",
        "send end from sink bounded Other",
        "receive end bounded Other",
    ]


async def test_several_observers_are_told_in_the_order_they_came(autojump_clock: MockClock) -> None:
    order: list[int] = []
    async with Pair(left=left, right=right).open() as running:
        await trio.sleep(1)
        running.observe(lambda _: order.append(1))
        running.observe(lambda _: order.append(2))
        await running.broadcast_signal(Tick())
        running.cancel()
    assert order[:4] == [1, 2, 1, 2]


async def test_an_error_of_an_observer_stops_the_orchestra_and_breaks_no_step(autojump_clock: MockClock) -> None:
    told: list[str] = []

    def fail(one: Happening) -> None:
        told.append(one.kind)
        raise LookupError

    pair = Pair(left=left, right=right)
    with stopped() as errors:
        async with pair.open() as running:
            await trio.sleep(1)
            running.observe(fail)
            await running.route_message(Item(1))
            assert running.statistics().subsystems["left"].bounded.received == 1
            await trio.sleep_forever()
    assert [type(error) for error in errors] == [LookupError]
    assert told == ["send"], "one that raised is told no more"


async def test_an_error_of_an_observer_in_a_thread_stops_the_orchestra() -> None:
    class Threaded(Orchestra):
        sink: BlockingSubsystem[Item]

    def sink(ctx: BlockingSubsystemContext[Item]) -> None:
        for _ in ctx:
            pass

    def fail(one: Happening) -> None:
        if one.kind == "receive":
            raise LookupError

    threaded = Threaded(sink=sink)
    with stopped() as errors:
        async with threaded.open() as running:
            running.observe(fail)
            await running.route_message(Item(1))
            await trio.sleep_forever()
    assert [type(error) for error in errors] == [LookupError]
