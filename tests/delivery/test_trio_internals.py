"""What is private to trio, and what takes its place: both ways behave alike.

The module decides at import. Its other way is tested on a fresh copy of it, imported under another name with the
environment, or trio, as it would be there.
"""

from __future__ import annotations

import importlib.util
import math
import sys
import types
from typing import TYPE_CHECKING, Any

import attrs
import outcome
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from orchestra_trio.delivery import trio_internals
from tests.delivery.models import Counting

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_RUN = "trio._core._run"


def load_copy(monkeypatch: pytest.MonkeyPatch, **changes: object) -> types.ModuleType:
    """Import a fresh copy of the module.

    Args:
        monkeypatch: Changes the environment during the import.
        changes: The environment variable, or parts of trio's `_run`: None is without.
    """
    with monkeypatch.context() as patch:
        patch.delenv("ORCHESTRA_TRIO_PUBLIC_ONLY", raising=False)
        parts = {}
        for name, value in changes.items():
            if name == "ORCHESTRA_TRIO_PUBLIC_ONLY":
                patch.setenv(name, str(value))
            else:
                parts[name] = value
        if parts:
            altered = types.ModuleType(_RUN)
            vars(altered).update({**vars(sys.modules[_RUN]), **parts})
            for name in [name for name, value in parts.items() if value is None]:
                delattr(altered, name)
            patch.setitem(sys.modules, _RUN, altered)
            patch.setattr(sys.modules["trio._core"], "_run", altered)
        spec = importlib.util.spec_from_file_location(trio_internals.__name__, trio_internals.__file__)
        assert spec is not None
        assert spec.loader is not None
        copy = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(copy)
    return copy


@pytest.fixture(params=["private", "public"])
def internals(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """The module, each way."""
    if request.param == "private":
        copy = load_copy(monkeypatch)
        assert copy.PRIVATE_IN_USE
    else:
        copy = load_copy(monkeypatch, ORCHESTRA_TRIO_PUBLIC_ONLY="1")
        assert not copy.PRIVATE_IN_USE
    return copy


async def call(pace: trio_internals.Pace) -> None:
    """Do what every call of a context does first."""
    if pace.is_due():
        await pace.keep()


# --- Which way -------------------------------------------------------------------------------------------------------


def test_private_parts_of_the_pinned_trio_are_in_use_unless_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_copy(monkeypatch).PRIVATE_IN_USE
    assert load_copy(monkeypatch, ORCHESTRA_TRIO_PUBLIC_ONLY="").PRIVATE_IN_USE
    assert not load_copy(monkeypatch, ORCHESTRA_TRIO_PUBLIC_ONLY="1").PRIVATE_IN_USE


@attrs.define
class _TaskWithoutStatus:
    name: str


@attrs.define
class _StatusOfAnotherShape:
    effectively_cancelled: bool
    _scope: object


@pytest.mark.parametrize(
    "change",
    [
        {"Task": _TaskWithoutStatus},
        {"CancelStatus": _StatusOfAnotherShape},
        {"Task": object},
        {"Task": None},
        {"GLOBAL_RUN_CONTEXT": None},
        {"SystemClock": None},
        {"WaitTaskRescheduled": None},
        {"WaitTaskRescheduled": _StatusOfAnotherShape},
    ],
    ids=["no status", "another status", "no attrs", "no task", "no context", "no clock", "no trap", "another trap"],
)
def test_another_trio_than_expected_falls_back(monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]) -> None:
    copy = load_copy(monkeypatch, **change)
    assert not copy.PRIVATE_IN_USE
    assert copy.wake is trio.lowlevel.reschedule
    assert copy.make_waiting() is None


def test_trio_without_the_private_module_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(sys.modules["trio._core"], "_run")
    monkeypatch.setitem(sys.modules, _RUN, None)
    assert not load_copy(monkeypatch).PRIVATE_IN_USE


# --- Pace ------------------------------------------------------------------------------------------------------------


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


async def test_once_the_slice_is_over_nobody_may_make_calls_without_a_look_at_the_time(
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


async def test_times_of_flight_are_taken_by_the_clock_of_the_run(
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


# --- Waking ----------------------------------------------------------------------------------------------------------


async def test_wake_resumes_a_task_that_waits(internals: types.ModuleType) -> None:
    resumed: list[object] = []

    async def wait() -> None:
        waiting.append(trio.lowlevel.current_task())
        resumed.append(await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.SUCCEEDED))

    waiting: list[trio.lowlevel.Task] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        nursery.start_soon(wait)
        await wait_all_tasks_blocked()
        for task in waiting:
            internals.wake(task)
        assert resumed == []
    assert resumed == [None, None]


async def test_woken_task_cannot_be_cancelled_out_of_what_it_was_woken_for(internals: types.ModuleType) -> None:
    resumed: list[str] = []

    async def wait() -> None:
        waiting.append(trio.lowlevel.current_task())
        await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.SUCCEEDED)
        resumed.append("resumed")
        await trio.lowlevel.checkpoint()
        resumed.append("went on")

    waiting: list[trio.lowlevel.Task] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await wait_all_tasks_blocked()
        internals.wake(waiting[0])
        nursery.cancel_scope.cancel()
    assert resumed == ["resumed"]


# --- Deadlines around another task -----------------------------------------------------------------------------------


async def observe(
    inside: Callable[[], Awaitable[None]], observer: Callable[[trio.lowlevel.Task, trio.CancelScope], None]
) -> None:
    """Look at a task that waits in `inside`, in a nursery within a scope with a deadline of its own."""
    with trio.move_on_after(1000):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(inside)
            await wait_all_tasks_blocked()
            (task,) = nursery.child_tasks
            observer(task, nursery.cancel_scope)
            nursery.cancel_scope.cancel()


async def under_scopes(*scopes: trio.CancelScope) -> None:
    if not scopes:
        await trio.sleep_forever()
    with scopes[0]:
        await under_scopes(*scopes[1:])


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        ([], False),
        ([{}], False),
        ([{"deadline": 50}], True),
        ([{"deadline": 50}, {}], True),
        ([{}, {"deadline": 50}, {}], True),
        ([{"deadline": 50}, {"shield": True}], False),
        ([{"deadline": 50, "shield": True}], True),
        ([{"shield": True}, {"deadline": 50}], True),
        ([{"deadline": 50}, {"shield": True}, {}, {"deadline": 60}], True),
    ],
)
async def test_deadline_within_is_one_that_will_end_the_wait(
    scopes: list[dict[str, Any]], expected: bool, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    internals = load_copy(monkeypatch)
    made = [trio.CancelScope(**options) for options in scopes]
    found: list[bool] = []

    def look(task: trio.lowlevel.Task, scope: trio.CancelScope) -> None:
        found.append(internals.has_deadline_within(task, scope, math.nan))
        for one in made:
            one.shield = False  # so that all of them end

    with trio.fail_after(500):
        await observe(lambda: under_scopes(*made), look)
    assert found == [expected]


async def test_deadline_set_while_the_task_waits_is_seen(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    internals = load_copy(monkeypatch)
    inner = trio.CancelScope()

    def look(task: trio.lowlevel.Task, scope: trio.CancelScope) -> None:
        assert not internals.has_deadline_within(task, scope, 0.0)
        inner.deadline = 50
        assert internals.has_deadline_within(task, scope, 0.0)
        inner.deadline = math.inf
        assert not internals.has_deadline_within(task, scope, 0.0)

    await observe(lambda: under_scopes(inner), look)


async def test_cancelled_scope_within_will_end_the_wait(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    """Seen in the moment between the cancellation and its delivery."""
    internals = load_copy(monkeypatch)
    inner = trio.CancelScope()
    aborts: list[bool] = []

    async def wait() -> None:
        with inner:
            task = trio.lowlevel.current_task()

            def abort(_: object) -> trio.lowlevel.Abort:
                aborts.append(internals.has_deadline_within(task, outer[0], 0.0))
                return trio.lowlevel.Abort.SUCCEEDED

            await trio.lowlevel.wait_task_rescheduled(abort)

    outer: list[trio.CancelScope] = []

    def look(task: trio.lowlevel.Task, scope: trio.CancelScope) -> None:
        outer.append(scope)
        inner.cancel()

    await observe(wait, look)
    assert aborts == [True]


async def test_task_that_is_not_under_the_scope_counts_all_its_deadlines(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    internals = load_copy(monkeypatch)
    unrelated = trio.CancelScope()
    found: list[bool] = []
    await observe(trio.sleep_forever, lambda task, _: found.append(internals.has_deadline_within(task, unrelated, 0.0)))
    assert found == [True]  # that of `observe`


@pytest.mark.parametrize(("noted", "expected"), [(0.0, False), (12.5, True), (math.inf, True)])
async def test_public_way_goes_by_what_was_noted(noted: float, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    internals = load_copy(monkeypatch, ORCHESTRA_TRIO_PUBLIC_ONLY="1")
    found: list[bool] = []
    await observe(
        trio.sleep_forever, lambda task, scope: found.append(internals.has_deadline_within(task, scope, noted))
    )
    assert found == [expected]


# --- At the end of a nursery -----------------------------------------------------------------------------------------


async def leaving() -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep_forever)
        nursery.start_soon(trio.sleep_forever)


async def in_the_block() -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep_forever)
        await trio.sleep_forever()


async def deep_inside() -> None:
    async with trio.open_nursery():
        await leaving()


@pytest.mark.parametrize(
    ("wait", "expected"),
    [(trio.sleep_forever, False), (leaving, True), (in_the_block, False), (deep_inside, True)],
)
async def test_leaving_a_nursery_is_told_from_waiting_in_it(
    internals: types.ModuleType, wait: Callable[[], Awaitable[None]], expected: bool
) -> None:
    found: list[bool] = []
    await observe(wait, lambda task, _: found.append(internals.is_leaving_nursery(task)))
    assert found == [expected]


def test_resumption_is_what_trio_asks_of_an_outcome() -> None:
    """The private way resumes with an object of its own, which does what `outcome.Value(None)` would."""
    assert trio_internals.WOKEN.unwrap() is outcome.Value(None).unwrap()
