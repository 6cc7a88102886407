"""trio runs the tasks that are chosen; what is private to trio is pinned here."""

from __future__ import annotations

import gc
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import trio
import trio.testing

from orchestra_trio.testing.scheduling import choosing
from orchestra_trio.testing.scheduling.choosing import (
    Choosing,
    ReadyTasks,
    SchedulesUnavailable,
    check_available,
    probe,
)
from tests.testing.scheduling.programs import interleaved

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra_trio.testing.scheduling.choosing import ReadyTask


class ByRule:
    """A pilot for which a function of the numbers of the ready tasks chooses."""

    def __init__(self, rule: Callable[[list[int]], int], lag: int | None = None) -> None:
        self.rule = rule
        self.lag = lag
        self.attention_at = 0
        self.offered: list[list[int]] = []

    def attend(self, step: int) -> None:
        raise AssertionError(step)

    def choose(self, step: int, ready: list[ReadyTask], count: int) -> int:
        numbers = [number for _, number, _ in ready[:count]]
        self.offered.append(numbers)
        return self.rule(numbers)


def last(numbers: list[int]) -> int:
    return len(numbers) - 1


def run(pilot: ByRule, async_fn: Any, *args: Any) -> None:  # noqa: ANN401 - any function
    trio.run(async_fn, *args, instruments=[Choosing(pilot)])


def test_this_trio_lets_us_choose() -> None:
    assert probe() is None
    check_available()


def test_a_trio_that_does_not_follow_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    reason = probe(install=lambda _: None)
    assert reason is not None
    assert reason.startswith("its loop does not follow our choices (three tasks ran in the order [")
    monkeypatch.setattr(choosing, "_reason_against", lambda: reason)
    with pytest.raises(
        SchedulesUnavailable, match=rf"cannot be explored with trio {trio.__version__}: its loop"
    ) as caught:
        check_available()
    assert "install one of those" in str(caught.value)


def test_a_trio_that_keeps_its_queue_elsewhere_is_refused() -> None:
    def missing(queue: ReadyTasks) -> None:
        raise AttributeError("no runq")

    assert probe(missing) == "its queue of ready tasks is not where it was (no runq)"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_trio_that_treats_its_queue_otherwise_is_refused() -> None:
    def install(queue: ReadyTasks) -> None:
        choosing._install(queue)
        queue.doom = AttributeError("no popleft")

    assert probe(install) == "its loop does not take our queue (AttributeError('no popleft'))"
    gc.collect()  # trio leaves behind what it had begun


def test_the_answer_is_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(choosing, "probe", lambda: asked.append(1))
    choosing._reason_against.cache_clear()
    check_available()
    check_available()
    assert asked == [1]
    choosing._reason_against.cache_clear()


async def test_inside_of_a_run_trio_says_what_is_wrong() -> None:
    await trio.lowlevel.checkpoint()
    choosing._reason_against.cache_clear()
    with pytest.raises(RuntimeError, match=r"run\(\) from inside"):
        check_available()


def test_one_task_may_be_run_to_its_end_before_others_begin() -> None:
    log: list[tuple[int, int]] = []
    run(ByRule(last), interleaved(log))
    assert log == [(number, place) for number in (3, 2, 1, 0) for place in range(4)]


def test_without_lag_each_round_is_run_to_its_end() -> None:
    """As trio does it: whatever becomes ready meanwhile comes in the next round."""
    log: list[tuple[int, int]] = []
    run(ByRule(last, lag=0), interleaved(log))
    assert log == [(number, place) for place in range(4) for number in (3, 2, 1, 0)]


@pytest.mark.parametrize("lag", [0, 1, 5])
def test_nobody_is_passed_over_for_longer_than_the_lag(lag: int) -> None:
    """One task spins until another one, which comes last wherever it may, has run."""
    spins = 0

    async def main() -> None:
        done = False

        async def finish() -> None:
            nonlocal done
            await trio.lowlevel.checkpoint()
            done = True

        async with trio.open_nursery() as nursery:
            nursery.start_soon(finish)
            nonlocal spins
            while not done:  # noqa: ASYNC110 - the very thing that must not go on for ever
                spins += 1
                await trio.lowlevel.checkpoint()

    main_number = 1
    run(ByRule(lambda numbers: numbers.index(main_number) if main_number in numbers else 0, lag), main)
    assert spins == 2 * lag + 3


def test_ready_tasks_are_offered_by_round_and_then_by_number() -> None:
    """Also those that trio wakes out of a set, in no certain order."""
    pilot = ByRule(lambda _: 0)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(trio.sleep_forever)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()

    run(pilot, main)
    assert all(numbers == sorted(numbers) for numbers in pilot.offered)
    assert max(map(len, pilot.offered)) == 20


def test_tasks_that_have_ended_are_let_go_of() -> None:
    pilot = ByRule(lambda _: 0)
    instrument = Choosing(pilot)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(trio.lowlevel.checkpoint)

    trio.run(main, instruments=[instrument])
    assert not instrument.ready._numbers
    assert not len(instrument.ready)


_PROGRAM = """
import trio
import trio.testing
from orchestra_trio.testing.scheduling.schedule import Schedule

async def main():
    log = []

    async def wait(number):
        try:
            await trio.sleep(60 + number % 3)
        finally:
            log.append(number)
            with trio.CancelScope(shield=True):
                await trio.lowlevel.checkpoint()
            log.append(-number)

    async with trio.open_nursery() as nursery:
        for number in range(50):
            nursery.start_soon(wait, number)
        await trio.sleep(60.5)
        nursery.cancel_scope.cancel()
    return log

schedule = Schedule("60-90:2 120-200:3")
print(schedule.run(main), schedule.decisions)
"""


def test_a_run_is_the_same_in_each_process() -> None:
    """Whatever the seed of the hashes, and wherever the objects lie."""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", f"ballast = [object() for _ in range({seed})]\n{_PROGRAM}"],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONHASHSEED": str(seed)},
        ).stdout
        for seed in (1, 77_777)
    }
    assert len(outputs) == 1
    assert "Decision(" in outputs.pop()
