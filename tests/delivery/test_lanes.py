"""Lanes: room, who waits, meters, times of flight, who sent what is left, and what becomes of reply ends.

The last but one runs random sequences of operations against the plain model.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from orchestra_trio.delivery.lanes import Buried, Lane
from orchestra_trio.records import Readout
from tests.delivery.models import Entry, FakeClock, FakeReceiver, FakeReply, FakeSender, LaneModel, queue_of

names = st.sampled_from(["a", "b", "c", None])


def make_lane(capacity: float, clock: FakeClock | None = None, *, tof_every: int = 16) -> Lane[Any]:
    return Lane("bounded", capacity, clock=clock or FakeClock(), tof_every=tof_every)


def make_awaited_lane(capacity: float, *receivers: FakeReceiver, tof_every: int = 16) -> Lane[Any]:
    return Lane("bounded", capacity, clock=FakeClock(), receivers=queue_of(*receivers), tof_every=tof_every)


# --- Room ------------------------------------------------------------------------------------------------------------


def test_new_lane_is_empty_and_open() -> None:
    lane = make_lane(3)
    assert (lane.name, lane.capacity, len(lane), lane.is_shut) == ("bounded", 3, 0, False)
    assert lane.read() == Readout(sent=0, received=0, channel_len=0, peak_channel_len=0, blocked=0, tof=())


@given(st.integers(0, 5))
def test_post_fills_the_lane_to_its_capacity_and_then_changes_nothing(capacity: int) -> None:
    lane = make_lane(capacity)
    assert [lane.post(number, "a") for number in range(capacity)] == [True] * capacity
    before = lane.read()
    assert not lane.post("too much", "a")
    assert lane.post_many(["too", "much"], 0, "a") == 0
    assert lane.read() == before
    assert list(lane.items) == list(range(capacity))


def test_lane_without_bound_never_refuses() -> None:
    lane = make_lane(math.inf)
    assert lane.post(0, "a")
    assert lane.post_many(range(1, 1000), 0, "a") == 999
    assert [lane.take() for _ in range(1000)] == list(range(1000))


def test_put_goes_beyond_the_capacity_once() -> None:
    lane = make_lane(1)
    lane.put("one", None)
    lane.put("two", None)
    assert list(lane.items) == ["one", "two"]
    assert not lane.post("three", None)
    lane.take()
    assert not lane.post("three", None)
    lane.take()
    assert lane.post("three", None)
    assert lane.read().peak_channel_len == 2


# --- Who waits -------------------------------------------------------------------------------------------------------


def test_post_hands_over_to_who_waits_longest() -> None:
    first, second = FakeReceiver(), FakeReceiver()
    lane = make_awaited_lane(1, first, second)
    assert all(lane.post(number, "a") for number in range(3))
    assert (first.got, second.got, list(lane.items)) == ([0], [1], [2])
    assert lane.read() == Readout(sent=3, received=2, channel_len=1, peak_channel_len=1, blocked=0, tof=())


def test_post_hands_over_though_the_lane_can_hold_nothing() -> None:
    receiver = FakeReceiver()
    lane = make_awaited_lane(0, receiver)
    assert lane.post("it", "a")
    assert not lane.post("another", "a")
    assert receiver.got == ["it"]


def test_post_many_hands_over_then_fills_then_stops() -> None:
    first, second = FakeReceiver(), FakeReceiver()
    lane = make_awaited_lane(2, first, second)
    assert lane.post_many("abcdefg", 1, "a") == 4
    assert (first.got, second.got, "".join(lane.items)) == (["b"], ["c"], "de")
    assert lane.post_many("abcdefg", 5, "a") == 0


def test_post_many_ends_with_receivers_left() -> None:
    first, second = FakeReceiver(), FakeReceiver()
    lane = make_awaited_lane(2, first, second)
    assert lane.post_many([1], 0, "a") == 1
    assert lane.post_many([1], 1, "a") == 0
    assert (first.got, second.got) == ([1], [])


def test_offers_are_admitted_in_the_order_they_came() -> None:
    lane = make_lane(1)
    lane.post(0, "a")
    admitted: list[FakeSender] = []
    waiting = [FakeSender(log=admitted) for _ in range(4)]
    for number, one in enumerate(waiting, 1):
        assert not lane.post(number, "a")
        lane.offer(one, number, "a", None)
    lane.withdraw(waiting[1])
    assert [lane.take() for _ in range(4)] == [0, 1, 3, 4]
    assert admitted == [waiting[0], *waiting[2:]]
    assert waiting[1].admissions == 0
    assert lane.read() == Readout(sent=4, received=4, channel_len=0, peak_channel_len=1, blocked=4, tof=())


def test_offer_is_not_counted_as_sent_before_it_is_admitted() -> None:
    lane = make_lane(1)
    lane.post(0, "a")
    lane.offer(FakeSender(), 1, "a", None)
    assert (lane.read().sent, lane.read().blocked) == (1, 1)
    lane.take()
    assert (lane.read().sent, lane.read().blocked) == (2, 1)


def test_take_from_a_lane_of_capacity_0_takes_from_who_waits() -> None:
    lane = make_lane(0)
    waiting = [FakeSender(), FakeSender()]
    for number, one in enumerate(waiting):
        lane.offer(one, number, "a", None)
    assert lane.take() == 0
    assert [one.admissions for one in waiting] == [1, 0]
    assert lane.take_many(5) == [1]
    assert [one.admissions for one in waiting] == [1, 1]
    assert lane.read() == Readout(sent=2, received=2, channel_len=0, peak_channel_len=0, blocked=2, tof=())


def test_item_with_a_reply_end_is_handed_over_with_it() -> None:
    """Its consumer has it from then on: the lane's end does not touch the reply end."""
    receiver, reply = FakeReceiver(), FakeReply()
    lane = make_awaited_lane(1, receiver)
    lane.post("it", "a", reply)
    lane.bury()
    assert (receiver.got, reply.cancellations) == (["it"], 0)


# --- Times of flight -------------------------------------------------------------------------------------------------


def test_time_of_flight_is_taken_of_every_16th_message() -> None:
    clock = FakeClock()
    lane = make_lane(math.inf, clock)
    for number in range(1, 49):
        clock.time = float(number)
        lane.post(number, "a")
    clock.time = 100.0
    for _ in range(20):
        lane.take()
    assert lane.read().tof == (84.0,)
    clock.time = 200.0
    lane.take_many(48)
    assert lane.read().tof == (84.0, 168.0, 152.0)


@given(st.integers(1, 5), st.integers(0, 130))
def test_the_last_100_times_of_flight_are_kept(tof_every: int, taken: int) -> None:
    clock = FakeClock(0.0)
    lane = make_lane(math.inf, clock, tof_every=tof_every)
    for number in range(taken * tof_every):
        lane.post(number, "a")
        clock.time = float(number + 1) // tof_every
        lane.take()
        clock.time = 0.0
    assert lane.read().tof == tuple(float(number) for number in range(1, taken + 1))[-100:]


def test_message_handed_over_took_no_time() -> None:
    receivers = [FakeReceiver() for _ in range(4)]
    lane = make_awaited_lane(1, *receivers, tof_every=2)
    for number in range(4):
        lane.post(number, "a")
    assert lane.read().tof == (0.0, 0.0)


def test_time_waited_outside_a_full_lane_is_no_time_of_flight() -> None:
    clock = FakeClock(0.0)
    lane = make_lane(1, clock, tof_every=2)
    lane.post(1, "a")
    lane.offer(FakeSender(), 2, "a", None)
    clock.time = 5.0
    lane.take()
    clock.time = 7.0
    lane.take()
    assert lane.read().tof == (2.0,)


def test_time_of_flight_without_a_clock_at_one_end_is_left_out() -> None:
    """Channels are also filled outside of a run, where there is no time."""
    clock = FakeClock(math.nan)
    lane = make_lane(2, clock, tof_every=1)
    lane.post(1, "a")
    clock.time = 5.0
    lane.post(2, "a")
    lane.take()
    clock.time = 6.0
    lane.take()
    assert lane.read().tof == (1.0,)


def test_stamped_message_with_a_reply_end_has_both_looked_after() -> None:
    clock, replies = FakeClock(0.0), [FakeReply(), FakeReply()]
    lane = make_lane(2, clock, tof_every=1)
    for reply in replies:
        lane.post("it", "a", reply)
    clock.time = 3.0
    lane.take()
    lane.bury()
    assert lane.read().tof == (3.0,)
    assert [reply.cancellations for reply in replies] == [0, 1]


# --- The end ---------------------------------------------------------------------------------------------------------


def test_bury_returns_what_is_left_with_its_senders_and_shuts_the_lane() -> None:
    lane = make_lane(3)
    for item, sender in [("one", "a"), ("two", "b"), ("three", None)]:
        lane.post(item, sender)
    waiting = FakeSender()
    lane.offer(waiting, "four", "c", None)
    lane.take()
    assert lane.bury() == [Buried("two", "b"), Buried("three", None), Buried("four", "c")]
    assert lane.is_shut
    assert lane.read() == Readout(sent=4, received=1, channel_len=0, peak_channel_len=3, blocked=1, tof=())
    assert lane.dead == 3
    assert not lane.post("five", "a")
    assert lane.post_many(["five"], 0, "a") == 0
    assert lane.bury() == []


def test_bury_again_tells_nobody_again() -> None:
    lane, reply = make_lane(1), FakeReply()
    lane.post("it", "a", reply)
    lane.bury()
    lane.bury()
    assert reply.cancellations == 1


def test_bury_leaves_offers_alone() -> None:
    lane = make_lane(1)
    lane.post("one", "a")
    waiting, reply = FakeSender(), FakeReply()
    lane.offer(waiting, "two", "b", reply)
    lane.bury()
    assert list(lane.offers) == [waiting]
    assert lane.offers[waiting].item == "two"
    assert (lane.offers[waiting].sender, lane.offers[waiting].reply) == ("b", reply)
    assert (waiting.admissions, waiting.refusals, reply.cancellations) == (0, [], 0)


@given(st.lists(st.booleans()), st.data())
def test_bury_cancels_the_requests_that_are_left_and_no_others(with_reply: list[bool], data: st.DataObject) -> None:
    replies = [FakeReply() if has else None for has in with_reply]
    taken = data.draw(st.integers(0, len(replies)))
    lane = make_lane(math.inf)
    for number, reply in enumerate(replies):
        lane.post(number, "a", reply)
    lane.take_many(taken)
    lane.bury()
    for number, reply in enumerate(replies):
        assert reply is None or reply.cancellations == (number >= taken)


@given(st.lists(st.tuples(names, st.integers(1, 4), st.integers(0, 3), st.booleans()), max_size=30))
def test_senders_are_known_whatever_came_and_left_before(turns: list[tuple[str | None, int, int, bool]]) -> None:
    """What is handed over in between, and not in the lane, does not shift them."""
    queue: OrderedDict[Any, None] = OrderedDict()
    lane: Lane[int] = Lane("bounded", math.inf, clock=FakeClock(), receivers=queue)
    left: list[str | None] = []
    for sender, posts, takes, at_once in turns:
        if at_once:
            lane.post_many(range(posts), 0, sender)
        else:
            for number in range(posts):
                lane.post(number, sender)
        left += [sender] * posts
        for _ in range(min(takes, len(left))):
            lane.take()
            left.pop(0)
        if not left:
            queue[FakeReceiver()] = None
            lane.post(0, "passing")
    assert [dead.sender for dead in lane.bury()] == left


def test_senders_take_no_memory_once_their_messages_have_left() -> None:
    lane = make_lane(10)
    for number in range(1000):
        lane.post(number, f"sender {number}")
        lane.take()
    assert len(lane._sources) <= 2


# --- Many at once ----------------------------------------------------------------------------------------------------


@attrs.define
class Scene:
    """A lane with some past, who waits at it, and the log of admissions."""

    lane: Lane[Any]
    clock: FakeClock
    receivers: list[FakeReceiver]
    senders: list[FakeSender]
    replies: list[FakeReply]

    @classmethod
    def make(cls, capacity: float, passed: int, lying: int, parked: int, tof_every: int) -> Scene:
        """Let so many messages pass, so many lie there, and so many receivers or senders wait."""
        clock = FakeClock(0.0)
        queue: OrderedDict[Any, None] = OrderedDict()
        lane: Lane[Any] = Lane("bounded", capacity, clock=clock, receivers=queue, tof_every=tof_every)
        scene = cls(lane, clock, [], [], [])
        for number in range(passed):
            receiver = FakeReceiver()
            queue[receiver] = None
            lane.post(number, "past")
        for number in range(lying):
            clock.time += 1
            reply = FakeReply()
            if lane.post(number, f"s{number % 3}", reply if number % 2 else None):
                scene.replies.append(reply)
        for number in range(parked):
            if not lane.items and capacity:
                scene.receivers.append(FakeReceiver())
                queue[scene.receivers[-1]] = None
            elif len(lane) >= capacity:
                scene.senders.append(FakeSender())
                lane.offer(scene.senders[-1], f"offered {number}", "offering", None)
        clock.time += 10
        return scene

    def observe(self) -> object:
        """All that can be seen of it; ends the lane to see what is left."""
        return (
            self.lane.read(),
            list(self.lane.items),
            [receiver.got for receiver in self.receivers],
            [sender.admissions for sender in self.senders],
            self.lane.bury(),
            [reply.cancellations for reply in self.replies],
        )


scenes = st.tuples(
    st.one_of(st.integers(0, 6), st.just(math.inf)),
    st.integers(0, 5),
    st.integers(0, 8),
    st.integers(0, 4),
    st.integers(1, 4),
)


@given(scenes, st.integers(1, 10))
def test_take_many_equals_repeated_take(scene: tuple[float, int, int, int, int], limit: int) -> None:
    at_once, one_by_one = Scene.make(*scene), Scene.make(*scene)
    lying = len(at_once.lane) or min(1, len(at_once.lane.offers))
    batch = at_once.lane.take_many(limit)
    assert len(batch) == min(limit, lying)
    assert batch == [one_by_one.lane.take() for _ in batch]
    assert at_once.observe() == one_by_one.observe()


@given(scenes, st.lists(st.integers(), max_size=8), st.integers(0, 8), names)
def test_post_many_equals_repeated_post(
    scene: tuple[float, int, int, int, int], items: list[int], start: int, sender: str | None
) -> None:
    at_once, one_by_one = Scene.make(*scene), Scene.make(*scene)
    posted = at_once.lane.post_many(items, start, sender)
    assert [one_by_one.lane.post(item, sender) for item in items[start : start + posted]] == [True] * posted
    if posted < len(items) - start:
        assert not one_by_one.lane.post(items[start + posted], sender)
    assert at_once.observe() == one_by_one.observe()


# --- Against a model -------------------------------------------------------------------------------------------------


class LaneMachine(RuleBasedStateMachine):
    """Anything that may be done with a lane, done to the plain model too."""

    def __init__(self) -> None:
        super().__init__()
        self.everyone: list[Entry] = []
        self.waiting: list[FakeReceiver] = []
        self.served: list[FakeReceiver] = []

    @initialize(capacity=st.one_of(st.integers(0, 4), st.just(math.inf)), tof_every=st.integers(1, 5))
    def make(self, capacity: float, tof_every: int) -> None:
        self.clock = FakeClock(0.0)
        self.queue: OrderedDict[Any, None] = OrderedDict()
        self.lane: Lane[Any] = Lane("priority", capacity, clock=self.clock, receivers=self.queue, tof_every=tof_every)
        self.model = LaneModel(capacity, self.clock, tof_every)

    def entry(self, sender: str | None, reply: FakeReply | None) -> Entry:
        self.everyone.append(Entry(len(self.everyone), sender, reply))
        return self.everyone[-1]

    def accept(self, entry: Entry) -> bool:
        if self.waiting:
            self.served.append(self.waiting.pop(0))
            self.model.hand_over(entry)
        elif self.model.has_room:
            self.model.put(entry)
        else:
            return False
        return True

    @rule(sender=names, reply=st.one_of(st.none(), st.builds(FakeReply)))
    def post_or_offer(self, sender: str | None, reply: FakeReply | None) -> None:
        entry = self.entry(sender, reply)
        accepted = self.accept(entry)
        assert self.lane.post(entry.item, sender, reply) == accepted
        if not accepted and not self.model.shut:
            waiting = FakeSender()
            self.lane.offer(waiting, entry.item, sender, reply)
            self.model.offer(waiting, entry)

    @rule(sender=names, count=st.integers(0, 6), start=st.integers(0, 2))
    def post_many(self, sender: str | None, count: int, start: int) -> None:
        entries = [self.entry(sender, None) for _ in range(count)]
        posted = self.lane.post_many([entry.item for entry in entries], start, sender)
        rest = entries[start:]
        assert [self.accept(entry) for entry in rest] == [True] * posted + [False] * (len(rest) - posted)

    @precondition(lambda self: not self.model.shut and self.model.has_something)
    @rule()
    def take(self) -> None:
        assert self.lane.take() == self.model.take()

    @precondition(lambda self: not self.model.shut and self.model.has_something)
    @rule(limit=st.integers(1, 6))
    def take_many(self, limit: int) -> None:
        lying = len(self.model.queue) or 1
        batch = self.lane.take_many(limit)
        assert batch == [self.model.take() for _ in range(min(limit, lying))]

    @precondition(lambda self: self.model.offers)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        waiting, _ = data.draw(st.sampled_from(self.model.offers))
        self.lane.withdraw(waiting)
        self.model.withdraw(waiting)

    @precondition(lambda self: not self.model.shut and not self.model.has_something)
    @rule()
    def park(self) -> None:
        self.waiting.append(FakeReceiver())
        self.queue[self.waiting[-1]] = None

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        receiver = data.draw(st.sampled_from(self.waiting))
        self.waiting.remove(receiver)
        del self.queue[receiver]

    @rule(seconds=st.integers(0, 5))
    def tick(self, seconds: int) -> None:
        self.clock.time += seconds

    @precondition(lambda self: not self.waiting)
    @rule()
    def bury(self) -> None:
        left = self.model.bury()
        assert self.lane.bury() == [Buried(entry.item, entry.sender) for entry in left]
        for entry in left:
            if entry.reply is not None:
                assert entry.reply.cancellations == 1
                entry.reply.cancellations = 0

    @invariant()
    def everybody_has_what_is_theirs(self) -> None:
        self.model.check(self.lane)
        assert [receiver.got for receiver in self.served] == [[item] for item in self.model.handed]
        assert list(self.queue) == self.waiting
        assert not any(receiver.got for receiver in self.waiting)
        assert not any(entry.reply.cancellations for entry in self.everyone if entry.reply is not None)


TestLaneEqualsAPlainList = LaneMachine.TestCase


def test_taking_from_a_lane_that_has_nothing_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        make_lane(1).take()
