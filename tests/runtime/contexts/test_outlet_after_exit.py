"""Sending to a subsystem that has ended, or by one that is stopping: an error or a dead letter."""

from __future__ import annotations

from typing import Any, Never

import pytest
import trio
import trio.lowlevel
from trio.testing import MockClock, wait_all_tasks_blocked

from orchestra_trio import (
    Orchestra,
    Priority,
    Subsystem,
    SubsystemContext,
    SubsystemExited,
    SubsystemSender,
    UndeclaredMessage,
    subsystem,
)
from tests.runtime.samples import AnyContext, Collect, Duo, Item, Other, Sends, done, idle


class Base:
    """What a slot declares."""


class Wide(Orchestra, message_capacity=2, unconsumed="allow"):
    """A source that sends to all kinds of places."""

    source: Subsystem[Never, Item | Other | Base | bytes | float] = subsystem(unbounded={Other: "a test", float: "too"})
    sink: Subsystem[Item | Other | Base] = subsystem(priority=True)
    later: Subsystem[bytes] = subsystem(wip=True)


async def test_what_nobody_consumes_yet_becomes_a_dead_letter_at_once(autojump_clock: MockClock) -> None:
    """With the reason, and the lane that it would have taken; the sender goes on."""

    async def source(ctx: AnyContext) -> None:
        await ctx.send(b"1")
        ctx.send_nowait(b"2", priority=Priority.HIGH)
        await ctx.send_many([b"3", 4.0])
        ctx.send_unbounded(5.0)

    async with Wide(source=source, sink=idle).open() as running:
        await wait_all_tasks_blocked()
        await running.route_message(b"6")
    assert [(one.message, one.sender, one.consumer, one.lane, one.reason) for one in running.dead_letters] == [
        (b"1", "source", "later", "bounded", "wip"),
        (b"2", "source", "later", "bounded", "wip"),
        (b"3", "source", "later", "bounded", "wip"),
        (4.0, "source", None, "bounded", "unconsumed"),
        (5.0, "source", None, "unbounded", "unconsumed"),
        (b"6", None, "later", "bounded", "wip"),
    ]
    assert running.statistics().dead_letters == {"wip": 4, "unconsumed": 2}


async def test_unconsumed_types_may_be_sent_where_the_class_only_warns(autojump_clock: MockClock) -> None:
    """The class statement warns, and messages are dead letters."""
    with pytest.warns(UserWarning, match="bytes"):

        class Warned(Orchestra, unconsumed="warn"):
            source: Subsystem[Never, bytes]

    async with Warned(source=Sends(b"1")).open() as running:
        pass
    assert [one.reason for one in running.dead_letters] == ["unconsumed"]


@pytest.mark.parametrize("form", ["send", "send_nowait", "send_many", "send_unbounded", "generator"])
async def test_sending_to_a_subsystem_that_has_ended_is_an_error(autojump_clock: MockClock, form: str) -> None:
    """Which is a `trio.BrokenResourceError`, and names both."""
    reached: list[str] = []

    async def send(ctx: AnyContext) -> None:
        match form:
            case "send":
                await ctx.send(Other(1))
            case "send_nowait":
                ctx.send_nowait(Other(1))
            case "send_many":
                await ctx.send_many([Other(1)])
            case "generator":
                await ctx.send_many(Other(number) for number in range(3))
            case _:
                ctx.send_unbounded(Other(1))

    async def source(ctx: AnyContext) -> None:
        await trio.sleep(1)
        with pytest.raises(SubsystemExited) as caught:
            await send(ctx)
        error = caught.value
        assert isinstance(error, trio.BrokenResourceError)
        assert (error.orchestra, error.consumer, error.sender, error.message_type) == ("Wide", "sink", "source", Other)
        reached.append(form)

    async with Wide(source=source, sink=done).open() as running:
        await trio.sleep(2)
    assert reached == [form]
    assert running.dead_letters == ()


async def test_senders_that_wait_for_a_subsystem_that_ends_are_woken_with_the_error(autojump_clock: MockClock) -> None:
    """From inside and from outside."""
    woken: list[tuple[str | None, float]] = []

    async def leaves(_: AnyContext) -> None:
        await trio.sleep(3)

    async def source(ctx: AnyContext) -> None:
        try:
            await ctx.send_many([Item(0), Item(1), Item(2)])
        except SubsystemExited as error:
            woken.append((error.sender, trio.current_time()))

    async with Duo(source=source, sink=leaves).open() as running:
        await wait_all_tasks_blocked()
        with pytest.raises(SubsystemExited) as caught:
            await running.route_message(Item(3))
        assert caught.value.sender is None
        await trio.lowlevel.checkpoint()
    assert woken == [("source", 3)]
    assert [one.reason for one in running.dead_letters] == ["left over", "left over"]


async def test_after_exit_dead_letter_makes_them_dead_letters_instead(autojump_clock: MockClock) -> None:
    """For messages that come afterwards, and for those that waited for room."""

    class Gone(Orchestra, message_capacity=1):
        source: Subsystem[Never, Item]
        sink: Subsystem[Item] = subsystem(after_exit="dead_letter")

    async def leaves(_: AnyContext) -> None:
        await trio.sleep(3)

    async with Gone(source=Sends(*map(Item, range(3))), sink=leaves).open() as running:
        await trio.sleep(4)
        await running.route_message(Item(3))
        running.route_message_nowait(Item(4))
    assert [(one.message, one.reason, one.sender) for one in running.dead_letters] == [
        (Item(0), "left over", "source"),
        (Item(1), "exited", "source"),
        (Item(2), "exited", "source"),
        (Item(3), "exited", None),
        (Item(4), "exited", None),
    ]


async def test_while_the_orchestra_stops_they_become_dead_letters(autojump_clock: MockClock) -> None:
    """After `terminate`, `cancel` or a first error, whoever sends; also those that waited."""

    async def source(ctx: AnyContext) -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(1)
            await ctx.send_many([Item(0), Item(1), Item(2)])

    async def block() -> None:
        await trio.sleep(0.5)

    async with Duo(source=source, sink=done).open() as running:
        await block()
        await running.terminate(grace=5)
        assert running.statistics().dead_letters == {"stopping": 3}
    async with Duo(source=source, sink=done).open() as running:
        await block()
        running.cancel()
    assert running.statistics().dead_letters == {"stopping": 3}

    async def leaves(_: AnyContext) -> None:
        await trio.sleep(3)

    async with Duo(source=source, sink=leaves).open() as running:
        await block()
        await running.terminate(grace=5)
    assert running.statistics().dead_letters == {"left over": 2, "stopping": 1}


async def test_a_sender_that_was_given_end_of_input_is_stopping(autojump_clock: MockClock) -> None:
    """What it flushes to one that has ended becomes a dead letter, although the orchestra as a whole only drains."""

    class Flushing(Orchestra):
        source: Subsystem[str, Item]
        sink: Subsystem[Item]

    async def source(ctx: SubsystemContext[str, Item]) -> None:
        async for _ in ctx:
            with pytest.raises(SubsystemExited):
                await ctx.send(Item(0))
        await ctx.send(Item(1))

    async with Flushing(source=source, sink=done).open() as running:
        await trio.sleep(1)
        await running.route_message("go")
        await trio.sleep(1)
    assert [(one.message, one.reason) for one in running.dead_letters] == [(Item(1), "stopping")]


async def test_a_sender_can_be_handed_to_others(autojump_clock: MockClock) -> None:
    """It sends as its subsystem does, from any task, and makes dead letters once the orchestra has ended."""
    senders: list[SubsystemSender[Item]] = []
    sink = Collect()

    async def source(ctx: SubsystemContext[Never, Item]) -> None:
        senders.append(ctx.sender)
        await ctx.sender.send(Item(0))

    async with Duo(source=source, sink=sink).open() as running:
        await wait_all_tasks_blocked()
        (sender,) = senders
        await sender.send(Item(1))  # the source itself has ended
        wrong: Any = sender
        with pytest.raises(UndeclaredMessage, match="subsystem 'source' of Duo cannot send a str"):
            wrong.send_nowait("text")
    assert sink.numbers == [0, 1]
    await sender.send(Item(2))
    sender.send_nowait(Item(3))
    assert [(one.message, one.sender, one.reason) for one in running.dead_letters] == [
        (Item(2), "source", "stopping"),
        (Item(3), "source", "stopping"),
    ]


async def test_dead_letters_know_the_sender_of_each_message(autojump_clock: MockClock) -> None:
    """Of what lay in one lane from several senders, and from outside, by single and by bulk sends."""

    class Mixed(Orchestra, message_capacity=20):
        a: Subsystem[Never, Item]
        b: Subsystem[Never, Item]
        sink: Subsystem[Item]

    async def a(ctx: SubsystemContext[Never, Item]) -> None:
        await ctx.send(Item(0))
        await trio.sleep(2)
        await ctx.send_many([Item(3), Item(4)])

    async def b(ctx: SubsystemContext[Never, Item]) -> None:
        await trio.sleep(1)
        await ctx.send_many([Item(1), Item(2)])

    async def sink(ctx: SubsystemContext[Item]) -> None:
        await trio.sleep(4)
        await ctx.receive()
        await ctx.receive()

    async with Mixed(a=a, b=b, sink=sink).open() as running:
        await trio.sleep(3)
        await running.route_message(Item(5))
    assert [(one.message, one.sender) for one in running.dead_letters] == [
        (Item(2), "b"),
        (Item(3), "a"),
        (Item(4), "a"),
        (Item(5), None),
    ]
