"""Law 11: under a mock clock, one schedule gives one trace. And the pace: how soon calls are schedule points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given

from tests.laws.drawing import episodes
from tests.laws.performance import perform

if TYPE_CHECKING:
    from tests.laws.wirings import Episode


@given(episodes())
def test_one_schedule_gives_one_trace(episode: Episode) -> None:
    first, second = perform(episode), perform(episode)
    assert first.recorder.trace == second.recorder.trace
    assert first.lanes == second.lanes
    assert first.report == second.report


@given(episodes(yields=(1, 2, 3)))
def test_calls_are_schedule_points_in_time(episode: Episode) -> None:
    """In one step of a task at most `yield_every` calls of a context return: counted by `performance.Watch`."""
    perform(episode)
