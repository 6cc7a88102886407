"""What the metrics say, by the real client's parsers, and that they are valid whatever is watched."""

from __future__ import annotations

import gc
import math
import weakref
from typing import TYPE_CHECKING, Never

import pytest
import trio
from prometheus_client import CollectorRegistry

from orchestra_trio import Orchestra, Restart, RunningOrchestra, Subsystem, subsystem
from orchestra_trio.metrics import OrchestraCollector
from orchestra_trio.metrics.flights import Flights
from tests.metrics.scrapes import scrape
from tests.runtime.samples import AnyContext, Ask, Collect, Duo, Imported, Item, Other, Sends, Tick, idle

if TYPE_CHECKING:
    from trio.testing import MockClock


class Solo(Orchestra[Tick], message_capacity=4):
    sink: Subsystem[Item, Never, Tick] = subsystem(priority=True)


async def sleepy(ctx: AnyContext) -> None:
    async for _ in ctx:
        await trio.sleep(2)


def registered(collector: OrchestraCollector) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(collector)
    return registry


async def test_the_lanes_are_shown(autojump_clock: MockClock) -> None:
    async with Solo(sink=sleepy).open() as running:
        registry = registered(OrchestraCollector(running))
        await running.route_message(Item(0))
        await trio.sleep(1)  # it is handled for another second
        for number in range(5):
            await running.route_message(Item(number))
        shown = scrape(registry)
        where = {"orchestra": "Solo", "subsystem": "sink", "lane": "bounded"}
        assert shown("messages_sent_total", **where) == 6
        assert shown("messages_received_total", **where) == 2
        assert shown("sends_blocked_total", **where) == 1
        assert shown("lane_messages", **where) == 4
        assert shown("lane_peak_messages", **where) == 4
        assert shown("lane_capacity_messages", **where) == 4
        assert {dict(labels)["lane"] for _, labels in shown.samples if "lane" in dict(labels)} == {
            "signals",
            "priority",
            "bounded",
        }, "those that can be used"


async def test_flights_are_a_histogram_of_every_16th_message(autojump_clock: MockClock) -> None:
    async with Solo(sink=sleepy).open() as running:
        registry = registered(OrchestraCollector(running, buckets=(1, 8, 100)))
        where = {"orchestra": "Solo", "subsystem": "sink", "lane": "bounded"}
        assert scrape(registry)("flight_seconds_count", **where) == 0
        for number in range(32):
            await running.route_message(Item(number))
        await trio.sleep(100)
        shown = scrape(registry)
        tof = running.statistics().subsystems["sink"].bounded.tof
        assert (shown("flight_seconds_count", **where), len(tof)) == (2, 2)
        assert shown("flight_seconds_sum", **where) == pytest.approx(sum(tof))
        by_bound = {bound: shown("flight_seconds_bucket", **where, le=bound) for bound in ("1.0", "8.0", "+Inf")}
        assert by_bound == {bound: sum(one <= float(bound) for one in tof) for bound in by_bound}
        assert by_bound["+Inf"] == 2
        assert shown.types["orchestra_flight_seconds"] == "histogram"


def test_a_flight_that_takes_just_as_long_as_a_bound_is_counted_there() -> None:
    flights = Flights((2.0, 8.0))
    for seconds in (2.0, 2.5, 8.0, 9.0):
        flights("sink", "bounded", seconds)
    assert flights.read(("sink", "bounded")).cumulative == ((2.0, 1), (8.0, 3), (math.inf, 4))


async def test_the_subsystems_are_shown(autojump_clock: MockClock) -> None:
    class Asking(Orchestra[Tick]):
        asker: Subsystem[Item, Ask, Tick] = subsystem(restart=Restart(max_restarts=1, backoff=0))
        slow: Subsystem[Ask]

    async def asker(ctx: AnyContext) -> None:
        async for incoming in ctx:
            if isinstance(incoming, Item):
                if incoming.number:
                    raise ValueError
                ctx.start_soon(ctx.request, Ask)

    async with Asking(asker=asker, slow=Collect(1000)).open() as running:
        registry = registered(OrchestraCollector(running))
        await running.route_message(Item(1))
        await trio.sleep(1)
        await running.broadcast_signal(Tick())
        await running.route_message(Item(0))
        await trio.sleep(5)
        shown = scrape(registry)
        who = {"orchestra": "Asking", "subsystem": "asker"}
        assert shown("subsystem_restarts_total", **who) == 1
        assert shown("subsystem_jobs", **who) == 1
        assert shown("subsystem_epoch", **who) == shown("epoch", orchestra="Asking") == 1
        assert shown("subsystem_waiting_tasks", **who, kind="request") == 1
        assert shown("subsystem_longest_wait_seconds", **who, kind="request") == pytest.approx(5)
        assert shown("subsystem_waiting_tasks", **who, kind="send") == 0
        assert shown("subsystem_longest_wait_seconds", **who, kind="send") == 0
        assert shown("subsystem_state", **who, state="running") == 1
        assert sum(shown.values("subsystem_state", **who)) == 1
        assert shown("uptime_seconds", orchestra="Asking") == pytest.approx(6)
        assert shown("running", orchestra="Asking") == 1
        assert shown("figures_age_seconds", orchestra="Asking") == 0
        running.cancel()


async def test_dead_letters_and_deadlocks_are_counted(autojump_clock: MockClock) -> None:
    class Stuck(Orchestra, message_capacity=1, on_deadlock="warn"):
        one: Subsystem[Item, Item]
        wip: Subsystem[Other] = subsystem(wip=True)

    async with Stuck(one=Sends(Item(1), Item(2))).open() as running:
        await running.route_message(Other(1))
        registry = registered(OrchestraCollector(running))
        await trio.sleep(1)
        shown = scrape(registry)
        assert shown("dead_letters_total", orchestra="Stuck", reason="wip") == 1
        assert shown("dead_letters_total", orchestra="Stuck", reason="left over") == 0
        assert shown("deadlocks_total", orchestra="Stuck") == 1
        running.cancel()


async def test_events_and_what_goes_out_are_lanes(autojump_clock: MockClock) -> None:
    class Out(Orchestra[Never, Imported], outgoing=Other, event_capacity=5, message_capacity=3):
        relay: Subsystem[Item, Other]

        async def on_event(self, event: Imported, running: RunningOrchestra[Never, Imported]) -> None:
            await running.route_message(Item(event.number))

    async def relay(ctx: AnyContext) -> None:
        async for item in ctx:
            await ctx.send(Other(item.number))

    async with Out(relay=relay).open() as running:
        registry = registered(OrchestraCollector(running))
        await running.handle.send(Imported(1))
        await trio.sleep(1)
        shown = scrape(registry)
        events = {"orchestra": "Out", "subsystem": "on_event", "lane": "bounded"}
        outgoing = {"orchestra": "Out", "subsystem": "(outgoing)", "lane": "bounded"}
        assert (shown("messages_received_total", **events), shown("lane_capacity_messages", **events)) == (1, 5)
        assert (shown("lane_messages", **outgoing), shown("lane_capacity_messages", **outgoing)) == (1, 3)


async def test_after_the_end_the_last_figures_are_shown_and_the_orchestra_is_let_go_of(
    autojump_clock: MockClock,
) -> None:
    async with Solo(sink=idle).open() as running:
        registry = registered(OrchestraCollector(running))
        await running.route_message(Item(1))
    shown = scrape(registry)
    assert shown("messages_received_total", orchestra="Solo", subsystem="sink", lane="bounded") == 1
    assert shown("running", orchestra="Solo") == 0
    assert shown("subsystem_state", orchestra="Solo", subsystem="sink", state="finished") == 1
    gone = weakref.ref(running)
    del running
    gc.collect()
    assert gone() is None
    assert scrape(registry).samples == shown.samples


async def test_several_orchestras_share_one_collector(autojump_clock: MockClock) -> None:
    collector = OrchestraCollector()
    registry = registered(collector)
    assert scrape(registry).samples == {}
    async with Solo(sink=idle).open() as one, Solo(sink=idle).open() as two, Duo(source=idle, sink=idle).open() as duo:
        collector.add(one)
        with pytest.raises(
            ValueError, match=r"an orchestra 'Solo' is watched already, and runs: give this one a name="
        ):
            collector.add(two)
        collector.add(two, name="second")
        collector.add(duo)
        await two.route_message(Item(1))
        shown = scrape(registry)
        sent = {"subsystem": "sink", "lane": "bounded"}
        assert shown("messages_sent_total", orchestra="Solo", **sent) == 0
        assert shown("messages_sent_total", orchestra="second", **sent) == 1
        assert shown("running", orchestra="Duo") == 1
        collector.remove("second")
        assert scrape(registry).values("running", orchestra="second") == []


async def test_the_same_orchestra_opened_again_takes_the_place_of_the_one_that_has_ended(
    autojump_clock: MockClock,
) -> None:
    solo = Solo(sink=idle)
    collector = OrchestraCollector()
    registry = registered(collector)
    for number in (1, 2):
        async with solo.open() as running:
            collector.add(running)
            for _ in range(number):
                await running.route_message(Item(1))
            shown = scrape(registry)
            assert shown("messages_sent_total", orchestra="Solo", subsystem="sink", lane="bounded") == number


def test_a_registry_refuses_a_second_collector() -> None:
    """Rather than show each metric twice, which is no valid exposition."""
    registry = registered(OrchestraCollector())
    with pytest.raises(ValueError, match="orchestra_messages_sent"):
        registry.register(OrchestraCollector())


def test_names_and_labels_keep_the_conventions() -> None:
    for family in OrchestraCollector().describe():
        assert family.name.startswith("orchestra_")
        assert not family.name.endswith("_total")
        assert family.type in {"counter", "gauge", "histogram"}
        assert family.documentation.endswith(".")
        assert ("seconds" in family.name) == family.name.endswith("_seconds")


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="timeout must be at least 0 seconds, not -1"):
        OrchestraCollector(timeout=-1)
    with pytest.raises(ValueError, match="timeout must be at least 0 seconds, not nan"):
        OrchestraCollector(timeout=math.nan)
    for buckets in ((), (2.0, 1.0), (1.0, 1.0)):
        with pytest.raises(ValueError, match="buckets must be ascending numbers"):
            OrchestraCollector(buckets=buckets)
