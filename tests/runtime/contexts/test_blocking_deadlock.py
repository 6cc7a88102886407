"""Deadlock detection and threads: those that wait in a call are seen, and those at work are taken to move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from orchestra_trio import BlockingSubsystem, DeadlockDetected, OneshotSender, Orchestra
from tests.delivery.crowds import hasty
from tests.runtime.contexts.blocking import (
    PATIENCE,
    AnyBlockingContext,
    Gate,
    Mixed,
    Reverse,
    Wheel,
    until,
    until_it_waits,
    waits_of,
)
from tests.runtime.samples import AnyContext, Ask, Item, Other, stopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra_trio import RunningOrchestra


def floods(message: Any) -> Callable[[AnyBlockingContext], None]:  # noqa: ANN401 - of any wiring
    """Send for ever, and receive nothing."""

    def play(ctx: AnyBlockingContext) -> None:
        while True:
            ctx.send(message)

    return play


def floods_too(message: Any) -> Callable[[AnyContext], Any]:  # noqa: ANN401 - as above
    async def play(ctx: AnyContext) -> None:
        while True:
            await ctx.send(message)

    return play


@pytest.mark.parametrize("wiring", [Wheel, Mixed, Reverse])
async def test_threads_in_a_deadlock_are_named(wiring: Any) -> None:  # noqa: ANN401 - any of them
    ping = floods_too(Other(0)) if wiring is Reverse else floods(Other(0))
    pong = floods_too(Item(0)) if wiring is Mixed else floods(Item(0))
    with stopped() as errors:
        await wiring(ping=ping, pong=pong).run()
    (error,) = errors
    assert isinstance(error, DeadlockDetected)
    assert "ping -[bounded: Other]-> pong -[bounded: Item]-> ping" in str(error)


class Query(NamedTuple):
    """Another message that carries a reply end."""

    reply: OneshotSender[int]


class Court(Orchestra):
    """Two in threads that ask each other."""

    one: BlockingSubsystem[Ask, Query]
    two: BlockingSubsystem[Query, Ask]


async def test_threads_that_ask_each_other_and_never_answer_are_named() -> None:
    with stopped() as errors:
        await Court(one=lambda ctx: ctx.request(Query), two=lambda ctx: ctx.request(Ask)).run()
    (error,) = errors
    assert isinstance(error, DeadlockDetected)
    assert "one -[request: Query]-> two -[request: Ask]-> one" in str(error)


async def test_a_thread_that_computes_is_no_deadlock() -> None:
    """It may receive yet, and does."""

    def ping(ctx: AnyBlockingContext) -> None:
        gate.wait()
        got.extend(ctx)

    def pong(ctx: AnyBlockingContext) -> None:
        ctx.send_many([Item(1), Item(2), Item(3)])

    got: list[Item] = []
    gate = Gate()
    async with Wheel(ping=ping, pong=pong).open() as running:
        await until_it_waits(running, "pong", "send")
        await wait_all_tasks_blocked()
        gate.open()
    assert got == [Item(1), Item(2), Item(3)]


async def test_a_job_that_computes_is_no_deadlock() -> None:
    """While the main function waits in a ring of full lanes."""

    def job(ctx: AnyBlockingContext) -> None:
        gate.wait()
        got.extend([ctx.receive(), ctx.receive()])

    def ping(ctx: AnyBlockingContext) -> None:
        ctx.start_soon(job, ctx)
        ctx.send_many([Other(1), Other(2)])

    def pong(ctx: AnyBlockingContext) -> None:
        ctx.send_many([Item(1), Item(2)])
        got.extend(ctx)

    got: list[Any] = []
    gate = Gate()
    async with Wheel(ping=ping, pong=pong).open() as running:
        await until(lambda: "send" in kinds(running, "ping") and "send" in kinds(running, "pong"))
        await wait_all_tasks_blocked()
        gate.open()
    assert sorted(got, key=repr) == [Item(1), Item(2), Other(1), Other(2)]


async def test_a_thread_inside_trios_own_call_is_no_deadlock() -> None:
    def ping(ctx: AnyBlockingContext) -> None:
        trio.from_thread.run(released.wait)
        got.extend(ctx)

    def pong(ctx: AnyBlockingContext) -> None:
        ctx.send_many([Item(1), Item(2)])

    got: list[Any] = []
    released = trio.Event()
    async with Wheel(ping=ping, pong=pong).open() as running:
        await until_it_waits(running, "pong", "send")
        await wait_all_tasks_blocked()
        released.set()
    assert got == [Item(1), Item(2)]


def kinds(running: RunningOrchestra[Any, Any], name: str) -> list[str]:
    return [wait.kind for wait in waits_of(running, name)]


async def test_two_that_take_turns_at_full_lanes_are_no_deadlock() -> None:
    """Each lets the other in, and is about to receive when that one waits: many times, on one look after another."""
    turns = 300

    def ping(ctx: AnyBlockingContext) -> None:
        for number in range(turns):
            ctx.send(Other(number))
            ctx.receive()

    def pong(ctx: AnyBlockingContext) -> None:
        ctx.send(Item(0))
        for number in range(turns - 1):
            ctx.receive()
            ctx.send(Item(number))
        ctx.receive()

    with hasty(), trio.fail_after(PATIENCE):
        async with Wheel(ping=ping, pong=pong).open() as running:
            pass
    assert running.statistics().dead_letters == {}
