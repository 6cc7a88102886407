"""A schedule runs a function, records what it chose, and says so where the function fails."""

from __future__ import annotations

import random
from collections import deque
from functools import partial
from typing import Any

import pytest
import trio
import trio.testing

from orchestra_trio import DeadlockDetected
from orchestra_trio.runtime.surroundings import surroundings
from orchestra_trio.testing.hangs import Hang
from orchestra_trio.testing.scheduling.schedule import Schedule
from orchestra_trio.testing.scheduling.steering import cancellable
from tests.testing.scheduling.programs import hanging, interleaved, lost_update, pause, swapped, table, untidy


def test_the_plain_order_is_that_of_the_beginning() -> None:
    log: list[tuple[int, int]] = []
    schedule = Schedule()
    schedule.run(interleaved(log))
    assert log == [(number, place) for place in range(4) for number in range(4)]
    assert not schedule.deviations
    assert schedule.decisions[0].offered == 4
    assert (str(schedule), schedule.describe()) == ("", "trio's plain order")


def test_a_text_is_followed_in_every_run() -> None:
    log: list[tuple[int, int]] = []
    schedule = Schedule("4:3 6-7:1")
    logs, decisions = [], []
    for _ in range(2):
        schedule.run(interleaved(log))
        logs.append(list(log))
        decisions.append(schedule.decisions)
    assert logs[0][:4] == [(3, 0), (0, 0), (2, 0), (0, 1)]
    assert logs[0] == logs[1]
    assert decisions[0] == decisions[1]
    assert str(schedule) == "4:3 6-7:1"
    assert repr(schedule) == "<Schedule '4:3 6-7:1'>"


def test_decisions_name_tasks_with_numbers_where_names_repeat() -> None:
    schedule = Schedule("4:3")
    schedule.run(interleaved([]))
    (deviation,) = schedule.deviations
    assert (deviation.step, deviation.choice, deviation.offered) == (4, 3, 4)
    assert (deviation.chosen, deviation.passed) == ("step #4", ("step #1", "step #2", "step #3"))
    assert schedule.describe() == "step 4: ran 'step #4' before 'step #1', 'step #2' and 'step #3'"


def test_choices_that_are_not_offered_are_not_recorded() -> None:
    schedule = Schedule("2:5 4:99 1000:1")
    schedule.run(interleaved([]))
    assert str(schedule) == "4:3"


def test_results_and_arguments_are_passed_on() -> None:
    async def add(first: int, second: int) -> int:
        await pause(3)
        return first + second

    assert Schedule().run(add, 40, 2) == 42
    assert Schedule("5:1").run(partial(add, 40), 2) == 42


def test_the_clock_jumps_unless_another_one_is_given() -> None:
    async def main() -> float:
        await trio.sleep(60)
        return trio.current_time()

    assert Schedule().run(main) == 60
    clock = trio.testing.MockClock(autojump_threshold=0)
    clock.jump(40)
    assert Schedule().run(main, clock=clock) == 100


def test_an_error_says_how_it_came_about() -> None:
    with pytest.raises(AssertionError) as caught:
        Schedule("6-7:1").run(lost_update)
    (note,) = caught.value.__notes__
    assert note.splitlines() == [
        "orchestra_trio: lost_update ran under the schedule",
        "  steps 6 to 7: ran 'late' before 'early'",
        'to run it again: replay(lost_update, "6-7:1")',
    ]


def test_a_group_says_it_once() -> None:
    with pytest.RaisesGroup(AssertionError) as caught:
        Schedule("10:1").run(swapped)
    assert len(caught.value.__notes__) == 1
    assert not hasattr(caught.value.exceptions[0], "__notes__")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)])
def test_a_wish_to_end_passes_through(error: BaseException) -> None:
    async def main() -> None:
        await pause(1)
        raise error

    with pytest.raises(type(error)) as caught:
        Schedule().run(main)
    assert caught.value is error
    assert not hasattr(error, "__notes__")


def test_an_error_inside_of_trio_passes_through() -> None:
    async def main() -> None:
        trio.lowlevel.current_trio_token().run_sync_soon(lambda: 1 // 0)
        await trio.sleep_forever()

    with pytest.raises(trio.TrioInternalError) as caught:
        Schedule().run(main)
    assert not hasattr(caught.value, "__notes__")


async def test_inside_of_a_run_it_says_what_is_wrong() -> None:
    await trio.lowlevel.checkpoint()
    with pytest.raises(RuntimeError, match="runs trio itself: call it from a sync function"):
        Schedule().run(lost_update)


def test_nothing_is_left_changed() -> None:
    from trio._core import _run  # noqa: PLC0415 - what it must have left alone

    context: Any = _run
    with pytest.raises(AssertionError):
        Schedule("6-7:1").run(lost_update)
    Schedule("capacity=1").run(lost_update)
    assert surroundings.get().capacity is None
    assert not surroundings.get().on_open

    async def main() -> object:
        await trio.lowlevel.checkpoint()
        return context.GLOBAL_RUN_CONTEXT.runner.runq

    assert type(trio.run(main)) is deque


def test_chance_is_the_same_in_each_run_and_goes_on_outside() -> None:
    async def main() -> list[float]:
        await pause(1)
        return [random.random() for _ in range(3)]

    random.seed(7)
    expected = [random.random() for _ in range(2)]
    random.seed(7)
    before = random.random()
    drawn = [Schedule("5:1").run(main) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert [before, random.random()] == expected


def test_what_hangs_fails_with_who_waits() -> None:
    with pytest.raises(Hang, match=r"patient: .*programs\.py:\d+ in patient"):
        Schedule().run(hanging)


def test_a_wrong_text_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="no part of one"):
        Schedule("14")


# --- Faults ----------------------------------------------------------------------------------------------------------


def test_without_a_mark_the_whole_function_is_cancelled() -> None:
    cancelled: list[int] = []

    async def main() -> str:
        try:
            await pause(20)
        except trio.Cancelled:
            cancelled.append(1)
            raise
        return "done"

    schedule = Schedule("9:cancel")
    assert schedule.run(main) is None
    assert cancelled == [1]
    assert schedule.describe() == "step 9: cancelled the run"
    assert Schedule("500:cancel").run(main) == "done"


def test_what_is_marked_is_cancelled_alone() -> None:
    async def main() -> list[bool]:
        async def visit() -> None:
            with cancellable() as scope:
                await pause(6)
            ended.append(scope.cancelled_caught)

        ended: list[bool] = []
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(visit)
        return ended

    assert Schedule("9:cancel1").run(main) == [True, False, False]
    schedule = Schedule("9:cancel99")
    assert schedule.run(main) == [True, False, False]
    assert str(schedule) == "9:cancel2"
    assert Schedule().run(main) == [False, False, False]


def test_between_marks_the_cancellation_waits_for_the_next() -> None:
    async def main() -> list[bool]:
        caught = []
        for _ in range(2):
            with cancellable() as scope:
                await pause(2)
            caught.append(scope.cancelled_caught)
            await pause(5)
        return caught

    schedule = Schedule("6:cancel")
    assert schedule.run(main) == [False, True]
    assert schedule.cancellation is not None
    assert str(schedule) == f"{schedule.cancellation.step}:cancel"
    assert schedule.cancellation.step > 8


async def test_outside_of_a_schedule_a_mark_is_an_ordinary_scope(autojump_clock: trio.testing.MockClock) -> None:
    with cancellable() as scope:
        await trio.sleep(1)
        scope.cancel()
        await trio.sleep(1)
    assert scope.cancelled_caught
    assert trio.current_time() == 1


def test_a_cancellation_is_part_of_the_note() -> None:
    with pytest.raises(AssertionError) as caught:
        Schedule("8:cancel1").run(untidy)
    assert "step 8: cancelled 'right'" in caught.value.__notes__[0]


def test_lanes_may_be_made_to_hold_one_item() -> None:
    Schedule().run(table)
    with pytest.RaisesGroup(DeadlockDetected):
        Schedule("capacity=1").run(table)
