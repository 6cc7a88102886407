"""What reordering holds back, and when it goes on: nobody waits for ever, and nothing is lost by a cancelled call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from orchestra_trio import DeadlockDetected, Orchestra, Priority, Subsystem, SubsystemExited, subsystem
from orchestra_trio.testing.faults.chances import reorder
from tests.runtime.samples import (
    Ask,
    Collect,
    Duo,
    Item,
    Other,
    Playing,
    Ring,
    Sends,
    Solo,
    Tick,
    answering,
    done,
    stopped,
)
from tests.testing.faults.lines import Blue, Line, Red, Sink

if TYPE_CHECKING:
    from trio.testing import MockClock

    from tests.runtime.samples import AnyContext

ITEMS = [Item(number) for number in range(6)]


async def test_what_is_held_back_goes_on_before_the_clock_jumps(autojump_clock: MockClock) -> None:
    """Whatever its sender waits for meanwhile; the subsystem itself goes on."""
    sink = Sink(is_eager=True)

    async def main(ctx: AnyContext) -> None:
        await ctx.send(Item(1))
        await ctx.send(Item(2))
        assert sink.got == []
        assert faulty.sent.held == 2
        await trio.sleep(1)
        assert sorted(sink.got) == [Item(1), Item(2)]
        await ctx.send(Item(3))
        await trio.sleep_forever()

    faulty = reorder(main, window=5)
    async with Duo(source=faulty, sink=sink).open() as running:
        await trio.sleep(3)
        running.cancel()
    assert sink.times == [0, 0, 1]
    assert (faulty.sent.seen, faulty.sent.passed, faulty.sent.held) == (3, 3, 0)


async def test_a_requester_is_not_kept_from_its_answer(autojump_clock: MockClock) -> None:
    """The request overtakes what is held back, which comes while the requester waits."""
    got: list[Any] = []

    async def main(ctx: AnyContext) -> None:
        await ctx.send(Item(1))
        assert await ctx.request(Ask, 4) == 8

    async def slow(ctx: AnyContext) -> None:
        async for one in ctx:
            got.append(type(one))
            if isinstance(one, Ask):
                await trio.sleep(1)
                one.reply.send(2 * one.number)

    await Duo(source=reorder(main), sink=slow).run()
    assert got == [Ask, Item]


async def test_a_full_lane_makes_the_sender_wait(autojump_clock: MockClock) -> None:
    """It has at most `window - 1` more messages out than the lane holds."""
    sent: list[int] = []

    async def main(ctx: AnyContext) -> None:
        for item in ITEMS:
            await ctx.send(item)
            sent.append(item.number)

    sink = Collect(delay=5)
    async with Duo(source=reorder(main, window=2), sink=sink).open() as running:
        await wait_all_tasks_blocked()
        await trio.sleep(1)
        assert len(sent) == 2 + 1
        readout = running.statistics().subsystems["sink"].bounded
        assert (readout.channel_len, readout.peak_channel_len) == (2, 2)
    assert sorted(sink.numbers) == [item.number for item in ITEMS]


async def test_a_cancelled_send_has_not_sent_its_message(autojump_clock: MockClock) -> None:
    """And what it would have made room for is still held back, and comes."""
    sink = Collect(delay=5)
    cancelled: list[int] = []

    async def main(ctx: AnyContext) -> None:
        for item in ITEMS:
            with trio.move_on_after(0.1) as scope:
                await ctx.send(item)
            if scope.cancelled_caught:
                cancelled.append(item.number)

    faulty = reorder(main, window=3, seed=1)
    await Duo(source=faulty, sink=sink).run()
    assert cancelled
    assert sorted(sink.numbers + cancelled) == [item.number for item in ITEMS]
    assert faulty.sent.seen == faulty.sent.passed == len(sink.got)


async def test_send_nowait_that_finds_no_room_has_not_sent_its_message(autojump_clock: MockClock) -> None:
    sink = Collect(delay=5)
    refused: list[int] = []

    async def main(ctx: AnyContext) -> None:  # noqa: ASYNC124 - as those that wait
        for item in ITEMS:
            try:
                ctx.send_nowait(item)
            except trio.WouldBlock:
                refused.append(item.number)

    faulty = reorder(main, window=3)
    await Duo(source=faulty, sink=sink).run()
    assert refused == [4, 5]  # two are in the lane, two are held back
    assert sorted(sink.numbers) == [0, 1, 2, 3]
    assert (faulty.sent.seen, faulty.sent.passed) == (4, 4)


async def test_a_consumer_that_ends_meanwhile(autojump_clock: MockClock, caplog: pytest.LogCaptureFixture) -> None:
    """What was held back for it is lost, counted and logged."""
    has_ended = trio.Event()

    async def main(ctx: AnyContext) -> None:
        await ctx.send(Other(0))
        has_ended.set()
        await trio.sleep(1)
        assert (faulty.sent.seen, faulty.sent.lost, faulty.sent.held) == (1, 1, 0)

    async def brief(_: AnyContext) -> None:
        await has_ended.wait()

    faulty = reorder(main, window=2)
    async with Duo(source=faulty, sink=brief).open():
        await trio.sleep(5)
    assert "faults around subsystem 'source' of Duo lost messages that they held back: 1 Other" in caplog.text


@pytest.mark.parametrize("seed", range(4))
async def test_a_consumer_that_has_ended(autojump_clock: MockClock, seed: int) -> None:
    """Whoever sends to it is told so as soon as a message goes on, whichever that is; its own was not sent then."""
    orders: list[int] = []

    async def main(ctx: AnyContext) -> None:
        await trio.sleep(1)
        for number in range(3):
            orders.append(number)
            await ctx.send(Other(number))

    faulty = reorder(main, window=2, seed=seed)
    with stopped() as errors:
        async with Duo(source=faulty, sink=done).open():
            await trio.sleep(5)
    assert isinstance(errors[0], SubsystemExited)
    assert orders == [0, 1]
    assert (faulty.sent.seen, faulty.sent.lost, faulty.sent.held) == (1, 1, 0)


async def test_what_a_cancelled_subsystem_holds_back_is_lost(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def main(ctx: AnyContext) -> None:
        await ctx.send(Item(1))
        await ctx.send(Item(2))
        raise KeyError

    faulty = reorder(main, window=9)
    with stopped() as errors:
        await Duo(source=faulty, sink=answering).run()
    assert isinstance(errors[0], KeyError)
    assert (faulty.sent.seen, faulty.sent.lost) == (2, 2)
    assert "lost messages that they held back: 2 Item" in caplog.text


async def test_a_deadlock_is_found_though_messages_are_held_back(autojump_clock: MockClock) -> None:
    def flood(kind: Any) -> Playing:  # noqa: ANN401 - a class of messages
        return Playing(lambda ctx: ctx.send_many([kind(number) for number in range(9)]))

    with stopped() as errors:
        await Ring(ping=reorder(flood(Other), window=3), pong=reorder(flood(Item), window=3)).run()
    assert isinstance(errors[0], DeadlockDetected)


async def test_messages_for_different_consumers_do_not_wait_for_each_other(autojump_clock: MockClock) -> None:
    """A window is one of a lane: a full one holds up nothing that goes elsewhere."""

    class Fork(Orchestra, message_capacity=1):
        source: Subsystem[Any, Item | Other] = subsystem(consumes=())
        slow: Subsystem[Item]
        fast: Subsystem[Other]

    slow, fast = Collect(delay=9), Sink(is_eager=True)

    async def main(ctx: AnyContext) -> None:
        async def send(kind: type) -> None:
            for number in range(5):
                await ctx.send(kind(number))

        ctx.start_soon(send, Item)
        await send(Other)

    await Fork(source=reorder(main, window=2), slow=slow, fast=fast).run()
    assert fast.times == [0] * 5
    assert sorted(slow.numbers) == sorted(one.number for one in fast.got) == list(range(5))


async def test_signals_and_urgent_messages_are_received_as_the_lanes_are_served(autojump_clock: MockClock) -> None:
    """What came after the few that were taken from the lanes waits for these; a signal does not."""
    got: list[Any] = []

    async def main(ctx: AnyContext) -> None:
        await trio.sleep(1)
        async for one in ctx:
            got.append(one)
            await trio.sleep(1)

    class Source:
        async def __call__(self, ctx: AnyContext) -> None:
            await ctx.send_many([Red(number) for number in range(4)])
            await trio.sleep(1.5)
            await ctx.send(Blue(9, "priority"), priority=Priority.HIGH)

    async with Line(source=Source(), sink=reorder(main, Red, window=3)).open() as running:
        await trio.sleep(1.5)
        await running.broadcast_signal(Tick(1))
    assert isinstance(got[1], Tick)
    reds = [one.number for one in got if isinstance(one, Red)]
    assert sorted(reds) == [0, 1, 2, 3]
    assert got.index(Blue(9, "priority")) == 4  # after three Reds and the signal


async def test_a_message_handed_to_a_waiting_receiver_changes_places_too(autojump_clock: MockClock) -> None:
    """Its lane is known by what has left the lanes."""
    orders: set[tuple[int, ...]] = set()
    for seed in range(20):
        sink = Sink(is_eager=True)
        await Line(source=Sends(*[Red(number) for number in range(3)]), sink=reorder(sink, seed=seed)).run()
        orders.add(tuple(one.number for one in sink.got))
    assert len(orders) == 6


async def test_the_lanes_of_messages_that_are_handed_over_are_known(autojump_clock: MockClock) -> None:
    """Also after others were handed over, or taken, from other lanes."""
    orders: set[tuple[int, ...]] = set()

    async def source(ctx: AnyContext) -> None:
        await trio.sleep(1)
        await ctx.send_many([Red(0), Red(1)])
        await trio.sleep(1)
        await ctx.send_many([Red(number) for number in (2, 3, 4)], priority=Priority.HIGH)

    for seed in range(30):
        sink = Sink(is_eager=True)
        await Line(source=Playing(source), sink=reorder(sink, seed=seed)).run()
        orders.add(tuple(one.number for one in sink.got[2:]))
    assert len(orders) == 6


async def test_a_message_behind_a_broadcast_does_not_come_before_it(autojump_clock: MockClock) -> None:
    """Although it is there when one before it is handed out: a receiver that waited gets that one, then the signal."""
    for seed in range(10):
        got: list[Any] = []

        async def main(ctx: AnyContext, got: list[Any] = got) -> None:
            async for one in ctx:
                got.append(one)  # noqa: PERF401 - what came before it is cancelled

        faulty = reorder(main, window=3, seed=seed)
        async with Solo.builder().worker(faulty).message_channel_capacity(9).build().open() as running:
            await wait_all_tasks_blocked()
            await running.route_message(Item(0))
            await running.broadcast_signal(Tick(1))
            await running.route_message(Item(2))
        assert got == [Item(0), Tick(1), Item(2)]


async def test_messages_handed_to_several_tasks_at_once(autojump_clock: MockClock) -> None:
    """It is not clear through which lanes they came, so that they keep their places; later ones change them again."""
    got: list[int] = []

    async def main(ctx: AnyContext) -> None:  # noqa: ASYNC124 - as those that wait
        async def receive() -> None:
            async for one in ctx:
                got.append(one.number)
                await trio.sleep(0.1)

        for _ in range(3):
            ctx.start_soon(receive)

    async def source(ctx: AnyContext) -> None:
        await trio.sleep(1)
        for start in (0, 10, 20):
            for number in range(start, start + 6):
                priority = Priority.HIGH if number % 2 else Priority.NORMAL
                await ctx.send(Red(number), priority=priority)
            await trio.sleep(1)

    faulty = reorder(main, window=4, seed=3)
    await Line(source=Playing(source), sink=faulty).run()
    assert sorted(got) == [start + number for start in (0, 10, 20) for number in range(6)]
    assert {number // 10 for number in got[:6]} == {0}
    assert (faulty.received.seen, faulty.received.passed) == (18, 18)


async def test_only_what_is_there_changes_places(autojump_clock: MockClock) -> None:
    """A receiver never waits for a second message."""
    sink = Sink(is_eager=True)
    async with Solo(worker=reorder(sink, window=9)).open() as running:
        for number in range(3):
            await running.route_message(Item(number))
            await trio.sleep(1)
    assert sink.got == [Item(0), Item(1), Item(2)]
    assert sink.times == [0, 1, 2]
