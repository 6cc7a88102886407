"""Orchestras that are measured under a mock clock: what limits them was planted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import trio

from orchestra_trio import Orchestra, Subsystem, subsystem
from orchestra_trio.cli.bench.capacities import Suggestion
from orchestra_trio.cli.bench.loads import Routing
from orchestra_trio.cli.bench.looking import ANSWERS, OUTGOING, Place
from orchestra_trio.cli.bench.measuring import LoadFailed, Measuring
from orchestra_trio.cli.bench.report import OUTSIDE
from tests.cli.bench.samples import (
    Asking,
    Chain,
    Cook,
    Cooked,
    Eater,
    Raw,
    Source,
    answer_slowly,
    ask,
    make_chain,
    measure,
)

if TYPE_CHECKING:
    from collections.abc import Generator

    from trio.testing import MockClock

    from orchestra_trio import RunningOrchestra, SubsystemContext

MIDDLE, LAST = Place("middle", "bounded"), Place("last", "bounded")


async def test_slow_end_of_a_chain_limits_it(autojump_clock: MockClock) -> None:
    """The lane before it is full as well, and more room would help nobody."""
    report = await measure(make_chain(eater=0.1))
    [limit] = report.limits
    assert limit.chain == (MIDDLE, LAST)
    assert limit.share > 0.95
    assert [(one.sender, one.consumer, one.types) for one in report.edges] == [
        ("first", "middle", ("Raw",)),
        ("middle", "last", ("Cooked",)),
    ]
    assert all(one.messages == pytest.approx(200, abs=1) for one in report.edges)
    assert report.per_second == pytest.approx(20, abs=0.2)
    assert [lane.suggestion for lane in report.lanes] == [Suggestion(16, "always full"), Suggestion(4, "always full")]
    assert [lane.flights and lane.flights.p50 for lane in report.lanes] == pytest.approx([1.6, 0.4])
    first, middle, last = report.subsystems
    assert (first.room, middle.room, last.busy) == pytest.approx((1, 1, 1), abs=0.05)


async def test_slow_middle_of_a_chain_limits_it(autojump_clock: MockClock) -> None:
    """What comes after it has more room than it needs."""
    report = await measure(make_chain(cook=0.1))
    [limit] = report.limits
    assert limit.chain == (MIDDLE,)
    assert [lane.suggestion for lane in report.lanes] == [Suggestion(16, "always full"), Suggestion(4, "fits")]
    assert [lane.blocked for lane in report.lanes] == [pytest.approx(200, abs=1), 0]


async def test_slow_source_limits_no_lane(autojump_clock: MockClock) -> None:
    report = await measure(make_chain(source=0.1))
    assert report.limits == ()
    assert [lane.suggestion for lane in report.lanes] == [Suggestion(8, "to spare"), Suggestion(4, "fits")]
    assert report.subsystems[1].input == pytest.approx(1, abs=0.05)


async def test_bursts_want_more_room(autojump_clock: MockClock) -> None:
    """30 messages at once, every ten seconds: the lane is full for a short time only."""

    async def send_bursts(ctx: SubsystemContext[Any, Raw]) -> None:
        while True:
            await ctx.send_many([Raw(number) for number in range(30)])
            await trio.sleep(10)

    report = await measure(Chain(first=send_bursts, middle=Cook(0.1), last=Eater()), seconds=100)
    assert report.lanes[0].suggestion == Suggestion(32, "bursts")
    assert report.lanes[0].blocked >= 10


async def test_slow_answers_limit_who_needs_them(autojump_clock: MockClock) -> None:
    """A generator's messages come from outside, and what goes out is read by whoever measures."""

    def raws() -> Generator[Raw]:
        while True:
            yield Raw(0)

    report = await measure(Asking(asker=ask, answerer=answer_slowly), Routing(raws))
    [limit] = report.limits
    assert limit.chain == (Place("asker", "bounded"), Place("answerer", ANSWERS))
    assert [(one.sender, one.consumer, one.types) for one in report.edges] == [
        (OUTSIDE, "asker", ("Raw",)),
        ("asker", "answerer", ("Question",)),
        ("asker", OUTGOING, ("Cooked",)),
    ]


async def test_load_that_does_not_read_what_goes_out(autojump_clock: MockClock) -> None:
    """An async function is handed the running orchestra with all its ends."""

    async def route(running: RunningOrchestra) -> None:
        while True:
            await running.route_message(Raw(0))

    report = await measure(Asking(asker=ask, answerer=answer_slowly), route, seconds=5, warm_up=4)
    [limit] = report.limits
    assert limit.place == Place(OUTGOING, "bounded")
    assert report.edges == ()


async def test_load_that_reads_what_goes_out(autojump_clock: MockClock) -> None:
    read: list[object] = []

    async def route_and_read(running: RunningOrchestra) -> None:
        for number in range(3):
            await running.route_message(Raw(number))
            read.append(await running.outgoing.receive())
        await running.route_message(Raw(3))  # its answer is read by whoever measures

    report = await measure(Asking(asker=ask, answerer=answer_slowly), route_and_read, warm_up=0)
    assert read == [Cooked(1), Cooked(2), Cooked(3)]
    assert report.ending == "ended"
    assert report.edges[-1].messages == 4


async def test_load_that_closes_what_goes_out(autojump_clock: MockClock) -> None:
    """What comes later becomes dead letters, and all goes on."""

    async def close_and_route(running: RunningOrchestra) -> None:
        async with running.outgoing:
            await trio.sleep(0.5)
        for number in range(100):
            await running.route_message(Raw(number))

    report = await measure(Asking(asker=ask, answerer=answer_slowly), close_and_route)
    assert report.ending == "ended"
    assert report.dead_letters == {"outgoing closed": pytest.approx(95, abs=2)}


async def test_rate(autojump_clock: MockClock) -> None:
    """Messages come on time, and where one was late, those after it catch up."""
    taken: list[float] = []

    async def stall_once(ctx: SubsystemContext[Raw]) -> None:
        async for _ in ctx:
            taken.append(trio.current_time() - begun)
            if len(taken) == 3:
                await trio.sleep(2)

    class Taking(Orchestra, message_capacity=1):
        taker: Subsystem[Raw]

    begun = trio.current_time()
    await measure(Taking(taker=stall_once), Routing(lambda: (Raw(n) for n in range(8)), rate=2), warm_up=0)
    assert taken == pytest.approx([0, 0.5, 1, 3, 3, 3, 3, 3.5])


async def test_wiring_that_ends_by_itself(autojump_clock: MockClock) -> None:
    """Nothing is measured beyond its end."""
    report = await measure(make_chain(eater=0.1, count=100), warm_up=1)
    assert report.ending == "ended"
    assert report.seconds == pytest.approx(9, abs=0.2)
    assert report.dead_letters == {}


async def test_it_ends_within_the_warm_up(autojump_clock: MockClock) -> None:
    measuring = Measuring(make_chain(count=1), None, seconds=5, warm_up=1)
    await measuring.run()
    assert (measuring.report, measuring.ending) == (None, "ended")
    assert measuring.lasted < 1


async def test_input_that_the_orchestra_closes_ends_the_load(autojump_clock: MockClock) -> None:
    class Once(Orchestra):
        taker: Subsystem[Raw]

    async def take_some(ctx: SubsystemContext[Raw]) -> None:
        async for raw in ctx:
            if raw.number == 5:
                running[0].close_input()
                await trio.sleep(5)  # meanwhile, the load finds it closed

    running: list[RunningOrchestra] = []

    async def route(one: RunningOrchestra) -> None:
        running.append(one)
        for number in range(100):
            await one.route_message(Raw(number))
            await trio.sleep(0.1)

    report = await measure(Once(taker=take_some), route, warm_up=0)
    assert report.ending == "ended"
    assert report.messages == 6


async def test_warm_up_is_not_counted(autojump_clock: MockClock) -> None:
    """But for peaks, which are those since it was opened."""

    async def send_less_and_less(ctx: SubsystemContext[Any, Raw]) -> None:
        await ctx.send_many([Raw(0)] * 10)
        await trio.sleep(5)
        await ctx.send(Raw(0))
        await trio.sleep(100)

    report = await measure(Chain(first=send_less_and_less, middle=Cook(), last=Eater()), warm_up=2)
    assert [one.messages for one in report.lanes] == [1, 1]
    assert all(one.peak > 1 for one in report.lanes)


async def test_failing_load(autojump_clock: MockClock) -> None:
    async def fail(running: RunningOrchestra) -> None:
        await trio.sleep(3)
        raise KeyError(running.name)

    with pytest.raises(LoadFailed) as caught:
        await Measuring(make_chain(source=0.1), fail, seconds=20, warm_up=1).run()
    assert repr(caught.value.__cause__) == "KeyError('Chain')"
    assert trio.current_time() == pytest.approx(3, abs=0.1)


async def test_load_that_uses_a_closed_channel_of_its_own(autojump_clock: MockClock) -> None:
    """This is no end of the orchestra's input."""

    async def fail(running: RunningOrchestra) -> None:
        running.outgoing.close()
        await running.outgoing.receive()

    with pytest.raises(LoadFailed) as caught:
        await Measuring(make_chain(source=0.1), fail, seconds=20).run()
    assert isinstance(caught.value.__cause__, trio.ClosedResourceError)


async def test_failing_subsystem(autojump_clock: MockClock) -> None:
    """Its error comes out, and not what it does to the load."""

    async def route(running: RunningOrchestra) -> None:
        while True:
            await running.route_message(Raw(1))

    chain = Chain(first=Source(0), middle=Cook(), last=Eater(fails_at=1))
    with pytest.RaisesGroup(ValueError):
        await Measuring(chain, route, seconds=20).run()


async def test_subsystem_that_fails_when_it_is_cancelled_leaves_the_figures(autojump_clock: MockClock) -> None:
    async def fail_at_the_end(ctx: SubsystemContext[Cooked]) -> None:
        try:
            async for _ in ctx:
                pass
        finally:
            message = "the end"
            raise ValueError(message)

    measuring = Measuring(Chain(first=Source(pause=0.1), middle=Cook(), last=fail_at_the_end), None, seconds=5)
    with pytest.RaisesGroup(ValueError):
        await measuring.run()
    assert measuring.report is not None
    assert measuring.report.messages == pytest.approx(100, abs=2)


@pytest.mark.parametrize("after", [0.5, 3])
async def test_interrupt(autojump_clock: MockClock, after: float) -> None:
    """The figures so far remain; within the warm-up, there are none."""
    measuring = Measuring(make_chain(source=0.1), None, seconds=20, warm_up=1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(measuring.run)
        await trio.sleep(after)
        measuring.interrupt()
        measuring.interrupt()
    assert measuring.ending == "interrupted"
    assert (measuring.report is None) == (after < 1)
    if measuring.report is not None:
        assert measuring.report.seconds == pytest.approx(2, abs=0.1)


async def test_interrupt_while_it_opens(autojump_clock: MockClock) -> None:
    class Waiting(Orchestra):
        never: Subsystem[Raw] = subsystem(readiness=True)

    async def never(_: SubsystemContext[Raw]) -> None:
        await trio.sleep_forever()

    measuring = Measuring(Waiting(never=never), None, seconds=20)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(measuring.run)
        await trio.sleep(3)
        measuring.interrupt()
    assert (measuring.report, measuring.ending) == (None, "interrupted")


async def test_processor_time_is_a_share_of_the_time(autojump_clock: MockClock) -> None:
    measuring = Measuring(make_chain(source=0.1), None, seconds=10, processor_time=lambda: trio.current_time() / 4)
    await measuring.run()
    assert measuring.report is not None
    assert measuring.report.computed == pytest.approx(0.25)
