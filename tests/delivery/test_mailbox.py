"""Mailboxes: what comes next, who is served, the states, epochs, and how the strategy is asked."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any, Never

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio.delivery.mailbox import EMPTY, Empty, Mailbox
from orchestra_trio.delivery.strategies import Biased, Weighted
from tests.delivery.models import FakeClock, FakeReceiver, FakeReply, FakeSender

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orchestra_trio.records import LaneStrategy, MessageLane


def make_mailbox(
    capacity: float = 10,
    *,
    priority: float | None = 10,
    signals: float = 2,
    strategy: LaneStrategy | None = None,
) -> Mailbox[Any, Any]:
    return Mailbox(
        message_capacity=capacity,
        signal_capacity=signals,
        priority_capacity=priority,
        strategy=strategy or Weighted(),
        clock=FakeClock(),
    )


def post(mailbox: Mailbox[Any, Any], **messages: Sequence[object]) -> None:
    """Post messages to lanes given by name."""
    lanes = {lane.name: lane for lane in mailbox.message_lanes}
    for name, items in messages.items():
        for item in items:
            assert lanes[name].post(item, "sender")  # type: ignore[index]  # only names of lanes are given


def take_all(mailbox: Mailbox[Any, Any]) -> list[Any]:
    taken = []
    while not isinstance(item := mailbox.take(), Empty):
        taken.append(item)
    return taken


def park(mailbox: Mailbox[Any, Any], *, signals_only: bool = False) -> FakeReceiver:
    receiver = FakeReceiver()
    (mailbox.signal_receivers if signals_only else mailbox.receivers)[receiver] = None
    return receiver


@attrs.define
class Recording:
    """A strategy and its chooser: answers as told, or the first that is ready, and records what it was asked."""

    answers: list[Any] = attrs.Factory(list)
    asked: list[Any] = attrs.Factory(list)

    def chooser(self) -> Recording:
        return self

    def __call__(self, ready: tuple[MessageLane, ...], /) -> MessageLane:
        self.asked.append(ready)
        answer: MessageLane = self.answers.pop(0) if self.answers else ready[0]
        return answer

    def reset(self) -> None:
        self.asked.append("reset")


# --- What comes next  ------------------------------------------------------------------------------------------------


def test_new_mailbox_is_empty_and_open() -> None:
    mailbox = make_mailbox()
    assert mailbox.take() is EMPTY
    assert mailbox.take_signal() is EMPTY
    assert mailbox.take_many(3) == []
    assert (mailbox.is_empty, mailbox.is_exhausted, mailbox.input_closed, mailbox.epoch) == (True, False, False, 0)
    assert [lane.name for lane in mailbox.message_lanes] == ["priority", "unbounded", "bounded"]
    assert [lane.capacity for lane in mailbox.message_lanes] == [10, math.inf, 10]
    assert mailbox.signals.capacity == 2


def test_mailbox_without_a_priority_lane_has_none() -> None:
    mailbox = make_mailbox(priority=None)
    assert mailbox.priority is None
    assert [lane.name for lane in mailbox.message_lanes] == ["unbounded", "bounded"]
    post(mailbox, bounded=[1, 2], unbounded=[3])
    assert take_all(mailbox) == [3, 1, 2]


def test_signals_come_before_any_message() -> None:
    mailbox = make_mailbox()
    post(mailbox, priority="p", unbounded="u", bounded="b")
    for epoch, signal in enumerate(["s", "t"], 1):
        mailbox.put_signal(signal, epoch)
    assert take_all(mailbox) == ["s", "t", "p", "u", "b"]


def test_signals_come_one_at_a_time_and_never_with_messages() -> None:
    mailbox = make_mailbox()
    post(mailbox, bounded="ab")
    mailbox.put_signal("s", 1)
    mailbox.put_signal("t", 2)
    assert [mailbox.take_many(5) for _ in range(4)] == [["s"], ["t"], ["a", "b"], []]


def test_take_signal_leaves_messages_where_they_are() -> None:
    mailbox = make_mailbox()
    post(mailbox, bounded="b")
    mailbox.put_signal("s", 1)
    assert mailbox.take_signal() == "s"
    assert mailbox.take_signal() is EMPTY
    assert mailbox.take() == "b"


def test_signals_go_beyond_the_capacity() -> None:
    mailbox = make_mailbox(signals=1)
    for epoch in range(1, 4):
        mailbox.put_signal(epoch, epoch)
    assert len(mailbox.signals) == 3
    assert take_all(mailbox) == [1, 2, 3]


def test_take_lets_in_who_waits_for_room() -> None:
    mailbox = make_mailbox(1, priority=1)
    admitted: list[FakeSender] = []
    for lane in mailbox.message_lanes[::2]:
        lane.post(lane.name, "sender")
        lane.offer(FakeSender(lane.name, log=admitted), f"{lane.name} again", "sender", None)
    assert not mailbox.is_empty
    assert take_all(mailbox) == ["priority", "priority again", "bounded", "bounded again"]
    assert [waiting.name for waiting in admitted] == ["priority", "bounded"]


def test_capacity_0_is_taken_from_who_waits_in_turn_with_the_other_lanes() -> None:
    mailbox = make_mailbox(0, strategy=Weighted(unbounded=1, bounded=1))
    for item in "ab":
        mailbox.bounded.offer(FakeSender(), item, None, None)
    assert not mailbox.is_empty
    post(mailbox, unbounded="uv")
    assert take_all(mailbox) == ["u", "a", "v", "b"]
    assert mailbox.bounded.read().peak_channel_len == 0


def test_take_many_takes_from_who_waits_at_capacity_0() -> None:
    mailbox = make_mailbox(0)
    mailbox.bounded.offer(FakeSender(), "a", None, None)
    assert mailbox.take_many(3) == ["a"]


# --- Who is served  --------------------------------------------------------------------------------------------------


def test_receivers_are_served_in_the_order_they_came_whichever_lane_it_is() -> None:
    mailbox = make_mailbox()
    receivers = [park(mailbox) for _ in range(5)]
    post(mailbox, bounded="b")
    post(mailbox, priority="p")
    mailbox.put_signal("s", 1)
    post(mailbox, unbounded="u")
    assert [receiver.got for receiver in receivers] == [["b"], ["p"], ["s"], ["u"], []]
    assert list(mailbox.receivers) == receivers[4:]
    assert mailbox.is_empty


def test_messages_pass_over_who_waits_for_signals_alone() -> None:
    mailbox = make_mailbox()
    hearer, receiver = park(mailbox, signals_only=True), park(mailbox)
    post(mailbox, bounded="ab")
    assert (hearer.got, receiver.got, mailbox.take()) == ([], ["a"], "b")


def test_signal_goes_to_who_waits_for_signals_alone_before_who_waits_for_anything() -> None:
    mailbox = make_mailbox()
    receiver, hearer = park(mailbox), park(mailbox, signals_only=True)
    mailbox.put_signal("s", 1)
    assert (receiver.got, hearer.got) == ([], ["s"])
    mailbox.put_signal("t", 2)
    assert (receiver.got, hearer.got) == (["t"], ["s"])
    mailbox.put_signal("u", 3)
    assert mailbox.take() == "u"


def test_signal_overtakes_messages_for_who_waits_for_signals_alone() -> None:
    mailbox = make_mailbox()
    post(mailbox, bounded="b")
    hearer = park(mailbox, signals_only=True)
    mailbox.put_signal("s", 1)
    assert hearer.got == ["s"]
    assert take_all(mailbox) == ["b"]


# --- Epochs  ---------------------------------------------------------------------------------------------------------


def test_epoch_is_that_of_the_last_broadcast_taken() -> None:
    mailbox = make_mailbox()
    for signal, epoch in [("a", 3), ("b", None), ("c", 5)]:
        mailbox.put_signal(signal, epoch)
    assert mailbox.epoch == 0
    assert [(mailbox.take(), mailbox.epoch) for _ in range(3)] == [("a", 3), ("b", 3), ("c", 5)]


def test_epoch_is_that_of_a_broadcast_handed_over() -> None:
    mailbox = make_mailbox()
    park(mailbox)
    mailbox.put_signal("a", 7)
    assert mailbox.epoch == 7
    assert mailbox.has_received(7)


def test_has_received_asks_what_still_lies_there() -> None:
    mailbox = make_mailbox()
    assert mailbox.has_received(100)
    for signal, epoch in [("x", None), ("a", 3), ("b", 5)]:
        mailbox.put_signal(signal, epoch)
    received = []
    for _ in range(4):
        received.append([mailbox.has_received(epoch) for epoch in (2, 3, 4, 5)])
        mailbox.take()
    assert received == [[True, False, False, False]] * 2 + [[True, True, True, False], [True] * 4]


def test_hook_is_called_after_each_signal_that_leaves() -> None:
    mailbox = make_mailbox()
    seen: list[tuple[int, int]] = []
    mailbox.on_signal_taken = lambda: seen.append((mailbox.epoch, len(mailbox.signals)))
    mailbox.put_signal("a", 1)
    mailbox.put_signal("b", 2)
    post(mailbox, bounded="m")
    take_all(mailbox)
    park(mailbox)
    mailbox.put_signal("c", 3)
    mailbox.put_signal("d", 4)
    mailbox.take_signal()
    mailbox.put_signal("e", 5)
    mailbox.take_many(9)
    assert seen == [(1, 1), (2, 0), (3, 0), (4, 0), (5, 0)]


# --- States  ---------------------------------------------------------------------------------------------------------


def test_close_input_of_an_empty_mailbox_tells_all_who_wait() -> None:
    mailbox = make_mailbox()
    waiting = [park(mailbox), park(mailbox, signals_only=True), park(mailbox)]
    mailbox.close_input()
    assert mailbox.is_exhausted
    assert [(one.ends, one.got) for one in waiting] == [(1, [])] * 3
    assert not mailbox.receivers
    assert not mailbox.signal_receivers


@pytest.mark.parametrize("take", [Mailbox.take, lambda mailbox: mailbox.take_many(9)], ids=["take", "take_many"])
def test_what_lies_there_is_received_before_the_end(take: Callable[[Mailbox[Any, Any]], object]) -> None:
    mailbox = make_mailbox(1)
    post(mailbox, bounded="a")
    mailbox.bounded.offer(FakeSender(), "b", None, None)
    hearer = park(mailbox, signals_only=True)
    mailbox.close_input()
    assert (mailbox.input_closed, mailbox.is_exhausted) == (True, False)
    take(mailbox)
    assert (hearer.ends, mailbox.is_exhausted) == (0, False)
    take(mailbox)
    assert (hearer.ends, mailbox.is_exhausted) == (1, True)
    assert not take(mailbox) or take(mailbox) is EMPTY


def test_signal_is_the_last_thing_received() -> None:
    mailbox = make_mailbox()
    mailbox.put_signal("s", 1)
    mailbox.close_input()
    assert not mailbox.is_exhausted
    assert mailbox.take() == "s"
    assert mailbox.is_exhausted


def test_shut_returns_what_is_left_with_lanes_and_senders_and_drops_signals() -> None:
    mailbox = make_mailbox()
    for lane in mailbox.message_lanes:
        lane.post(f"to {lane.name}", f"sender of {lane.name}")
    mailbox.put_signal("s", 1)
    buried = mailbox.shut()
    assert [(lane.name, dead.item, dead.sender) for lane, dead in buried] == [
        (name, f"to {name}", f"sender of {name}") for name in ("priority", "unbounded", "bounded")
    ]
    assert mailbox.is_exhausted
    assert mailbox.take() is EMPTY
    assert mailbox.has_received(1)
    assert mailbox.epoch == 0
    assert all(lane.is_shut and not lane.post("more", None) for lane in mailbox.message_lanes)
    assert mailbox.shut() == []


def test_shut_tells_all_who_wait() -> None:
    mailbox = make_mailbox()
    waiting = [park(mailbox), park(mailbox, signals_only=True)]
    assert mailbox.shut() == []
    assert [one.ends for one in waiting] == [1, 1]


def test_shut_tells_who_waits_for_signals_alone_though_messages_lay_there() -> None:
    mailbox = make_mailbox()
    post(mailbox, bounded="b")
    hearer = park(mailbox, signals_only=True)
    mailbox.shut()
    assert (hearer.ends, hearer.got) == (1, [])


def test_shut_cancels_requests_in_the_lanes_and_leaves_offers_to_the_caller() -> None:
    mailbox = make_mailbox(1)
    lying, offered, waiting = FakeReply(), FakeReply(), FakeSender()
    mailbox.bounded.post("request", "a", lying)
    mailbox.bounded.offer(waiting, "another", "b", offered)
    mailbox.shut()
    assert (lying.cancellations, offered.cancellations) == (1, 0)
    assert (waiting.admissions, waiting.refusals, list(mailbox.bounded.offers)) == (0, [], [waiting])


# --- How the strategy is asked  --------------------------------------------------------------------------------------


def test_strategy_is_asked_only_when_lanes_compete_and_with_all_that_do() -> None:
    recording = Recording()
    mailbox = make_mailbox(strategy=recording)
    post(mailbox, bounded="bc")
    mailbox.take()
    assert recording.asked == []
    post(mailbox, priority="p", unbounded="u")
    assert take_all(mailbox) == ["p", "u", "c"]
    assert recording.asked == [("priority", "unbounded", "bounded"), ("unbounded", "bounded"), "reset"]


def test_strategy_begins_anew_when_a_contest_has_ended() -> None:
    """Whichever lane is left, and taken one by one or many at once."""
    for lane in ("priority", "unbounded", "bounded"):
        for many in (False, True):
            recording = Recording(answers=["unbounded" if lane == "priority" else "priority"])
            mailbox = make_mailbox(strategy=recording)
            post(mailbox, **{"priority": "p", "unbounded": "u", lane: "xy"})
            if many:
                mailbox.take_many(1)
                mailbox.take_many(2)
            else:
                take_all(mailbox)
            assert recording.asked[0] != "reset"
            assert "reset" in recording.asked[1:]


def test_take_many_asks_the_strategy_as_often_as_take() -> None:
    asked = []
    for many in (False, True):
        recording = Recording(answers=["bounded", "unbounded", "bounded"])
        mailbox = make_mailbox(strategy=recording)
        post(mailbox, unbounded="uv", bounded="bcd")
        assert (mailbox.take_many(9) if many else take_all(mailbox)) == ["b", "u", "c", "v", "d"]
        asked.append(recording.asked)
    assert asked[0] == asked[1]


def test_signals_do_not_end_a_contest() -> None:
    recording = Recording(answers=["bounded", "bounded"])
    mailbox = make_mailbox(strategy=recording)
    post(mailbox, unbounded="u", bounded="bcd")
    mailbox.take()
    mailbox.put_signal("s", 1)
    mailbox.take()
    mailbox.take()
    assert "reset" not in recording.asked


@pytest.mark.parametrize("answer", ["priority", "signals", None])
def test_answer_that_is_no_ready_lane_is_an_error_that_says_so_and_takes_nothing(answer: object) -> None:
    mailbox = make_mailbox(strategy=Recording(answers=[answer]))
    post(mailbox, unbounded="u", bounded="b")
    with pytest.raises(ValueError, match=rf"must choose one of unbounded, bounded, .*not {answer!r}"):
        mailbox.take()
    assert take_all(mailbox) == ["u", "b"]


lanes = st.sampled_from(["priority", "unbounded", "bounded"])


@given(
    st.sets(lanes, min_size=2),
    st.builds(Weighted, *[st.integers(1, 12)] * 3),
    st.lists(lanes, max_size=10),
    st.integers(0, 40),
    st.integers(1, 7),
)
def test_lanes_always_ready_get_their_weights(
    ready: set[str], strategy: Weighted, before: list[str], skipped: int, limit: int
) -> None:
    """Law 6, over any run of picks as long as the sum of the weights, one by one or in batches."""
    mailbox = make_mailbox(math.inf, priority=math.inf, strategy=strategy)
    for name in before:
        post(mailbox, **{name: ["before"]})
    take_all(mailbox)
    weights = {name: getattr(strategy, name) for name in ready}
    total = sum(weights.values())
    post(mailbox, **{name: [name] * (2 * total + skipped) for name in ready})
    picks: list[str] = []
    while len(picks) < skipped + total:
        picks += mailbox.take_many(limit)
    counts = Counter(picks[skipped : skipped + total])
    assert all(abs(counts[name] - weight) <= 1 for name, weight in weights.items())


@given(st.permutations(["priority", "unbounded", "bounded"]), st.lists(lanes, max_size=20))
def test_biased_order_is_kept(order: list[Any], posts: list[str]) -> None:
    mailbox = make_mailbox(math.inf, priority=math.inf, strategy=Biased(*order))
    for number, name in enumerate(posts):
        post(mailbox, **{name: [(order.index(name), number)]})
    assert take_all(mailbox) == sorted((order.index(name), number) for number, name in enumerate(posts))


@given(
    st.tuples(*[st.integers(0, 6)] * 4),
    st.integers(1, 4),
    st.integers(1, 10),
    st.builds(Weighted, *[st.integers(1, 3)] * 3),
)
def test_take_many_equals_repeated_take(counts: tuple[int, ...], capacity: int, limit: int, strategy: Weighted) -> None:
    """Until nothing is left: the same messages in the same order, and a signal alone in its batch."""

    def filled() -> Mailbox[Any, Any]:
        mailbox = make_mailbox(capacity, priority=math.inf, strategy=strategy)
        signals, *messages = counts
        for number in range(signals):
            mailbox.put_signal(("signals", number), number + 1)
        for lane, count in zip(mailbox.message_lanes, messages, strict=True):
            for number in range(count):
                item = (lane.name, number)
                if not lane.post(item, lane.name):
                    lane.offer(FakeSender(), item, lane.name, None)
        return mailbox

    at_once, one_by_one = filled(), filled()
    while batch := at_once.take_many(limit):
        assert len(batch) <= limit
        assert len(batch) == 1 or "signals" not in {name for name, _ in batch}
        assert batch == [one_by_one.take() for _ in batch]
        assert [lane.read() for lane in at_once.message_lanes] == [lane.read() for lane in one_by_one.message_lanes]
    assert one_by_one.take() is EMPTY
    assert at_once.is_empty


def test_what_was_taken_in_a_batch_is_not_lost_when_the_strategy_fails() -> None:
    """The batch so far is returned; the failure comes at the next call, which has taken nothing."""

    class Twice:
        def __init__(self) -> None:
            self.left = 2

        def chooser(self) -> Twice:
            return self

        def __call__(self, ready: tuple[MessageLane, ...], /) -> MessageLane:
            self.left -= 1
            if self.left < 0:
                raise ValueError
            return ready[0]

        def reset(self) -> None: ...

    mailbox: Mailbox[int, Never] = Mailbox(
        message_capacity=9, signal_capacity=0, priority_capacity=9, strategy=Twice(), clock=float
    )
    assert mailbox.priority is not None
    for number in range(4):
        mailbox.priority.post(number, None)
        mailbox.bounded.post(10 + number, None)
    assert mailbox.take_many(9) == [0, 1]
    with pytest.raises(ValueError, match=r"^$"):
        mailbox.take_many(9)
    assert mailbox.priority.read().channel_len + mailbox.bounded.read().channel_len == 6
