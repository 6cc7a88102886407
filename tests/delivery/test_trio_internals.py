"""What is private to trio, and what takes its place: both ways behave alike.

The module decides at import. Its other way is tested on a fresh copy of it, imported under another name with the
environment, or trio, as it would be there.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import attrs
import outcome
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from orchestra_trio.delivery import trio_internals
from tests.delivery.copies import RUN, load_copy

if TYPE_CHECKING:
    import types
    from collections.abc import Awaitable, Callable

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
    monkeypatch.setitem(sys.modules, RUN, None)
    assert not load_copy(monkeypatch).PRIVATE_IN_USE


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
