"""Tapped lanes: what they do is what other lanes do, and what they tell is what they did."""

from __future__ import annotations

import math
from collections import deque
from threading import RLock
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant

from orchestra_trio.delivery.lanes import Lane
from orchestra_trio.delivery.shared import SharedLane
from orchestra_trio.delivery.tapped import TappedLane, TappedSharedLane, tap_lane
from tests.delivery.models import FakeClock, FakeReceiver, FakeReply, FakeSender, queue_of
from tests.delivery.test_lanes import LaneMachine

if TYPE_CHECKING:
    from orchestra_trio.records import LaneStep


class Told:
    """What a tap was told, and what must lie in the lane by that."""

    def __init__(self) -> None:
        self.steps: list[tuple[LaneStep, Any, str | None, bool, object]] = []
        self.lying: deque[Any] = deque()
        self.waiting: dict[object, Any] = {}

    def __call__(
        self,
        step: LaneStep,
        lane: Lane[Any],
        item: object,
        sender: str | None,
        *,
        is_request: bool = False,
        who: object = None,
    ) -> None:
        self.steps.append((step, item, sender, is_request, who))
        if step == "send":
            if who is not None:
                assert self.waiting.pop(who) is item
            self.lying.append(item)
            assert len(self.lying) <= max(1, lane.capacity), "who is handed a message had room for it"
        elif step == "receive":
            assert self.lying.popleft() is item
        elif step == "block":
            self.waiting[who] = item
        else:
            assert self.waiting.pop(who) is item


class TappedLaneMachine(LaneMachine):
    """Anything that may be done with a lane, done to a tapped one."""

    @initialize(capacity=st.one_of(st.integers(0, 4), st.just(math.inf)), tof_every=st.integers(1, 5))
    def make(self, capacity: float, tof_every: int) -> None:
        super().make(capacity, tof_every)
        self.told = Told()
        tap_lane(self.lane, self.told)

    @invariant()
    def tells_what_it_holds(self) -> None:
        if not self.lane.is_shut:
            assert list(self.told.lying) == list(self.lane.items)
            assert list(self.told.waiting) == list(self.lane.offers)


TestTappedLane = TappedLaneMachine.TestCase


def make_tapped(*receivers: FakeReceiver, capacity: float = 1, shared: bool = False) -> tuple[Lane[Any], Told]:
    told = Told()
    clock, queue = FakeClock(), queue_of(*receivers)
    lane: Lane[Any] = (
        SharedLane("bounded", capacity, clock=clock, receivers=queue, lock=RLock())
        if shared
        else Lane("bounded", capacity, clock=clock, receivers=queue)
    )
    tap_lane(lane, told)
    return lane, told


def test_a_lane_keeps_what_it_held_when_it_is_tapped() -> None:
    lane: Lane[Any] = Lane("bounded", 2, clock=FakeClock())
    lane.post("before", "a")
    told = Told()
    told.lying.append("before")
    tap_lane(lane, told)
    assert lane.take() == "before"
    assert told.steps == [("receive", "before", None, False, None)]


@pytest.mark.parametrize("shared", [False, True])
def test_who_is_let_in_is_told_after_who_made_room(shared: bool) -> None:
    lane, told = make_tapped(shared=shared)
    assert isinstance(lane, TappedSharedLane if shared else TappedLane)
    waiting = FakeSender()
    lane.post("one", "a", FakeReply())
    lane.offer(waiting, "two", "b", None)
    lane.take()
    assert told.steps == [
        ("send", "one", "a", True, None),
        ("block", "two", "b", False, waiting),
        ("receive", "one", None, False, None),
        ("send", "two", "b", False, waiting),
    ]


@pytest.mark.parametrize("shared", [False, True])
def test_who_takes_it_at_once_is_told(shared: bool) -> None:
    receiver = FakeReceiver()
    lane, told = make_tapped(receiver, shared=shared)
    lane.post("one", "a", FakeReply())
    assert told.steps == [("send", "one", "a", True, None), ("receive", "one", None, False, receiver)]


@pytest.mark.parametrize("shared", [False, True])
def test_who_gives_up_is_told_once(shared: bool) -> None:
    lane, told = make_tapped(shared=shared)
    waiting = FakeSender()
    lane.post("one", "a")
    lane.offer(waiting, "two", "b", None)
    assert lane.withdraw(waiting)
    assert not lane.withdraw(waiting)
    assert [step for step, *_ in told.steps] == ["send", "block", "withdraw"]
