"""What is no deadlock: as long as one task may move by whatever the library cannot see through, nobody is stuck."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import trio

from orchestra_trio import OneshotSender, Orchestra, Subsystem
from tests.runtime.watch.stuck import (
    LONG,
    Main,
    MsgA,
    MsgB,
    MsgC,
    Pair,
    QueryA,
    QueryB,
    Trio,
    asks,
    deadlock_in,
    fills,
    sleeps,
    stays_open,
    takes,
)

if TYPE_CHECKING:
    from trio.testing import MockClock

    from tests.runtime.samples import AnyContext


def within(seconds: float, main: Main) -> Main:
    """Do something again and again, each time with a time limit."""

    async def limited(ctx: AnyContext) -> None:
        while True:
            with trio.move_on_after(seconds):
                await main(ctx)

    return limited


ROUNDS = 300
"""So many that an order of tasks that comes up half of the time does."""


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (within(7, fills(MsgB())), fills(MsgA())),
        (within(7, asks(QueryB)), fills(MsgA())),
        (fills(MsgB()), within(7, asks(QueryA, first=MsgA()))),
        (within(7, fills(MsgB())), within(9, fills(MsgA()))),
    ],
    ids=["send", "request", "the one that closes the cycle", "both"],
)
async def test_time_limits_inside(autojump_clock: MockClock, a: Main, b: Main) -> None:
    """One member that waits for so long and no longer sets all free."""
    await stays_open(Pair(a=a, b=b))


async def test_a_time_limit_around_a_nursery(autojump_clock: MockClock) -> None:
    """It is that of the children too."""

    async def a(ctx: AnyContext) -> None:
        with trio.move_on_after(50):
            async with trio.open_nursery() as nursery:
                for _ in range(2):
                    nursery.start_soon(fills(MsgB()), ctx)
        await takes(ctx)

    await stays_open(Pair(a=a, b=fills(MsgA())))


async def test_a_time_limit_of_one_task_among_several(autojump_clock: MockClock) -> None:
    """It holds for its own task; when that has ended, it does not count any more."""

    async def a(ctx: AnyContext) -> None:
        ctx.start_soon(fills(MsgB()), ctx)
        with trio.move_on_after(5):
            await fills(MsgB())(ctx)

    await deadlock_in(Pair(a=a, b=fills(MsgA())))
    assert trio.current_time() == 5


@pytest.mark.parametrize("is_shielded", [False, True])
async def test_a_scope_that_sets_no_limit(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture, is_shielded: bool
) -> None:
    """Neither one without a deadline nor a shield against one makes a task move."""

    class Warned(Pair, on_deadlock="warn"):
        pass

    scope = trio.CancelScope(shield=is_shielded)

    async def a(ctx: AnyContext) -> None:
        with trio.move_on_after(20 if is_shielded else math.inf), scope:
            await fills(MsgB())(ctx)

    async with Warned(a=a, b=fills(MsgA())).open() as running:
        await trio.sleep(1)
        assert "a -[bounded: MsgB]-> b -[bounded: MsgA]-> a" in caplog.text
        scope.cancel()
        running.cancel()


async def test_limits_of_the_surroundings_do_not_count(autojump_clock: MockClock) -> None:
    """Neither around the orchestra nor in its block."""
    with trio.fail_after(50):
        assert (await deadlock_in(Pair(a=fills(MsgB()), b=fills(MsgA())))).cycle == ("a", "b")
    assert trio.current_time() == 0


@pytest.mark.parametrize("background", [False, True])
async def test_a_job_that_receives(autojump_clock: MockClock, background: bool) -> None:
    """Also one that does so later, and for now only sleeps."""
    got: list[object] = []
    is_done = trio.Event()

    async def receive_late(ctx: AnyContext) -> None:
        await trio.sleep(30)
        got.extend([await ctx.receive() for _ in range(4)])
        is_done.set()

    async def a(ctx: AnyContext) -> None:
        ctx.start_soon(receive_late, ctx, background=background)
        await ctx.send_many([MsgB()] * 4)
        await is_done.wait()

    async def b(ctx: AnyContext) -> None:
        await ctx.send_many([MsgA()] * 4)
        await takes(ctx)

    with trio.fail_after(LONG):
        await Pair(a=a, b=b).run()
    assert got == [MsgA()] * 4


@pytest.mark.parametrize("other", [sleeps, takes])
async def test_a_job_that_waits_for_one_outside_of_the_set(autojump_clock: MockClock, other: Main) -> None:
    """Of a subsystem that may move, whether it does or not."""

    async def a(ctx: AnyContext) -> None:
        ctx.start_soon(fills(MsgC()), ctx)
        await fills(MsgB())(ctx)

    async def c(ctx: AnyContext) -> None:
        await trio.sleep(10)
        await other(ctx)

    await stays_open(Trio(a=a, b=fills(MsgA()), c=c))


async def test_the_embedding_program_may_move(autojump_clock: MockClock) -> None:
    """One that waits for it does not wait for a subsystem, whatever those are called."""

    class Export(Orchestra, message_capacity=1, outgoing=bytes):
        outgoing: Subsystem[MsgA, MsgA | bytes]

    async with Export(outgoing=fills(b"")).open() as running:
        await trio.sleep(10)
        assert [await running.outgoing.receive() for _ in range(5)] == [b""] * 5
        running.cancel()


class Forwarded(NamedTuple):
    """The reply end of another message."""

    reply: OneshotSender[int]


class Relay(Orchestra, message_capacity=1):
    """The second may let the third answer."""

    a: Subsystem[MsgA, QueryB]
    b: Subsystem[QueryB, MsgA | Forwarded]
    c: Subsystem[Forwarded, MsgA]


@pytest.mark.parametrize("then", ["keeps it", "hands it on"])
async def test_a_request_that_was_taken(autojump_clock: MockClock, then: str) -> None:
    """Whoever holds the reply end may answer, and so set free who asked: anybody."""
    held: list[OneshotSender[int]] = []
    answers: list[int] = []

    async def a(ctx: AnyContext) -> None:
        answers.append(await ctx.request(QueryB))
        await takes(ctx)

    async def b(ctx: AnyContext) -> None:
        query = await ctx.receive()
        if then == "keeps it":
            held.append(query.reply)
        else:
            await ctx.send(Forwarded(query.reply))
        await fills(MsgA())(ctx)

    async def c(ctx: AnyContext) -> None:
        await trio.sleep(50)
        reply = held[0] if held else (await ctx.receive()).reply
        reply.send(7)
        await fills(MsgA())(ctx)

    await stays_open(Relay(a=a, b=b, c=c))
    assert answers == [7]


@pytest.mark.parametrize("outside", ["the block", "another subsystem"])
async def test_tasks_outside_that_send_as_a_member(autojump_clock: MockClock, outside: str) -> None:
    """They wait in its name, but are none of its tasks, nor known to be those of another subsystem."""
    senders: list[Any] = []

    async def a(ctx: AnyContext) -> None:
        senders.append(ctx.sender)
        await trio.sleep(90)
        await takes(ctx)

    async def c(ctx: AnyContext) -> None:
        await trio.sleep(1)
        if outside == "another subsystem":
            await senders[0].send_many([MsgB()] * 3)

    with trio.fail_after(LONG):
        async with Trio(a=a, b=asks(QueryA), c=c).open() as running:
            await trio.sleep(1)
            if outside == "the block":
                with trio.move_on_after(20):
                    await senders[0].send_many([MsgB()] * 3)
            await trio.sleep(60)
            assert running.statistics().subsystems["b"].waits[0].kind == "request"
            running.cancel()


async def test_who_was_woken_but_has_not_run_yet_does_not_wait(autojump_clock: MockClock) -> None:
    """A sender that was let in is still on record as waiting when its consumer begins to wait for it in turn."""
    exchanged = trio.Event()

    async def a(ctx: AnyContext) -> None:
        await ctx.send(MsgB())
        for _ in range(ROUNDS):
            await ctx.send(MsgB())
            await ctx.receive()
        exchanged.set()

    async def b(ctx: AnyContext) -> None:
        await ctx.send(MsgA())
        for _ in range(ROUNDS):
            await ctx.receive()
            await ctx.send(MsgA())

    with trio.fail_after(LONG):
        async with Pair(a=a, b=b).open() as running:
            await exchanged.wait()
            running.cancel()


async def test_who_was_cancelled_but_has_not_run_yet_does_not_wait(autojump_clock: MockClock) -> None:
    """The task that cancels it begins to wait in the same step."""
    scope = trio.CancelScope()

    async def a(ctx: AnyContext) -> None:
        async def cancel_and_wait() -> None:
            await trio.sleep(3)
            scope.cancel()
            await ctx.send(MsgB())

        ctx.start_soon(cancel_and_wait)
        with scope:
            await fills(MsgB())(ctx)
        await takes(ctx)

    await stays_open(Pair(a=a, b=fills(MsgA())))
