"""Errors that threads raise: first errors as those of tasks are, with the same notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio

from tests.runtime.contexts.blocking import (
    AnyBlockingContext,
    Desk,
    Does,
    Gate,
    Tandem,
    done,
    idle,
    until,
    until_it_waits,
)
from tests.runtime.samples import Item, Tick, stopped

if TYPE_CHECKING:
    from collections.abc import Callable


async def test_what_the_function_raises_is_the_first_error() -> None:
    """With a note that names subsystem, orchestra and the message in hand; others are cancelled."""

    def worker(ctx: AnyBlockingContext) -> None:
        ctx.receive()
        raise LookupError

    with stopped() as errors:
        async with Tandem(source=lambda ctx: ctx.send(Item(3)), sink=worker).open():
            await trio.sleep_forever()
    assert [type(one) for one in errors] == [LookupError]
    assert errors[0].__notes__ == ["orchestra_trio: raised in 'sink' of Tandem, with an Item in hand"]


TAKES: dict[str, Callable[[AnyBlockingContext], object]] = {
    "receive": lambda ctx: ctx.receive(),
    "receive_nowait": lambda ctx: ctx.receive_nowait(),
    "receive_many": lambda ctx: ctx.receive_many(5),
}


@pytest.mark.parametrize("take", TAKES.values(), ids=TAKES)
async def test_the_message_in_hand_is_the_last_that_it_took(take: Callable[[AnyBlockingContext], object]) -> None:
    """Whether it waited for it or found it there."""

    def worker(ctx: AnyBlockingContext) -> None:
        ctx.receive_signal()
        gate.wait()
        take(ctx)
        raise LookupError

    gate = Gate()
    with stopped() as errors:
        async with Desk(worker=worker).open() as running:
            await running.broadcast_signal(Tick())
            await until(lambda: gate.is_reached)
            await running.route_message(Item(1))
            gate.open()
            await trio.sleep_forever()
    assert errors[0].__notes__ == ["orchestra_trio: raised in 'worker' of Desk, with an Item in hand"]


async def test_what_a_job_raises_is_the_first_error() -> None:
    def job() -> None:
        raise LookupError

    def worker(ctx: AnyBlockingContext) -> None:
        ctx.start_soon(job, name="a job")
        idle(ctx)

    player = Does(worker)
    with stopped() as errors:
        async with Desk(worker=player).open():
            await trio.sleep_forever()
    assert [type(one) for one in errors] == [LookupError]
    assert errors[0].__notes__ == ["orchestra_trio: raised in 'worker' of Desk, in its job 'a job'"]
    assert isinstance(player.error, trio.Cancelled)


async def test_groups_that_a_thread_raises_stay_whole() -> None:
    group = ExceptionGroup("of users", [LookupError(), ValueError()])

    def worker(_: AnyBlockingContext) -> None:
        raise group

    with stopped() as errors:
        await Desk(worker=worker).run()
    (only,) = errors
    assert isinstance(only, ExceptionGroup)
    assert (only.message, only.exceptions) == (group.message, group.exceptions)


async def test_errors_raised_while_it_is_cancelled_are_recorded_too() -> None:
    def worker(ctx: AnyBlockingContext) -> None:
        try:
            ctx.receive()
        finally:
            raise ValueError

    def other(_: AnyBlockingContext) -> None:
        gate.wait()
        raise LookupError

    gate = Gate()
    with stopped() as errors:
        async with Tandem(source=other, sink=worker).open() as running:
            await until_it_waits(running, "sink")
            gate.open()
            await trio.sleep_forever()
    assert [type(one) for one in errors] == [LookupError, ValueError]


async def test_a_keyboard_interrupt_that_a_thread_raises_comes_out_as_it_is() -> None:
    def worker(_: AnyBlockingContext) -> None:
        raise KeyboardInterrupt

    with stopped() as errors:
        await Desk(worker=worker).run()
    assert [type(one) for one in errors] == [KeyboardInterrupt]


async def test_nothing_lingers_of_a_thread_that_has_ended() -> None:
    """No task, and no thread in a call."""
    before = trio.lowlevel.current_statistics().tasks_living
    for _ in range(3):
        async with Tandem(source=done, sink=idle).open():
            pass
    assert trio.lowlevel.current_statistics().tasks_living == before
