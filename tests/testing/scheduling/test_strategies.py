"""The strategies of choice, driven by sources of integers."""

from __future__ import annotations

import random
from statistics import mean
from typing import TYPE_CHECKING

import pytest

from orchestra_trio.testing.scheduling.exploring import explore
from orchestra_trio.testing.scheduling.strategies import Delays, Mixed, Priorities, Strategy, Uniform, some_time
from tests.testing.scheduling.finding import schedules_needed
from tests.testing.scheduling.programs import deep

if TYPE_CHECKING:
    from collections.abc import Callable

READY = [3, 5, 8]


def choices(strategy: Strategy, source: Callable[[int], int], steps: int | None = 50, count: int = 50) -> list[int]:
    """Return what is chosen where the same tasks are always ready."""
    choose = strategy.begin(source, steps)
    return [choose(step, READY) for step in range(count)]


@pytest.mark.parametrize("strategy", [Uniform(), Priorities(), Delays(), Mixed()])
@pytest.mark.parametrize("steps", [None, 50])
def test_a_source_of_nothing_but_zeros_gives_the_plain_order(strategy: Strategy, steps: int | None) -> None:
    assert set(choices(strategy, lambda _: 0, steps)) == {0}


@pytest.mark.parametrize("strategy", [Uniform(), Priorities(), Delays(), Mixed()])
def test_a_source_alone_decides(strategy: Strategy) -> None:
    first, second = (choices(strategy, random.Random(7).randrange) for _ in range(2))
    assert first == second


def test_uniform_chooses_all_alike() -> None:
    chosen = choices(Uniform(), random.Random(1).randrange, count=3000)
    assert all(900 < chosen.count(index) < 1100 for index in range(3))


def test_without_changes_the_first_in_priority_goes_on() -> None:
    firsts = {tuple(set(choices(Priorities(changes=0), random.Random(seed).randrange))) for seed in range(50)}
    assert firsts == {(0,), (1,), (2,)}


def test_a_change_puts_a_task_behind_all_others() -> None:
    """Each change makes the one that would run the last in order, for good."""
    for seed in range(50):
        chosen = choices(Priorities(changes=2), random.Random(seed).randrange)
        order = [index for place, index in enumerate(chosen) if not place or chosen[place - 1] != index]
        assert len(order) <= 3
        assert len(set(order)) == len(order)


def test_delays_are_few_and_short() -> None:
    for seed in range(50):
        chosen = choices(Delays(most=2), random.Random(seed).randrange, steps=300, count=400)
        assert sum(map(bool, chosen)) <= 2 * 31


@pytest.mark.parametrize("length", [None, 9])
def test_every_moment_can_come_and_never_too(length: int | None) -> None:
    chance = random.Random(1)
    moments = {some_time(chance.randrange, length, 4) for _ in range(2000)}
    assert moments == set(range(10 if length else 16))


def test_less_than_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=">= 0"):
        Priorities(changes=-1)
    with pytest.raises(ValueError, match=">= 0"):
        Delays(most=-1)


def test_priorities_find_a_deep_bug_sooner() -> None:
    """On average over seeds; choosing each step at random does not find it at all."""
    seeds = range(0, 10_000, 1000)
    by_priorities = [schedules_needed(deep, strategy=Priorities(changes=2), seed=seed) for seed in seeds]
    assert mean(by_priorities) < 100
    assert explore(deep, strategy=Uniform(), schedules=500).schedules == 500
