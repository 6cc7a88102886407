"""Schedules that hypothesis draws: what fails shrinks to few choices, and the output of a test shows them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import trio
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import StopTest

from orchestra_trio.testing.scheduling.courses import steer
from orchestra_trio.testing.scheduling.drawn import schedules
from orchestra_trio.testing.scheduling.schedule import Schedule
from orchestra_trio.testing.scheduling.strategies import Delays, Priorities, Strategy, Uniform
from tests.testing.scheduling.programs import interleaved, lost_update, pause, swapped, table, untidy, workshop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

SETTINGS = settings(
    database=None,
    derandomize=True,
    max_examples=500,
    report_multiple_bugs=False,
    phases=set(Phase) - {Phase.explain},
)
STRATEGIES = [None, Uniform(), Priorities(), Delays()]


def shrunk(async_fn: Callable[[], Awaitable[None]], strategy: Strategy | None, **faults: bool) -> str:
    """Return the note of the schedule under which a function fails at last."""

    @settings(SETTINGS)
    @given(schedules(strategy, **faults))
    def test(schedule: Schedule) -> None:
        schedule.run(async_fn)

    error = failure_of(test)
    return next(note for note in error.__notes__ if note.startswith("orchestra_trio"))


def failure_of(function: Callable[..., object], *args: object) -> Exception:
    try:
        function(*args)
    except (AssertionError, ExceptionGroup) as error:
        return error
    pytest.fail("it did not fail")


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("program", [lost_update, swapped, workshop])
def test_a_bug_shrinks_to_what_matters(program: Callable[[], Awaitable[None]], strategy: Strategy | None) -> None:
    """Where each choice is drawn, hypothesis also likes what makes the run shorter, since it draws less."""
    most_lines = 2 if strategy == Uniform() else 1
    head, *told, again = shrunk(program, strategy).splitlines()
    assert head == f"orchestra_trio: {program.__name__} ran under the schedule"
    assert 1 <= len(told) <= most_lines
    text = again.split('"')[1]
    assert len(text.split()) <= most_lines
    failure_of(Schedule(text).run, program)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_faults_shrink_away_where_they_do_not_matter(strategy: Strategy | None) -> None:
    note = shrunk(swapped, strategy, cancel=True, shrink_capacities=True)
    assert "cancel" not in note
    assert "capacity" not in note


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_faults_that_matter_are_what_is_left(strategy: Strategy | None) -> None:
    assert shrunk(table, strategy, shrink_capacities=True).endswith('replay(table, "capacity=1")')
    note = shrunk(untidy, strategy, cancel=True)
    assert "cancelled 'right'" in note or "cancelled 'left'" in note
    assert len(note.splitlines()) <= (5 if strategy == Uniform() else 4)


@settings(max_examples=30, suppress_health_check=[])
@given(schedule=schedules(), other=schedules(Uniform(), lag=0))
def test_a_drawn_schedule_is_recorded_as_any_other(schedule: Schedule, other: Schedule) -> None:
    assert repr(schedule) == "<Schedule, drawn as it runs>"
    for one in (schedule, other, schedule):
        log: list[Any] = []
        one.run(interleaved(log))
        again: list[Any] = []
        followed = Schedule(str(one))
        followed.run(interleaved(again))
        assert again == log
        assert followed.decisions == one.decisions


@settings(max_examples=5, suppress_health_check=list(HealthCheck), database=None)
@given(schedule=schedules(Uniform()))
def test_long_runs_are_drawn_in_their_beginning_alone(schedule: Schedule) -> None:
    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(pause, 300)

    schedule.run(main)
    assert len(schedule.decisions) > 600
    late = [one for one in schedule.deviations if one.step > schedule.decisions[150].step]
    assert not late


def test_what_the_source_raises_ends_the_run_and_is_raised() -> None:
    """Hypothesis ends an example by raising from a draw: that must not crash trio's loop."""
    stop = StopTest(1)
    ended: list[bool] = []

    async def main() -> None:
        try:
            await interleaved([])()
            await pause(50)
        finally:
            ended.append(True)

    def begin() -> Any:  # noqa: ANN401 - a course
        draws = 0

        def source(count: int) -> int:
            nonlocal draws
            draws += 1
            if draws > 5:
                raise stop
            return count - 1

        return steer(source, Uniform(), lag=20, cancel=False, shrink_capacities=False)

    with pytest.raises(StopTest) as caught:
        Schedule.of(begin).run(main)
    assert caught.value is stop
    assert not hasattr(stop, "__notes__")
    assert ended == [True]


_FAILING = """
import trio
from hypothesis import given, settings
from orchestra_trio.testing.scheduling.drawn import schedules
from tests.testing.scheduling.programs import lost_update, workshop

@settings(derandomize=True, database=None, max_examples=300, report_multiple_bugs=False)
@given(schedule=schedules())
def test_inside(schedule):
    schedule.run(workshop)

async def count():
    try:
        await lost_update()
    except AssertionError:
        return 1
    return 2

@settings(derandomize=True, database=None, max_examples=300, report_multiple_bugs=False)
@given(schedule=schedules())
def test_outside(schedule):
    assert schedule.run(count) == 2
"""


def test_the_output_of_a_failing_test_says_what_was_chosen(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """Whether the function itself fails, or what the test asserts of its result."""
    file = tmp_path / "test_failing.py"
    file.write_text(_FAILING)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", str(file)],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(pytestconfig.rootpath), "COLUMNS": "120"},
    )
    assert "2 failed" in done.stdout
    lines = [line.lstrip("E| ") for line in done.stdout.splitlines()]
    for name, what in (("workshop", "before 'settings'"), ("count", "ran 'late' before 'early'")):
        begin = lines.index(f"orchestra_trio: {name} ran under the schedule")
        told, again = lines[begin + 1 : begin + 3]
        assert told.startswith("step")
        assert told.endswith(what)
        assert again.startswith(f'to run it again: replay({name}, "')
    assert "schedule=<Schedule, drawn as it runs>" in done.stdout
