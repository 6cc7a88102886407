"""The courses that runs take: by a script, or by a strategy out of a source of integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra_trio.testing.scheduling.steering import Course
from orchestra_trio.testing.scheduling.strategies import some_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestra_trio.testing.scheduling.script import Script
    from orchestra_trio.testing.scheduling.strategies import Source, Strategy

__all__ = ["follow", "steer"]


def follow(script: Script) -> Course:
    """Return the course of a run that follows a script."""
    deviations = dict(script.deviations)
    cancel_at, scope = script.cancel or (0, 0)

    def choose(step: int, ready: Sequence[int]) -> int:
        return min(deviations.get(step, 0), len(ready) - 1)

    return Course(choose, script.lag, cancel_at, lambda count: min(scope, count - 1), script.narrow)


def steer(
    source: Source,
    strategy: Strategy,
    *,
    lag: int | None,
    cancel: bool,
    shrink_capacities: bool,
    steps: int | None = None,
) -> Course:
    """Return the course of a run that follows a strategy.

    Args:
        source: Where all decisions come from; one that gives nothing but 0 makes the course the plain order.
        strategy: Chooses the tasks.
        lag: How many rounds a ready task may be passed over.
        cancel: Whether something may be cancelled.
        shrink_capacities: Whether the lanes may be made to hold one item at most.
        steps: About how many steps the run will take; None where that is not known.
    """
    narrow = shrink_capacities and source(2) == 1
    cancel_at = 0
    if cancel and source(2) == 1:
        cancel_at = some_time(source, steps)
    choose = strategy.begin(source, steps)
    return Course(choose, lag, cancel_at, source, narrow)
