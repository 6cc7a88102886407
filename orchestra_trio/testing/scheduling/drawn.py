"""Schedules that hypothesis draws, and so shrinks to the few decisions that matter. No other module here needs it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import hypothesis
from hypothesis import strategies as st

from orchestra_trio.testing.hangs import MOST_STEPS
from orchestra_trio.testing.scheduling.arguments import check_options
from orchestra_trio.testing.scheduling.courses import steer
from orchestra_trio.testing.scheduling.schedule import Schedule
from orchestra_trio.testing.scheduling.script import LAG
from orchestra_trio.testing.scheduling.strategies import Mixed

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from orchestra_trio.testing.scheduling.steering import Course
    from orchestra_trio.testing.scheduling.strategies import Source, Strategy

__all__ = ["schedules"]

MOST_DRAWS: Final = 150
"""How many integers one run draws; then it goes on in trio's plain order. Shrinking takes time quadratic in this."""


def schedules(
    strategy: Strategy | None = None,
    *,
    lag: int | None = LAG,
    cancel: bool = False,
    shrink_capacities: bool = False,
    most_steps: int = MOST_STEPS,
) -> st.SearchStrategy[Schedule]:
    """Return a hypothesis strategy of schedules: `@given(schedule=schedules())`, then `schedule.run(main)`.

    Choices are drawn while the function runs. They shrink towards trio's plain order. A test that fails says which
    choices were left, and how to replay them.

    Args:
        strategy: How tasks are chosen; by default `Delays()` or `Priorities()`. Of `Uniform()`, which draws for each
            choice, only the first 150 choices of a run deviate from trio's plain order, and shrinking takes longer.
        lag: By how many rounds a task that is ready may be passed over by tasks that became ready later. 0 allows just
            what trio itself might do; more also stands for tasks that are late since they wait for input or output.
        cancel: In some runs something is cancelled at some step, as if from outside: one of the scopes that are open
            and marked with `cancellable`, or, as long as none has been marked, the whole function.
        shrink_capacities: In some runs no lane of an orchestra holds more than one item.
        most_steps: How many steps one run may take.

    Raises:
        TypeError, ValueError: An argument is not as it must be.
    """
    check_options(strategy, lag, most_steps)
    begin = partial(
        steer,
        strategy=Mixed() if strategy is None else strategy,
        lag=lag,
        cancel=cancel,
        shrink_capacities=shrink_capacities,
    )
    return _drawn(begin, most_steps)


@st.composite
def _drawn(draw: st.DrawFn, begin: Callable[[Source], Course], most_steps: int) -> Schedule:
    chance = draw(st.randoms(use_true_random=False))
    return Schedule.of(lambda: begin(_bounded(chance)), most_steps=most_steps, report=_report)


def _bounded(chance: random.Random) -> Source:
    """Return a source that draws from hypothesis, for one run."""
    draws = 0

    def source(count: int) -> int:
        nonlocal draws
        draws += 1
        return chance.randint(0, count - 1) if draws <= MOST_DRAWS else 0

    return source


def _report(text: str) -> None:
    if hypothesis.currently_in_test_context():
        hypothesis.note(text)
