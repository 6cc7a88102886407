"""Since when a deadlock has been one, and whether it still is. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestra_trio import DeadlockDetected, Standing, SubsystemStatistics
    from orchestra_trio.records import Wait

__all__ = ["began", "still_holds"]


def began(deadlock: DeadlockDetected) -> float | None:
    """Return when the last wait began that closed it, on trio's clock; None where nothing is on record."""
    return max((wait.since for one in deadlock.standings for wait in _ties(one, deadlock)), default=None)


def still_holds(deadlock: DeadlockDetected, now: Mapping[str, SubsystemStatistics]) -> bool:
    """Return whether every wait that it consisted of still goes on.

    Each of its tasks waited for another member. As soon as one of these waits is over, a task can move, and nothing is
    known to hold it any more.

    Args:
        deadlock: What was found, with where its members stood.
        now: How all subsystems stand.
    """
    return all(_holds(one, deadlock, now.get(one.statistics.name)) for one in deadlock.standings)


def _holds(then: Standing, deadlock: DeadlockDetected, now: SubsystemStatistics | None) -> bool:
    if now is None or now.has_ended or now.restarts != then.statistics.restarts:
        return False
    going_on = set(now.waits)
    return all(wait in going_on for wait in _ties(then, deadlock))


def _ties(standing: Standing, deadlock: DeadlockDetected) -> Iterator[Wait]:
    return (wait for wait in standing.statistics.waits if wait.kind != "receive" and wait.subsystem in deadlock.members)
