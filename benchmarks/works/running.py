"""How the works run an orchestra, and how they make sure that nothing went missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.workload import check_count

if TYPE_CHECKING:
    from orchestra_trio import Orchestra, OrchestraStatistics, Readout

__all__ = ["check_messages", "count_received", "run_until_stopped"]


async def run_until_stopped(orchestra: Orchestra[Any, Any], messages: int) -> None:
    """Run until the subsystems have ended by themselves, with the input open all the while.

    `run()` would close it at once, and measure an orchestra that drains.

    Args:
        orchestra: Not open.
        messages: How many its subsystems send to each other.

    Raises:
        RuntimeError: They have sent, or have received, more or less than that.
    """
    async with orchestra.open() as running:
        await running.wait_stopped()
    check_messages(running.statistics(), messages)


def check_messages(statistics: OrchestraStatistics, messages: int) -> None:
    """Raise unless so many messages were sent, and as many received.

    Raises:
        RuntimeError: It was more or less.
    """
    lanes = _message_lanes(statistics)
    check_count("messages sent", sum(lane.sent for lane in lanes), messages)
    check_count("messages received", sum(lane.received for lane in lanes), messages)


def count_received(statistics: OrchestraStatistics) -> int:
    """Return how many messages the subsystems have received, signals aside."""
    return sum(lane.received for lane in _message_lanes(statistics))


def _message_lanes(statistics: OrchestraStatistics) -> list[Readout]:
    return [lane for one in statistics.subsystems.values() for lane in (one.priority, one.unbounded, one.bounded)]
