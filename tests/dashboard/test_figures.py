"""Rates, percentiles and the minute of history: each by itself."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio.dashboard.history import History, Moment
from orchestra_trio.dashboard.percentiles import describe_flights, percentile
from orchestra_trio.dashboard.rates import rate


@pytest.mark.parametrize(
    ("before", "now", "seconds", "expected"),
    [
        (0, 0, 1, 0),
        (10, 30, 2, 10),
        (10, 10, 5, 0),
        (10, 30, 0, 0),
        (10, 30, -1, 0),
    ],
)
def test_rates(before: int, now: int, seconds: float, expected: float) -> None:
    assert rate(before, now, seconds) == expected


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=300), st.integers(1, 100))
def test_a_percentile_is_the_least_value_that_enough_do_not_exceed(values: list[float], percent: int) -> None:
    """Against the definition, counted out."""
    found = percentile(sorted(values), percent / 100)

    def share(value: float) -> Fraction:
        return Fraction(sum(one <= value for one in values), len(values))

    assert found in values
    assert share(found) >= Fraction(percent, 100)
    assert all(share(one) < Fraction(percent, 100) for one in values if one < found)


def test_flights() -> None:
    flights = describe_flights([number / 1000 for number in range(100, 0, -1)])
    assert flights == {"p50": 0.05, "p90": 0.09, "p99": 0.099, "samples": 100}
    assert describe_flights([7.0]) == {"p50": 7.0, "p90": 7.0, "p99": 7.0, "samples": 1}
    assert describe_flights([]) is None


def test_very_many_flights_are_thinned_out() -> None:
    """Evenly, so that the percentiles hardly change; all are counted."""
    flights = describe_flights([float(number) for number in range(100_000)])
    assert flights is not None
    assert flights["samples"] == 100_000
    assert flights["p50"] == pytest.approx(50_000, rel=0.01)
    assert flights["p99"] == pytest.approx(99_000, rel=0.01)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12), st.integers(2, 6))
def test_history_keeps_the_moments_of_the_last_minute(figures: list[tuple[int, int]], length: int) -> None:
    interval = 60 / length
    history = History(interval)
    for number, (rate_of_a, lying_in_b) in enumerate(figures):
        history.add(
            Moment(number * interval, number / 2, {"a": (rate_of_a, 1), "b": (2, lying_in_b)}), number * interval
        )
    series = history.series({"both": ("a", "b"), "a": ("a",)})
    kept = list(enumerate(figures))[-length:]
    assert series["interval"] == interval
    assert series["times"] == [pytest.approx(number * interval, abs=0.001) for number, _ in kept]
    assert series["totals"]["blocked_rate"] == [number / 2 for number, _ in kept]
    assert series["totals"]["received_rate"] == series["subsystems"]["both"]["received_rate"]
    assert series["subsystems"]["both"]["received_rate"] == [one + 2 for _, (one, _) in kept]
    assert series["subsystems"]["both"]["lying"] == [one + 1 for _, (_, one) in kept]
    assert series["subsystems"]["a"] == {"received_rate": [one for _, (one, _) in kept], "lying": [1] * len(kept)}


def test_of_many_looks_a_second_history_keeps_one() -> None:
    """So it goes back for a minute, and takes no more room."""
    history = History(0.05)
    for number in range(5000):
        history.add(Moment(number * 0.05, 0.0, {}), number * 0.05)
    times = history.series({})["times"]
    assert len(times) == 60
    assert {round(after - before, 1) for before, after in pairwise(times)} <= {1.0, 0.9, 1.1}


def test_of_few_looks_history_keeps_two_at_least() -> None:
    history = History(100.0)
    for number in range(5):
        history.add(Moment(number * 100.0, 0.0, {}), number * 100.0)
    assert history.series({})["times"] == [300.0, 400.0]
