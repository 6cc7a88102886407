"""Requests, and messages in bulk: the two sends of a context that are made of several steps."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any, Never

import pytest
import trio
from trio.testing import MockClock, assert_checkpoints, wait_all_tasks_blocked

from orchestra_trio import (
    OneshotCancelled,
    OneshotSender,
    Orchestra,
    Priority,
    Subsystem,
    SubsystemContext,
    SubsystemExited,
    UndeclaredMessage,
    subsystem,
)
from tests.runtime.samples import (
    AnyContext,
    Ask,
    Collect,
    Duo,
    Item,
    Other,
    Sends,
    Solo,
    answering,
    done,
    forever,
    idle,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


class Keyword(Ask):
    """Made with keyword arguments."""


async def test_request_returns_the_answer(autojump_clock: MockClock) -> None:
    """The class is called with the reply end first, then with the arguments."""
    got: list[int] = []

    async def source(ctx: SubsystemContext[Never, Ask]) -> None:
        got.append(await ctx.request(Ask, 4))
        got.append(await ctx.request(Keyword, number=5))
        with assert_checkpoints():
            got.append(await ctx.request(lambda reply: Ask(reply, 6)))

    await Duo(source=source, sink=answering).run()
    assert got == [8, 10, 12]


async def test_requests_of_many_tasks_get_their_own_answers(autojump_clock: MockClock) -> None:
    """Also when the lane is full, and answers come in another order."""
    got: dict[int, int] = {}

    async def source(ctx: SubsystemContext[Never, Ask]) -> None:
        async def ask(number: int) -> None:
            got[number] = await ctx.request(Ask, number)

        for number in range(9):
            ctx.start_soon(ask, number)
        await trio.lowlevel.checkpoint()

    async def sink(ctx: AnyContext) -> None:
        async def answer(ask: Any) -> None:  # noqa: ANN401 - an Ask
            await trio.sleep(10 - ask.number)
            ask.reply.send(ask.number * 2)

        async for ask in ctx:
            ctx.start_soon(answer, ask)

    await Duo(source=source, sink=sink).run()
    assert got == {number: 2 * number for number in range(9)}


async def test_request_from_outside(autojump_clock: MockClock) -> None:
    """`running.request` is the same, from the block; it needs a subsystem that consumes the type."""
    async with Solo(worker=answering).open() as running:
        assert await running.request(Ask, 21) == 42
        with pytest.raises(UndeclaredMessage):
            await running.request(lambda _: 3)
    with pytest.raises(trio.ClosedResourceError):
        await running.request(Ask, 21)


async def test_a_cancelled_requester_lets_its_consumer_know(autojump_clock: MockClock) -> None:
    """The request may still be handled; its answer is not wanted, and sending it returns False."""
    seen: list[bool] = []

    async def sink(ctx: AnyContext) -> None:
        async for incoming in ctx:
            ask: Any = incoming
            seen.append(ask.reply.is_wanted)
            await trio.sleep(5)
            seen.append(ask.reply.is_wanted)
            seen.append(ask.reply.send(1))

    async with Solo(worker=sink).open() as running:
        with trio.move_on_after(2) as scope:
            await running.request(Ask)
        assert scope.cancelled_caught
    assert seen == [True, False, False]


async def test_a_request_that_is_cancelled_while_it_waits_for_room_is_not_sent(autojump_clock: MockClock) -> None:
    """It is withdrawn, as any send."""
    sink = Collect(delay=3)

    async def source(ctx: AnyContext) -> None:
        await ctx.send_many([Item(0), Item(1)])
        with trio.move_on_after(1):
            await ctx.request(Ask)
        with trio.CancelScope() as scope:
            scope.cancel()
            await ctx.request(Ask)

    await Duo(source=source, sink=sink).run()
    assert sink.got == [Item(0), Item(1)]


async def test_requests_in_the_lane_are_cancelled_when_their_consumer_ends(autojump_clock: MockClock) -> None:
    """At once; they become dead letters, and so do those that wait for room, without an answer either."""
    ended: list[tuple[str, float]] = []

    async def leaves(_: AnyContext) -> None:
        await trio.sleep(2)

    async def source(ctx: SubsystemContext[Never, Ask]) -> None:
        async def ask() -> None:
            try:
                await ctx.request(Ask)
            except (OneshotCancelled, SubsystemExited) as error:
                ended.append((type(error).__name__, trio.current_time()))

        for _ in range(3):
            ctx.start_soon(ask)
        await trio.sleep(5)
        await ask()

    async with Duo(source=source, sink=leaves).open() as running:
        await trio.sleep(9)
    assert sorted(ended) == [
        ("OneshotCancelled", 2),
        ("OneshotCancelled", 2),
        ("SubsystemExited", 2),
        ("SubsystemExited", 5),
    ]
    assert running.statistics().dead_letters == {"left over": 2}


@pytest.mark.parametrize("goes_on", [True, False])
async def test_a_request_that_was_taken_and_dropped_is_cancelled(autojump_clock: MockClock, *, goes_on: bool) -> None:
    """By whoever waits for the next message, or has ended: nothing of the library holds the last message on."""
    gc.disable()
    try:

        async def drops(ctx: AnyContext) -> None:
            await ctx.receive()
            if goes_on:
                await idle(ctx)

        async with Solo(worker=drops).open() as running:
            with pytest.raises(OneshotCancelled), trio.fail_after(1):
                await running.request(Ask)
    finally:
        gc.enable()


async def test_a_request_that_was_taken_is_cancelled_when_its_reply_end_is_closed(autojump_clock: MockClock) -> None:
    """The subsystem itself may run on."""

    async def closes(ctx: AnyContext) -> None:
        ask: Any = await ctx.receive()
        await trio.sleep(1)
        ask.reply.close()
        await forever(ctx)

    async with Solo(worker=closes).open() as running:
        with pytest.raises(OneshotCancelled):
            await running.request(Ask)
        assert trio.current_time() == 1
        running.cancel()


async def test_who_took_a_request_may_answer_it_after_its_end(autojump_clock: MockClock) -> None:
    """Once taken, it may be answered by anyone who has the reply end."""
    kept: list[OneshotSender[int]] = []

    async def hands_on(ctx: AnyContext) -> None:
        ask: Any = await ctx.receive()
        kept.append(ask.reply)

    async with Solo(worker=hands_on).open() as running, trio.open_nursery() as nursery:

        async def answer() -> None:
            await trio.sleep(3)
            assert kept[0].send(7)

        nursery.start_soon(answer)
        assert await running.request(Ask) == 7
        assert running.statistics().subsystems["worker"].state == "finished"


async def test_a_request_to_a_wip_consumer_gets_no_answer(autojump_clock: MockClock) -> None:
    """It is a dead letter, and its requester knows at once."""

    class Planned(Orchestra):
        source: Subsystem[Never, Ask]
        sink: Subsystem[Ask] = subsystem(wip=True)

    async def source(ctx: SubsystemContext[Never, Ask]) -> None:
        with pytest.raises(OneshotCancelled):
            await ctx.request(Ask)

    async with Planned(source=source).open() as running:
        with pytest.raises(OneshotCancelled):
            await running.request(Ask)
        await wait_all_tasks_blocked()
    assert running.statistics().dead_letters == {"wip": 2}


async def test_a_request_while_the_orchestra_stops_gets_no_answer_from_who_has_ended(
    autojump_clock: MockClock,
) -> None:
    """It is a dead letter then, not `SubsystemExited`."""
    got: list[str] = []

    async def source(ctx: SubsystemContext[Never, Ask]) -> None:
        await trio.sleep(1)
        try:
            await ctx.request(Ask)
        except OneshotCancelled:
            got.append("cancelled")

    async with Duo(source=source, sink=done).open() as running:
        await wait_all_tasks_blocked()
        await running.terminate(grace=5)
    assert got == ["cancelled"]
    assert running.statistics().dead_letters == {"stopping": 1}


async def test_send_many_sends_lists_tuples_and_other_iterables_in_order(autojump_clock: MockClock) -> None:
    """Beyond any capacity, of one type or of several; nothing, if there is nothing."""
    sink = Collect()

    async def source(ctx: SubsystemContext[Never, Item | Other]) -> None:
        await ctx.send_many([Item(0), Item(1), Item(2)])
        await ctx.send_many((Item(3), Other(4), Other(5), Item(6)))
        await ctx.send_many(Item(number) for number in range(7, 12))
        await ctx.send_many([])
        await ctx.send_many(iter(()))
        await ctx.send_many({Item(12): None})

    await Duo(source=source, sink=sink).run()
    assert sink.numbers == list(range(13))


async def test_send_many_with_high_priority(autojump_clock: MockClock) -> None:
    """For all of them, whatever the kind of iterable."""

    class High(Orchestra):
        source: Subsystem[Never, Item]
        sink: Subsystem[Item] = subsystem(priority=True)

    async def source(ctx: SubsystemContext[Never, Item]) -> None:
        await ctx.send_many([Item(0), Item(1)], priority=Priority.HIGH)
        await ctx.send_many((Item(number) for number in (2, 3)), priority=Priority.HIGH)

    async with High(source=source, sink=Collect(delay=1)).open() as running:
        await wait_all_tasks_blocked()
        assert running.statistics().subsystems["sink"].priority.channel_len == 4


async def test_a_cancelled_send_many_has_sent_all_but_the_item_without_room(autojump_clock: MockClock) -> None:
    """Law 9: items are taken one by one; what was not taken stays in the iterator."""
    sink = Collect(delay=5)
    left: list[list[Item]] = []

    async def source(ctx: SubsystemContext[Never, Item]) -> None:
        numbers = iter([Item(number) for number in range(6)])
        with trio.move_on_after(1):
            await ctx.send_many(numbers)
        left.append(list(numbers))
        with trio.CancelScope() as scope:
            scope.cancel()
            await ctx.send_many([Item(7)])
        with trio.CancelScope() as scope:
            scope.cancel()
            await ctx.send_many([])
        assert scope.cancelled_caught
        with trio.CancelScope() as scope:
            scope.cancel()
            await ctx.send_many(iter(()))
        assert scope.cancelled_caught
        with trio.move_on_after(1):
            await ctx.send_many([Item(8)])

    await Duo(source=source, sink=sink).run()
    assert sink.numbers == [0, 1]
    assert left == [[Item(3), Item(4), Item(5)]]


async def test_a_cancelled_send_many_of_a_list_has_sent_what_found_room(autojump_clock: MockClock) -> None:
    """In full lanes it waits item by item."""
    sink = Collect(delay=5)

    async def slow(ctx: AnyContext) -> None:
        await trio.sleep(1)
        sink.got.append(await ctx.receive())
        await sink(ctx)

    async def source(ctx: SubsystemContext[Never, Item]) -> None:
        with trio.move_on_after(2):
            await ctx.send_many([Item(number) for number in range(6)])

    await Duo(source=source, sink=slow).run()
    assert sink.numbers == [0, 1, 2]


async def test_send_many_when_the_consumer_ends_in_the_middle(autojump_clock: MockClock) -> None:
    """The messages before that one were sent; the error comes for the first that was not."""

    async def takes_two(ctx: AnyContext) -> None:
        await trio.sleep(1)
        got.append(await ctx.receive())
        got.append(await ctx.receive())
        await trio.sleep(1)

    async def source(ctx: SubsystemContext[Never, Item]) -> None:
        with pytest.raises(SubsystemExited):
            await ctx.send_many([Item(number) for number in range(8)])

    got: list[Any] = []
    async with Duo(source=source, sink=takes_two).open() as running:
        await trio.sleep(3)
    assert got == [Item(0), Item(1)]
    assert [one.message for one in running.dead_letters] == [Item(2), Item(3)]


async def test_an_iterable_that_raises_has_had_its_items_sent(autojump_clock: MockClock) -> None:
    """The exception is that of the caller."""
    sink = Collect()

    def items() -> Iterator[Item]:
        yield Item(0)
        yield Item(1)
        raise KeyError

    async def source(ctx: SubsystemContext[Never, Item]) -> None:
        with pytest.raises(KeyError):
            await ctx.send_many(items())

    await Duo(source=source, sink=sink).run()
    assert sink.numbers == [0, 1]


async def test_senders_that_wait_are_served_between_the_items_of_a_long_send_many(autojump_clock: MockClock) -> None:
    """Nobody is starved by a long list."""
    sink = Collect(delay=1)

    async def source(ctx: AnyContext) -> None:
        ctx.start_soon(ctx.send_many, [Item(number) for number in range(10)])
        await trio.sleep(0.5)
        ctx.start_soon(Sends(Item(100)), ctx)

    await Duo(source=source, sink=sink).run()
    assert sink.numbers.index(100) <= 3
    assert [number for number in sink.numbers if number < 100] == list(range(10))
