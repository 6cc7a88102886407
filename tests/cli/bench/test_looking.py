"""What is made of many looks at the meters."""

from __future__ import annotations

from statistics import quantiles
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio.cli.bench.looking import ANSWERS, OUTGOING, Flights, Place, Reading, Shares, Tally
from tests.cli.bench.samples import IDLE, member, reading, readout, wait

if TYPE_CHECKING:
    from orchestra_trio.records import Wait

B, C = Place("b", "bounded"), Place("c", "bounded")


def tally_of(*looks: Reading, capacities: dict[Place, int | None]) -> Tally:
    tally = Tally(capacities, looks[0])
    for look in looks[1:]:
        tally.add(look)
    return tally


def test_full_lanes_and_who_waits_for_them() -> None:
    """The one in the middle waits for the last in one of two looks in which its own lane is full."""
    full = readout(2)
    start = reading(0, member("a"), member("b"), member("c"))
    held = reading(1, member("a", IDLE, wait("send", "b")), member("b", full, wait("send", "c")), member("c", full))
    free = reading(2, member("a", IDLE, wait("send", "b")), member("b", full), member("c", readout(1)))
    tally = tally_of(start, held, free, capacities={B: 2, C: 2})
    assert tally.looks == 2
    assert tally.full == tally.pressing == {B: 2, C: 1}
    assert tally.onwards == {B: {C: 1}, C: {}}
    assert tally.waited_for == {B, C}


def test_who_was_let_in_a_moment_ago_waits_no_more() -> None:
    """Its task has not run since, so that it is still on record; but the lane has room."""
    start = reading(0, member("b"), member("c"))
    look = reading(1, member("b", readout(2), wait("send", "c")), member("c", readout(1)))
    tally = tally_of(start, look, capacities={B: 2, C: 2})
    assert tally.onwards == {B: {}}
    assert tally.waited_for == set()


@pytest.mark.parametrize(("waiting", "pressing"), [((), {Place("c", ANSWERS): 1}), ((wait("receive", "b"),), {})])
def test_answers_press_only_who_has_nothing_else_to_do(waiting: tuple[Wait, ...], pressing: object) -> None:
    """One of two tasks waits for an answer; that the other one waits for input says that all is well."""
    asking = wait("request", "c")
    other = waiting or (asking,)
    start = reading(0, member("b"), member("c"))
    look = reading(1, member("b", IDLE, asking, *other, jobs=1), member("c"))
    tally = tally_of(start, look, capacities={B: 2, C: 2})
    assert tally.full == {Place("c", ANSWERS): 1}
    assert tally.pressing == pressing


def test_lanes_without_limit_are_never_full() -> None:
    start = reading(0, member("b"))
    tally = tally_of(start, reading(1, member("b", readout(99))), capacities={B: None})
    assert not tally.full


def test_signals_may_exceed_their_capacity_and_only_then_somebody_waits() -> None:
    lane = Place("b", "signals")
    at, beyond = (reading(number, member("b", signals=readout(number))) for number in (2, 3))
    assert not tally_of(at, at, capacities={lane: 2}).full
    assert tally_of(at, beyond, capacities={lane: 2}).full == {lane: 1}


def test_what_goes_out_is_a_lane() -> None:
    start, end = reading(0, member("b")), reading(1, member("b", IDLE, wait("send", OUTGOING)), outgoing=readout(2))
    tally = tally_of(start, end, capacities={Place(OUTGOING, "bounded"): 2})
    assert tally.full == {Place(OUTGOING, "bounded"): 1}
    assert tally.waited_for == {Place(OUTGOING, "bounded")}


def test_progress_counts_messages_and_no_signals() -> None:
    start = reading(0, member("b", readout(1), signals=readout(7)))
    end = reading(2, member("b", readout(1, received=5), signals=readout(9)), outgoing=readout(3))
    assert tally_of(start, end, capacities={}).progress == [(0, 1), (2, 9)]


def test_shares() -> None:
    """The tasks of a subsystem share a look; one that has ended does nothing."""
    shares = Shares()
    shares.add(member("b", IDLE, wait("receive", "b")))
    shares.add(member("b", IDLE, wait("receive", "b"), wait("send", "c"), wait("request", "c"), jobs=3))
    shares.add(member("b", state="finished"))
    assert shares == Shares(tasks=5, input=1.25, room=0.25, answers=0.25, busy=0.25)


@given(st.data(), st.lists(st.integers(0, 2500), min_size=1, max_size=12))
def test_flights_are_taken_once_each(data: st.DataObject, steps: list[int]) -> None:
    """A lane that times its 16th message, its 32nd ..., and keeps 100 of these, is read now and then."""
    times = data.draw(st.lists(st.sampled_from([0.0, 0.1, 0.2]), min_size=sum(steps) // 16, max_size=sum(steps) // 16))
    flights, expected, received, before = Flights(most=10**6), list[float](), 0, IDLE
    for step in steps:
        new = times[received // 16 : (received + step) // 16]
        expected += new[-100:]  # the lane has forgotten those before
        received += step
        after = readout(received=received, tof=tuple(times[: received // 16][-100:]))
        flights.add(before, after)
        before = after
    assert list(flights.seconds) == expected
    assert flights.seen == len(expected)


def test_flights_that_nobody_timed() -> None:
    """Where a lane has no clock at one end, what it kept before is not taken again."""
    flights = Flights()
    before = readout(received=160, tof=(0.5, 0.25))
    flights.add(before, readout(received=320, tof=(0.5, 0.25)))
    assert flights.seen == 0
    assert flights.percentile(0.5) is None


def test_many_flights_are_thinned_out_evenly() -> None:
    flights = Flights(most=100)
    received, before = 0, IDLE
    for part in range(50):
        received += 16 * 100
        after = readout(received=received, tof=tuple(float(100 * part + number) for number in range(100)))
        flights.add(before, after)
        before = after
    assert flights.seen == 5000
    assert 50 <= len(flights.seconds) <= 100
    assert quantiles(flights.seconds, n=4) == pytest.approx([1250, 2500, 3750], abs=150)


@pytest.mark.parametrize(("share", "seconds"), [(0.5, 2.0), (0.9, 4.0), (0.25, 1.0), (1, 4.0), (0, 1.0)])
def test_percentiles_are_flights_that_were_seen(share: float, seconds: float) -> None:
    flights = Flights()
    flights.add(IDLE, readout(received=64, tof=(4.0, 1.0, 3.0, 2.0)))
    assert flights.percentile(share) == seconds
