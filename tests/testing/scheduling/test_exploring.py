"""`explore` finds known bugs within few schedules, shrinks them, and `replay` gives them again."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
import trio

from orchestra_trio import DeadlockDetected
from orchestra_trio.testing.hangs import Hang, NeverEnds
from orchestra_trio.testing.scheduling.exploring import Exploration, explore, replay
from orchestra_trio.testing.scheduling.strategies import Delays, Priorities, Strategy, Uniform
from tests.testing.scheduling.finding import find
from tests.testing.scheduling.programs import (
    deep,
    hanging,
    interleaved,
    lost_update,
    pause,
    swapped,
    table,
    untidy,
    workshop,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

STRATEGIES = [None, Uniform(), Priorities(), Delays()]
SEEDS = [0, 1000, 2000]


def leaf(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        (error,) = error.exceptions
    return error


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("program", "within", "shrunk", "description"),
    [
        (lost_update, 30, "6-7:1", "  steps 6 to 7: ran 'late' before 'early'\n"),
        (swapped, 10, "10:1", "  step 10: ran 'use' before 'prepare'\n"),
        (workshop, 20, "5:1", "  step 5: ran 'orders' before 'settings'\n"),
    ],
)
def test_an_ordering_bug_is_found_and_shrunk_to_what_matters(
    program: Callable[[], Awaitable[None]],
    within: int,
    shrunk: str,
    description: str,
    strategy: Strategy | None,
    seed: int,
) -> None:
    found = find(program, strategy=strategy, seed=seed)
    assert isinstance(leaf(found.error), AssertionError)
    assert found.count <= within
    assert (found.text, found.description) == (shrunk, description)
    with pytest.raises(type(found.error)):
        replay(program, found.text)
    with pytest.raises(type(found.error)):
        replay(program, found.seed, strategy=strategy)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_some_bugs_need_a_cancellation(strategy: Strategy | None, seed: int) -> None:
    assert explore(untidy, strategy=strategy, seed=seed, schedules=200).schedules == 200
    found = find(untidy, strategy=strategy, seed=seed, cancel=True)
    assert found.count <= 100
    assert found.text in {"7:cancel", "8:cancel1", "9:cancel"}
    assert found.description.strip() in {"step 7: cancelled 'left'", f"step {found.text[0]}: cancelled 'right'"}
    with pytest.raises(AssertionError):
        replay(untidy, found.text)
    with pytest.raises(AssertionError):
        replay(untidy, found.seed, strategy=strategy, cancel=True)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_some_bugs_need_small_capacities(strategy: Strategy | None, seed: int) -> None:
    assert explore(table, strategy=strategy, seed=seed, schedules=50).schedules == 50
    found = find(table, strategy=strategy, seed=seed, shrink_capacities=True)
    assert isinstance(leaf(found.error), DeadlockDetected)
    assert found.count <= 10
    assert (found.text, found.description) == ("capacity=1", "  no lane holds more than one item\n")


def test_a_deep_bug_is_replayed() -> None:
    found = find(deep, strategy=Priorities(changes=2))
    with pytest.RaisesGroup(AssertionError):
        replay(deep, found.text)


def test_what_never_fails_is_counted() -> None:
    log: list[Any] = []
    exploration = explore(interleaved(log), schedules=50)
    assert exploration == Exploration(schedules=50, interleavings=50, most_steps=30)
    assert explore(interleaved(log), schedules=50) == exploration


def test_a_failure_in_the_plain_order_is_told_as_such() -> None:
    with pytest.raises(Hang) as caught:
        explore(hanging)
    assert caught.value.__notes__ == [
        'orchestra_trio: fails in trio\'s plain order already\nto run it again: replay(hanging, "")'
    ]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_seed_gives_the_same_run_again(strategy: Strategy | None) -> None:
    log: list[Any] = []
    traces = []
    for seed in (17, 18, 17, 18):
        replay(interleaved(log), seed, strategy=strategy)
        traces.append(list(log))
    assert traces[:2] == traces[2:]
    assert traces[0] != traces[1]


def test_the_settings_that_matter_are_in_the_line_that_replays() -> None:
    with pytest.raises(AssertionError) as caught:
        explore(untidy, strategy=Uniform(), lag=None, cancel=True, most_steps=500)
    (note,) = caught.value.__notes__
    *_, again, as_found = note.splitlines()
    assert again.endswith(", most_steps=500)")
    assert as_found.endswith(", strategy=Uniform(), lag=None, cancel=True, most_steps=500)")


def test_another_failure_is_not_taken_for_the_same() -> None:
    async def main() -> None:
        log: list[int] = []

        async def add(number: int) -> None:
            await pause(2)
            log.append(number)

        async with trio.open_nursery() as nursery:
            for number in range(3):
                nursery.start_soon(add, number)
        if log == [2, 1, 0]:
            raise KeyError(*log)
        if log[0] == 2:
            raise ValueError(*log)

    found = [find(main, seed=seed) for seed in range(0, 100, 10)]
    assert {type(one.error) for one in found} == {KeyError, ValueError}
    for one in found:
        with pytest.raises(type(one.error)):
            replay(main, one.text)


def test_what_the_schedule_does_not_decide_is_said_not_to_fail_again() -> None:
    calls = itertools.count()

    async def main() -> None:
        await trio.lowlevel.checkpoint()
        assert next(calls) != 5

    with pytest.raises(AssertionError) as caught:
        explore(main)
    (note,) = caught.value.__notes__
    assert "schedule 6 of at most 1,000 fails, but does not fail again" in note


def test_a_wish_to_end_is_no_failure() -> None:
    calls = itertools.count()

    async def main() -> None:
        await trio.lowlevel.checkpoint()
        if next(calls) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        explore(main)
    assert not hasattr(caught.value, "__notes__")
    assert next(calls) == 6


def test_what_never_ends_is_found() -> None:
    async def main() -> None:
        done = False

        async def finish() -> None:
            nonlocal done
            await pause(1)
            done = True

        async def go_on() -> None:
            await pause(1)
            while done:
                await pause(1)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(go_on)
            nursery.start_soon(finish)

    assert isinstance(find(main, most_steps=300).error, NeverEnds)
