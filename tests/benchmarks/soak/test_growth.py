"""Growth: lines through readings, and when they are too steep."""

from __future__ import annotations

from itertools import count
from statistics import linear_regression
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.soak.growth import BOUNDS, Growth, Line, count_library_objects, read_memory
from orchestra_trio import Biased

if TYPE_CHECKING:
    from collections.abc import Callable

HEIGHTS = st.lists(st.integers(-1000, 1000), min_size=2, max_size=30)


def played(value_of: Callable[[int], float], rounds: int = 200, name: str = "library objects") -> Growth:
    """A growth that has read a value after each of some rounds."""
    numbers = count(1)
    growth = Growth(warm_up=1, every=1, readings=5, read=lambda: {name: value_of(next(numbers))})
    for number in range(1, rounds + 1):
        growth.look(number)
    return growth


@given(HEIGHTS, st.integers(1, 50))
def test_a_line_is_that_of_least_squares(heights: list[int], step: int) -> None:
    line = Line()
    places = [step * (place + 3) for place in range(len(heights))]
    for x, y in zip(places, heights, strict=True):
        line.add(x, y)
    slope = linear_regression(places, heights).slope

    assert line.slope == pytest.approx(slope, abs=1e-6)
    assert line.rise == pytest.approx(slope * (places[-1] - places[0]), abs=1e-6)


def test_a_line_through_one_place_has_no_slope() -> None:
    line = Line()
    assert line.slope == 0
    line.add(3, 7)
    assert (line.slope, line.rise) == (0, 0)


def test_what_grows_steadily_is_told_with_its_figure() -> None:
    (fault,) = played(lambda number: 500 + number).find_faults()
    assert fault.startswith("library objects grow by 1,000 objects in 1,000 rounds, more than 100; most of it: ")


def test_what_stays_the_same_or_shrinks_is_no_fault() -> None:
    assert played(lambda _: 500).find_faults() == []
    assert played(lambda number: -number).find_faults() == []


def test_what_was_held_for_a_moment_does_not_count() -> None:
    """The least of several readings does."""
    growth = played(lambda number: 500 + (0 if number % 5 else 10 * number))
    assert growth.lines["library objects"].slope == 0


def test_steep_growth_over_a_few_rounds_is_noise() -> None:
    """Of memory that grows by less than the total bound, nobody knows whether it goes on."""
    bound = BOUNDS["resident memory"]
    rounds = 100
    step = 0.9 * bound.total / rounds
    assert step * 1000 > bound.steady
    assert played(lambda number: number * step, rounds, "resident memory").find_faults() == []
    assert played(lambda number: number * step, 2 * rounds, "resident memory").find_faults() != []


def test_rounds_of_the_warm_up_do_not_count() -> None:
    growth = Growth(warm_up=50, every=1, readings=1, read=lambda: pytest.fail("it was read"))
    for number in range(1, 50):
        growth.look(number)
    assert not growth.is_known
    assert growth.describe() == "unknown: it takes 53 rounds"


def test_it_is_measured_after_every_so_many_rounds() -> None:
    read = count()
    growth = Growth(warm_up=10, every=10, readings=1, read=lambda: {"memory blocks": next(read)})
    for number in range(1, 101):
        growth.look(number)
    assert growth.lines["memory blocks"].count == 10
    assert growth.describe() == "+100 blocks in 1,000 rounds; too much were 2,000"


def test_objects_of_the_library_are_counted_by_type() -> None:
    name = "orchestra_trio.delivery.strategies.Biased"
    before = count_library_objects()
    held = [Biased("priority", "unbounded", "bounded") for _ in range(7)]

    now = count_library_objects()
    assert now[name] - before[name] == len(held)
    assert all(one.startswith(("orchestra_trio.", "benchmarks.soak.")) for one in now)


def test_everything_that_is_read_has_its_bound() -> None:
    values = read_memory()
    assert values.keys() <= BOUNDS.keys()
    assert values["library objects"] > 0
    assert values["memory blocks"] > 0
