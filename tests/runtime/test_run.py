"""The end of a subsystem and of all of them, in one step; and what goes out of the orchestra."""

from __future__ import annotations

import logging
from typing import Any, Never

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from orchestra_trio import OneshotCancelled, OneshotSender, Orchestra, Subsystem, SubsystemContext, subsystem
from tests.runtime.samples import AnyContext, Collect, Duo, Item, Other, Sends, Solo, done, forever, idle, stopped


class Question:
    """Goes out, and carries a reply end."""

    def __init__(self, reply: OneshotSender[int]) -> None:
        self.reply = reply


class Out(Orchestra, outgoing=Other | Question, message_capacity=2):
    """Sends to the embedding program."""

    source: Subsystem[Item, Other | Question] = subsystem(unbounded={Other: "a test"})


async def twice(ctx: SubsystemContext[Item, Other | Question]) -> None:
    """Send out twice each number."""
    async for incoming in ctx:
        await ctx.send(Other(2 * incoming.number))


async def test_outgoing_messages_are_read_from_the_running_orchestra(autojump_clock: MockClock) -> None:
    """It ends after the last subsystem."""
    got: list[int] = []
    async with Out(source=twice).open() as running:
        for number in range(2):
            await running.route_message(Item(number))
        running.close_input()
        got.extend([one.number async for one in running.outgoing])
        assert got == [0, 2]
        assert running.statistics().subsystems["source"].state == "finished"


async def test_outgoing_makes_senders_wait_while_it_is_full(autojump_clock: MockClock) -> None:
    """With the class's capacity; unbounded sends never wait."""

    async def source(ctx: SubsystemContext[Item, Other | Question]) -> None:
        await ctx.send_many([Other(number) for number in range(5)])
        for number in range(5, 10):
            ctx.send_unbounded(Other(number))
        full = False
        while not full:
            try:
                ctx.send_nowait(Other(-1))
            except trio.WouldBlock:
                full = True

    async with Out(source=source).open() as running:
        await wait_all_tasks_blocked()
        assert running.outgoing.statistics().current_buffer_used == 2
        assert running.statistics().subsystems["source"].waits[0].subsystem == "outgoing"
        assert [(await running.outgoing.receive()).number for _ in range(3)] == [0, 1, 2]
        await wait_all_tasks_blocked()
        rest = [one.number async for one in running.outgoing]
        assert sorted(one for one in rest if one >= 0) == list(range(3, 10))


async def test_leaving_the_block_closes_outgoing_first(autojump_clock: MockClock) -> None:
    """What lies there, what waits and what comes later become dead letters; nobody waits for ever."""

    async def source(ctx: SubsystemContext[Item, Other | Question]) -> None:
        await ctx.send_many([Other(number) for number in range(4)])
        ctx.send_unbounded(Other(4))
        with pytest.raises(OneshotCancelled):
            await ctx.request(Question)

    async with Out(source=source).open() as running:
        await wait_all_tasks_blocked()
    assert {(one.consumer, one.sender, one.reason) for one in running.dead_letters} == {
        (None, "source", "outgoing closed")
    }
    assert [one.lane for one in running.dead_letters] == ["bounded"] * 4 + ["unbounded", "bounded"]
    assert running.statistics().dead_letters == {"outgoing closed": 6}


async def test_requests_can_go_out(autojump_clock: MockClock) -> None:
    """The embedding program answers; what it has not read when it closes gets no answer."""
    answers: list[Any] = []

    async def source(ctx: SubsystemContext[Item, Other | Question]) -> None:
        async def ask() -> None:
            try:
                answers.append(await ctx.request(Question))
            except OneshotCancelled:
                answers.append("cancelled")

        for _ in range(4):
            ctx.start_soon(ask)
        await trio.lowlevel.checkpoint()

    async with Out(source=source).open() as running:
        await wait_all_tasks_blocked()
        (await running.outgoing.receive()).reply.send(7)
        await wait_all_tasks_blocked()
        assert answers == [7]
        running.outgoing.close()
        await wait_all_tasks_blocked()
        assert answers == [7, "cancelled", "cancelled", "cancelled"]
        with pytest.raises(trio.ClosedResourceError):
            await running.outgoing.receive()


async def test_what_is_left_in_lanes_becomes_dead_letters_and_one_warning(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """With the counts by type; of a subsystem that left nothing, nothing is said."""

    async def leaves(_: AnyContext) -> None:
        await trio.sleep(1)

    class Wide(Orchestra):
        source: Subsystem[Never, Item | Other]
        sink: Subsystem[Item | Other]

    async with Wide(source=Sends(Item(0), Other(1), Item(2)), sink=leaves).open() as running:
        await trio.sleep(2)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.name == "orchestra_trio"
    assert record.getMessage() == "subsystem 'sink' of Wide ended with messages left in its lanes: 2 Item, 1 Other"
    facts: Any = record
    assert (facts.orchestra, facts.subsystem, facts.epoch) == ("Wide", "sink", 0)
    assert [one.message for one in running.dead_letters] == [Item(0), Other(1), Item(2)]


async def test_what_the_embedding_program_left_unread_is_logged_too(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing disappears silently."""
    async with Out(source=twice).open() as running:
        await running.route_message(Item(1))
        await wait_all_tasks_blocked()
    (record,) = caplog.records
    assert record.getMessage() == "outgoing of Out ended with messages left in its lanes: 1 Other"


async def test_leaving_the_block_closes_outgoing_for_clones_too(autojump_clock: MockClock) -> None:
    """A clone that stays open does not keep a full outgoing lane from draining."""
    async with Out(source=twice).open() as running:
        clone = running.outgoing.clone()
        for number in range(4):
            await running.route_message(Item(number))
        await wait_all_tasks_blocked()
    with pytest.raises(trio.EndOfChannel):
        await clone.receive()
    assert running.statistics().dead_letters == {"outgoing closed": 4}


async def test_conservation_of_messages(autojump_clock: MockClock) -> None:
    """Law 1, per lane: what was sent was received, is here, or is a dead letter."""

    async def takes_some(ctx: AnyContext) -> None:
        for _ in range(5):
            await ctx.receive()

    async with Duo(source=Sends(*map(Item, range(50))), sink=takes_some).open() as running:
        pass
    lane = running.statistics().subsystems["sink"].bounded
    left_over = [one for one in running.dead_letters if one.reason == "left over"]
    assert lane.sent == lane.received + lane.channel_len + len(left_over)
    assert len(running.dead_letters) == 45
    assert running.statistics().dead_letters.keys() <= {"left over", "stopping"}


async def test_the_end_of_a_subsystem_is_one_step(autojump_clock: MockClock) -> None:
    """Who is woken by it finds all of it done: state, lanes, dead letters."""
    seen: list[Any] = []

    async def leaves(_: AnyContext) -> None:
        await trio.sleep(1)

    class Hooked(Orchestra):
        source: Subsystem[Never, Item]
        sink: Subsystem[Item] = subsystem(after_exit="dead_letter")

        def on_dead_letter(self, letter: Any) -> None:  # noqa: ANN401 - a DeadLetter
            seen.append((letter.reason, running.statistics().subsystems["sink"].state))

    async def source(ctx: SubsystemContext[Never, Item]) -> None:
        await ctx.send(Item(0))
        await trio.sleep(2)
        await ctx.send(Item(1))

    async with Hooked(source=source, sink=leaves).open() as running:
        await running.wait_stopped()
    assert seen == [("left over", "finished"), ("exited", "finished")]


async def test_wait_stopped_is_told_with_the_last_end(autojump_clock: MockClock) -> None:
    """Whatever the order of ends."""
    for order in ((1, 2), (2, 1)):

        async def first(_: AnyContext, after: int = order[0]) -> None:
            await trio.sleep(after)

        async def second(_: AnyContext, after: int = order[1]) -> None:
            await trio.sleep(after)

        began = trio.current_time()
        async with Duo(source=first, sink=second).open() as running:
            await running.wait_stopped()
            assert trio.current_time() == began + 2


async def test_one_failing_at_the_very_end_fails_all(autojump_clock: MockClock) -> None:
    """Also when everything else has ended normally."""
    boom = ValueError("boom")

    async def late(ctx: AnyContext) -> None:
        await idle(ctx)
        raise boom

    with stopped() as errors:
        await Duo(source=done, sink=late).run()
    assert errors == [boom]


async def test_a_class_may_have_its_own_yield_every(autojump_clock: MockClock) -> None:
    """1 makes every call a schedule point."""

    class Polite(Orchestra, yield_every=1):
        source: Subsystem[Never, Item]
        sink: Subsystem[Item]

    turns: list[int] = []

    async def source(ctx: SubsystemContext[Never, Item]) -> None:
        for number in range(20):
            await ctx.send(Item(number))
            turns.append(number)

    async def sink(ctx: SubsystemContext[Item]) -> None:
        async for item in ctx:
            turns.append(100 + item.number)  # noqa: PERF401 - the order of both is looked at

    await Polite(source=source, sink=sink).run()
    assert turns.index(100) < turns.index(19)


async def test_slots_have_lanes_of_their_own_capacity(autojump_clock: MockClock) -> None:
    """A fault of the crate: there, a capacity given for all overrode each subsystem's own."""

    class Sized(Orchestra, message_capacity=3, signal_capacity=1):
        narrow: Subsystem[Item] = subsystem(message_capacity=1)
        wide: Subsystem[Other]

    async with Sized(narrow=forever, wide=forever).open() as running:
        for message_type, capacity in ((Item, 1), (Other, 3)):
            for number in range(capacity):
                running.route_message_nowait(message_type(number))
            with pytest.raises(trio.WouldBlock):
                running.route_message_nowait(message_type(capacity))
        running.cancel()


async def test_opened_again_an_orchestra_begins_anew(autojump_clock: MockClock) -> None:
    """Epochs, counters, dead letters and lanes of the last opening are not seen."""
    worker = Collect()
    solo = Solo(worker=worker)
    for _ in range(2):
        async with solo.open() as running:
            assert running.statistics().epoch == 0
            assert running.statistics().subsystems["worker"].bounded.sent == 0
            await running.route_message(Item(1))
            assert running.dead_letters == ()
    assert worker.numbers == [1, 1]
