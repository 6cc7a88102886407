"""The figures of a report, made of readings by hand; and the same as text and as data."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio import Orchestra, Subsystem, subsystem
from orchestra_trio.cli.bench.capacities import Suggestion
from orchestra_trio.cli.bench.limits import Limit
from orchestra_trio.cli.bench.looking import ANSWERS, OUTGOING, Place, Reading, Tally
from orchestra_trio.cli.bench.report import OUTSIDE, EdgeReport, Report, make_report
from orchestra_trio.cli.bench.tables import MOST_ROWS, WIDTH, describe
from orchestra_trio.wiring.drawing.figures import Traffic
from tests.cli.bench.samples import Chain, Cooked, Raw, member, reading, readout, wait


class Log(NamedTuple):
    text: str


class Mixed(Orchestra, unconsumed="allow", outgoing=Cooked):
    """One that sends in all ways."""

    busy: Subsystem[Raw, Log | str | Cooked] = subsystem(unbounded={Log: "the tests"})
    desk: Subsystem[Log | str | int] = subsystem(priority=True)


def report_of(first: Reading, *looks: Reading, capacities: dict[Place, int | None] | None = None) -> Report:
    tally = Tally(capacities or {}, first)
    for look in looks:
        tally.add(look)
    return make_report(Chain.graph(), first, tally, warm_up=1, ending="time")


def test_counters_are_differences_over_the_time() -> None:
    start = reading(10, member("middle", readout(2, received=100, blocked=5)), member("last"))
    end = reading(14, member("middle", readout(1, received=501, blocked=9)), member("last"))
    report = report_of(start, end, capacities={Place("middle", "bounded"): 16})
    [lane] = report.lanes
    assert (report.seconds, report.messages, report.per_second) == (4, 400, 100)
    assert (lane.messages, lane.per_second, lane.blocked, lane.grown, lane.full) == (400, 100, 4, -1, 0)


def test_full_lane_without_anybody_waiting_limits_nothing() -> None:
    """As where senders leave out what finds no room. A send that was blocked, or somebody who waits, makes it count."""
    capacities: dict[Place, int | None] = {Place("last", "bounded"): 2}
    start, full = reading(0, member("last", readout(2))), member("last", readout(2))
    assert report_of(start, reading(1, full), capacities=capacities).limits == ()
    blocked = member("last", readout(2, blocked=1))
    assert len(report_of(start, reading(1, blocked), capacities=capacities).limits) == 1
    begun = reading(0, member("middle"), member("last", readout(2)))
    waiting = reading(1, member("middle", readout(), wait("send", "last")), full)
    assert len(report_of(begun, waiting, capacities=capacities).limits) == 1


@pytest.mark.parametrize(
    ("traffic", "types"),
    [
        (Traffic("busy", "desk", "bounded", 1), ("Log", "str")),
        (Traffic("busy", "desk", "priority", 1), ("Log", "str")),
        (Traffic("busy", "desk", "unbounded", 1), ("Log",)),
        (Traffic("busy", None, "bounded", 1), ("Cooked",)),
        (Traffic(None, "busy", "bounded", 1), ("Raw",)),
        (Traffic(None, "desk", "bounded", 1), ("int",)),
    ],
)
def test_types_that_may_have_gone_along_an_edge(traffic: Traffic, types: tuple[str, ...]) -> None:
    """What is declared unbounded may be sent with `send`, too; from outside comes what nobody else sends."""
    first, last = reading(0, member("desk")), attrs.evolve(reading(1, member("desk")), traffic=(traffic,))
    tally = Tally({}, first)
    tally.add(last)
    [edge] = make_report(Mixed.graph(), first, tally, warm_up=0, ending="time").edges
    assert edge.types == types
    assert (edge.sender, edge.consumer) == (traffic.sender or OUTSIDE, traffic.consumer or OUTGOING)


def test_what_somebody_sends_may_be_routed_from_outside_too() -> None:
    first = reading(0, member("last"))
    tally = Tally({}, first)
    tally.add(attrs.evolve(reading(1, member("last")), traffic=(Traffic(None, "last", "bounded", 3),)))
    [edge] = make_report(Chain.graph(), first, tally, warm_up=0, ending="time").edges
    assert edge == EdgeReport(OUTSIDE, "last", "bounded", ("Cooked",), 3, 3)


def test_lanes_that_share_a_capacity_get_one_suggestion() -> None:
    """The fuller one decides."""
    lanes = {Place("desk", "priority"): 64, Place("desk", "bounded"): 64}
    start, end = (attrs.evolve(member("desk", readout(30 * n)), priority=readout(200 * n)) for n in (0, 1))
    first = reading(0, start)
    tally = Tally(lanes, first)
    tally.add(reading(1, end))
    report = make_report(Mixed.graph(), first, tally, warm_up=0, ending="time")
    assert [lane.suggestion for lane in report.lanes] == [Suggestion(64, "fits")] * 2


def test_fifths_of_the_time() -> None:
    """100 messages a second at first, and then twice as many; too few looks tell nothing."""
    counts = [10 * n if n < 40 else 400 + 20 * (n - 40) for n in range(101)]
    looks = [reading(n / 10, member("last", readout(received=count))) for n, count in enumerate(counts)]
    assert report_of(*looks).parts == pytest.approx((100, 100, 200, 200, 200))
    assert report_of(*looks[:20]).parts == ()


def make_sample(**changes: Any) -> Report:  # noqa: ANN401 - fields of any type
    """Return the report of 39 looks, a second apart, at a middle that waits for the last."""

    def look(n: int) -> Reading:
        lane = readout(2, received=16 * n, blocked=n, tof=(0.5,) * min(n, 100))
        return reading(n, member("middle", lane, wait("send", "last")), member("last"))

    report = report_of(*map(look, range(40)), capacities={Place("middle", "bounded"): 2})
    return attrs.evolve(report, **changes)


LIMIT = Limit((Place("middle", "bounded"), Place("last", "bounded")), (0.9, 0.8))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"limits": ()}, "Sample: 16 messages/s for 39.0 s; no lane limits it"),
        ({"limits": (LIMIT,)}, "Sample: 16 messages/s for 39.0 s; last limits it"),
        ({"limits": (attrs.evolve(LIMIT, shares=(0.9, 0.3)),)}, "; last limits it at times"),
        ({"limits": (LIMIT,), "computed": 0.95}, "; trio's thread limits it, and last most of all"),
        ({"limits": (), "computed": 0.95}, "; trio's thread limits it"),
        ({"limits": (Limit((Place(OUTGOING, "bounded"),), (1,)),)}, "; who reads what goes out limits it"),
        ({"limits": (LIMIT,)}, "and meanwhile nobody kept it waiting; so it came to be: last.bounded (80 %) <- "),
        ({"limits": (Limit((Place("b", ANSWERS),), (1,)),)}, "b limits: others waited for its answers for 100 % of"),
        ({"limits": (attrs.evolve(LIMIT, is_circle=True),)}, "middle -> last: these wait for each other in a circle"),
        ({"ending": "interrupted"}, "Interrupted: these are the figures so far."),
        ({"ending": "ended"}, "It ended by itself, before its time was over."),
        ({"dead_letters": {"left over": 1200}}, "Dead letters, which nobody received: 1,200 left over."),
        ({"looks": 39}, "Shares are of 39 looks."),
    ],
)
def test_text(changes: dict[str, object], line: str) -> None:
    assert line in " ".join(describe(make_sample(**changes)).split())


def test_unbounded_lane_that_grows_is_named() -> None:
    report = make_sample()
    [lane] = report.lanes
    grown = attrs.evolve(lane, lane="unbounded", capacity=None, grown=5000)
    assert "middle.unbounded has grown by 5,000 messages" in describe(attrs.evolve(report, lanes=(grown,)))
    assert "has grown" not in describe(report)


def test_long_tables_are_cut() -> None:
    report = make_sample(edges=tuple(EdgeReport("a", f"b{n}", "bounded", ("X",), 1, 1.0) for n in range(100)))
    text = describe(report)
    assert f"b{MOST_ROWS - 1} " in text
    assert f"b{MOST_ROWS} " not in text
    assert f"and {100 - MOST_ROWS} more (--json has all)" in text


names = st.text(min_size=1, max_size=60)
numbers = st.integers(0, 10**10)


@given(st.lists(st.tuples(names, names, st.lists(names, max_size=5), numbers), max_size=5), names, numbers)
def test_no_line_is_too_long(edges: list[tuple[str, str, list[str], int]], name: str, number: int) -> None:
    """However long the names are, and whatever is in them."""
    report = make_sample(
        edges=tuple(EdgeReport(a, b, "unbounded", tuple(types), n, float(n)) for a, b, types, n in edges),
        limits=(Limit((Place(name, "bounded"), Place("last", ANSWERS)), (0.5, 0.9)),),
    )
    [lane] = report.lanes
    wide = attrs.evolve(lane, subsystem=name, per_second=number, peak=number, blocked=number, capacity=number)
    text = describe(attrs.evolve(report, lanes=(wide,)))
    assert max(map(len, text.splitlines())) <= WIDTH
    assert all(character.isprintable() for line in text.split("\n") for character in line)


def test_data() -> None:
    """All of it can be written as JSON, and limits have their places spelled out."""
    data = json.loads(json.dumps(make_sample(limits=(LIMIT,)).to_json()))
    places = [{"subsystem": one, "lane": "bounded", "full": share} for one, share in (("middle", 0.9), ("last", 0.8))]
    assert data["limits"] == [{**places[1], "is_circle": False, "chain": places}]
    assert data["lanes"][0]["flights"]["p50"] == 0.5
    assert set(data) == {field.name for field in attrs.fields(Report)}
