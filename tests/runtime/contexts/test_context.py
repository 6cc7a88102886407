"""What a context's receives do: which of them takes what, when they end, and what a cancelled one leaves behind."""

from __future__ import annotations

from typing import Any, Never

import pytest
import trio
from trio.testing import MockClock, assert_checkpoints, wait_all_tasks_blocked

from orchestra_trio import Biased, Orchestra, Priority, Subsystem, SubsystemContext, SubsystemSender, subsystem
from tests.runtime.samples import AnyContext, Collect, Duo, Item, Other, Sends, Solo, Tick, forever, idle


class Lanes(Orchestra[Tick], message_capacity=100, yield_every=8):
    """A worker with all four lanes, and a feeder that sends unbounded."""

    feeder: Subsystem[str, Other] = subsystem(unbounded={Other: "a test"})
    worker: Subsystem[Item | Other, Never, Tick] = subsystem(
        priority=True, select=Biased("priority", "unbounded", "bounded")
    )


async def feed_all_lanes(ctx: AnyContext) -> None:
    ctx.send_unbounded(Other(3))
    await idle(ctx)


async def test_receive_serves_signals_then_what_the_strategy_chooses(autojump_clock: MockClock) -> None:
    """Here a slot's own strategy, by which lanes have a fixed rank."""
    worker = Collect(delay=1)
    async with Lanes(feeder=feed_all_lanes, worker=worker).open() as running:
        await running.route_message(Item(4))
        await running.route_message(Item(2), priority=Priority.HIGH)
        await wait_all_tasks_blocked()
        await running.broadcast_signal(Tick(1))
    assert worker.numbers == [1, 2, 3, 4]


async def test_receive_returns_the_message_itself(autojump_clock: MockClock) -> None:
    """Not a copy, and nothing around it."""
    items = [Item(number) for number in range(40)]
    sink = Collect()
    await Duo(source=Sends(*items), sink=sink).run()
    assert all(one is other for one, other in zip(items, sink.got, strict=True))


async def test_receive_nowait_takes_what_is_there_or_says_that_there_is_nothing(autojump_clock: MockClock) -> None:
    """After the end of input it says that too."""

    async def worker(ctx: AnyContext) -> None:
        with pytest.raises(trio.WouldBlock):
            ctx.receive_nowait()
        await trio.sleep(2)
        assert ctx.receive_nowait() == Tick(2)
        assert ctx.receive_nowait() == Item(1)
        with pytest.raises(trio.EndOfChannel):
            ctx.receive_nowait()
        ends.append(ctx.name)

    ends: list[str] = []
    async with Solo(worker=worker).open() as running:
        await trio.sleep(1)
        await running.route_message(Item(1))
        await running.broadcast_signal(Tick(2))
    assert ends == ["worker"]


async def test_receive_many_takes_up_to_the_limit_in_the_order_of_receive(autojump_clock: MockClock) -> None:
    """A signal comes first and alone; an empty mailbox is waited for."""
    batches: list[list[Any]] = []

    async def worker(ctx: AnyContext) -> None:
        await trio.sleep(1)
        for _ in range(6):
            batches.append(list(await ctx.receive_many(3)))  # noqa: PERF401 - each waits
        with pytest.raises(trio.EndOfChannel):
            await ctx.receive_many(3)
        with pytest.raises(ValueError, match="limit must be at least 1, not 0"):
            await ctx.receive_many(0)

    async with Lanes(feeder=feed_all_lanes, worker=worker).open() as running:
        for number in (4, 5, 6, 7):
            await running.route_message(Item(number))
        await running.route_message(Item(2), priority=Priority.HIGH)
        await running.broadcast_signal(Tick(0))
        await running.broadcast_signal(Tick(1))
        await trio.sleep(2)
        await running.route_message(Item(8))
        await trio.sleep(1)
        await running.broadcast_signal(Tick(9))
    assert [[one.number for one in batch] for batch in batches] == [[0], [1], [2, 3, 4], [5, 6, 7], [8], [9]]


async def test_receive_signal_takes_signals_alone(autojump_clock: MockClock) -> None:
    """Messages stay where they are, also while it waits; a lane that is full of messages does not matter."""
    got: list[Any] = []

    async def worker(ctx: AnyContext) -> None:
        await trio.sleep(1)
        got.append(await ctx.receive_signal())
        got.append(await ctx.receive_signal())
        assert ctx.epoch == 2
        got.append(await ctx.receive())
        await idle(ctx)

    async with Solo(worker=worker).open() as running:
        for number in range(2):
            await running.route_message(Item(number))
        await running.broadcast_signal(Tick(7))
        await trio.sleep(2)
        with pytest.raises(trio.WouldBlock):
            running.route_message_nowait(Item(2))
        await running.broadcast_signal(Tick(8))
    assert got == [Tick(7), Tick(8), Item(0)]


async def test_who_waits_for_signals_alone_gets_them_first(autojump_clock: MockClock) -> None:
    """Nothing else can wake it; the others get messages."""
    got: dict[str, list[Any]] = {"any": [], "signals": []}

    async def worker(ctx: AnyContext) -> None:
        async def signals() -> None:
            try:
                while True:
                    got["signals"].append(await ctx.receive_signal())
            except trio.EndOfChannel:
                pass

        ctx.start_soon(signals)
        got["any"].extend([incoming async for incoming in ctx])

    async with Solo(worker=worker).open() as running:
        await wait_all_tasks_blocked()
        for number in range(3):
            await running.broadcast_signal(Tick(number))
            await running.route_message(Item(number))
            await wait_all_tasks_blocked()
    assert got == {"any": [Item(0), Item(1), Item(2)], "signals": [Tick(0), Tick(1), Tick(2)]}


async def test_async_for_ends_with_the_input(autojump_clock: MockClock) -> None:
    """In several tasks at once, each item goes to one of them, and all of them end."""
    got: list[int] = []

    async def sink(ctx: AnyContext) -> None:
        async def take() -> None:
            async for incoming in ctx:
                got.append(incoming.number)
                await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(take)
            ctx.start_soon(take)

    await Duo(source=Sends(*map(Item, range(50))), sink=sink).run()
    assert sorted(got) == list(range(50))


async def test_tasks_that_wait_to_receive_are_served_in_the_order_in_which_they_came(
    autojump_clock: MockClock,
) -> None:
    """First come, first served."""
    got: list[tuple[int, int]] = []

    async def worker(ctx: AnyContext) -> None:
        async def take(place: int) -> None:
            await trio.sleep(place)
            got.append((place, (await ctx.receive()).number))

        for place in (2, 0, 1):
            ctx.start_soon(take, place)
        await trio.lowlevel.checkpoint()

    async with Solo(worker=worker).open() as running:
        await trio.sleep(5)
        for number in range(3):
            await running.route_message(Item(number))
    assert sorted(got) == [(0, 0), (1, 1), (2, 2)]


async def test_end_of_input_is_raised_again_by_every_receive(autojump_clock: MockClock) -> None:
    """Each of them says so, and all of them check for cancellation first."""
    reached: list[str] = []

    async def worker(ctx: AnyContext) -> None:
        await idle(ctx)
        for receive in (ctx.receive, ctx.receive_signal, lambda: ctx.receive_many(3), ctx.__anext__):
            with pytest.raises((trio.EndOfChannel, StopAsyncIteration)):
                await receive()
            with trio.CancelScope() as scope:
                scope.cancel()
                await receive()
            assert scope.cancelled_caught
        reached.append(ctx.name)

    await Solo(worker=worker).run()
    assert reached == ["worker"]


@pytest.mark.parametrize("way", ["receive", "receive_many", "receive_signal", "anext"])
async def test_a_cancelled_receive_has_taken_nothing(autojump_clock: MockClock, way: str) -> None:
    """Law 9: whether it was cancelled before the call, or while it waited, also in the step in which it was woken."""
    rest: list[Any] = []

    def call(ctx: AnyContext) -> Any:  # noqa: ANN401 - the four return different things
        match way:
            case "receive":
                return ctx.receive()
            case "receive_many":
                return ctx.receive_many(5)
            case "receive_signal":
                return ctx.receive_signal()
            case _:
                return ctx.__anext__()

    async def worker(ctx: AnyContext) -> None:
        with trio.move_on_after(1) as scope:
            await call(ctx)
        assert scope.cancelled_caught
        await trio.sleep(1)
        with trio.CancelScope() as scope:
            scope.cancel()
            await call(ctx)
        assert scope.cancelled_caught
        got = await call(ctx)
        rest.extend(got if isinstance(got, list) else [got])
        rest.extend([incoming async for incoming in ctx])

    async with Solo(worker=worker).open() as running:
        await trio.sleep(1.5)
        await running.broadcast_signal(Tick(0))
        await running.broadcast_signal(Tick(1))
    assert rest == [Tick(0), Tick(1)]


async def test_an_item_that_has_woken_a_task_is_not_lost_to_its_cancellation(autojump_clock: MockClock) -> None:
    """Once handed over, the receive returns, although the scope was cancelled before the task ran."""
    got: list[Any] = []
    scopes: list[trio.CancelScope] = []

    async def worker(ctx: AnyContext) -> None:
        with trio.CancelScope() as scope:
            scopes.append(scope)
            got.append(await ctx.receive())
        got.extend([incoming async for incoming in ctx])

    async with Solo(worker=worker).open() as running:
        await wait_all_tasks_blocked()
        running.route_message_nowait(Item(1))
        scopes[0].cancel()
        running.route_message_nowait(Item(2))
    assert got == [Item(1), Item(2)]


async def test_every_call_that_returns_has_checked_for_cancellation(autojump_clock: MockClock) -> None:
    """And is a schedule point at the latest every `yield_every` calls of the context, all calls counted together."""
    turns: list[int] = []

    async def worker(ctx: AnyContext) -> None:
        await trio.sleep(1)

        async def other() -> None:
            while True:
                turns.append(len(received))
                await trio.lowlevel.checkpoint()

        received: list[Any] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(other)
            await trio.lowlevel.checkpoint()
            for _ in range(32):
                received.append(await ctx.receive())  # noqa: PERF401 - its progress is looked at
            nursery.cancel_scope.cancel()
        await idle(ctx)

    async with Lanes(feeder=idle, worker=worker).open() as running:
        for number in range(32):
            await running.route_message(Item(number))
    assert len(turns) >= 4


async def test_calls_that_wait_are_checkpoints(autojump_clock: MockClock) -> None:
    """As trio means it: cancellable, and letting others run."""

    async def worker(ctx: AnyContext) -> None:
        ctx.start_soon(idle_later, ctx)
        with assert_checkpoints():
            await ctx.receive()

    async def idle_later(ctx: AnyContext) -> None:
        await trio.sleep(3)
        await idle(ctx)

    async with Solo(worker=worker).open() as running:
        await wait_all_tasks_blocked()
        await running.route_message(Item(1))


async def test_name_epoch_and_sender(autojump_clock: MockClock) -> None:
    """The context says who it is; its sender sends, and receives nothing."""
    seen: list[Any] = []

    async def source(ctx: SubsystemContext[Never, Item]) -> None:
        seen.extend([ctx.name, ctx.epoch, type(ctx.sender), hasattr(ctx.sender, "receive")])
        await ctx.sender.send(Item(1))

    sink = Collect()
    await Duo(source=source, sink=sink).run()
    assert seen == ["source", 0, SubsystemSender, False]
    assert sink.got == [Item(1)]


async def test_a_receiver_that_waits_sees_all_lanes(autojump_clock: MockClock) -> None:
    """A fault of the crate: there, a waiting receiver saw the bulk lane alone."""
    got: list[Any] = []

    async def feeder(ctx: AnyContext) -> None:
        await trio.sleep(3)
        ctx.send_unbounded(Other(3))
        await idle(ctx)

    worker = Collect()
    async with Lanes(feeder=feeder, worker=worker).open() as running:
        await wait_all_tasks_blocked()
        await running.route_message(Item(1), priority=Priority.HIGH)
        await wait_all_tasks_blocked()
        got.append(list(worker.got))
        await running.route_message(Item(2))
        await wait_all_tasks_blocked()
        got.append(list(worker.got))
        await trio.sleep(4)
        got.append(list(worker.got))
        await running.broadcast_signal(Tick(4))
        await wait_all_tasks_blocked()
    assert [len(one) for one in got] == [1, 2, 3]
    assert worker.numbers == [1, 2, 3, 4]


async def test_a_targeted_signal_makes_no_later_message_wait(autojump_clock: MockClock) -> None:
    """A fault of the crate: there, messages waited for a signal that their consumer never got."""
    sink = Collect()

    class Pair(Orchestra[Tick]):
        source: Subsystem[Never, Item, Tick]
        sink: Subsystem[Item, Never, Tick]

    async def source(ctx: SubsystemContext[Never, Item, Tick]) -> None:
        async for _ in ctx:
            await ctx.send(Item(0))

    async with Pair(source=source, sink=sink).open() as running:
        await running.send_signal("source", Tick())
        await trio.sleep(1)
        assert sink.got == [Item(0)]


async def test_a_subsystem_that_never_receives_is_left_alone(autojump_clock: MockClock) -> None:
    """Nothing is forced on it."""
    async with Solo(worker=forever).open() as running:
        await running.route_message(Item(1))
        running.cancel()
    assert running.dead_letters[0].message == Item(1)
