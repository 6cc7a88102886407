"""Paces: how often calls are schedule points, and what is lent; with trio's private parts and without alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio

from tests.delivery.models import Counting

if TYPE_CHECKING:
    import types
    from collections.abc import Callable

    from trio.testing import MockClock

    from orchestra_trio.delivery import trio_internals


async def call(pace: trio_internals.Pace) -> None:
    """Do what every call of a context does first."""
    if pace.is_due():
        await pace.keep()


@pytest.mark.parametrize("roams", [False, True])
@pytest.mark.parametrize("yield_every", [1, 2, 3, 4, 5, 7, 64])
async def test_every_so_many_calls_are_a_schedule_point(
    internals: types.ModuleType, yield_every: int, roams: bool, autojump_clock: MockClock
) -> None:
    pace = internals.make_pace(yield_every, roams=roams)
    assert (type(pace) is internals.Pace) == (not internals.PRIVATE_IN_USE)
    async with Counting() as counting:
        counts = []
        for _ in range(3 * yield_every):
            await call(pace)
            counts.append(counting.count)
    assert counts == [number // yield_every for number in range(1, 3 * yield_every + 1)]


async def test_every_call_checks_for_cancellation(internals: types.ModuleType, autojump_clock: MockClock) -> None:
    pace = internals.make_pace(1000)
    for calls in range(6):
        with trio.CancelScope() as scope:
            for _ in range(calls):
                await call(pace)
            scope.cancel()
            await call(pace)
            pytest.fail("a call went on though its task was cancelled")
        assert scope.cancelled_caught


async def test_cancelled_schedule_point_leaves_a_pace_that_goes_on(
    internals: types.ModuleType, autojump_clock: MockClock
) -> None:
    pace = internals.make_pace(2)
    with trio.CancelScope() as scope:
        await call(pace)
        scope.cancel()
        await call(pace)
    assert scope.cancelled_caught
    async with Counting() as counting:
        for _ in range(6):
            await call(pace)
    assert counting.count == 3


async def test_shielded_call_goes_on(internals: types.ModuleType, autojump_clock: MockClock) -> None:
    pace = internals.make_pace(1000)
    with trio.CancelScope() as scope:
        scope.cancel()
        with trio.CancelScope(shield=True):
            for _ in range(5):
                await call(pace)
    assert not scope.cancelled_caught


async def test_renewed_pace_has_its_whole_budget(internals: types.ModuleType, autojump_clock: MockClock) -> None:
    pace = internals.make_pace(3)
    async with Counting() as counting:
        for _ in range(4):
            await call(pace)
            await call(pace)
            pace.renew()
    assert counting.count == 0


@pytest.fixture
def set_time(internals: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """What sets the time that the module sees."""
    now = [0.0]
    monkeypatch.setattr(internals, "perf_counter", lambda: now[0])

    def set_time(time: float) -> None:
        now[0] = time

    return set_time


async def test_slice_on_the_system_clock_ends_soon_after_a_millisecond(
    internals: types.ModuleType, set_time: Callable[[float], None]
) -> None:
    """Soon: within four calls."""
    pace = internals.make_pace(1_000_000)
    async with Counting() as counting:
        for _ in range(1000):
            await call(pace)
        assert counting.count == 0
        for turn in range(1, 4):
            set_time(turn * 0.0011)
            for _ in range(4):
                await call(pace)
            assert counting.count == turn
            for _ in range(1000):
                await call(pace)
            assert counting.count == turn


async def test_renewed_pace_has_a_whole_slice(internals: types.ModuleType, set_time: Callable[[float], None]) -> None:
    pace = internals.make_pace(1_000_000)
    async with Counting() as counting:
        for turn in range(1, 4):
            set_time(turn * 0.0011)
            pace.renew()
            for _ in range(8):
                await call(pace)
    assert counting.count == 0


@pytest.mark.parametrize(("each", "run"), [(0.000_05, 15), (0.000_07, 0)])
async def test_who_is_slow_may_make_no_calls_without_a_look_at_the_time(
    each: float, run: int, internals: types.ModuleType, set_time: Callable[[float], None]
) -> None:
    """A run of 15 is at most one slice more, where all of them are as slow."""
    pace = internals.make_pace(1000)
    for number in range(1, 4):
        set_time(number * each)
        await call(pace)
        assert max(0, pace.lend(15) - pace.calls) == run


async def test_once_the_slice_is_over_nobody_may_make_calls_without_a_look_at_the_time(  # noqa: ASYNC124 - needs a run of trio
    internals: types.ModuleType, set_time: Callable[[float], None]
) -> None:
    pace = internals.make_pace(1000)
    for number in range(1, 31):
        set_time(number * 0.000_05)
        assert (pace.lend(15) > 0) == (number <= 20)
    pace.renew()
    assert pace.lend(15) == 15


async def test_what_is_lent_ends_before_a_schedule_point_is_due(
    internals: types.ModuleType, autojump_clock: MockClock
) -> None:
    pace = internals.make_pace(10)
    assert pace.lend(5) == 5
    assert pace.lend(15) == 9
    for _ in range(9):
        await call(pace)
    assert pace.lend(15) == 9  # none, after nine calls


async def test_times_of_flight_are_taken_by_the_clock_of_the_run(  # noqa: ASYNC124 - needs a run of trio
    internals: types.ModuleType, mock_clock: MockClock
) -> None:
    clock = internals.flight_clock()
    began = clock()
    mock_clock.jump(2)
    assert clock() - began == 2


async def test_slice_counts_from_when_the_task_goes_on(
    internals: types.ModuleType, set_time: Callable[[float], None]
) -> None:
    """What other tasks took at a schedule point is not its own."""

    class SlowOthers(Counting):
        def before_task_step(self, task: trio.lowlevel.Task) -> None:
            super().before_task_step(task)
            set_time(float(self.count))

    pace = internals.make_pace(8)
    async with SlowOthers() as counting:
        for _ in range(32):
            await call(pace)
    assert counting.count == 4


async def test_slice_under_a_mock_clock_never_ends(
    internals: types.ModuleType, set_time: Callable[[float], None], mock_clock: MockClock
) -> None:
    """One schedule gives one trace (law 11): no call depends on how long the last one took."""
    pace = internals.make_pace(1000)
    async with Counting() as counting:
        for number in range(999):
            set_time(float(number))
            mock_clock.jump(1)
            await call(pace)
        assert counting.count == 0
        await call(pace)
        assert counting.count == 1
