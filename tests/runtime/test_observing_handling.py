"""Observers who want to know how long messages fly and are handled, and where subsystems stand: for what shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Never

import pytest
import trio

from orchestra_trio import BlockingSubsystem, Orchestra, Subsystem
from tests.runtime.samples import AnyContext, Ask, Item, Other, Tick, stopped

if TYPE_CHECKING:
    from trio.testing import MockClock

    from orchestra_trio import BlockingSubsystemContext, Happening, RunningOrchestra, SubsystemContext
    from orchestra_trio.records import LaneName


class Solo(Orchestra[Tick]):
    sink: Subsystem[Item, Never, Tick]


async def sleepy(ctx: AnyContext) -> None:
    async for _ in ctx:
        await trio.sleep(5)


async def test_who_asks_is_told_with_the_time_at_which_what_came_before_is_handled(autojump_clock: MockClock) -> None:
    told: list[tuple[str, float, object]] = []
    async with Solo(sink=sleepy).open() as running:
        await trio.sleep(1)
        running.observe(lambda one: told.append((one.kind, one.time, one.task)), asks=True)
        begun = trio.current_time()
        await running.route_message(Item(1))
        await running.route_message(Item(2))
        await trio.sleep(100)
        assert [(kind, time - begun) for kind, time, _ in told] == [
            ("send", 0),
            ("receive", 0),
            ("send", 0),
            ("ask", 5),
            ("receive", 5),
            ("ask", 10),
        ], "it waits for what comes next, and asks for it once"
        tasks = {task for kind, _, task in told if kind != "send"}
        assert len(tasks) == 1


@pytest.mark.parametrize("how", ["receive", "many", "nowait", "iterate"])
async def test_every_way_of_asking_is_told(how: str, autojump_clock: MockClock) -> None:
    kinds: list[str] = []

    async def sink(ctx: SubsystemContext[Item, Never, Tick]) -> None:
        await trio.sleep(1)
        match how:
            case "receive":
                await ctx.receive()
            case "many":
                await ctx.receive_many(5)
            case "nowait":
                ctx.receive_nowait()
            case _:
                await anext(aiter(ctx))

    async with Solo(sink=sink).open() as running:
        await trio.sleep(0.5)
        running.observe(lambda one: kinds.append(one.kind), asks=True)
        await running.route_message(Item(1))
        await trio.sleep(2)
    assert kinds[:3] == ["send", "ask", "receive"]


async def test_who_asks_for_a_signal_alone_is_told(autojump_clock: MockClock) -> None:
    kinds: list[str] = []

    async def sink(ctx: SubsystemContext[Item, Never, Tick]) -> None:
        await trio.sleep(1)
        await ctx.receive_signal()

    async with Solo(sink=sink).open() as running:
        await trio.sleep(0.5)
        running.observe(lambda one: kinds.append(one.kind), asks=True)
        await trio.sleep(2)
        await running.broadcast_signal(Tick())
    assert kinds[:4] == ["ask", "broadcast", "send", "receive"]


async def test_a_thread_that_asks_is_told() -> None:
    class Threaded(Orchestra):
        sink: BlockingSubsystem[Item]

    def sink(ctx: BlockingSubsystemContext[Item]) -> None:
        for _ in ctx:
            pass

    told: list[tuple[str, object]] = []
    async with Threaded(sink=sink).open() as running:
        running.observe(lambda one: told.append((one.kind, one.subsystem)), asks=True)
        await running.route_message(Item(1))
    assert told.index(("receive", "sink")) < len(told) - 1 - told[::-1].index(("ask", "sink"))


async def test_who_does_not_want_to_know_of_asks_is_not_told(autojump_clock: MockClock) -> None:
    plain: list[str] = []
    eager: list[str] = []
    async with Solo(sink=sleepy).open() as running:
        running.observe(lambda one: plain.append(one.kind))
        running.observe(lambda one: eager.append(one.kind), asks=True)
        await running.route_message(Item(1))
        await trio.sleep(100)
        assert "ask" in eager
        assert plain == [kind for kind in eager if kind != "ask"]


async def test_a_request_that_is_cancelled_has_come_back_without_an_answer(autojump_clock: MockClock) -> None:
    class Asking(Orchestra):
        asker: Subsystem[Item, Ask]
        sink: Subsystem[Ask]

    async def asker(ctx: AnyContext) -> None:
        with trio.move_on_after(3):
            await ctx.request(Ask)

    told: list[tuple[str, float]] = []

    def note(one: Happening) -> None:
        if "answer" in one.kind:
            told.append((one.kind, one.time - begun))

    begun = trio.current_time()
    async with Asking(asker=asker, sink=sleepy).open() as running:
        running.observe(note)
        await trio.sleep(100)
    assert told == [("no answer", 3)]


async def test_every_16th_flight_is_told(autojump_clock: MockClock) -> None:
    flights: list[tuple[str | None, LaneName, float]] = []
    others: list[float] = []
    async with Solo(sink=sleepy).open() as running:
        running.observe_flights(lambda *one: flights.append(one))
        running.observe_flights(lambda _, __, seconds: others.append(seconds))
        for number in range(33):
            await running.route_message(Item(number))
        await trio.sleep(1000)
        # It takes one every five seconds, the 16th and the 32nd among them.
        assert [where for *where, _ in flights] == [["sink", "bounded"]] * 2
        assert others == [pytest.approx(75), pytest.approx(155)]
        assert others == [seconds for _, _, seconds in flights]
        assert running.statistics().subsystems["sink"].bounded.tof == tuple(others)


async def test_who_is_told_of_flights_can_leave(autojump_clock: MockClock) -> None:
    """However many have come and gone, who is left is told as at first."""
    told: list[str] = []

    async def route(running: RunningOrchestra[Tick]) -> None:
        for number in range(16):
            await running.route_message(Item(number))
        await trio.sleep(1000)

    async with Solo(sink=sleepy).open() as running:
        for _ in range(2000):
            running.observe_flights(lambda *_: told.append("gone"))()
        stop = running.observe_flights(lambda *_: told.append("first"))
        running.observe_flights(lambda *_: told.append("second"))
        await route(running)
        stop()
        await route(running)
    assert told == ["first", "second", "second"]


async def test_who_raises_at_a_flight_stops_the_orchestra_and_breaks_no_step(autojump_clock: MockClock) -> None:
    def fail(*_: object) -> None:
        raise LookupError

    with stopped() as errors:
        async with Solo(sink=sleepy).open() as running:
            running.observe_flights(fail)
            for number in range(16):
                await running.route_message(Item(number))
            await trio.sleep_forever()
    assert [type(error) for error in errors] == [LookupError]


async def test_where_one_subsystem_stands_can_be_asked(autojump_clock: MockClock) -> None:
    async with Solo(sink=sleepy).open() as running:
        await running.route_message(Item(1))
        await trio.sleep(1)
        standing = running.standing("sink")
        assert standing.statistics == running.statistics().subsystems["sink"]
        assert "sleepy" in standing.stack
        with pytest.raises(ValueError, match=r"Solo has no subsystem 'nobody'; it has sink"):
            running.standing("nobody")


async def test_deadlocks_that_were_found_can_be_looked_at(autojump_clock: MockClock) -> None:
    class Loop(Orchestra, message_capacity=1, on_deadlock="warn"):
        one: Subsystem[Item, Item | Other]
        two: Subsystem[Other, Item]

    async def one(ctx: AnyContext) -> None:
        async for item in ctx:
            await ctx.send(Item(item.number))
            await ctx.send(Item(item.number))

    async with Loop(one=one, two=sleepy).open() as running:
        before = running.deadlocks
        await running.route_message(Item(1))
        await trio.sleep(1)
        (found,) = running.deadlocks
        assert (before, found.members) == ((), ("one",))
        running.cancel()


async def test_a_worker_that_ends_asks_for_nothing(autojump_clock: MockClock) -> None:
    """What comes next is then taken for the task that waits for a worker."""

    async def sink(ctx: SubsystemContext[Item, Never, Tick]) -> None:
        async with ctx.open_workers(max_in_flight=1) as workers:
            async for _ in workers:
                workers.start_soon(trio.sleep, 5)

    told: list[tuple[str, object]] = []

    def note(one: Happening) -> None:
        if one.kind in {"ask", "receive"}:
            told.append((one.kind, getattr(one.task, "name", None)))

    async with Solo(sink=sink).open() as running:
        await trio.sleep(1)
        running.observe(note, asks=True)
        for number in range(3):
            await running.route_message(Item(number))
        await trio.sleep(100)
    assert {name for kind, name in told if kind == "ask"} == {"sink"}
    assert [name for kind, name in told if kind == "receive"] == ["sink"] * 3, "not of the worker that made room"
