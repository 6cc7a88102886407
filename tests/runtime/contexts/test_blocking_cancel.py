"""Cancelling blocking subsystems: out of their waits, all or nothing, and what their threads may still do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import trio
from typing_extensions import TypeVar, TypeVarTuple, override

from orchestra_trio import Spawner
from tests.runtime.contexts.blocking import (
    AnyBlockingContext,
    Desk,
    Does,
    Gate,
    Lone,
    Press,
    idle,
    until,
    until_it_waits,
)
from tests.runtime.samples import Ask, Item, forever, stopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra_trio import RunningOrchestra


T = TypeVar("T")
Ts = TypeVarTuple("Ts")


def fill(ctx: AnyBlockingContext) -> None:
    """Leave no room in the consumer's lane."""
    for _ in range(2):
        ctx.send(Item(0))


def wait_to_send(ctx: AnyBlockingContext) -> None:
    fill(ctx)
    ctx.send(Item(9))


def wait_to_send_many(ctx: AnyBlockingContext) -> None:
    ctx.send_many([Item(0), Item(0), Item(9), Item(9)])


def wait_to_send_a_request(ctx: AnyBlockingContext) -> None:
    fill(ctx)
    ctx.request(Ask, 9)


def wait_for_an_answer(ctx: AnyBlockingContext) -> None:
    ctx.request(Ask, 0)


WAITS: dict[str, tuple[str, Callable[[AnyBlockingContext], object]]] = {
    "receive": ("receive", lambda ctx: ctx.receive()),
    "receive_many": ("receive", lambda ctx: ctx.receive_many(3)),
    "receive_signal": ("receive", lambda ctx: ctx.receive_signal()),
    "iteration": ("receive", list),
    "send": ("send", wait_to_send),
    "send_many": ("send", wait_to_send_many),
    "room for a request": ("send", wait_to_send_a_request),
    "answer": ("request", wait_for_an_answer),
}


def cancel(running: RunningOrchestra[Any, Any]) -> None:
    running.cancel()


def fail(_: RunningOrchestra[Any, Any]) -> None:
    raise LookupError


@pytest.mark.parametrize("way", [cancel, fail])
@pytest.mark.parametrize(("kind", "wait"), WAITS.values(), ids=WAITS)
async def test_a_thread_is_cancelled_out_of_every_wait(
    way: Callable[[Any], Any], kind: str, wait: Callable[[AnyBlockingContext], object]
) -> None:
    """All or nothing: what it waited to send is in no lane, and it has received nothing."""
    player = Does(wait)
    try:
        async with Press(source=player, sink=forever).open() as running:
            await until_it_waits(running, "source", kind)
            way(running)
    except* LookupError:
        assert way is fail
    assert isinstance(player.error, trio.Cancelled)
    now = running.statistics().subsystems
    assert (now["source"].state, now["source"].waits) == ("cancelled", ())
    assert now["sink"].bounded.sent == len(running.dead_letters)
    assert all(letter.message == Item(0) or isinstance(letter.message, Ask) for letter in running.dead_letters)
    assert not any(getattr(letter.message, "number", 0) == 9 for letter in running.dead_letters)


@pytest.mark.parametrize("name", ["send", "send_many", "room for a request", "answer"])
async def test_a_thread_is_cancelled_when_the_grace_is_over(name: str) -> None:
    """Those that wait to receive are told of the end of input before."""
    kind, wait = WAITS[name]
    player = Does(wait)
    async with Press(source=player, sink=forever).open() as running:
        await until_it_waits(running, "source", kind)
        report = await running.terminate(grace=0)
    assert isinstance(player.error, trio.Cancelled)
    assert report.cancelled == ("source", "sink")


async def test_a_scope_around_the_orchestra_cancels_threads() -> None:
    player = Does(idle)
    with trio.CancelScope() as scope:
        async with Desk(worker=player).open() as running:
            await until_it_waits(running, "worker")
            scope.cancel()
    assert isinstance(player.error, trio.Cancelled)


async def test_a_job_of_a_thread_that_fails_cancels_the_others() -> None:
    def job() -> None:
        gate.wait()
        raise LookupError

    def worker(ctx: AnyBlockingContext) -> None:
        ctx.start_soon(job)
        ctx.start_soon(other, ctx)
        ctx.receive()

    gate = Gate()
    other = Does(idle)
    player = Does(worker)
    with stopped() as errors:
        async with Desk(worker=player).open() as running:
            await until(lambda: len(running.statistics().subsystems["worker"].waits) == 2)
            gate.open()
            await trio.sleep_forever()
    assert [type(one) for one in errors] == [LookupError]
    assert isinstance(player.error, trio.Cancelled)
    assert isinstance(other.error, trio.Cancelled)


CHECKING: dict[str, Callable[[AnyBlockingContext], object]] = {
    "receive": lambda ctx: ctx.receive(),
    "receive_many": lambda ctx: ctx.receive_many(3),
    "receive_signal": lambda ctx: ctx.receive_signal(),
    "send": lambda ctx: ctx.send(Item(9)),
    "send_many": lambda ctx: ctx.send_many([Item(9)]),
    "send_many of nothing": lambda ctx: ctx.send_many([]),
    "send_many of an iterator": lambda ctx: ctx.send_many(iter([])),
    "request": lambda ctx: ctx.request(Ask, 9),
    "check_cancelled": lambda ctx: ctx.check_cancelled(),
}


@pytest.mark.parametrize("call", CHECKING.values(), ids=CHECKING)
async def test_a_thread_that_was_busy_is_cancelled_by_its_next_call(
    call: Callable[[AnyBlockingContext], object],
) -> None:
    """Even where that would find at once what it needs; and by each one after that, too."""

    def worker(ctx: AnyBlockingContext) -> None:
        gate.wait()
        for _ in range(2):
            with pytest.raises(trio.Cancelled):
                call(ctx)
        call(ctx)

    gate = Gate()
    player = Does(worker)
    async with Lone(worker=player).open() as running:
        await running.route_message(Item(1))
        await until(lambda: gate.is_reached)
        running.cancel()
        gate.open()
    assert isinstance(player.error, trio.Cancelled)
    assert [letter.message for letter in running.dead_letters] == [Item(1)]
    assert running.statistics().subsystems["worker"].bounded.received == 0


async def test_calls_that_do_not_wait_work_once_it_was_cancelled() -> None:
    """So that a thread can clean up."""

    def worker(ctx: AnyBlockingContext) -> None:
        try:
            idle(ctx)
        finally:
            ctx.send_nowait(Item(5))
            ctx.started()
            assert ctx.receive_nowait() == Item(5)
            with pytest.raises(trio.WouldBlock):
                ctx.receive_nowait()
            ctx.start_soon(pytest.fail, "a job of a cancelled subsystem began")
            cleaned.append(ctx.name)

    cleaned: list[str] = []
    async with Lone(worker=worker).open() as running:
        await until_it_waits(running, "worker")
        running.cancel()
    assert cleaned == ["worker"]


async def test_a_thread_may_end_normally_although_it_was_cancelled() -> None:
    """As a task that swallows its cancellation."""

    def worker(ctx: AnyBlockingContext) -> None:
        with pytest.raises(trio.Cancelled):
            ctx.receive()

    async with Desk(worker=worker).open() as running:
        await until_it_waits(running, "worker")
        running.cancel()
    assert running.statistics().subsystems["worker"].state in {"finished", "cancelled"}


async def test_a_thread_inside_trios_own_call_is_cancelled_there() -> None:
    def worker(_: AnyBlockingContext) -> None:
        trio.from_thread.run(wait)

    async def wait() -> None:
        reached.set()
        await trio.sleep_forever()

    reached = trio.Event()
    player = Does(worker)
    async with Desk(worker=player).open() as running:
        await reached.wait()
        running.cancel()
    assert isinstance(player.error, trio.Cancelled)


class Shields(Spawner):
    """Waits for the ends of threads whatever is cancelled, as the protocol asks, in a way of its own."""

    @override
    async def run_in_thread(
        self,
        sync_fn: Callable[[*Ts], T],
        *args: *Ts,
        name: str,
        subsystem: str,
        limiter: trio.CapacityLimiter | None,
    ) -> T:
        result: T
        with trio.CancelScope(shield=True):
            result = await super().run_in_thread(sync_fn, *args, name=name, subsystem=subsystem, limiter=limiter)
        return result


@pytest.mark.parametrize(("kind", "wait"), WAITS.values(), ids=WAITS)
async def test_a_thread_is_cancelled_although_the_spawner_shields_it(
    kind: str, wait: Callable[[AnyBlockingContext], object]
) -> None:
    player = Does(wait)
    async with Press(source=player, sink=forever).open(spawner=Shields()) as running:
        await until_it_waits(running, "source", kind)
        running.cancel()
    assert isinstance(player.error, trio.Cancelled)
