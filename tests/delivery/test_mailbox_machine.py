"""Any sequence of operations on a mailbox, against a plain model: lists of what lies there, lists of who waits.

The model knows the order only by its rules: signals first; then the lane that a chooser of its own picks, asked where
more than one has something, and begun anew where only one has; receivers in the order they came.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from orchestra_trio.delivery.mailbox import EMPTY, Mailbox
from orchestra_trio.delivery.strategies import Biased, Weighted
from tests.delivery.models import Entry, FakeClock, FakeReceiver, FakeReply, FakeSender, LaneModel

if TYPE_CHECKING:
    from orchestra_trio.delivery.lanes import Lane
    from orchestra_trio.records import MessageLane

LANES: tuple[MessageLane, ...] = ("priority", "unbounded", "bounded")

Strategy: TypeAlias = Weighted | Biased

strategies = st.one_of(
    st.builds(Weighted, *[st.integers(1, 4)] * 3),
    st.permutations(LANES).map(lambda order: Biased(*order)),
)
senders = st.sampled_from(["a", "b", None])


class MailboxMachine(RuleBasedStateMachine):
    """A mailbox, its model, and everybody who ever waited at it."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = 0
        self.waiting: list[FakeReceiver] = []
        self.hearing: list[FakeReceiver] = []
        self.due: list[tuple[FakeReceiver, list[object], int]] = []
        """Those who wait no longer: what they should have got, and how often been told of the end."""
        self.entries: dict[object, Entry] = {}
        self.buried: set[object] = set()
        self.epochs: list[int | None] = []
        self.epoch = 0
        self.last_epoch = 0
        self.hooked = 0
        self.signals_taken = 0
        self.closed = False

    @initialize(
        capacity=st.one_of(st.integers(0, 3), st.just(math.inf)),
        priority=st.one_of(st.none(), st.integers(1, 3)),
        strategy=strategies,
        tof_every=st.integers(1, 3),
    )
    def make(self, capacity: float, priority: int | None, strategy: Strategy, tof_every: int) -> None:
        self.clock = FakeClock(0.0)
        self.mailbox: Mailbox[Any, Any] = Mailbox(
            message_capacity=capacity,
            signal_capacity=1,
            priority_capacity=priority,
            strategy=strategy,
            clock=self.clock,
            tof_every=tof_every,
        )
        self.mailbox.on_signal_taken = self.hook
        self.lanes: dict[str, Lane[Any]] = {lane.name: lane for lane in self.mailbox.message_lanes}
        capacities = {"priority": priority, "unbounded": math.inf, "bounded": capacity}
        self.models = {
            name: LaneModel(most, self.clock, tof_every) for name, most in capacities.items() if most is not None
        }
        self.signals = LaneModel(1, self.clock, tof_every)
        self.chooser = strategy.chooser()

    def hook(self) -> None:
        self.hooked += 1

    # --- The model  --------------------------------------------------------------------------------------------------

    @property
    def ready(self) -> tuple[Any, ...]:
        return tuple(name for name, model in self.models.items() if model.has_something)

    @property
    def is_empty(self) -> bool:
        return not self.ready and not self.signals.queue

    @property
    def is_shut(self) -> bool:
        return self.signals.shut

    def entry(self, sender: str | None, reply: FakeReply | None = None) -> Entry:
        self.numbers += 1
        self.entries[self.numbers] = entry = Entry(self.numbers, sender, reply)
        return entry

    def accept(self, name: str, entry: Entry) -> bool:
        model = self.models[name]
        if self.waiting:
            self.due.append((self.waiting.pop(0), [entry.item], 0))
            model.hand_over(entry)
        elif model.has_room:
            model.put(entry)
        else:
            return False
        return True

    def take_signal(self) -> object:
        signal = self.signals.take()
        epoch = self.epochs.pop(0)
        self.epoch = self.epoch if epoch is None else epoch
        self.signals_taken += 1
        self.tell_if_exhausted()
        return signal

    def take_message(self) -> object:
        ready = self.ready
        if len(ready) == 1:
            self.chooser.reset()
            name = ready[0]
        else:
            name = self.chooser(ready)
        item = self.models[name].take()
        self.tell_if_exhausted()
        return item

    def tell_if_exhausted(self) -> None:
        if self.closed and self.is_empty:
            self.due += [(receiver, [], 1) for receiver in self.waiting + self.hearing]
            self.waiting = []
            self.hearing = []

    # --- What may be done  -------------------------------------------------------------------------------------------

    @precondition(lambda self: not self.closed)
    @rule(data=st.data(), sender=senders, with_reply=st.booleans(), patient=st.booleans())
    def post(self, data: st.DataObject, sender: str | None, with_reply: bool, patient: bool) -> None:
        name = data.draw(st.sampled_from(list(self.lanes)))
        reply = FakeReply() if with_reply else None
        entry = self.entry(sender, reply)
        accepted = self.accept(name, entry)
        assert self.lanes[name].post(entry.item, sender, reply) == accepted
        if not accepted and patient:
            waiting = FakeSender()
            self.lanes[name].offer(waiting, entry.item, sender, reply)
            self.models[name].offer(waiting, entry)

    @precondition(lambda self: not self.closed)
    @rule(data=st.data(), sender=senders, count=st.integers(1, 5))
    def post_many(self, data: st.DataObject, sender: str | None, count: int) -> None:
        name = data.draw(st.sampled_from(list(self.lanes)))
        entries = [self.entry(sender) for _ in range(count)]
        posted = self.lanes[name].post_many([entry.item for entry in entries], 0, sender)
        assert [self.accept(name, entry) for entry in entries] == [True] * posted + [False] * (count - posted)

    # At the end of the input, who goes away from a lane of capacity 0 might have to tell those who wait for signals
    # alone that nothing will come any more. No subsystem has such a lane, and no channel has signals.
    @precondition(
        lambda self: any(model.offers for model in self.models.values()) and not (self.closed and self.hearing)
    )
    @rule(data=st.data())
    def withdraw_sender(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from([name for name, model in self.models.items() if model.offers]))
        waiting, _ = data.draw(st.sampled_from(self.models[name].offers))
        self.lanes[name].withdraw(waiting)
        self.models[name].withdraw(waiting)

    @precondition(lambda self: not self.is_shut)
    @rule(is_broadcast=st.booleans())
    def put_signal(self, is_broadcast: bool) -> None:
        self.last_epoch += is_broadcast
        epoch = self.last_epoch if is_broadcast else None
        entry = self.entry(None)
        self.epochs.append(epoch)
        self.signals.put(entry)
        queue = self.hearing or self.waiting
        if queue:
            self.due.append((queue.pop(0), [entry.item], 0))
            self.take_signal()
        self.mailbox.put_signal(entry.item, epoch)

    @rule()
    def take(self) -> None:
        if self.signals.queue:
            assert self.mailbox.take() == self.take_signal()
        elif self.ready:
            assert self.mailbox.take() == self.take_message()
        else:
            assert self.mailbox.take() is EMPTY

    @rule(limit=st.integers(1, 5))
    def take_many(self, limit: int) -> None:
        batch = self.mailbox.take_many(limit)
        assert len(batch) <= limit
        if self.signals.queue:
            assert batch == [self.take_signal()]
        else:
            assert bool(batch) == bool(self.ready)
            assert batch == [self.take_message() for _ in batch]

    @rule()
    def take_signal_alone(self) -> None:
        if self.signals.queue:
            assert self.mailbox.take_signal() == self.take_signal()
        else:
            assert self.mailbox.take_signal() is EMPTY

    @precondition(lambda self: self.is_empty and not self.closed)
    @rule()
    def park(self) -> None:
        self.waiting.append(FakeReceiver())
        self.mailbox.receivers[self.waiting[-1]] = None

    @precondition(lambda self: not self.signals.queue and not (self.closed and self.is_empty))
    @rule()
    def park_for_signals_alone(self) -> None:
        self.hearing.append(FakeReceiver())
        self.mailbox.signal_receivers[self.hearing[-1]] = None

    @precondition(lambda self: self.waiting or self.hearing)
    @rule(data=st.data())
    def withdraw_receiver(self, data: st.DataObject) -> None:
        receiver = data.draw(st.sampled_from(self.waiting + self.hearing))
        if receiver in self.waiting:
            self.waiting.remove(receiver)
            del self.mailbox.receivers[receiver]
        else:
            self.hearing.remove(receiver)
            del self.mailbox.signal_receivers[receiver]
        self.due.append((receiver, [], 0))

    @rule(seconds=st.integers(1, 5))
    def tick(self, seconds: int) -> None:
        self.clock.time += seconds

    @rule()
    def close_input(self) -> None:
        self.closed = True
        self.tell_if_exhausted()
        self.mailbox.close_input()

    @precondition(lambda self: self.numbers > 10)
    @rule()
    def shut(self) -> None:
        buried = [(name, entry) for name, model in self.models.items() for entry in model.bury()]
        self.buried |= {entry.item for _, entry in buried}
        self.signals.bury()
        self.epochs = []
        self.closed = True
        self.due += [(receiver, [], 1) for receiver in self.waiting + self.hearing]
        self.waiting = []
        self.hearing = []
        told = [(lane.name, dead.item, dead.sender) for lane, dead in self.mailbox.shut()]
        assert told == [(name, entry.item, entry.sender) for name, entry in buried]
        for name, lane in self.lanes.items():
            assert list(lane.offers) == [waiting for waiting, _ in self.models[name].offers]
            while lane.offers:
                waiting, _ = lane.offers.popitem(last=False)
                waiting.refuse(None)
            self.models[name].offers = []
            assert not lane.post("too late", None)

    # --- What holds after every step  --------------------------------------------------------------------------------

    @invariant()
    def lanes_keep_the_laws(self) -> None:
        for name, model in self.models.items():
            model.check(self.lanes[name])
        self.signals.check(self.mailbox.signals, beyond=True)

    @invariant()
    def everybody_got_what_is_theirs(self) -> None:
        assert list(self.mailbox.receivers) == self.waiting
        assert list(self.mailbox.signal_receivers) == self.hearing
        assert not any(receiver.got or receiver.ends for receiver in self.waiting + self.hearing)
        assert [(receiver.got, receiver.ends) for receiver, _, _ in self.due] == [
            (got, ends) for _, got, ends in self.due
        ]
        assert not self.waiting or self.is_empty
        assert not self.hearing or not self.signals.queue

    @invariant()
    def state_is_what_it_says(self) -> None:
        assert self.mailbox.is_empty == self.is_empty
        assert self.mailbox.input_closed == self.closed
        assert self.mailbox.is_exhausted == (self.closed and self.is_empty)
        assert self.mailbox.epoch == self.epoch
        assert self.hooked == self.signals_taken
        for epoch in range(self.last_epoch + 2):
            assert self.mailbox.has_received(epoch) == all(one is None or one > epoch for one in self.epochs)

    @invariant()
    def only_what_was_buried_had_its_request_cancelled(self) -> None:
        for item, entry in self.entries.items():
            assert entry.reply is None or entry.reply.cancellations == (item in self.buried)


TestMailboxEqualsPlainLists = MailboxMachine.TestCase
