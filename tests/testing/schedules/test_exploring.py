"""`explore` finds known bugs, shrinks them, and `replay` gives them again."""

from __future__ import annotations

from typing import Any

import pytest

from orchestra_trio.testing.schedules.exploring import Exploration, explore, replay
from orchestra_trio.testing.schedules.strategies import Priorities, Strategy, Uniform
from tests.testing.schedules.programs import interleaved, lost_update


def failure_of(async_fn: Any, **settings: Any) -> BaseException:  # noqa: ANN401 - any function, any setting
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - whatever it is: the caller looks
        explore(async_fn, **settings)
    return caught.value


def note_of(error: BaseException) -> str:
    (note,) = error.__notes__
    return note


@pytest.mark.parametrize("strategy", [Uniform(), Priorities(), None])
@pytest.mark.parametrize("seed", range(5))
def test_a_lost_update_is_found_and_shrunk(strategy: Strategy | None, seed: int) -> None:
    error = failure_of(lost_update, schedules=40, seed=seed, strategy=strategy)
    assert isinstance(error, AssertionError)
    assert "ran 'add #2' before 'add #1'" in note_of(error)


def test_what_never_fails_is_counted() -> None:
    log: list[Any] = []
    exploration = explore(interleaved(log), schedules=50)
    assert exploration == Exploration(50, exploration.interleavings, exploration.most_steps)
    assert 40 < exploration.interleavings <= 50
    assert exploration.most_steps == 30


def test_a_seed_gives_the_same_run_again() -> None:
    log: list[Any] = []
    traces = []
    for _ in range(2):
        replay(interleaved(log), 17)
        traces.append(list(log))
    assert traces[0] == traces[1] != sorted(traces[0])
