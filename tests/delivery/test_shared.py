"""Mailboxes that threads share: the same steps as any mailbox, and the laws kept whoever takes them at once."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from orchestra_trio.delivery.mailbox import EMPTY, Empty
from orchestra_trio.delivery.shared import SharedMailbox
from tests.delivery.crowds import Crowd, Waits, at_once, make_mailbox
from tests.delivery.models import FakeReceiver, FakeReply, FakeSender
from tests.delivery.test_mailbox_machine import MailboxMachine, Strategy, strategies

if TYPE_CHECKING:
    from collections import OrderedDict
    from collections.abc import Callable

# --- One step after the other ----------------------------------------------------------------------------------------


class SharedMailboxMachine(MailboxMachine):
    """The steps of any mailbox, against the model of any mailbox; and those that only threads take."""

    @initialize(
        capacity=st.one_of(st.integers(0, 3), st.just(math.inf)),
        priority=st.one_of(st.none(), st.integers(1, 3)),
        strategy=strategies,
        tof_every=st.integers(1, 3),
    )
    def make(self, capacity: float, priority: int | None, strategy: Strategy, tof_every: int) -> None:
        MailboxMachine.make(self, capacity, priority, strategy, tof_every)
        self.shared: SharedMailbox[Any, Any] = SharedMailbox(
            message_capacity=capacity,
            signal_capacity=1,
            priority_capacity=priority,
            strategy=strategy,
            clock=self.clock,
            tof_every=tof_every,
        )
        self.mailbox = self.shared
        self.mailbox.on_signal_taken = self.hook
        self.lanes = {lane.name: lane for lane in self.mailbox.message_lanes}

    @rule()
    def take_message_in_a_thread(self) -> None:
        expected = EMPTY if self.signals.queue or not self.ready else self.take_message()
        assert self.shared.take_message() == expected

    @rule(limit=st.integers(1, 5))
    def take_messages_in_a_thread(self, limit: int) -> None:
        batch = self.shared.take_messages(limit)
        assert len(batch) <= limit
        assert bool(batch) == bool(self.ready and not self.signals.queue)
        assert batch == [self.take_message() for _ in batch]


TestSharedMailboxEqualsPlainLists = SharedMailboxMachine.TestCase


def test_an_offer_that_finds_room_is_taken_at_once() -> None:
    """Between a send that found the lane full and its wait, another thread may have made room."""
    lane = make_mailbox().bounded
    sender, reply = FakeSender(), FakeReply()
    assert not lane.offer(sender, "it", "a", reply)
    assert sender.admissions == 0
    assert not lane.offers
    assert (lane.read().channel_len, lane.read().blocked) == (1, 0)
    assert lane.holds(reply)


def test_threads_never_take_signals() -> None:
    """They are taken in trio's thread, where a broadcast is one step for all mailboxes."""
    mailbox = make_mailbox()
    mailbox.bounded.post("message", None)
    mailbox.put_signal("signal", 1)
    assert mailbox.take_message() is EMPTY
    assert mailbox.take_messages(5) == []
    assert mailbox.epoch == 0
    assert mailbox.take() == "signal"
    assert mailbox.take_message() == "message"
    assert mailbox.take_message() is EMPTY


# --- Several threads at once -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("capacity", [1, 3])
@pytest.mark.parametrize("receivers", [["one"], ["many"], ["one", "many", "fickle"]])
def test_senders_and_receivers_in_threads_keep_the_laws(capacity: int, receivers: list[str]) -> None:
    mailbox = make_mailbox(capacity, priority=2)
    assert mailbox.priority is not None
    crowd = Crowd(mailbox)
    at_once(
        crowd.sender("a", mailbox.bounded),
        crowd.sender("b", mailbox.bounded),
        crowd.sender("c", mailbox.priority),
        crowd.sender("d", mailbox.unbounded),
        crowd.fickle_sender("e", mailbox.bounded),
        *map(crowd.receiver, receivers),
        crowd.watch,
    )
    crowd.check()


def test_signals_come_before_messages_while_threads_send() -> None:
    """One takes everything while others post: each signal once, in order, and none overtaken by a message."""
    mailbox = make_mailbox(2)
    signals, messages = [("signal", epoch) for epoch in range(1, 200)], [("message", one) for one in range(400)]
    taken: list[Any] = []
    epochs: list[int] = []
    late: list[object] = []

    def broadcast() -> None:
        for signal in signals:
            mailbox.put_signal(signal, signal[1])

    def send() -> None:
        for message in messages:
            waits = Waits([])
            if not mailbox.bounded.post(message, "a") and mailbox.bounded.offer(waits, message, "a", None):
                waits.wait()

    def receive() -> None:
        while len(taken) < len(signals) + len(messages):
            with mailbox.lock:
                due = len(mailbox.signals)
                item = mailbox.take()
                epoch = mailbox.epoch
            if not isinstance(item, Empty):
                taken.append(item)
                (epochs if item in signals else late if due else []).append(epoch)

    at_once(broadcast, send, receive)
    assert late == []
    assert epochs == [epoch for _, epoch in signals]
    assert [one for one in taken if one in signals] == signals
    assert [one for one in taken if one not in signals] == messages


@pytest.mark.parametrize("turn", range(10))
def test_shutting_while_threads_send_loses_nothing(turn: int) -> None:
    """Each item was taken, buried, left on offer, or refused to its sender."""
    mailbox = make_mailbox(3)
    lane = mailbox.bounded
    accepted: list[object] = []
    offered: list[tuple[FakeSender, object]] = []
    taken: list[object] = []
    buried: list[object] = []

    def send(name: str) -> None:
        for number in range(30):
            item, sender = (name, number), FakeSender()
            if not lane.post(item, name):
                if lane.is_shut:
                    return
                if lane.offer(sender, item, name, None):
                    offered.append((sender, item))
                    return
            accepted.append(item)

    def receive() -> None:
        for _ in range(2 * turn):
            item = mailbox.take()
            if not isinstance(item, Empty):
                taken.append(item)
        buried.extend(dead.item for _, dead in mailbox.shut())

    at_once(lambda: send("a"), lambda: send("b"), receive, seed=turn)
    admitted = [item for sender, item in offered if sender.admissions]
    assert Counter(taken + buried) == Counter(accepted + admitted)
    assert {offer.item for offer in lane.offers.values()} == {item for sender, item in offered if not sender.admissions}
    assert (lane.read().channel_len, lane.sent, lane.dead) == (0, len(taken) + len(buried), len(buried))
    assert not lane.post("too late", "a")


@pytest.mark.parametrize("seed", range(3))
def test_everybody_who_waits_is_served_once(seed: int) -> None:
    """A message and a signal meet at the same receiver; what is left is taken; and then others are told of the end."""
    mailboxes = [make_mailbox() for _ in range(50)]
    served = [park(mailbox.receivers) for mailbox in mailboxes]
    at_once(
        lambda: [mailbox.bounded.post("message", "a") for mailbox in mailboxes],
        lambda: [mailbox.put_signal("signal", 1) for mailbox in mailboxes],
        seed=seed,
    )
    assert [len(one.got) for one in served] == [1] * 50
    left: list[list[Any]] = [[] for _ in mailboxes]

    def collect(take: Callable[[SharedMailbox[Any, Any]], list[Any]]) -> None:
        for mailbox, found in zip(mailboxes, left, strict=True):
            found.extend(take(mailbox))

    at_once(
        lambda: collect(lambda mailbox: [mailbox.take()]),
        lambda: collect(lambda mailbox: [mailbox.take_message()]),
        lambda: collect(lambda mailbox: mailbox.take_many(2)),
        seed=seed,
    )
    for receiver, found in zip(served, left, strict=True):
        assert {*receiver.got, *found} - {EMPTY} == {"message", "signal"}
        assert len(found) - found.count(EMPTY) == 1
    last = [(park(mailbox.receivers), park(mailbox.signal_receivers)) for mailbox in mailboxes]
    at_once(
        lambda: [mailbox.close_input() for mailbox in mailboxes],
        lambda: [mailbox.take() for mailbox in mailboxes],
        lambda: [mailbox.shut() for mailbox in mailboxes],
        seed=seed,
    )
    assert [(one.ends, other.ends) for one, other in last] == [(1, 1)] * 50


def park(queue: OrderedDict[Any, None]) -> FakeReceiver:
    receiver = FakeReceiver()
    queue[receiver] = None
    return receiver
