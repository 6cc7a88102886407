"""Exploring schedules without hypothesis: many of them, from a seed; what fails is shrunk, and can be replayed."""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeVar

import attrs

from orchestra_trio.logs import logger
from orchestra_trio.testing.hangs import MOST_STEPS
from orchestra_trio.testing.scheduling.arguments import check_count, check_options, check_runnable
from orchestra_trio.testing.scheduling.courses import follow, steer
from orchestra_trio.testing.scheduling.failures import is_failure, kind_of
from orchestra_trio.testing.scheduling.playing import play
from orchestra_trio.testing.scheduling.schedule import Schedule, describe_run, name_of
from orchestra_trio.testing.scheduling.script import LAG, Script
from orchestra_trio.testing.scheduling.shrinking import Shrinking, Trial
from orchestra_trio.testing.scheduling.steering import Steering
from orchestra_trio.testing.scheduling.strategies import Priorities, Uniform

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

    from orchestra_trio.testing.scheduling.steering import Course
    from orchestra_trio.testing.scheduling.strategies import Strategy

__all__ = ["Exploration", "explore", "replay"]

T = TypeVar("T")

MOST_SHRINKING_RUNS: Final = 1000


@attrs.frozen
class Exploration:
    """What was explored, without finding a failure."""

    schedules: int
    """How many schedules were run."""

    interleavings: int
    """How many different orders of steps these were."""

    most_steps: int
    """How many steps the longest run took."""


@attrs.frozen
class _Setting:
    """What all schedules of an exploration have in common."""

    strategy: Strategy | None = None
    lag: int | None = LAG
    cancel: bool = False
    shrink_capacities: bool = False
    most_steps: int = MOST_STEPS

    def course(self, seed: int, steps: int) -> Course:
        """Return the course that a seed stands for, for a function that takes about so many steps."""
        source = random.Random(seed).randrange  # noqa: S311 - nothing secret
        return steer(
            source,
            self.strategy or (Uniform(), Priorities())[seed % 2],
            lag=self.lag,
            cancel=self.cancel,
            shrink_capacities=self.shrink_capacities,
            steps=steps,
        )

    @property
    def as_arguments(self) -> str:
        """What is not as by default, as in a call."""
        fields = [field for field in attrs.fields(_Setting) if getattr(self, field.name) != field.default]
        return "".join(f", {field.name}={getattr(self, field.name)!r}" for field in fields)


def explore(
    async_fn: Callable[[], Awaitable[object]],
    *,
    schedules: int = 1000,
    seed: int = 0,
    strategy: Strategy | None = None,
    lag: int | None = LAG,
    cancel: bool = False,
    shrink_capacities: bool = False,
    most_steps: int = MOST_STEPS,
) -> Exploration:
    """Run an async function under many schedules, the first of which is trio's plain order.

    Each run is on a `trio.testing.MockClock` of its own, which jumps when all tasks wait. The function is called anew
    for each; what it leaves behind, the next run finds. The same call explores the same schedules again.

    Args:
        async_fn: What to run. It fails by raising: by its own assertions, by `Hang`, by `NeverEnds`.
        schedules: How many schedules to run, at the most.
        seed: The n-th schedule has the seed `seed + n`; that of a failure is told.
        strategy: How tasks are chosen; by default `Uniform()` and `Priorities()` in turns.
        lag: By how many rounds a task that is ready may be passed over by tasks that became ready later. 0 allows just
            what trio itself might do; more also stands for tasks that are late since they wait for input or output.
        cancel: In half of the schedules something is cancelled at some step, as if from outside: one of the scopes that
            are open and marked with `cancellable`, or, as long as none has been marked, the whole function.
        shrink_capacities: In half of the schedules no lane of an orchestra holds more than one item.
        most_steps: How many steps one run may take.

    Returns:
        What was explored, when nothing has failed.

    Raises:
        SchedulesUnavailable: This trio does not let us choose.
        RuntimeError: Called within a run of trio.
        TypeError, ValueError: An argument is not as it must be.
        BaseException: The first failure, as it is under the fewest decisions that still make the function fail in the
            same way; with a note that describes them, and says how to replay it.
    """
    check_runnable(async_fn, "explore()")
    check_options(strategy, lag, most_steps)
    check_count("schedules", schedules)
    check_count("seed", seed, least=0)
    setting = _Setting(strategy, lag, cancel, shrink_capacities, most_steps)
    plain = Steering(follow(Script(lag=lag)))
    failure = _failure(plain, async_fn, setting)
    if failure is not None:
        failure.add_note(
            "orchestra_trio: fails in trio's plain order already\n"
            f'to run it again: replay({name_of(async_fn)}, ""{_steps_argument(setting)})'
        )
        raise failure
    seen, longest = {plain.interleaving}, plain.steps
    for number in range(1, schedules):
        steering = Steering(setting.course(seed + number, plain.steps))
        failure = _failure(steering, async_fn, setting)
        if failure is not None:
            found = f"schedule {number + 1:,} of at most {schedules:,} fails"
            raise _shrunk(failure, steering, async_fn, setting, found, seed + number)
        seen.add(steering.interleaving)
        longest = max(longest, steering.steps)
    return Exploration(schedules, len(seen), longest)


def replay(
    async_fn: Callable[[], Awaitable[T]],
    schedule: int | str,
    *,
    strategy: Strategy | None = None,
    lag: int | None = LAG,
    cancel: bool = False,
    shrink_capacities: bool = False,
    most_steps: int = MOST_STEPS,
) -> T | None:
    """Run an async function under a schedule that `explore` or hypothesis has found.

    Args:
        async_fn: What was explored.
        schedule: A text, as in `"14:1 17:2"`; or a seed. Of a seed, the function is run in trio's plain order first, to
            find out how long it is, as `explore` did.
        strategy: As it was for `explore`; this and the following matter to a seed alone.
        lag: As it was for `explore`.
        cancel: As it was for `explore`.
        shrink_capacities: As it was for `explore`.
        most_steps: How many steps the run may take.

    Returns:
        What the function returns; None where the schedule cancelled it as a whole.

    Raises:
        RuntimeError: Called within a run of trio.
        TypeError, ValueError: The text is no schedule, or another argument is not as it must be.
        BaseException: What the function raises, as in `Schedule.run`.
    """
    check_runnable(async_fn, "replay()")
    check_options(strategy, lag, most_steps)
    if isinstance(schedule, str):
        return Schedule(schedule, most_steps=most_steps).run(async_fn)
    check_count("a schedule that is no text is a seed: it", schedule, least=0)
    setting = _Setting(strategy, lag, cancel, shrink_capacities, most_steps)
    plain = Steering(follow(Script(lag=lag)))
    play(plain, async_fn, most_steps=most_steps)
    course = setting.course(schedule, plain.steps)
    return Schedule.of(lambda: course, most_steps=most_steps).run(async_fn)


@contextmanager
def _quiet() -> Generator[None]:
    """Keep the library from logging what becomes of orchestras that fail while many schedules are tried."""
    was_disabled = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = was_disabled


def _failure(steering: Steering, async_fn: Callable[[], Awaitable[object]], setting: _Setting) -> BaseException | None:
    """Run a function, and return how it failed, or None."""
    try:
        with _quiet():
            play(steering, async_fn, most_steps=setting.most_steps)
    except BaseException as error:  # noqa: ASYNC103 - raised by whoever asked, or told of
        if not is_failure(error):
            raise
        return error  # noqa: ASYNC104 - as above
    return None


def _shrunk(
    failure: BaseException,
    steering: Steering,
    async_fn: Callable[[], Awaitable[object]],
    setting: _Setting,
    found: str,
    seed: int,
) -> BaseException:
    """Return the failure of the smallest script that fails in the same way, with a note."""
    kind = kind_of(failure)

    def fails(script: Script) -> Trial | None:
        tried = Steering(follow(script))
        error = _failure(tried, async_fn, setting)
        if error is None or kind_of(error) != kind:
            return None
        return Trial(tried.script, tried.steps)

    name, steps = name_of(async_fn), _steps_argument(setting)
    as_found = f"replay({name}, {seed}{setting.as_arguments})"
    first = fails(steering.script)
    if first is None:
        why = "more than the schedule decides what it does"
        failure.add_note(f"orchestra_trio: {found}, but does not fail again: {why}")
        return failure
    shrinking = Shrinking(first, fails, MOST_SHRINKING_RUNS)
    shrinking.shrink()
    last = Steering(follow(shrinking.best.script))
    error = _failure(last, async_fn, setting) or failure
    error.add_note(
        f"orchestra_trio: {found}; shrunk to\n{describe_run(last)}\n"
        f'to run that again: replay({name}, "{last.script}"{steps})\n'
        f"as it was found:   {as_found}"
    )
    return error


def _steps_argument(setting: _Setting) -> str:
    return "" if setting.most_steps == MOST_STEPS else f", most_steps={setting.most_steps}"
