"""How long what is urgent is on its way: percentiles, of all that was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.peers import asyncio_talks, trio_talks
from benchmarks.workload import urgents_among
from benchmarks.works.flights import percentile, throughput, urgent_flights
from benchmarks.works.talks import priority_under_load, signals_under_load

if TYPE_CHECKING:
    from benchmarks.works.flights import LoadedWork

CONTENDERS: list[LoadedWork] = [
    signals_under_load,
    priority_under_load,
    trio_talks.in_line,
    asyncio_talks.in_line,
    asyncio_talks.priority_queue,
]


def lose(count: int, flights: list[float]) -> float:
    flights.extend([1.0] * (urgents_among(count) - 1))
    return 1.0


@pytest.mark.parametrize("count", [100, 1700])
@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda one: f"{one.__module__}.{one.__name__}")
def test_of_all_that_is_urgent_the_flight_is_noted(contender: LoadedWork, count: int) -> None:
    flights: list[float] = []
    assert contender(count, flights) > 0
    assert len(flights) == urgents_among(count)
    assert min(flights) > 0


@pytest.mark.parametrize("measured", [throughput(lose), urgent_flights(lose)])
def test_one_that_gets_lost_is_an_error(measured: LoadedWork) -> None:
    with pytest.raises(RuntimeError, match="urgent ones received: 3 in place of 4"):
        measured(400)  # type: ignore[call-arg]  # both take a count alone


def test_figures_are_percentiles_in_microseconds() -> None:
    def fly(count: int, flights: list[float]) -> float:
        flights.extend(number * 1e-6 for number in range(urgents_among(count), 0, -1))
        return 1.0

    assert urgent_flights(fly)(20_000) == pytest.approx({"p50": 100, "p99": 198})


@given(st.lists(st.integers(0, 50), min_size=1), st.integers(1, 100))
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(values: list[int], percent: int) -> None:
    enough = [value for value in values if 100 * sum(one <= value for one in values) >= percent * len(values)]
    assert percentile(sorted(values), percent) == min(enough)
