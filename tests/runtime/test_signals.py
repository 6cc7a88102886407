"""Signals: one step for all, beyond capacity; who waits, who is named, and what order everybody sees."""

from __future__ import annotations

from typing import Any, Never

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from orchestra_trio import (
    Orchestra,
    RunningOrchestra,
    Subsystem,
    SubsystemContext,
    SubsystemStalled,
    UndeclaredMessage,
)
from tests.runtime.samples import (
    AnyContext,
    Ask,
    Collect,
    Item,
    LateTick,
    Other,
    Solo,
    Three,
    Tick,
    Tock,
    forever,
    idle,
)


async def test_broadcast_reaches_all_who_subscribe_to_its_type_and_nobody_else(autojump_clock: MockClock) -> None:
    """A subclass of a subscribed type is heard too; slots that do not subscribe get nothing."""
    both, ticks, deaf = Collect(), Collect(), Collect()
    async with Three(both=both, ticks=ticks, deaf=deaf).open() as running:
        epochs = [await running.broadcast_signal(signal) for signal in (Tick(1), Tock(), LateTick(2))]
    assert epochs == [1, 2, 3]
    assert both.got == [Tick(1), Tock(), LateTick(2)]
    assert ticks.got == [Tick(1), LateTick(2)]
    assert deaf.got == []


async def test_broadcast_of_what_is_no_signal_is_refused_and_changes_nothing(autojump_clock: MockClock) -> None:
    """Neither the epoch nor a lane moves."""
    async with Solo(worker=idle).open() as running:
        bad: Any = Item(1)
        with pytest.raises(UndeclaredMessage, match="cannot broadcast an Item: the wiring allows Tick"):
            await running.broadcast_signal(bad)
        assert running.statistics().epoch == 0
        assert running.statistics().subsystems["worker"].signals.sent == 0
        assert await running.broadcast_signal(Tick()) == 1


async def test_broadcasts_take_their_place_in_all_lanes_in_one_step_beyond_capacity(autojump_clock: MockClock) -> None:
    """While a lane is over its capacity, its broadcasters wait, and others receive all the same."""
    begin = trio.Event()
    ticks = Collect()

    async def late(ctx: AnyContext) -> None:
        await begin.wait()
        await idle(ctx)

    async with Three(both=late, ticks=ticks, deaf=idle).open() as running:
        returned: list[int] = []

        async def broadcast(number: int) -> None:
            returned.append(await running.broadcast_signal(Tick(number)))

        async with trio.open_nursery() as nursery:
            for number in range(5):
                nursery.start_soon(broadcast, number)
            await wait_all_tasks_blocked()
            lane = running.statistics().subsystems["both"].signals
            assert (lane.channel_len, lane.peak_channel_len) == (5, 5)
            assert sorted(returned) == [1, 2]
            assert len(ticks.got) == 5
            begin.set()
        assert sorted(returned) == [1, 2, 3, 4, 5]


async def test_broadcaster_waits_only_until_lanes_are_within_capacity(autojump_clock: MockClock) -> None:
    """Taking one signal too many out of the lane is enough: the subsystem need not catch up."""

    async def slow(ctx: AnyContext) -> None:
        await trio.sleep(1)
        await ctx.receive()
        await forever(ctx)

    async with Solo(worker=slow).open() as running:
        for number in range(3):
            await running.broadcast_signal(Tick(number))
        assert trio.current_time() == 1
        running.cancel()


async def test_broadcast_times_out_naming_who_and_where_and_stays_delivered(autojump_clock: MockClock) -> None:
    """`SubsystemStalled` names each subsystem that did not make room, and where its main task stands."""
    got: list[Any] = []

    async def stuck(ctx: AnyContext) -> None:
        await trio.sleep(30)
        got.extend([await ctx.receive() for _ in range(3)])

    async with Three(both=stuck, ticks=idle, deaf=idle).open() as running:
        for number in range(2):
            await running.broadcast_signal(Tick(number))
        with pytest.raises(SubsystemStalled) as caught:
            await running.broadcast_signal(Tick(2))
        assert trio.current_time() == 5
        error = caught.value
        assert (error.orchestra, error.consumers, error.lane, error.timeout) == ("Three", ("both",), "signals", 5)
        assert __file__ in error.standings[0].place
        assert error.standings[0].place.endswith("in stuck")
        assert "'both' stands at" in str(error)
        assert running.statistics().epoch == 3
    assert got == [Tick(0), Tick(1), Tick(2)]


async def test_stalled_names_all_who_stalled_in_declaration_order(autojump_clock: MockClock) -> None:
    """Each with its own place, also where the main task waits inside the library."""

    class Busy(Orchestra[Tick], message_capacity=1, signal_capacity=1, signal_timeout=1):
        sending: Subsystem[Never, Item, Tick]
        asking: Subsystem[Never, Ask, Tick]
        leaving: Subsystem[str, Never, Tick]
        full: Subsystem[Item | Ask]

    async def sending(ctx: SubsystemContext[Never, Item, Tick]) -> None:
        await ctx.send_many([Item(0), Item(1)])

    async def asking(ctx: SubsystemContext[Never, Ask, Tick]) -> None:
        await trio.sleep(0.1)
        await ctx.request(Ask)

    async def leaving(ctx: AnyContext) -> None:
        ctx.start_soon(trio.sleep_forever)
        await trio.lowlevel.checkpoint()

    async def full(ctx: SubsystemContext[Item | Ask]) -> None:
        await forever(ctx)

    async with Busy(sending=sending, asking=asking, leaving=leaving, full=full).open() as running:
        await running.broadcast_signal(Tick(0))
        with pytest.raises(SubsystemStalled) as caught:
            await running.broadcast_signal(Tick(1))
        assert {one.statistics.name: one.place for one in caught.value.standings} == {
            "sending": "waits for room at 'full' (bounded lane), to send an Item",
            "asking": "waits for room at 'full' (bounded lane), to send an Ask",
            "leaving": "has 1 jobs running: sleep_forever stands inside the library",
        }
        running.cancel()


async def test_stalled_says_that_a_subsystem_waits_for_an_answer(autojump_clock: MockClock) -> None:
    """A request that lies unanswered is such a place too."""

    class Asking(Orchestra[Tick], signal_capacity=1, signal_timeout=1):
        asking: Subsystem[Never, Ask, Tick]
        lazy: Subsystem[Ask]

    async def asking(ctx: SubsystemContext[Never, Ask, Tick]) -> None:
        await ctx.request(Ask)

    async with Asking(asking=asking, lazy=forever).open() as running:
        await running.broadcast_signal(Tick(0))
        with pytest.raises(SubsystemStalled, match="'asking' waits for an answer from 'lazy' to an Ask"):
            await running.broadcast_signal(Tick(1))
        running.cancel()


async def test_a_lane_that_gets_room_when_the_time_is_over_is_never_reported_without_a_name(
    autojump_clock: MockClock,
) -> None:
    """In that one step either is true, so that the call may return or raise; but an error names somebody."""
    for _ in range(20):

        async def awake(ctx: AnyContext) -> None:
            await trio.sleep(10)
            await idle(ctx)

        async with Solo(worker=awake).open() as running:
            for number in range(2):
                await running.broadcast_signal(Tick(number))
            try:
                await running.broadcast_signal(Tick(2))
            except SubsystemStalled as stalled:
                assert stalled.consumers == ("worker",)  # noqa: PT017 - that it is not raised is right as well


async def test_cancellation_ends_the_broadcasters_waiting_and_never_the_delivery(autojump_clock: MockClock) -> None:
    """All recipients receive what was broadcast by a call that was cancelled."""
    worker = Collect(delay=3)
    async with Solo(worker=worker).open() as running:
        for number in range(3):
            with trio.move_on_after(1):
                await running.broadcast_signal(Tick(number))
        assert running.statistics().epoch == 3
    assert worker.numbers == [0, 1, 2]


async def test_a_broadcast_in_a_cancelled_scope_is_delivered_all_the_same(autojump_clock: MockClock) -> None:
    """The place in the lanes is taken before the first checkpoint."""
    worker = Collect()
    async with Solo(worker=worker).open() as running:
        with trio.CancelScope() as scope:
            scope.cancel()
            await running.broadcast_signal(Tick(1))
        assert scope.cancelled_caught
    assert worker.numbers == [1]


async def test_broadcaster_is_released_when_the_slow_subsystem_ends(autojump_clock: MockClock) -> None:
    """Who has ended needs no room."""

    async def leaves(ctx: AnyContext) -> None:
        await trio.sleep(2)

    async with Solo(worker=leaves).open() as running:
        for number in range(3):
            await running.broadcast_signal(Tick(number))
        assert trio.current_time() == 2
        assert await running.broadcast_signal(Tick(9)) == 4


async def test_a_signal_is_received_before_messages_that_came_earlier(autojump_clock: MockClock) -> None:
    """Also with `receive_many`, where signals come alone, and with `receive_nowait`."""
    got: list[Any] = []

    async def worker(ctx: SubsystemContext[Item | Other, Never, Tick]) -> None:
        await trio.sleep(1)
        got.append(await ctx.receive())
        got.append(list(await ctx.receive_many(10)))
        got.append(ctx.receive_nowait())
        got.append(ctx.receive_nowait())

    class Wide(Orchestra[Tick]):
        worker: Subsystem[Item | Other, Never, Tick]

    async with Wide(worker=worker).open() as running:
        for number in range(2):
            await running.route_message(Item(number))
        for number in range(3):
            await running.broadcast_signal(Tick(number))
        await running.wait_stopped()
    assert got == [Tick(0), [Tick(1)], Tick(2), Item(0)]


async def test_all_subscribers_receive_concurrent_broadcasts_in_the_same_order(autojump_clock: MockClock) -> None:
    """Law 4, with subsystems of different pace."""
    collectors = [Collect(), Collect(delay=0.5), Collect(delay=1.5)]

    class Many(Orchestra[Tick], signal_capacity=1):
        a: Subsystem[Item, Never, Tick]
        b: Subsystem[Other, Never, Tick]
        c: Subsystem[str, Never, Tick]

    async def broadcast(running: RunningOrchestra[Tick, Never], number: int) -> None:
        await trio.sleep(number % 3)
        await running.broadcast_signal(Tick(number))

    a, b, c = collectors
    async with Many(a=a, b=b, c=c).open() as running, trio.open_nursery() as nursery:
        for number in range(12):
            nursery.start_soon(broadcast, running, number)
    assert a.numbers == b.numbers == c.numbers
    assert sorted(a.numbers) == list(range(12))


async def test_what_is_sent_after_a_broadcast_was_received_arrives_after_it(autojump_clock: MockClock) -> None:
    """Law 5: also when the consumer's lane of messages is served late, and the message is sent at once."""
    seen: list[tuple[int, int]] = []

    class Marked(Orchestra[Tick], signal_capacity=1):
        source: Subsystem[Never, Item, Tick]
        sink: Subsystem[Item, Never, Tick]

    async def source(ctx: SubsystemContext[Never, Item, Tick]) -> None:
        async for _ in ctx:
            await ctx.send(Item(ctx.epoch))

    async def sink(ctx: SubsystemContext[Item, Never, Tick]) -> None:
        async for incoming in ctx:
            await trio.sleep(0.1)
            if isinstance(incoming, Item):
                seen.append((incoming.number, ctx.epoch))

    async with Marked(source=source, sink=sink).open() as running:
        for _ in range(20):
            await running.broadcast_signal(Tick())
    assert [sent_at for sent_at, _ in seen] == list(range(1, 21))
    assert all(received_at >= sent_at for sent_at, received_at in seen)


async def test_a_stalled_broadcast_leaves_nobody_a_signal_ahead(autojump_clock: MockClock) -> None:
    """A fault of the crate: there, who was signalled before the one that stalled waited for ever."""
    first, last = Collect(), Collect()

    class Line(Orchestra[Tick], signal_capacity=1, signal_timeout=1):
        first: Subsystem[Item, Other, Tick]
        stuck: Subsystem[str, Never, Tick]
        last: Subsystem[Other, Never, Tick]

    async with Line(first=first, stuck=Collect(delay=5), last=last).open() as running:
        await running.broadcast_signal(Tick(0))
        with pytest.raises(SubsystemStalled):
            await running.broadcast_signal(Tick(1))
        await wait_all_tasks_blocked()
        assert first.numbers == last.numbers == [0, 1]
        await running.route_message(Other(2))
        await wait_all_tasks_blocked()
        assert last.numbers == [0, 1, 2]
