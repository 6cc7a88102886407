"""Draining cycles: when all members are at rest, and in which order they end."""

from __future__ import annotations

from typing import Any, Never

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from orchestra_trio import Orchestra, Subsystem, SubsystemContext
from tests.runtime.samples import (
    AnyContext,
    Collect,
    Ends,
    Item,
    Other,
    Ring,
    Tick,
    countdown,
    done,
    forever,
    idle,
    stopped,
)


@pytest.mark.parametrize("pause", [0, 1])
async def test_all_that_is_in_flight_in_a_ring_is_handled_before_its_members_end(
    autojump_clock: MockClock, pause: float
) -> None:
    """However long it takes; then they end in declaration order, one at a time."""
    ends, got = Ends(), list[int]()
    ring = Ring(ping=countdown(Other, ends, got, pause), pong=countdown(Item, ends, got, pause))
    with trio.fail_after(1000):
        async with ring.open() as running:
            await running.route_message(Item(20))
            await running.route_message(Item(11))
    assert sorted(got) == sorted([*range(21), *range(12)])
    assert ends.names == ["ping", "pong"]
    assert running.dead_letters == ()


async def test_members_end_in_declaration_order_the_rest_at_rest_again_between_them(autojump_clock: MockClock) -> None:
    """What the first flushes is handled by the others before the second ends."""

    class Three(Orchestra):
        b: Subsystem[bytes, Item | Other]
        c: Subsystem[Item, bytes]
        a: Subsystem[Other, bytes]

    log: list[str] = []

    def member(*flush: Any) -> Any:  # noqa: ANN401 - of any types
        async def run(ctx: AnyContext) -> None:
            async for incoming in ctx:
                await trio.sleep(1)
                log.append(f"{ctx.name} handled {type(incoming).__name__}")
            log.append(f"{ctx.name} ends")
            await ctx.send_many(flush)

        return run

    await Three(b=member(Item(1), Other(2)), c=member(), a=member()).run()
    assert log[0] == "b ends"
    assert sorted(log[1:3]) == ["a handled Other", "c handled Item"]
    assert log[3:] == ["c ends", "a ends"]


async def test_a_self_loop_is_a_cycle(autojump_clock: MockClock) -> None:
    """Messages that a subsystem sends itself are handled first, also those of its jobs."""

    class Loop(Orchestra):
        loop: Subsystem[Item, Item]

    ends, got = Ends(), list[int]()

    async def loop(ctx: SubsystemContext[Item, Item]) -> None:
        async def later() -> None:
            await trio.sleep(5)
            await ctx.send(Item(2))

        ctx.start_soon(later)
        await countdown(Item, ends, got)(ctx)

    async with Loop(loop=loop).open() as running:
        await running.route_message(Item(3))
    assert got == [3, 2, 1, 0, 2, 1, 0]
    assert ends.log == [("loop", 5)]


async def test_a_member_that_waits_to_send_is_not_at_rest(autojump_clock: MockClock) -> None:
    """Nor is one with something in its lanes that it does not take: it is waited for."""
    ends = Ends()

    async def ping(ctx: SubsystemContext[Item, Other, Tick]) -> None:
        await trio.sleep(5)
        await ctx.send_many([Other(0) for _ in range(9)])
        await countdown(Other, ends)(ctx)

    async def pong(ctx: SubsystemContext[Other, Item]) -> None:
        await trio.sleep(8)
        await countdown(Item, ends)(ctx)

    await Ring(ping=ping, pong=pong).run()
    assert ends.log == [("ping", 8), ("pong", 8)]


async def test_members_that_end_by_themselves_are_not_waited_for(autojump_clock: MockClock) -> None:
    """Before or while the component drains; also if all of them do."""
    ends = Ends()

    async def leaves(_: AnyContext) -> None:
        await trio.sleep(3)

    await Ring(ping=done, pong=countdown(Item, ends)).run()
    await Ring(ping=countdown(Other, ends), pong=leaves).run()
    await Ring(ping=leaves, pong=leaves).run()
    assert ends.log == [("pong", 0), ("ping", 3)]
    assert trio.current_time() == 6


async def test_a_cycle_waits_for_what_is_upstream_and_holds_up_what_is_downstream(autojump_clock: MockClock) -> None:
    """Law 10 between components."""

    class Long(Orchestra):
        sink: Subsystem[bytes]
        pong: Subsystem[Other, Item | bytes]
        ping: Subsystem[Item, Other]
        source: Subsystem[Never, Item]

    ends = Ends()

    async def source(ctx: SubsystemContext[Never, Item]) -> None:
        await trio.sleep(3)
        await ctx.send(Item(6))
        ends.note(ctx)

    async def pong(ctx: SubsystemContext[Other, Item | bytes]) -> None:
        await countdown(Item, ends)(ctx)
        await ctx.send(b"flushed")

    sink = Collect()

    async def noted_sink(ctx: AnyContext) -> None:
        await sink(ctx)
        ends.note(ctx)

    await Long(source=source, ping=countdown(Other, ends), pong=pong, sink=noted_sink).run()
    assert ends.names == ["source", "pong", "ping", "sink"]
    assert sink.got == [b"flushed"]


async def test_two_cycles_drain_independently(autojump_clock: MockClock) -> None:
    """The one that is busy does not keep the other."""

    class Twice(Orchestra):
        a: Subsystem[Item, Item]
        b: Subsystem[Other, Other]

    ends = Ends()

    async def b(ctx: SubsystemContext[Other, Other]) -> None:
        ctx.start_soon(trio.sleep, 5)
        await countdown(Other, ends)(ctx)

    await Twice(a=countdown(Item, ends), b=b).run()
    assert ends.log == [("a", 0), ("b", 5)]


async def test_signals_to_a_cycle_that_drains_are_handled_first(autojump_clock: MockClock) -> None:
    """One in a lane keeps its member from being at rest."""
    ends, ticks = Ends(), list[Any]()

    async def ping(ctx: SubsystemContext[Item, Other, Tick]) -> None:
        await trio.sleep(2)
        async for incoming in ctx:
            if isinstance(incoming, Tick):
                ticks.append(incoming)
                await ctx.send(Other(0))
        ends.note(ctx)

    async with Ring(ping=ping, pong=countdown(Item, ends)).open() as running:
        await running.broadcast_signal(Tick())
    assert len(ticks) == 1
    assert ends.names == ["ping", "pong"]


async def test_a_member_that_receives_signals_alone_is_at_rest_too(autojump_clock: MockClock) -> None:
    """Its end of input ends that wait."""
    ends = Ends()

    async def ping(ctx: SubsystemContext[Item, Other, Tick]) -> None:
        with pytest.raises(trio.EndOfChannel):
            await ctx.receive_signal()
        ends.note(ctx)

    await Ring(ping=ping, pong=countdown(Item, ends)).run()
    assert ends.names == ["ping", "pong"]


async def test_a_flush_that_comes_back_to_who_is_ending_is_received_or_a_dead_letter(autojump_clock: MockClock) -> None:
    """Who is ending stays so, whatever comes to it: nothing it sends makes an error."""

    async def ping(ctx: SubsystemContext[Item, Other, Tick]) -> None:
        await idle(ctx)
        await ctx.send(Other(1))  # comes back as Item(0)
        await trio.sleep(1)
        assert running.statistics().subsystems["ping"].state == "ending"

    async with Ring(ping=ping, pong=countdown(Item, Ends())).open() as running:
        running.close_input()
        await running.wait_stopped()
    assert [(one.message, one.reason) for one in running.dead_letters] == [(Item(0), "left over")]


async def test_cancelling_a_cycle_that_drains_leaves_nothing_behind(autojump_clock: MockClock) -> None:
    """The instrument that watches it is gone afterwards, whatever ended it."""
    ring = Ring(ping=forever, pong=idle)
    with trio.move_on_after(2) as scope:
        await ring.run()
    assert scope.cancelled_caught
    async with ring.open() as running:
        running.close_input()
        await wait_all_tasks_blocked()
        running.cancel()
    with stopped():
        async with ring.open() as running:
            running.close_input()
            await wait_all_tasks_blocked()
            raise ValueError
    async with ring.open() as running:
        report = await running.terminate(grace=3)
    assert (report.finished, report.cancelled) == ((), ("ping", "pong"))
    watch = running._run.watch
    with pytest.raises(KeyError):
        trio.lowlevel.remove_instrument(watch)


async def test_a_cycle_without_tasks_in_flight_drains_while_other_tasks_are_busy(autojump_clock: MockClock) -> None:
    """What else the program does has no part in it."""

    async def spin() -> None:
        while True:  # noqa: ASYNC110 - to be busy is what it is for
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(spin)
        ends = Ends()
        await Ring(ping=countdown(Other, ends), pong=countdown(Item, ends)).run()
        assert ends.names == ["ping", "pong"]
        nursery.cancel_scope.cancel()
