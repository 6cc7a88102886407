"""Law 6 planted against: lanes that get more or less than their weight."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import attrs
import pytest

from orchestra_trio.testing.tracing.laws.checking import find_violations
from tests.testing.tracing.laws.editing import Edited
from tests.testing.tracing.laws.good import play_shared, recorded

if TYPE_CHECKING:
    from orchestra_trio.records import MessageLane


@pytest.fixture
def shared() -> Edited:
    """All three lanes lie full, with weights 4, 2 and 1, and are then received from."""
    return Edited(recorded(play_shared))


def favour(shared: Edited, lane: str) -> None:
    """Let all messages of one lane be received before the others."""
    receives = shared.all("receive")
    shared.drop(*receives)
    last = shared.all("send")[-1]
    place = shared.events.index(last) + 1
    shared.events[place:place] = sorted(receives, key=lambda event: event.lane != lane)


@pytest.mark.parametrize(
    ("lane", "counts"),
    [
        ("priority", "priority 7 times (weight 4), unbounded 0 times (weight 2), bounded 0 times (weight 1)"),
        ("unbounded", "priority 0 times (weight 4), unbounded 7 times (weight 2), bounded 0 times (weight 1)"),
        ("bounded", "priority 0 times (weight 4), unbounded 0 times (weight 2), bounded 7 times (weight 1)"),
    ],
)
def test_a_lane_that_is_favoured(shared: Edited, lane: str, counts: str) -> None:
    favour(shared, lane)
    picks = shared.all("receive")[:7]
    assert shared.check(6, *picks) == (
        f"over 7 picks of sink with priority and unbounded and bounded always ready, it picked {counts}"
    )


def test_a_lane_that_starves_for_a_while(shared: Edited) -> None:
    """Over the first seven picks each had its weight, and then the unbounded lane waits for two turns."""
    receives = shared.all("receive")
    shared.drop(*receives)
    place = shared.events.index(shared.all("send")[-1]) + 1
    turns = sorted(receives[7:21], key=lambda event: event.lane == "unbounded")
    shared.events[place:place] = [*receives[:7], *turns, *receives[21:]]
    found = find_violations(shared.done())
    assert {one.law for one in found} == {6}
    assert "unbounded 0 times (weight 2)" in found[0].message


def test_few_of_many_picks_are_shown(shared: Edited) -> None:
    favour(shared, "bounded")
    weights: dict[MessageLane, int] = {"priority": 8, "unbounded": 4, "bounded": 2}
    participants = tuple(attrs.evolve(one, weights=weights) for one in shared.trace.participants)
    shared.trace = attrs.evolve(shared.trace, participants=participants)
    picks = shared.all("receive")[:14]
    assert "bounded 14 times (weight 2)" in shared.check(6, *picks[:6], picks[-1])


def test_one_pick_more_or_less_is_fair(shared: Edited) -> None:
    receives = shared.all("receive")
    place = next(place for place, (one, other) in enumerate(pairwise(receives)) if one.lane != other.lane)
    shared.swap(receives[place], receives[place + 1])
    assert find_violations(shared.done()) == []


def test_a_strategy_of_its_own_is_not_judged(shared: Edited) -> None:
    favour(shared, "bounded")
    participants = tuple(attrs.evolve(one, weights=None) for one in shared.trace.participants)
    shared.trace = attrs.evolve(shared.trace, participants=participants)
    assert find_violations(shared.done()) == []


def test_lanes_that_are_not_ready_get_nothing(shared: Edited) -> None:
    """The unbounded lane is filled only after the others were received from: until then it has no part in it."""
    unbounded = [event for event in shared.events if event.lane == "unbounded"]
    shared.drop(*unbounded)
    end = shared.events.index(shared.one("exit", subsystem="sink"))
    shared.events[end:end] = unbounded
    assert find_violations(shared.done()) == []
