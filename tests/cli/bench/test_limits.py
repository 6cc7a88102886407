"""Which lane is said to hold up the whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio.cli.bench.limits import LEAST, Limit, find_limits
from orchestra_trio.cli.bench.looking import ANSWERS, Place

A, B, C, D = (Place(name, "bounded") for name in "abcd")
D_ANSWERS = Place("d", ANSWERS)

Counts = dict[Place, int]


@pytest.mark.parametrize(
    ("full", "onwards", "chains"),
    [
        pytest.param({}, {}, [], id="nothing is full"),
        pytest.param({C: 4}, {}, [], id="hardly ever full"),
        pytest.param({C: 5}, {}, [[C]], id="one lane"),
        pytest.param({B: 100, C: 99}, {B: {C: 99}}, [[B, C]], id="a slow end holds up the middle"),
        pytest.param({A: 90, B: 95, C: 100}, {A: {B: 90}, B: {C: 95}}, [[A, B, C]], id="from end to end"),
        pytest.param({B: 100, C: 60}, {B: {C: 49}}, [[B], [C]], id="held up less than half of the time"),
        pytest.param({B: 100, C: 60}, {B: {C: 50}}, [[B, C]], id="held up half of the time"),
        pytest.param({B: 100, C: 50, D: 60}, {B: {C: 50, D: 60}}, [[B, D], [C]], id="where it waits most"),
        pytest.param({B: 100, D_ANSWERS: 90}, {B: {D_ANSWERS: 90}}, [[B, D_ANSWERS]], id="a slow answer"),
        pytest.param({A: 70, C: 90}, {A: {C: 40}, C: {}}, [[A, C]], id="two that lead to one"),
        pytest.param({D: 20, D_ANSWERS: 30}, {}, [[D_ANSWERS]], id="one subsystem, twice"),
    ],
)
def test_chains(full: Counts, onwards: dict[Place, Counts], chains: list[list[Place]]) -> None:
    """Of 100 looks; what is full counts as waited for."""
    found = find_limits(100, full, onwards, full)
    assert [list(limit.chain) for limit in found] == chains
    assert not any(limit.is_circle for limit in found)


def test_full_lanes_that_nobody_waits_for_are_no_beginning() -> None:
    assert find_limits(100, {B: 100, C: 100}, {B: {C: 100}}, {}) == ()
    assert find_limits(100, {B: 100, C: 100}, {B: {C: 100}}, {B: 100}) == (Limit((B, C), (1.0, 1.0)),)


def test_circle() -> None:
    """Two that wait for each other: the chain ends before it comes back."""
    [limit] = find_limits(10, {A: 10, B: 9}, {A: {B: 8}, B: {A: 9}}, {A: 10})
    assert (limit.chain, limit.is_circle, limit.place, limit.share) == ((A, B), True, B, 0.9)
    [limit] = find_limits(10, {A: 10}, {A: {A: 8}}, {A: 10})
    assert (limit.chain, limit.is_circle) == ((A,), True)


def test_strongest_first() -> None:
    """What leads to a limit gives it its rank."""
    found = find_limits(100, {A: 100, B: 60, C: 80}, {A: {B: 55}}, {A: 100, B: 60, C: 80})
    assert [limit.place for limit in found] == [B, C]


places = st.sampled_from([A, B, C, D, D_ANSWERS])


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, Counts, dict[Place, Counts], Counts]:
    """Draw what many looks may have seen."""
    looks = draw(st.integers(1, 50))
    full = draw(st.dictionaries(places, st.integers(1, looks)))
    onwards = {
        place: {other: draw(st.integers(1, min(count, full[other]))) for other in draw(st.sets(places)) & set(full)}
        for place, count in full.items()
    }
    pressing = {place: draw(st.integers(0, count)) for place, count in full.items()}
    return looks, full, onwards, pressing


@given(counts())
def test_every_limit_was_reached_by_the_rule_and_is_not_held_up(
    seen: tuple[int, Counts, dict[Place, Counts], Counts],
) -> None:
    looks, full, onwards, pressing = seen
    found = find_limits(looks, full, onwards, pressing)
    owners = [limit.place.subsystem for limit in found]
    assert len(set(owners)) == len(owners)
    assert bool(found) == any(count >= LEAST * looks for count in pressing.values())
    for limit in found:
        assert pressing[limit.chain[0]] >= LEAST * looks
        for place, onward in zip(limit.chain, limit.chain[1:], strict=False):
            assert 2 * onwards[place][onward] >= full[place]
            assert onwards[place][onward] == max(onwards[place].values())
        is_held_up = any(2 * count >= full[limit.place] for count in onwards[limit.place].values())
        assert is_held_up == limit.is_circle
