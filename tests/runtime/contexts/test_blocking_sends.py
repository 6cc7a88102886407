"""Sending from the thread of a blocking subsystem: room, order, and messages that nobody receives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never

import pytest
import trio

from orchestra_trio import (
    BlockingSubsystem,
    Orchestra,
    Priority,
    Subsystem,
    SubsystemExited,
    UndeclaredMessage,
    subsystem,
)
from tests.runtime.contexts.blocking import (
    AnyBlockingContext,
    Collects,
    Gate,
    Lanes,
    Press,
    Tandem,
    until_it_ends,
    until_it_waits,
)
from tests.runtime.samples import AnyContext, Ask, Collect, Item, Other, Tick, Tock, done, forever, idle, stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def by_send(ctx: AnyBlockingContext, *messages: object) -> None:
    for message in messages:
        ctx.send(message)


def by_send_many_list(ctx: AnyBlockingContext, *messages: object) -> None:
    ctx.send_many(list(messages))


def by_send_many_iterator(ctx: AnyBlockingContext, *messages: object) -> None:
    ctx.send_many(iter(messages))


WAITING_SENDS = [by_send, by_send_many_list, by_send_many_iterator]


@pytest.mark.parametrize("send", WAITING_SENDS)
@pytest.mark.parametrize("is_thread", [False, True])
async def test_all_ways_to_send_wait_for_room_and_keep_the_order(
    send: Callable[..., None],
    is_thread: bool,
) -> None:
    """To a consumer in a thread, and in a task."""
    messages = [Item(1), Item(2), Other(3), Item(4), Other(5)]

    def source(ctx: AnyBlockingContext) -> None:
        send(ctx, *messages)

    if is_thread:
        gate = Gate()
        thread = Collects(gate)
        async with Tandem(source=source, sink=thread).open() as running:
            await until_it_waits(running, "source", "send")
            gate.open()
        assert thread.got == messages
    else:
        task = Collect()

        async def sink(ctx: AnyContext) -> None:
            await released.wait()
            await task(ctx)

        released = trio.Event()
        async with Press(source=source, sink=sink).open() as running:
            await until_it_waits(running, "source", "send")
            released.set()
        assert task.got == messages
    readout = running.statistics().subsystems["sink"].bounded
    assert (readout.sent, readout.received, readout.peak_channel_len) == (5, 5, 2)
    assert readout.blocked >= 1


async def test_a_wait_for_room_is_on_record() -> None:
    def source(ctx: AnyBlockingContext) -> None:
        ctx.send_many([Item(1), Item(2), Other(3)])

    async with Press(source=source, sink=forever).open() as running:
        await until_it_waits(running, "source", "send")
        (wait,) = running.statistics().subsystems["source"].waits
        assert (wait.subsystem, wait.lane, wait.message_type) == ("sink", "bounded", "Other")
        running.cancel()


async def test_send_nowait_says_when_the_lane_is_full() -> None:
    def source(ctx: AnyBlockingContext) -> None:
        ctx.send_nowait(Item(1))
        ctx.send_nowait(Item(2))
        with pytest.raises(trio.WouldBlock):
            ctx.send_nowait(Item(3))
        gate.open()

    gate = Gate()
    sink = Collects(gate)
    await Tandem(source=source, sink=sink).run()
    assert sink.got == [Item(1), Item(2)]


async def test_messages_of_high_priority_take_their_lane() -> None:
    class Urgent(Orchestra):
        source: BlockingSubsystem[Never, Item]
        sink: BlockingSubsystem[Item] = subsystem(priority=True)

    def source(ctx: AnyBlockingContext) -> None:
        ctx.send(Item(4))
        ctx.send(Item(1), priority=Priority.HIGH)
        ctx.send_nowait(Item(2), priority=Priority.HIGH)
        ctx.send_many([Item(3)], priority=Priority.HIGH)
        gate.open()

    gate = Gate()
    sink = Collects(gate)
    await Urgent(source=source, sink=sink).run()
    assert [one.number for one in sink.got] == [1, 2, 3, 4]


async def test_send_unbounded_never_waits() -> None:
    def feeder(ctx: AnyBlockingContext) -> None:
        for number in range(300):
            ctx.send_unbounded(Other(number))
        gate.open()

    gate = Gate()
    worker = Collects(gate)
    await Lanes(feeder=feeder, worker=worker).run()
    assert [one.number for one in worker.got] == [*range(300)]


async def test_an_iterator_is_read_once_there_was_room_for_the_item_before() -> None:
    read: list[int] = []

    def numbers() -> Iterator[Item]:
        for number in range(5):
            read.append(number)
            yield Item(number)

    async with Press(source=lambda ctx: ctx.send_many(numbers()), sink=forever).open() as running:
        await until_it_waits(running, "source", "send")
        assert read == [0, 1, 2]
        running.cancel()


async def test_nothing_to_send_is_no_error() -> None:
    def source(ctx: AnyBlockingContext) -> None:
        ctx.send_many([])
        ctx.send_many(iter(()))

    await Press(source=source, sink=idle).run()


class Box(Orchestra[Tick], outgoing=bytes):
    """Ways to send that lead to no subsystem, or to one that has ended."""

    source: BlockingSubsystem[str, Item | Other | Ask | bytes | float] = subsystem(unbounded={Item: "a", float: "b"})
    later: Subsystem[Item] = subsystem(wip=True)
    gone: Subsystem[Other | Ask]
    left: Subsystem[float] = subsystem(after_exit="dead_letter")


def by_send_nowait(ctx: AnyBlockingContext, message: object) -> None:
    ctx.send_nowait(message)


def by_send_unbounded(ctx: AnyBlockingContext, message: object) -> None:
    ctx.send_unbounded(message)


SENDS: list[Callable[[AnyBlockingContext, Any], None]] = [*WAITING_SENDS, by_send_nowait]
ALL_SENDS = [*SENDS, by_send_unbounded]


@pytest.mark.parametrize("send", ALL_SENDS)
async def test_undeclared_messages_are_refused(send: Callable[[AnyBlockingContext, Any], None]) -> None:
    """Nothing is queued."""

    def source(ctx: AnyBlockingContext) -> None:
        with pytest.raises(UndeclaredMessage, match="Tock"):
            send(ctx, Tock())

    async with Box(source=source, gone=idle, left=idle).open() as running:
        pass
    assert running.statistics().dead_letters == {}


async def test_a_list_with_an_undeclared_type_is_refused_as_a_whole() -> None:
    def source(ctx: AnyBlockingContext) -> None:
        with pytest.raises(UndeclaredMessage, match="Tock"):
            ctx.send_many((Item(1), Tock(), Item(2)))
        with pytest.raises(UndeclaredMessage, match="Tock"):
            ctx.send_many(iter([Item(3), Tock(), Item(4)]))
        with pytest.raises(UndeclaredMessage, match="unbounded"):
            ctx.send_unbounded(Item(5))
        with pytest.raises(UndeclaredMessage, match="Tock"):
            ctx.request(lambda _: Tock())

    sink = Collect()
    await Press(source=source, sink=sink).run()
    assert sink.got == [Item(3)]


@pytest.mark.parametrize("send", ALL_SENDS)
async def test_messages_to_one_that_is_not_built_yet_become_dead_letters(
    send: Callable[[AnyBlockingContext, Any], None],
) -> None:
    async with Box(source=lambda ctx: send(ctx, Item(1)), gone=idle, left=idle).open() as running:
        pass
    (letter,) = running.dead_letters
    assert (letter.message, letter.sender, letter.consumer, letter.reason) == (Item(1), "source", "later", "wip")


@pytest.mark.parametrize("send", SENDS)
async def test_what_goes_out_is_read_by_the_embedding_program(
    send: Callable[[AnyBlockingContext, Any], None],
) -> None:
    async with Box(source=lambda ctx: send(ctx, b"out"), gone=idle, left=idle).open() as running:
        assert await running.outgoing.receive() == b"out"


@pytest.mark.parametrize("send", SENDS)
async def test_sending_to_one_that_has_ended_is_an_error(send: Callable[[AnyBlockingContext, Any], None]) -> None:
    def source(ctx: AnyBlockingContext) -> None:
        gate.wait()
        with pytest.raises(SubsystemExited, match="gone"):
            send(ctx, Other(1))
        with pytest.raises(SubsystemExited, match="gone"):
            ctx.request(Ask)

    gate = Gate()
    async with Box(source=source, gone=done, left=idle).open() as running:
        await until_it_ends(running, "gone")
        gate.open()
        await until_it_ends(running, "source")
    assert running.statistics().dead_letters == {}


@pytest.mark.parametrize("send", ALL_SENDS)
async def test_messages_to_one_that_has_ended_become_dead_letters_where_its_slot_says_so(
    send: Callable[[AnyBlockingContext, Any], None],
) -> None:
    def source(ctx: AnyBlockingContext) -> None:
        gate.wait()
        send(ctx, 1.0)

    gate = Gate()
    async with Box(source=source, gone=idle, left=done).open() as running:
        await until_it_ends(running, "left")
        gate.open()
    assert running.statistics().dead_letters == {"exited": 1}


async def test_a_thread_that_waits_for_room_is_told_when_its_consumer_ends() -> None:
    def source(ctx: AnyBlockingContext) -> None:
        ctx.send_many([Item(1), Item(2), Item(3)])

    async def sink(_: AnyContext) -> None:
        await released.wait()

    released = trio.Event()
    with stopped() as errors:
        async with Press(source=source, sink=sink).open() as running:
            await until_it_waits(running, "source", "send")
            released.set()
            await running.wait_stopped()
    assert [type(one) for one in errors] == [SubsystemExited]
    assert running.statistics().dead_letters == {"left over": 2}


async def test_a_thread_sends_to_one_that_lets_workers_do_it() -> None:
    """Messages come as workers become free; the thread waits for them."""
    at_work: list[int] = []
    most: list[int] = []

    async def work(number: int) -> None:
        at_work.append(number)
        most.append(len(at_work))
        await trio.lowlevel.checkpoint()
        at_work.remove(number)
        done_by_workers.append(number)

    async def sink(ctx: AnyContext) -> None:
        async with ctx.open_workers(2) as workers:
            async for incoming in workers:
                workers.start_soon(work, incoming.number)

    done_by_workers: list[int] = []
    messages = [Item(number) for number in range(100)]
    await Press(source=lambda ctx: ctx.send_many(messages), sink=sink).run()
    assert sorted(done_by_workers) == [*range(100)]
    assert max(most) <= 2
