"""Requests from threads, and answers that threads send."""

from __future__ import annotations

import gc
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
import trio

from orchestra_trio import OneshotCancelled, OneshotSender, open_oneshot
from tests.delivery.crowds import at_once
from tests.runtime.contexts.blocking import (
    PATIENCE,
    AnyBlockingContext,
    Desk,
    Does,
    Gate,
    Press,
    Tandem,
    until,
    until_it_ends,
    until_it_waits,
)
from tests.runtime.contexts.blocking import answering as answering_thread
from tests.runtime.samples import AnyContext, Ask, Item, answering, forever, stopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from trio.testing import MockClock


def asks(ctx: AnyBlockingContext) -> list[int]:
    return [ctx.request(Ask, number) for number in range(5)]


async def test_a_thread_asks_a_task() -> None:
    source = Does(asks)
    await Press(source=source, sink=answering).run()
    assert source.result == [0, 2, 4, 6, 8]


async def test_a_thread_asks_a_thread() -> None:
    source = Does(asks)
    await Tandem(source=source, sink=answering_thread).run()
    assert source.result == [0, 2, 4, 6, 8]


async def test_a_task_of_the_program_asks_a_thread() -> None:
    async with Desk(worker=answering_thread).open() as running:
        assert [await running.request(Ask, number) for number in range(5)] == [0, 2, 4, 6, 8]


async def test_arguments_are_passed_on_by_name_too() -> None:
    source = Does(lambda ctx: ctx.request(Ask, number=4))
    await Press(source=source, sink=answering).run()
    assert source.result == 8


async def test_a_request_waits_for_room_and_is_on_record() -> None:
    """First for room, and then for the answer."""

    def source(ctx: AnyBlockingContext) -> int:
        ctx.send_many([Item(1), Item(2)])
        return ctx.request(Ask, 4)

    async def sink(ctx: AnyContext) -> None:
        await released[0].wait()
        await ctx.receive()
        await released[1].wait()
        await answering(ctx)

    released = [trio.Event(), trio.Event()]
    player = Does(source)
    async with Press(source=player, sink=sink).open() as running:
        await until_it_waits(running, "source", "send")
        released[0].set()
        await until_it_waits(running, "source", "request")
        (wait,) = running.statistics().subsystems["source"].waits
        assert (wait.subsystem, wait.lane, wait.message_type) == ("sink", None, "Ask")
        released[1].set()
    assert player.result == 8


def close(ask: Ask) -> None:
    ask.reply.close()


def leave_a_with_block(ask: Ask) -> None:
    with ask.reply:
        pass


def drop(_: Ask) -> None: ...


@pytest.mark.parametrize("refuse", [close, leave_a_with_block, drop])
async def test_a_thread_that_will_not_answer_says_so(refuse: Callable[[Ask], None]) -> None:
    def source(ctx: AnyBlockingContext) -> str:
        with pytest.raises(OneshotCancelled):
            ctx.request(Ask)
        return "refused"

    def sink(ctx: AnyBlockingContext) -> None:
        refuse(ctx.receive())
        for _ in ctx:
            pass

    player = Does(source)
    await Tandem(source=player, sink=sink).run()
    assert player.result == "refused"


async def test_a_request_that_lay_in_the_lane_is_refused_when_its_consumer_ends() -> None:
    def source(ctx: AnyBlockingContext) -> None:
        ctx.request(Ask)

    def sink(_: AnyBlockingContext) -> None:
        gate.wait()

    gate = Gate()
    with stopped() as errors:
        async with Tandem(source=source, sink=sink).open() as running:
            await until_it_waits(running, "source", "request")
            gate.open()
            await running.wait_stopped()
    assert [type(one) for one in errors] == [OneshotCancelled]
    assert running.statistics().dead_letters == {"left over": 1}


async def test_an_answer_that_nobody_wants_any_more_is_told_apart() -> None:
    """That the requester has given up is no error of the thread that answers."""

    def worker(ctx: AnyBlockingContext) -> tuple[bool, bool]:
        first, second = ctx.receive(), ctx.receive()
        assert first.reply.is_wanted
        gate.wait()
        assert not first.reply.is_wanted
        return first.reply.send(1), second.reply.send(2)

    async def ask(number: int, scope: trio.CancelScope) -> None:
        with scope:
            answers.append(await running.request(Ask, number))

    answers: list[int] = []
    gate = Gate()
    player = Does(worker)
    scopes = [trio.CancelScope(), trio.CancelScope()]
    async with Desk(worker=player).open() as running, trio.open_nursery() as nursery:
        nursery.start_soon(ask, 0, scopes[0])
        await until(lambda: running.statistics().subsystems["worker"].bounded.sent == 1)
        nursery.start_soon(ask, 1, scopes[1])
        await until(lambda: gate.is_reached)
        scopes[0].cancel()
        await until(lambda: scopes[0].cancelled_caught)
        gate.open()
    assert player.result == (False, True)
    assert answers == [2]


async def test_a_reply_end_is_used_once_by_whatever_thread() -> None:
    """After that it is closed; closing it again does nothing."""

    def worker(ctx: AnyBlockingContext) -> object:
        reply: OneshotSender[int] = ctx.receive().reply
        assert reply.send(1)
        other = Does(lambda _: reply.send(2))
        with pytest.raises(trio.ClosedResourceError):
            other(ctx)
        reply.close()
        reply.close()
        return repr(reply)

    player = Does(worker)
    async with Desk(worker=player).open() as running:
        assert await running.request(Ask) == 1
        await until_it_ends(running, "worker")
    assert player.result == "<OneshotSender 'Ask': answered>"


async def test_of_several_threads_that_answer_one_does() -> None:
    """All others are told that the reply end was used."""
    outcomes: list[list[object]] = []

    def answer(reply: OneshotSender[int], number: int, outcome: list[object]) -> None:
        try:
            outcome.append((reply.send(number), number))
        except trio.ClosedResourceError:
            outcome.append("closed")

    def worker(ctx: AnyBlockingContext) -> None:
        for ask in ctx:
            outcome: list[object] = []
            outcomes.append(outcome)
            at_once(*[partial(answer, ask.reply, number, outcome) for number in range(4)], ask.reply.close)

    got: list[object] = []
    async with Desk(worker=worker).open() as running:
        for _ in range(20):
            try:
                got.append(await running.request(Ask))
            except OneshotCancelled:
                got.append("cancelled")
    for answered, outcome in zip(got, outcomes, strict=True):
        wanted = [one[1] for one in outcome if isinstance(one, tuple) and one[0]]
        assert wanted == ([] if answered == "cancelled" else [answered])
        assert len(outcome) == 4


async def test_a_thread_of_nobodys_may_answer() -> None:
    """A reply end can be handed to any thread."""

    def worker(ctx: AnyBlockingContext) -> None:
        reply = ctx.receive().reply
        other = Thread(target=reply.send, args=(5,))
        other.start()
        other.join(PATIENCE)

    async with Desk(worker=worker).open() as running:
        assert await running.request(Ask) == 5


async def test_a_oneshot_is_answered_and_closed_from_threads() -> None:
    """Also one that belongs to no orchestra."""
    reply, answer = open_oneshot[int]()
    assert await trio.to_thread.run_sync(reply.send, 3)
    assert await answer.receive() == 3
    reply, answer = open_oneshot[int]()
    await trio.to_thread.run_sync(reply.close)
    with pytest.raises(OneshotCancelled):
        await answer.receive()
    reply, answer = open_oneshot[int]()
    await trio.to_thread.run_sync(answer.close)
    assert not reply.send(4)


async def test_a_thread_may_ask_whether_an_answer_is_wanted(autojump_clock: MockClock) -> None:
    """Also where there is a time limit to it."""
    reply, answer = open_oneshot[int](hard_timeout=5)
    assert await trio.to_thread.run_sync(lambda: reply.is_wanted)
    with trio.move_on_after(1):
        await answer.receive()
    wanted: list[bool] = []
    at_once(lambda: wanted.append(reply.is_wanted))
    await trio.sleep(5)
    at_once(lambda: wanted.append(reply.is_wanted))
    assert wanted == [True, False]


async def test_a_request_whose_consumer_is_cancelled_while_it_holds_it_gets_no_answer() -> None:
    """The reply end goes with the thread's frames."""

    def worker(ctx: AnyBlockingContext) -> None:
        ask = ctx.receive()
        held.append(type(ask))
        ctx.receive()

    async def ask() -> None:
        with pytest.raises(OneshotCancelled):
            await running.request(Ask)
        held.append("cancelled")

    held: list[Any] = []
    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            async with Desk(worker=worker).open() as running:
                nursery.start_soon(ask)
                await until(lambda: held)
                running.cancel()
            gc.collect()
    assert held == [Ask, "cancelled"]


async def test_the_maker_of_a_request_may_fail() -> None:
    """Its error comes out in the thread, and nothing was sent."""

    def make(_: OneshotSender[int]) -> Ask:
        raise LookupError

    def source(ctx: AnyBlockingContext) -> str:
        with pytest.raises(LookupError):
            ctx.request(make)
        return "failed"

    player = Does(source)
    async with Press(source=player, sink=forever).open() as running:
        await until_it_ends(running, "source")
        assert running.statistics().subsystems["sink"].bounded.sent == 0
        running.cancel()
    assert player.result == "failed"
