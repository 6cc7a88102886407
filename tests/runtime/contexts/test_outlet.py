"""Sending: every form of it, where messages go, who waits, and what is refused with nothing queued."""

from __future__ import annotations

from typing import TYPE_CHECKING, Never

import pytest
import trio
import trio.lowlevel

from orchestra_trio import (
    Orchestra,
    Priority,
    Subsystem,
    SubsystemContext,
    SubsystemStalled,
    UndeclaredMessage,
    subsystem,
)
from tests.runtime.samples import AnyContext, Collect, Duo, Item, Other, Sends, Solo, done, forever

if TYPE_CHECKING:
    from trio.testing import MockClock


class Base:
    """What a slot declares."""


class Derived(Base):
    """What is sent."""


class Wide(Orchestra, message_capacity=2, unconsumed="allow"):
    """A source that sends to all kinds of places."""

    source: Subsystem[Never, Item | Other | Base | bytes | float] = subsystem(unbounded={Other: "a test", float: "too"})
    sink: Subsystem[Item | Other | Base] = subsystem(priority=True)
    later: Subsystem[bytes] = subsystem(wip=True)


async def test_send_waits_while_the_lane_is_full_and_senders_are_served_in_turn(autojump_clock: MockClock) -> None:
    """Law 7 and law 2: the lane never holds more than its capacity, and who waits first is first."""

    async def source(ctx: AnyContext) -> None:
        async def send(number: int) -> None:
            await trio.sleep(number / 10)
            await ctx.send(Item(number))

        for number in (3, 1, 5, 0, 2, 4):
            ctx.start_soon(send, number)
        await trio.lowlevel.checkpoint()

    sink = Collect(delay=2)
    async with Duo(source=source, sink=sink).open() as running:
        await trio.sleep(1)
        lane = running.statistics().subsystems["sink"].bounded
        assert (lane.channel_len, lane.sent, lane.blocked) == (2, 2, 4)
    assert sink.numbers == [0, 1, 2, 3, 4, 5]
    assert running.statistics().subsystems["sink"].bounded.peak_channel_len == 2


async def test_send_nowait_takes_room_or_says_that_there_is_none(autojump_clock: MockClock) -> None:
    """Nothing is queued then."""

    async def source(ctx: AnyContext) -> None:
        ctx.send_nowait(Item(0))
        ctx.send_nowait(Item(1))
        with pytest.raises(trio.WouldBlock):
            ctx.send_nowait(Item(2))
        ctx.send_nowait(Item(3), priority=Priority.HIGH)
        await trio.lowlevel.checkpoint()

    sink = Collect(delay=1)
    await Wide(source=source, sink=sink).run()
    assert sorted(sink.numbers) == [0, 1, 3]


async def test_high_priority_takes_a_lane_of_its_own(autojump_clock: MockClock) -> None:
    """With a capacity of its own; in one lane, order is kept."""

    async def source(ctx: AnyContext) -> None:
        await ctx.send_many([Item(0), Item(1)])
        await ctx.send_many([Item(2), Item(3)], priority=Priority.HIGH)
        with pytest.raises(trio.WouldBlock):
            ctx.send_nowait(Item(4), priority=Priority.HIGH)
        await ctx.send(Item(5), priority=Priority.HIGH)

    sink = Collect(delay=1)
    async with Wide(source=source, sink=sink).open() as running:
        await trio.sleep(0.5)
        lanes = running.statistics().subsystems["sink"]
        assert (lanes.priority.channel_len, lanes.bounded.channel_len) == (2, 2)
    assert sink.numbers[0] == 2
    assert [one for one in sink.numbers if one > 1] == [2, 3, 5]
    assert running.statistics().subsystems["sink"].priority.received == 3


async def test_high_priority_without_such_a_lane_is_the_bounded_lane(autojump_clock: MockClock) -> None:
    """In the order of sending, for a subsystem and from outside."""

    async def source(ctx: AnyContext) -> None:
        await ctx.send(Item(0))
        await ctx.send(Item(1), priority=Priority.HIGH)

    sink = Collect(delay=1)
    async with Duo(source=source, sink=sink).open() as running:
        await trio.sleep(0.5)
        with pytest.raises(trio.WouldBlock):
            running.route_message_nowait(Item(2), priority=Priority.HIGH)
    assert sink.numbers == [0, 1]
    assert running.statistics().subsystems["sink"].priority.sent == 0


async def test_send_unbounded_never_waits(autojump_clock: MockClock) -> None:
    """Beyond any capacity, in a lane of its own; the same type may be sent bounded as well."""

    async def source(ctx: AnyContext) -> None:
        for number in range(50):
            ctx.send_unbounded(Other(number))
        await ctx.send(Other(50))

    sink = Collect(delay=1)
    async with Wide(source=source, sink=sink).open() as running:
        await trio.sleep(0.5)
        lanes = running.statistics().subsystems["sink"]
        assert (lanes.unbounded.channel_len, lanes.bounded.channel_len) == (50, 1)
    assert sorted(sink.numbers) == list(range(51))


async def test_sending_another_type_unbounded_is_refused(autojump_clock: MockClock) -> None:
    """What bounds it elsewhere must be declared; from outside nothing may be sent so."""

    async def source(ctx: AnyContext) -> None:
        with pytest.raises(UndeclaredMessage, match="cannot send unbounded an Item: the wiring allows Other, float"):
            ctx.send_unbounded(Item(1))
        with pytest.raises(UndeclaredMessage, match="cannot send a str"):
            ctx.send_unbounded("text")
        await trio.lowlevel.checkpoint()

    sink = Collect()
    async with Wide(source=source, sink=sink).open() as running:
        with pytest.raises(UndeclaredMessage, match="embedding program of Wide cannot send unbounded an Item"):
            running._run.outside.send_unbounded(Item(1))
    assert sink.got == []


async def test_an_undeclared_type_is_refused_in_every_form_before_anything_is_queued(
    autojump_clock: MockClock,
) -> None:
    """Also one that somebody consumes, and that another may send. The error names sender, type and what is allowed."""

    class Two(Orchestra):
        source: Subsystem[Never, Item]
        other: Subsystem[Never, Other]
        sink: Subsystem[Item | Other]

    async def source(ctx: AnyContext) -> None:
        wrong = Other(1)
        text = r"subsystem 'source' of Two cannot send an Other: the wiring allows Item there"
        with pytest.raises(UndeclaredMessage, match=text) as caught:
            await ctx.send(wrong)
        assert (caught.value.orchestra, caught.value.sender, caught.value.message_type) == ("Two", "source", Other)
        with pytest.raises(UndeclaredMessage):
            ctx.send_nowait(wrong)
        for messages in ([Item(0), wrong], (Item(0), wrong), [wrong]):
            with pytest.raises(UndeclaredMessage):
                await ctx.send_many(messages)
        with pytest.raises(UndeclaredMessage):
            await ctx.request(lambda _: wrong)

    sink = Collect()
    await Two(source=source, other=done, sink=sink).run()
    assert sink.got == []


async def test_a_message_goes_to_the_nearest_declared_base(autojump_clock: MockClock) -> None:
    """Of a subclass of a declared type."""
    sink = Collect()
    derived = Derived()
    await Wide(source=Sends(derived), sink=sink).run()
    assert sink.got == [derived]


async def test_a_cancelled_send_has_queued_nothing(autojump_clock: MockClock) -> None:
    """Law 9: before the call, or while it waited for room; the meter has not counted it."""

    async def source(ctx: AnyContext) -> None:
        with trio.CancelScope() as scope:
            scope.cancel()
            await ctx.send(Item(-1))
        assert scope.cancelled_caught
        with trio.move_on_after(1) as scope:
            for number in range(3):
                await ctx.send(Item(number))
        assert scope.cancelled_caught

    sink = Collect(delay=2)
    async with Duo(source=source, sink=sink).open() as running:
        await trio.sleep(1.5)
        lane = running.statistics().subsystems["sink"].bounded
        assert (lane.sent, lane.channel_len, lane.blocked) == (2, 2, 1)
    assert sink.numbers == [0, 1]


async def test_sent_counts_no_send_that_was_cancelled(autojump_clock: MockClock) -> None:
    """A fault of the crate: there, `sent` stayed too high. Nor does reading empty the meter, another fault."""

    async def source(ctx: AnyContext) -> None:
        for _ in range(5):
            with trio.move_on_after(0.1):
                await ctx.send(Item(0))

    async with Duo(source=source, sink=Collect(delay=1)).open() as running:
        await trio.sleep(0.9)
        first = running.statistics().subsystems["sink"].bounded
        assert (first.sent, first.received, first.channel_len) == (2, 0, 2)
        assert running.statistics().subsystems["sink"].bounded == first


async def test_route_message_times_out_with_nothing_queued(autojump_clock: MockClock) -> None:
    """`message_timeout` is for this call alone; the error names who is in the way, and where that one stands."""

    class Hasty(Orchestra, message_capacity=1, message_timeout=2):
        sink: Subsystem[Item]

    async with Hasty(sink=forever).open() as running:
        await running.route_message(Item(0))
        with pytest.raises(SubsystemStalled) as caught:
            await running.route_message(Item(1))
        assert trio.current_time() == 2
        error = caught.value
        assert (error.consumers, error.lane, error.timeout) == (("sink",), "bounded", 2)
        assert error.standings[0].place.endswith("in forever")
        assert running.statistics().subsystems["sink"].bounded.sent == 1
        running.cancel()


async def test_route_message_goes_only_to_subsystems(autojump_clock: MockClock) -> None:
    """A type that nobody consumes, or that goes out, is refused; so is `route_message_nowait` of a full lane."""

    class Out(Orchestra, outgoing=str, message_capacity=1):
        sink: Subsystem[Item, str]

    async with Out(sink=Collect(delay=1)).open() as running:
        for wrong in ("text", 3):
            with pytest.raises(UndeclaredMessage, match="embedding program of Out cannot route"):
                await running.route_message(wrong)
            with pytest.raises(UndeclaredMessage):
                running.route_message_nowait(wrong)
        running.route_message_nowait(Item(0))
        with pytest.raises(trio.WouldBlock):
            running.route_message_nowait(Item(1))


async def test_only_lanes_with_no_room_make_a_sender_wait(autojump_clock: MockClock) -> None:
    """A lane that is full of one sender's messages is full for all; another consumer's is not touched."""

    class Fork(Orchestra, message_capacity=1):
        source: Subsystem[Never, Item | Other]
        slow: Subsystem[Item]
        fast: Subsystem[Other]

    async def source(ctx: SubsystemContext[Never, Item | Other]) -> None:
        ctx.start_soon(ctx.send_many, [Item(0), Item(1), Item(2)])
        await trio.sleep(1)
        for number in range(5):
            await ctx.send(Other(number))

    fast = Collect()
    async with Fork(source=source, slow=Collect(delay=5), fast=fast).open():
        await trio.sleep(2)
        assert fast.numbers == [0, 1, 2, 3, 4]


async def test_solo_takes_all_three_types(autojump_clock: MockClock) -> None:
    """One lane keeps the order of different types."""
    worker = Collect()
    async with Solo(worker=worker).open() as running:
        await running.route_message(Item(0))
        await running.route_message(Other(1))
    assert worker.got == [Item(0), Other(1)]
