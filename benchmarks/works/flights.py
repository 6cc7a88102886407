"""How long what is urgent is on its way while a lane is kept full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from benchmarks.workload import check_count, urgents_among

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.harness.kinds import Measuring, Timed

__all__ = ["LoadedWork", "percentile", "throughput", "urgent_flights"]


class LoadedWork(Protocol):
    """A work in which what is urgent is sent while a lane is kept full."""

    def __call__(self, count: int, flights: list[float], /) -> float:
        """Move `count` messages and what is urgent among them.

        Args:
            count: How many messages are sent, what is urgent aside.
            flights: Gets the seconds from the call that sends what is urgent to its receipt.

        Returns:
            The seconds for `count` messages or urgent ones, in proportion to all that were received.
        """
        ...


def throughput(work: LoadedWork) -> Timed:
    """Return a measurement of the whole traffic."""

    def timed(count: int) -> float:
        flights: list[float] = []
        seconds = work(count, flights)
        check_count("urgent ones received", len(flights), urgents_among(count))
        return seconds

    return timed


def urgent_flights(work: LoadedWork) -> Measuring:
    """Return a measurement of how long what is urgent is on its way: percentiles, in microseconds."""

    def measured(count: int) -> Mapping[str, float]:
        flights: list[float] = []
        work(count, flights)
        check_count("urgent ones received", len(flights), urgents_among(count))
        flights.sort()
        return {f"p{percent}": percentile(flights, percent) * 1e6 for percent in (50, 99)}

    return measured


def percentile(ordered: Sequence[float], percent: int) -> float:
    """Return the smallest of some ascending values that `percent` per cent of them do not exceed."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
