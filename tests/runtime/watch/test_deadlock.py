"""Deadlocks that are found: as soon as they exist, with a cycle of them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple, Never

import pytest
import trio

from orchestra_trio import DeadlockDetected, Orchestra, Priority, Subsystem, SubsystemContext, subsystem
from tests.runtime.samples import AnyContext, done, stopped
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
    takes,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from trio.testing import MockClock


async def test_two_that_send_into_each_others_full_lanes(autojump_clock: MockClock) -> None:
    """The cycle is named at the moment at which it closes, and is the one error that stops everything."""

    async def late(ctx: AnyContext) -> None:
        await trio.sleep(7)
        await fills(MsgA())(ctx)

    error = await deadlock_in(Pair(a=fills(MsgB()), b=late))
    assert trio.current_time() == 7
    assert error.orchestra == "Pair"
    assert error.cycle == error.members == ("a", "b")
    assert str(error) == (
        "subsystems of Pair wait for each other for ever: a -[bounded: MsgB]-> b -[bounded: MsgA]-> a; "
        "let one of them receive in a task of its own, or send with a time limit or unbounded"
    )


@pytest.mark.parametrize(
    ("a", "b", "cycle"),
    [
        (fills(MsgB()), asks(QueryA), "a -[bounded: MsgB]-> b -[request: QueryA]-> a"),
        (asks(QueryB), asks(QueryA), "a -[request: QueryB]-> b -[request: QueryA]-> a"),
        (asks(QueryB), fills(MsgA()), "a -[request: QueryB]-> b -[bounded: MsgA]-> a"),
        (asks(QueryB, first=MsgB()), fills(MsgA()), "a -[bounded: QueryB]-> b -[bounded: MsgA]-> a"),
        (asks(QueryB, first=MsgB()), asks(QueryA, first=MsgA()), "a -[bounded: QueryB]-> b -[bounded: QueryA]-> a"),
    ],
)
async def test_requests_that_nobody_has_taken(autojump_clock: MockClock, a: Main, b: Main, cycle: str) -> None:
    """Those that lie in the lane, and those that wait to be let in."""
    error = await deadlock_in(Pair(a=a, b=b))
    assert f"for ever: {cycle};" in str(error)
    assert trio.current_time() == 0


@pytest.mark.parametrize(
    ("main", "link"), [(fills(MsgA()), "-[bounded: MsgA]->"), (asks(QueryA), "-[request: QueryA]->")]
)
async def test_one_that_waits_for_itself(autojump_clock: MockClock, main: Main, link: str) -> None:
    error = await deadlock_in(Trio(a=main, b=takes, c=takes))
    assert error.cycle == error.members == ("a",)
    assert str(error).startswith(
        f"subsystem 'a' of Trio waits for itself for ever: a {link} a; let it receive in a task"
    )


async def test_a_cycle_of_three(autojump_clock: MockClock) -> None:
    """It is told from the one declared first on, whoever closes it."""
    for last in range(3):

        def late(message: object, *, is_last: bool) -> Main:
            async def run(ctx: AnyContext) -> None:
                await trio.sleep(is_last)
                await fills(message)(ctx)

            return run

        a, b, c = (late(one, is_last=place == last) for place, one in enumerate((MsgB(), MsgC(), MsgA())))
        error = await deadlock_in(Trio(a=a, b=b, c=c))
        assert "for ever: a -[bounded: MsgB]-> b -[bounded: MsgC]-> c -[bounded: MsgA]-> a;" in str(error)


async def test_two_cycles_that_share_a_member(autojump_clock: MockClock) -> None:
    """As long as one of its tasks may move there is none; then both cycles are in it, and one is named."""

    async def hub(ctx: AnyContext) -> None:
        ctx.start_soon(fills(MsgB()), ctx)
        await trio.sleep(3)
        await fills(MsgC())(ctx)

    error = await deadlock_in(Trio(a=hub, b=fills(MsgA()), c=asks(QueryA)))
    assert trio.current_time() == 3
    assert error.members == ("a", "b", "c")
    assert error.cycle in {("a", "b"), ("a", "c")}
    assert f"a, and other tasks of theirs for {'c' if 'b' in error.cycle else 'b'}; let one of them" in str(error)


async def test_a_member_outside_of_the_cycle(autojump_clock: MockClock) -> None:
    """One that a task in the cycle waits for, and that waits for the cycle itself, keeps nobody from being stuck."""

    async def a(ctx: AnyContext) -> None:
        ctx.start_soon(fills(MsgC()), ctx)
        await fills(MsgB())(ctx)

    async def c(ctx: AnyContext) -> None:
        await trio.sleep(2)
        await fills(MsgB())(ctx)

    error = await deadlock_in(Trio(a=a, b=fills(MsgA()), c=c))
    assert error.members == ("a", "b", "c")
    assert error.cycle in {("a", "b"), ("a", "c", "b")}


async def test_one_that_only_waits_for_a_deadlock_is_no_member(autojump_clock: MockClock) -> None:
    """Upstream of it, whether in the same component or not; and its own tasks that may move do not matter."""

    class Fed(Orchestra, message_capacity=1):
        source: Subsystem[Never, MsgA]
        a: Subsystem[MsgA, MsgB]
        b: Subsystem[MsgB, MsgA | MsgC]
        c: Subsystem[MsgC, MsgA]

    async def slow(ctx: AnyContext) -> None:
        await trio.sleep(5)
        await fills(MsgA())(ctx)

    error = await deadlock_in(Fed(source=fills(MsgA()), a=fills(MsgB()), b=slow, c=fills(MsgA())))
    assert error.cycle == error.members == ("a", "b")
    assert trio.current_time() == 5


async def test_priority_lanes_fill_too(autojump_clock: MockClock) -> None:
    """The lane that is named is the one that the sender waits for."""

    class Urgent(Orchestra, message_capacity=1):
        a: Subsystem[MsgA, MsgB]
        b: Subsystem[MsgB, MsgA] = subsystem(priority=True)

    def hurries(message: object) -> Main:
        async def run(ctx: AnyContext) -> None:
            while True:
                await ctx.send(message, priority=Priority.HIGH)

        return run

    error = await deadlock_in(Urgent(a=hurries(MsgB()), b=hurries(MsgA())))
    assert "a -[priority: MsgB]-> b -[bounded: MsgA]-> a" in str(error)


@pytest.mark.parametrize("make", [list, iter])
async def test_several_messages_in_one_call(
    autojump_clock: MockClock, make: Callable[[list[object]], Iterable[object]]
) -> None:
    """The message for which there was no room is the one that is named."""

    async def a(ctx: AnyContext) -> None:
        await ctx.send_many(make([MsgC(), MsgB(), MsgB(), MsgC()]))

    error = await deadlock_in(Trio(a=a, b=fills(MsgA()), c=takes))
    assert "a -[bounded: MsgB]-> b" in str(error)


async def test_the_type_that_is_named_is_that_of_the_message(autojump_clock: MockClock) -> None:
    """Which may be a subclass of the type that the wiring declares."""

    class Special(MsgB):
        pass

    error = await deadlock_in(Pair(a=fills(Special()), b=fills(MsgA())))
    assert "a -[bounded: test_the_type_that_is_named_is_that_of_the_message.<locals>.Special]-> b" in str(error)


async def test_every_task_of_a_subsystem_counts(autojump_clock: MockClock) -> None:
    """Also jobs in the background; it is found when the last that could still move has ended, or waits too."""

    async def job(ctx: AnyContext) -> None:
        await trio.sleep(4)

    async def a(ctx: AnyContext) -> None:
        ctx.start_soon(job, ctx)
        ctx.start_soon(fills(MsgB()), ctx, background=True)
        ctx.start_soon(fills(MsgB()), ctx)
        await done(ctx)

    async def b(ctx: AnyContext) -> None:
        await trio.sleep(1)
        await fills(MsgA())(ctx)

    error = await deadlock_in(Pair(a=a, b=b))
    assert trio.current_time() == 4
    assert error.cycle == ("a", "b")


async def test_a_start_that_waits_for_a_stuck_job(autojump_clock: MockClock) -> None:
    async def job(ctx: AnyContext, *, task_status: trio.TaskStatus[None]) -> None:  # noqa: ASYNC114 - of this test
        await fills(MsgB())(ctx)
        task_status.started()

    async def a(ctx: AnyContext) -> None:
        await ctx.start(job, ctx)

    assert (await deadlock_in(Pair(a=a, b=fills(MsgA())))).cycle == ("a", "b")


async def test_while_draining(autojump_clock: MockClock) -> None:
    """Members that flush into each other's lanes."""

    class Flushing(NamedTuple):
        message: Any

        async def __call__(self, ctx: SubsystemContext[Any, Any]) -> None:
            async for _ in ctx:
                pass
            await fills(self.message)(ctx)

    async def b(ctx: AnyContext) -> None:
        async for _ in ctx:
            await fills(MsgA())(ctx)

    with stopped() as errors, trio.fail_after(LONG):
        await Pair(a=Flushing(MsgB()), b=b).run()
    (error,) = errors
    assert isinstance(error, DeadlockDetected)
    assert error.cycle == ("a", "b")


async def test_while_terminating(autojump_clock: MockClock) -> None:
    """It is not waited for until the grace is over."""

    async def late(ctx: AnyContext) -> None:
        await trio.sleep(5)
        await fills(MsgA())(ctx)

    with stopped() as errors:
        async with Pair(a=fills(MsgB()), b=late).open() as running:
            await running.terminate(grace=50)
    assert trio.current_time() == 5
    assert [type(error) for error in errors] == [DeadlockDetected]


async def test_on_deadlock_warn_logs_each_once(autojump_clock: MockClock, caplog: pytest.LogCaptureFixture) -> None:
    """One more subsystem that waits for it is no other one; a wait that came after it was resolved is."""

    class Warned(Trio, on_deadlock="warn"):
        pass

    scope = trio.CancelScope()

    async def a(ctx: AnyContext) -> None:
        with scope:
            await fills(MsgB())(ctx)
        await trio.sleep(1)
        await fills(MsgB())(ctx)

    async def c(ctx: AnyContext) -> None:
        await trio.sleep(4)
        await fills(MsgA())(ctx)

    with trio.fail_after(LONG):
        async with Warned(a=a, b=fills(MsgA()), c=c).open() as running:
            await trio.sleep(9)
            (record,) = caplog.records
            assert record.getMessage().startswith(
                "subsystems of Warned wait for each other for ever: a -[bounded: MsgB]-> b -[bounded: MsgA]-> a; "
            )
            assert (record.name, record.levelno) == ("orchestra_trio", logging.WARNING)
            assert vars(record)["orchestra"] == "Warned"
            scope.cancel()
            await trio.sleep(9)
            assert len(caplog.records) == 2
            running.cancel()


async def test_on_deadlock_ignore_lets_it_be(autojump_clock: MockClock, caplog: pytest.LogCaptureFixture) -> None:
    """Statistics still show who waits for whom."""

    class Ignored(Pair, on_deadlock="ignore"):
        pass

    async with Ignored(a=fills(MsgB()), b=asks(QueryA)).open() as running:
        await trio.sleep(50)
        waits = running.map_subsystems(lambda one: [(wait.kind, wait.subsystem, wait.since) for wait in one.waits])
        assert waits == [[("send", "b", 0)], [("request", "a", 0)]]
        running.cancel()
    assert not [record for record in caplog.records if "for ever" in record.getMessage()]


async def test_the_error_shows_where_the_members_stand(autojump_clock: MockClock) -> None:
    """Notes with the stacks of those in the cycle; standings of all."""

    async def a(ctx: AnyContext) -> None:
        ctx.start_soon(fills(MsgC()), ctx)
        await asks(QueryB)(ctx)

    error = await deadlock_in(Trio(a=a, b=fills(MsgA()), c=fills(MsgA())))
    assert [one.statistics.name for one in error.standings] == ["a", "b", "c"]
    assert error.standings[2].place == "waits for room at 'a' (bounded lane), to send a MsgA"
    assert [note.splitlines()[0] for note in error.__notes__] == [f"where {name!r} stood:" for name in error.cycle]
    assert "await ctx.request(query)" in error.__notes__[0]


@pytest.mark.parametrize("waits_outside", ["for a subsystem", "for the embedding program"])
async def test_tasks_outside_that_send_as_a_member_hide_nothing(autojump_clock: MockClock, waits_outside: str) -> None:
    """They are outside input: what they wait for is none of the subsystem's waits."""

    class Open(Orchestra, message_capacity=1, outgoing=bytes):
        a: Subsystem[MsgA, MsgB | MsgC | bytes]
        b: Subsystem[MsgB, MsgA]
        c: Subsystem[MsgC]

    senders: list[Any] = []

    async def a(ctx: AnyContext) -> None:
        senders.append(ctx.sender)
        await trio.sleep(2)
        await fills(MsgB())(ctx)

    with stopped() as errors, trio.fail_after(LONG):
        async with Open(a=a, b=fills(MsgA()), c=sleeps).open():
            message: Any = MsgC() if waits_outside == "for a subsystem" else b""
            await trio.sleep(1)
            await senders[0].send(message)
            await senders[0].send(message)
    assert [type(error) for error in errors] == [DeadlockDetected]
    assert trio.current_time() == 2


async def test_after_a_member_has_ended_the_rest_may_be_stuck(autojump_clock: MockClock) -> None:
    """Who ends sets its senders free, with an error or with dead letters; they may wait elsewhere then."""

    class Loose(Orchestra, message_capacity=1):
        a: Subsystem[MsgA, MsgB | MsgC]
        b: Subsystem[MsgB, MsgA]
        c: Subsystem[MsgC, MsgA] = subsystem(after_exit="dead_letter")

    async def a(ctx: AnyContext) -> None:
        for _ in range(5):
            await ctx.send(MsgC())
        await fills(MsgB())(ctx)

    async def c(ctx: AnyContext) -> None:
        await trio.sleep(3)
        await done(ctx)

    error = await deadlock_in(Loose(a=a, b=fills(MsgA()), c=c))
    assert trio.current_time() == 3
    assert error.cycle == ("a", "b")
