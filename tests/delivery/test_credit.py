"""Credit: steps made without the mailbox's own methods change it as those would, whatever else is done in between.

The model is that of the mailbox's machine, with users who put and take as contexts do. Then: credit is given where it
pays, and nowhere else.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_trio.delivery.credit import Credit
from orchestra_trio.delivery.mailbox import EMPTY, Mailbox
from orchestra_trio.delivery.shared import SharedMailbox
from orchestra_trio.delivery.strategies import Weighted
from orchestra_trio.delivery.tapped import tap_lane
from tests.delivery.models import FakeClock, FakeReceiver, FakeReply, FakeSender
from tests.delivery.test_mailbox_machine import MailboxMachine, Strategy, strategies

if TYPE_CHECKING:
    from orchestra_trio.delivery.lanes import Lane
    from tests.delivery.models import Entry


@attrs.define(eq=False)
class FakeBudget:
    """The calls of a user, who must wait at the latest with the one that is due."""

    calls: int = 0
    due: int = 64
    yield_every: int = 64

    def count(self) -> None:
        """Count a call that was made without credit."""
        self.calls += 1
        if self.calls >= self.due:
            self.renew()

    def lend(self, steps: int) -> int:
        return min(self.calls + steps, self.due - 1)

    def renew(self) -> None:
        self.due = self.calls + self.yield_every


@attrs.define(eq=False)
class User:
    """Who puts and takes as contexts do."""

    budget: FakeBudget
    mailbox: Mailbox[Any, Any]
    credits: dict[str, Credit] = attrs.Factory(dict)
    """For each lane that it puts into."""
    taking: Credit = attrs.field(init=False)
    on_credit: int = 0
    """How many steps it made on credit."""

    def __attrs_post_init__(self) -> None:
        """Have no credit yet."""
        for lane in self.mailbox.message_lanes:
            self.credits[lane.name] = Credit(self.budget, lane, lane.items)
        self.taking = Credit(self.budget, self.mailbox.bounded, self.mailbox.bounded.items)

    def spends(self, credit: Credit) -> bool:
        """Whether a step is made on credit; if so, it is counted."""
        if self.budget.calls >= credit.until:
            self.budget.count()
            return False
        self.budget.calls += 1
        assert self.budget.calls < self.budget.due, "a call on credit was to be a schedule point"
        self.on_credit += 1
        return True

    def put(self, lane: Lane[Any], item: object, sender: str | None) -> bool:
        credit = self.credits[lane.name]
        if self.spends(credit):
            credit.items.append(item)
            return True
        if credit.until and lane.post_in_run(item, credit):
            return True
        if not lane.post(item, sender):
            return False
        if lane.items:
            lane.lend_posts(credit)
        return True

    def take(self) -> object:
        if self.spends(self.taking):
            return self.taking.items.popleft()
        if self.taking.until and self.taking.items:
            return self.mailbox.bounded.take_in_run(self.taking)
        item = self.mailbox.take()
        if item is not EMPTY:
            self.mailbox.lend_takes(self.taking)
        return item


class Scene(MailboxMachine):
    """The mailbox, its model, and its users, who do as they are told: runs long enough for credit to be at work."""

    def __init__(self, capacity: float, priority: int | None, strategy: Strategy, paces: tuple[int, int]) -> None:
        super().__init__()
        tof_every, yield_every = paces
        self.make(capacity, priority, strategy, tof_every)
        self.users = {
            name: User(FakeBudget(0, yield_every, yield_every), self.mailbox) for name in ("a", "b", "consumer")
        }

    def play(self, act: str, count: int) -> None:
        """Do something so many times, or with so many items."""
        match act.split():
            case [sender, "puts", name] if name in self.lanes and not self.closed:
                for _ in range(count):
                    entry: Entry = self.entry(sender)
                    assert self.users[sender].put(self.lanes[name], entry.item, sender) == self.accept(name, entry)
                    self.lanes_keep_the_laws()
            case [taker, "takes"]:
                for _ in range(count):
                    self.expect_next(self.users[taker].take())
                    self.lanes_keep_the_laws()
            case ["batch", *_]:
                self.take_many(count)
            case ["a", "offers"] if not self.closed:
                self.request(count)
            case ["a", "puts", "batch"] if not self.closed:
                entries = [self.entry("a") for _ in range(count)]
                posted = self.lanes["bounded"].post_many([entry.item for entry in entries], 0, "a")
                assert [self.accept("bounded", one) for one in entries] == [True] * posted + [False] * (count - posted)
            case _:
                self.play_rarely(act, count)
        self.lanes_keep_the_laws()
        self.everybody_got_what_is_theirs()
        self.state_is_what_it_says()
        self.only_what_was_buried_had_its_request_cancelled()

    def request(self, count: int) -> None:
        """Send requests, each waiting for room where there is none."""
        for _ in range(count):
            entry = self.entry("a", FakeReply())
            accepted = self.accept("bounded", entry)
            assert self.lanes["bounded"].post(entry.item, "a", entry.reply) == accepted
            if not accepted:
                waiting = FakeSender()
                self.lanes["bounded"].offer(waiting, entry.item, "a", entry.reply)
                self.models["bounded"].offer(waiting, entry)

    def play_rarely(self, act: str, count: int) -> None:
        match act:
            case "signal" if not self.is_shut:
                self.put_signal(is_broadcast=True)
            case "consumer waits" if self.is_empty and not self.closed:
                assert self.mailbox.take() is EMPTY  # who waits has looked for something in the same step
                self.park()
            case "consumer hears" if not self.signals.queue and not (self.closed and self.is_empty):
                self.park_for_signals_alone()
            case "all have waited":
                for user in self.users.values():
                    user.budget.renew()
            case "tick":
                self.tick(count)
            case "tap":
                tap_lane(self.lanes["bounded"], lambda *_, **__: None)
            case "close" if not self.closed:
                self.close_input()
            case "shut" if not self.is_shut:
                self.shut()

    def expect_next(self, item: object) -> None:
        if self.signals.queue:
            assert item == self.take_signal()
        elif self.ready:
            assert item == self.take_message()
        else:
            assert item is EMPTY


USUAL = ["a puts bounded", "consumer takes"] * 4 + ["b puts bounded", "a puts unbounded", "a puts priority", "a takes"]
OTHER = [
    "a offers",
    "a puts batch",
    "batch is taken",
    "signal",
    "consumer waits",
    "consumer hears",
    "all have waited",
    "tick",
]
acts = st.tuples(st.sampled_from(USUAL + OTHER), st.sampled_from([1, 2, 4, 12]))
ends = st.tuples(st.sampled_from([*USUAL, *OTHER, "tap", "close", "shut"]), st.sampled_from([1, 2, 4, 12]))


@given(
    st.sampled_from([2, 5, 30, math.inf]),
    st.sampled_from([None, 9]),
    strategies,
    st.sampled_from([(16, 64), (7, 64), (16, 9), (2, 3)]),
    st.lists(acts, min_size=20, max_size=60),
    st.lists(ends, max_size=10),
)
def test_steps_on_credit_change_a_mailbox_as_others_do(
    capacity: float,
    priority: int | None,
    strategy: Strategy,
    paces: tuple[int, int],
    course: list[tuple[str, int]],
    end: list[tuple[str, int]],
) -> None:
    """The model is compared after each step, on credit or not."""
    scene = Scene(capacity, priority, strategy, paces)
    for act, count in course + end:
        scene.play(act, count)


def make_mailbox(kind: type[Mailbox[Any, Any]] = Mailbox[Any, Any], **options: Any) -> Mailbox[Any, Any]:  # noqa: ANN401 - as the mailbox has them
    settings = {"message_capacity": 100, "signal_capacity": 1, "tof_every": 16, "strategy": Weighted(), **options}
    return kind(clock=FakeClock(), **settings)


def put(user: User, count: int) -> int:
    """Put so many, and return how many of these on credit."""
    before = user.on_credit
    for number in range(count):
        assert user.put(user.mailbox.bounded, number, "a")
    return user.on_credit - before


def take(user: User, count: int) -> int:
    """Take so many, and return how many of these on credit."""
    before = user.on_credit
    for _ in range(count):
        assert user.take() is not EMPTY
    return user.on_credit - before


def test_nearly_all_of_a_run_is_on_credit() -> None:
    """All but the first two, and those with a mark."""
    mailbox = make_mailbox()
    assert put(User(FakeBudget(), mailbox), 63) == 63 - 2 - 3
    assert take(User(FakeBudget(), mailbox), 63) == 63 - 2 - 3


def test_types_that_go_to_one_lane_share_credit() -> None:
    """And two senders that alternate have none, at no cost but a look."""
    mailbox = make_mailbox()
    one, other = User(FakeBudget(), mailbox), User(FakeBudget(), mailbox)
    assert [put(user, 1) for _ in range(10) for user in (one, other)] == [0] * 20


def test_takes_on_credit_stop_before_a_request() -> None:
    mailbox = make_mailbox()
    mailbox.bounded.post(0, "a")
    mailbox.bounded.post(1, "a")
    mailbox.bounded.post(2, "a", FakeReply())
    user = User(FakeBudget(), mailbox)
    take(user, 3)
    assert user.taking.until == 0
    assert mailbox.bounded.bury() == []


def test_what_has_precedence_is_not_passed_over() -> None:
    mailbox = make_mailbox(priority_capacity=1)
    user = User(FakeBudget(), mailbox)
    put(user, 9)
    assert take(user, 3) == 1
    assert mailbox.priority is not None
    mailbox.priority.post("urgent", "a")
    assert user.take() == "urgent"
    take(user, 2)
    mailbox.put_signal("signal", 1)
    assert user.take() == "signal"


def test_a_contest_is_begun_anew_after_takes_from_one_lane_alone() -> None:
    """Found by the machine: who had just taken from the other lane took on credit, and the strategy was not told."""
    taken: dict[bool, list[object]] = {}
    for on_credit in (False, True):
        mailbox = make_mailbox(strategy=Weighted(1, 1, 1))
        user = User(FakeBudget(), mailbox)
        take_one = user.take if on_credit else mailbox.take
        put(user, 9)
        taken[on_credit] = [take_one(), take_one()]
        for _ in range(2):
            mailbox.unbounded.post("unbounded", "a")
            taken[on_credit] += [take_one() for _ in range(3)]
    assert taken[True] == taken[False]


@pytest.mark.parametrize("taken_before", [0, 3])
def test_who_waits_for_signals_alone_is_told_that_the_last_message_was_taken(taken_before: int) -> None:
    mailbox = make_mailbox()
    user, receiver = User(FakeBudget(), mailbox), FakeReceiver()
    put(user, 9)
    take(user, taken_before)
    mailbox.signal_receivers[receiver] = None
    mailbox.close_input()
    take(user, 8 - taken_before)
    assert receiver.ends == 0
    take(user, 1)
    assert receiver.ends == 1


def test_meters_are_exact_amid_steps_on_credit() -> None:
    mailbox = make_mailbox()
    user = User(FakeBudget(), mailbox)
    put(user, 10)
    assert user.credits["bounded"].until > user.budget.calls
    first = mailbox.bounded.read()
    assert (first.sent, first.received, first.channel_len, first.peak_channel_len) == (10, 0, 10, 10)
    assert mailbox.bounded.sent_by() == {"a": 10}
    take(user, 6)
    assert user.taking.until > user.budget.calls
    then = mailbox.bounded.read()
    assert (then.sent, then.received, then.channel_len, then.peak_channel_len) == (10, 6, 4, 10)


def test_the_peak_is_noted_before_takes_on_credit_that_follow_signals() -> None:
    """Found by the machine: no message had been taken before, and with it no peak had been noted."""
    mailbox = make_mailbox()
    user = User(FakeBudget(), mailbox)
    put(user, 5)
    for _ in range(2):
        mailbox.put_signal("signal", None)
        take(user, 1)
    assert take(user, 5) == 5
    assert mailbox.bounded.read().peak_channel_len == 5


def test_runs_go_on_past_marks_and_stop_where_the_lane_is_full() -> None:
    mailbox = make_mailbox(message_capacity=40)
    user = User(FakeBudget(due=1000), mailbox)
    assert put(user, 40) == 40 - 2 - 2
    assert not user.put(mailbox.bounded, "too many", "a")
    clock = mailbox.bounded._clock
    assert isinstance(clock, FakeClock)
    clock.time += 2
    assert take(user, 40) == 40 - 2 - 2
    assert mailbox.bounded.read().tof == (2.0, 2.0)


def test_lanes_that_are_tapped_or_shared_give_none() -> None:
    shared, tapped = make_mailbox(SharedMailbox[Any, Any]), make_mailbox()
    user = User(FakeBudget(), tapped)
    put(user, 5)
    for lane in tapped.message_lanes:
        tap_lane(lane, lambda *_, **__: None)
    assert user.credits["bounded"].until == 0
    assert put(user, 20) == take(user, 20) == 0
    user = User(FakeBudget(), shared)
    assert put(user, 20) == take(user, 20) == 0


def test_nobody_gets_credit_past_who_waits() -> None:
    mailbox = make_mailbox()
    user, receiver = User(FakeBudget(), mailbox), FakeReceiver()
    put(user, 3)
    take(user, 3)
    assert user.take() is EMPTY
    mailbox.receivers[receiver] = None
    put(user, 1)
    assert receiver.got == [0]
