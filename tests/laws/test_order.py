"""Law 2: first in, first out, per sending task, lane and consumer; senders that wait are served in order.

One task of each subsystem receives, so that the notes have the order of the mailbox.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from hypothesis import given

from tests.laws.drawing import episodes
from tests.laws.performance import perform

if TYPE_CHECKING:
    from collections.abc import Hashable

    from tests.laws.performance import Performance
    from tests.laws.recorder import Attempt
    from tests.laws.wirings import Episode

NEVER = 1_000_000
"""As `yield_every`: a call that need not wait is no schedule point, so that calls begin in the order of entry."""


def arrivals(performance: Performance) -> list[Attempt]:
    """The messages that were received, in that order."""
    attempts = performance.recorder.attempts
    return [attempts[entry.number] for entry in performance.recorder.trace if entry.what == "got"]


def assert_in_order(arrived: list[Attempt], performance: Performance, *, per_task: bool) -> None:
    begun = {number: place for place, number in enumerate(performance.recorder.attempts)}
    last: dict[Hashable, Attempt] = {}
    for attempt in arrived:
        key = attempt.consumer, attempt.lane, attempt.task if per_task else None
        before = last.get(key)
        assert before is None or begun[before.number] < begun[attempt.number], f"{attempt} came after {before}"
        last[key] = attempt


@given(episodes(one_receiver=True))
def test_messages_of_one_task_in_one_lane_arrive_in_order(episode: Episode) -> None:
    """And those that are left over at the end are a lane's last, oldest first."""
    performance = perform(episode)
    ends: dict[Hashable, list[Attempt]] = defaultdict(list)
    for attempt in arrivals(performance):
        ends[attempt.consumer, attempt.lane].append(attempt)
    for letter in performance.recorder.letters:
        if letter.reason == "left over":
            attempt = performance.recorder.attempts[letter.message.number]  # type: ignore[attr-defined]  # a message
            ends[attempt.consumer, attempt.lane].append(attempt)
    for whole in ends.values():
        assert_in_order(whole, performance, per_task=True)


@given(episodes(one_receiver=True, yields=(NEVER,), focus="crowds"))
def test_a_lane_is_first_in_first_out_for_all_its_senders(episode: Episode) -> None:
    """Whoever begins to send first is first, waiting or not. A list enters item by item, as there is room."""
    performance = perform(episode)
    arrived = [attempt for attempt in arrivals(performance) if attempt.how != "list"]
    assert_in_order(arrived, performance, per_task=False)
