"""Metered channels: as trio's memory channels on any schedule, and what they have beyond those.

`test_channels_as_trio.py` runs trio's own tests on them.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, assert_type

import attrs
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock, assert_checkpoints, wait_all_tasks_blocked

from orchestra_trio.delivery.channels import Channel, Meter
from orchestra_trio.delivery.ends import MeteredReceiver, MeteredSender, UnboundedMeteredSender
from orchestra_trio.delivery.open_channels import open_metered_channel, open_unbounded_channel
from orchestra_trio.records import Priority, Readout
from tests.delivery.models import Counting, Waiter, results, waiting

if TYPE_CHECKING:
    from collections.abc import Callable

HIGH = Priority.HIGH


def check_meter(channel: Channel[Any]) -> None:
    """See that the meters are exact, and that no lane holds more than it may (laws 1 and 7)."""
    for lane in channel.mailbox.message_lanes:
        readout = lane.read()
        assert readout.sent == readout.received + readout.channel_len + lane.dead
        assert readout.channel_len == len(lane) <= lane.capacity


# --- Opening ---------------------------------------------------------------------------------------------------------


def test_open_returns_a_plain_pair_of_ends() -> None:
    pair = open_metered_channel[int](3)
    assert type(pair) is tuple
    sender, receiver = pair
    assert_type(sender, MeteredSender[int])
    assert_type(receiver, MeteredReceiver[int])
    assert (type(sender), type(receiver), type(sender.meter)) == (MeteredSender, MeteredReceiver, Meter)
    assert isinstance(sender, trio.abc.SendChannel)
    assert isinstance(receiver, trio.abc.ReceiveChannel)


def test_open_unbounded_returns_a_sender_that_never_waits() -> None:
    pair = open_unbounded_channel[int]()
    assert type(pair) is tuple
    sender, receiver = pair
    assert_type(sender, UnboundedMeteredSender[int])
    assert_type(receiver, MeteredReceiver[int])
    assert not hasattr(sender, "send")
    for number in range(10_000):
        sender.send_nowait(number)
    assert sender.statistics().max_buffer_size == math.inf
    assert receiver.meter.read().channel_len == 10_000
    assert [receiver.receive_nowait() for _ in range(10_000)] == list(range(10_000))


@pytest.mark.parametrize("capacity", [1.0, 1.5, math.nan, -math.inf, "1", None])
@pytest.mark.parametrize("name", ["max_buffer_size", "priority_capacity", "yield_every", "tof_every"])
def test_number_of_another_type_is_an_error_that_names_it(name: str, capacity: Any) -> None:  # noqa: ANN401
    if name == "priority_capacity" and capacity is None:
        return  # there is none
    with pytest.raises(TypeError, match=rf"^{name} must be an integer or math.inf$"):
        open_metered_channel[int](**{"max_buffer_size": 1, name: capacity})
    if name in {"yield_every", "tof_every"}:
        with pytest.raises(TypeError, match=rf"^{name} must be an integer or math.inf$"):
            open_unbounded_channel[int](**{name: capacity})


@pytest.mark.parametrize(
    ("name", "least"), [("max_buffer_size", 0), ("priority_capacity", 1), ("yield_every", 1), ("tof_every", 1)]
)
def test_too_small_number_is_an_error_that_names_it(name: str, least: int) -> None:
    open_metered_channel[int](**{"max_buffer_size": 1, name: least})
    with pytest.raises(ValueError, match=rf"^{name} must be >= {least}$"):
        open_metered_channel[int](**{"max_buffer_size": 1, name: least - 1})
    if name in {"yield_every", "tof_every"}:
        with pytest.raises(ValueError, match=rf"^{name} must be >= {least}$"):
            open_unbounded_channel[int](**{name: least - 1})


# --- As trio's memory channels ---------------------------------------------------------------------------------------

Step: TypeAlias = tuple[str, int, int]

synchronous = [
    "send_nowait",
    "send_nowait",
    "receive_nowait",
    "receive_nowait",
    "clone sender",
    "clone receiver",
    "close sender",
    "close receiver",
]
kinds = st.sampled_from([*synchronous, *["send", "receive"] * 3, "cancel", "aclose sender", "aclose receiver"])
numbers = st.integers(0, 3)
capacities = st.one_of(st.integers(0, 3), st.just(math.inf))


@attrs.define
class Play:
    """A channel, ours or trio's, its ends, and the tasks that were started on it."""

    senders: list[Any]
    receivers: list[Any]
    nursery: trio.Nursery | None = None
    tasks: list[Waiter] = attrs.Factory(list)
    sent: int = 0

    def do(self, kind: str, which: int, number: int) -> object:
        """Do one step at once, and return what came of it."""
        sender = self.senders[which % len(self.senders)]
        receiver = self.receivers[which % len(self.receivers)]
        self.sent += 1
        steps: dict[str, Callable[[], object]] = {
            "send_nowait": lambda: sender.send_nowait(self.sent),
            "receive_nowait": receiver.receive_nowait,
            "clone sender": lambda: self.senders.append(sender.clone()),
            "clone receiver": lambda: self.receivers.append(receiver.clone()),
            "close sender": sender.close,
            "close receiver": receiver.close,
            "send": lambda: self.start(partial(sender.send, self.sent)),
            "receive": lambda: self.start(receiver.receive),
            "aclose sender": lambda: self.start(sender.aclose),
            "aclose receiver": lambda: self.start(receiver.aclose),
            "cancel": lambda: self.cancel(which * 4 + number),
        }
        try:
            return steps[kind]()
        except Exception as error:  # noqa: BLE001  # every outcome is to be compared
            return type(error)

    def start(self, wait: Callable[[], Any]) -> None:
        assert self.nursery is not None
        self.tasks.append(Waiter(wait))
        self.nursery.start_soon(self.tasks[-1].run)

    def cancel(self, number: int) -> None:
        if self.tasks:
            self.tasks[number % len(self.tasks)].scope.cancel()

    def observe(self) -> list[object]:
        """What can be seen of the channel and of all tasks so far."""
        outcomes = [type(one) if isinstance(one, Exception) else one for one in results(self.tasks)]
        return [self.senders[0].statistics(), self.receivers[0].statistics(), *outcomes]


def play(opened: tuple[Any, Any], steps: list[Step], check: Callable[[], None]) -> list[object]:
    made = Play([opened[0]], [opened[1]])
    seen: list[object] = []
    for step in steps:
        seen += [made.do(*step), *made.observe()]
        check()
    return seen


@given(capacities, st.lists(st.tuples(st.sampled_from(synchronous), numbers, numbers), max_size=40))
def test_channel_used_outside_of_a_run_is_as_trios(capacity: float, steps: list[Step]) -> None:
    ours = open_metered_channel[int](capacity, tof_every=1)
    theirs = trio.open_memory_channel[int](capacity)
    check = partial(check_meter, ours[0]._channel)
    assert play(ours, steps, check) == play(theirs, steps, lambda: None)


async def play_in_a_run(opened: tuple[Any, Any], steps: list[Step], check: Callable[[], None]) -> list[object]:
    seen: list[object] = []
    async with trio.open_nursery() as nursery:
        made = Play([opened[0]], [opened[1]], nursery)
        for step in steps:
            seen.append(made.do(*step))
            await wait_all_tasks_blocked()
            seen += made.observe()
            check()
        nursery.cancel_scope.cancel()
    return [*seen, *made.observe()]


@given(capacities, st.lists(st.tuples(kinds, numbers, numbers), max_size=40), st.sampled_from([1, 2, 1000]))
def test_channel_whose_ends_wait_close_and_are_cancelled_is_as_trios(
    capacity: float, steps: list[Step], yield_every: int
) -> None:
    """Step by step the same outcomes, errors and statistics; a cancelled call changed nothing (law 9)."""
    ours = open_metered_channel[int](capacity, yield_every=yield_every)
    theirs = trio.open_memory_channel[int](capacity)
    check = partial(check_meter, ours[0]._channel)
    assert trio.run(play_in_a_run, ours, steps, check, clock=MockClock()) == trio.run(
        play_in_a_run, theirs, steps, lambda: None, clock=MockClock()
    )


# --- Cancellation (law 9) --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("yield_every", [1, 100])
async def test_cancelled_before_send_changes_nothing(yield_every: int) -> None:
    sender, _ = open_metered_channel[int](1, yield_every=yield_every)
    for _ in range(3):
        with trio.CancelScope() as scope:
            scope.cancel()
            await sender.send(1)
        assert scope.cancelled_caught
    assert sender.meter.read() == Readout(sent=0, received=0, channel_len=0, peak_channel_len=0, blocked=0)


async def test_cancel_during_send_changes_nothing_but_that_it_was_blocked() -> None:
    sender, receiver = open_metered_channel[int](1)
    await sender.send(1)
    async with waiting(partial(sender.send, 2)) as waiters:
        waiters[0].scope.cancel()
    assert results(waiters) == ["cancelled"]
    assert sender.meter.read() == Readout(sent=1, received=0, channel_len=1, peak_channel_len=1, blocked=1)
    assert sender.statistics().tasks_waiting_send == 0
    assert await receiver.receive() == 1


@pytest.mark.parametrize("yield_every", [1, 100])
async def test_cancelled_before_receive_changes_nothing(yield_every: int) -> None:
    sender, receiver = open_metered_channel[int](1, yield_every=yield_every)
    sender.send_nowait(1)
    for _ in range(3):
        with trio.CancelScope() as scope:
            scope.cancel()
            await receiver.receive()
        assert scope.cancelled_caught
    assert receiver.meter.read() == Readout(sent=1, received=0, channel_len=1, peak_channel_len=1, blocked=0)


async def test_cancel_during_receive_leaves_the_next_message_to_others() -> None:
    sender, receiver = open_metered_channel[int](0)
    async with waiting(receiver.receive, receiver.receive) as waiters:
        waiters[0].scope.cancel()
        await wait_all_tasks_blocked()
        sender.send_nowait(1)
    assert results(waiters) == ["cancelled", 1]


async def test_cancel_after_the_handing_over_loses_nothing() -> None:
    sender, receiver = open_metered_channel[int](0)
    async with waiting(receiver.receive) as waiters:
        sender.send_nowait(1)
        waiters[0].scope.cancel()
    assert results(waiters) == [1]


# --- Closing while somebody waits ------------------------------------------------------------------------------------


async def test_close_of_a_sender_fails_its_own_tasks_and_no_others() -> None:
    sender, receiver = open_metered_channel[int](0)
    other = sender.clone()
    async with waiting(partial(sender.send, 1), partial(other.send, 2), partial(sender.send, 3)) as waiters:
        sender.close()
        await wait_all_tasks_blocked()
        assert [type(one) for one in results(waiters)] == [trio.ClosedResourceError, str, trio.ClosedResourceError]
        assert receiver.receive_nowait() == 2
    assert results(waiters)[1] is None
    assert receiver.meter.read().sent == 1


async def test_close_of_a_sender_whose_task_was_let_in_lets_it_have_its_due() -> None:
    sender, receiver = open_metered_channel[int](1)
    sender.send_nowait(1)
    async with waiting(partial(sender.send, 2)) as waiters:
        assert receiver.receive_nowait() == 1
        sender.close()
    assert results(waiters) == [None]
    assert receiver.receive_nowait() == 2
    with pytest.raises(trio.EndOfChannel):
        receiver.receive_nowait()


async def test_close_of_a_receiver_fails_its_own_tasks_and_no_others() -> None:
    sender, receiver = open_metered_channel[int](0)
    other = receiver.clone()
    async with waiting(receiver.receive, other.receive) as waiters:
        receiver.close()
        sender.send_nowait(1)
    assert isinstance(waiters[0].result, trio.ClosedResourceError)
    assert waiters[1].result == 1


async def test_close_of_a_receiver_whose_task_was_served_lets_it_have_its_due() -> None:
    sender, receiver = open_metered_channel[int](0)
    async with waiting(receiver.receive) as waiters:
        sender.send_nowait(1)
        receiver.close()
    assert results(waiters) == [1]


async def test_close_of_the_last_receiver_drops_what_lies_there_and_breaks_all_senders() -> None:
    sender, receiver = open_metered_channel[int](1, priority_capacity=1)
    sender.send_nowait(1)
    sender.send_nowait(2, priority=HIGH)
    async with waiting(partial(sender.send, 3), partial(sender.send, 4, priority=HIGH)) as waiters:
        receiver.close()
    assert [type(one) for one in results(waiters)] == [trio.BrokenResourceError] * 2
    for priority in Priority:
        readout = Readout(sent=1, received=0, channel_len=0, peak_channel_len=1, blocked=1)
        assert sender.meter.read(priority) == readout
        with pytest.raises(trio.BrokenResourceError):
            sender.send_nowait(5, priority=priority)


async def test_close_of_the_last_sender_ends_who_waits_to_receive() -> None:
    sender, receiver = open_unbounded_channel[int]()
    other = sender.clone()
    async with waiting(receiver.receive, receiver.clone().receive) as waiters:
        with sender:
            pass
        await wait_all_tasks_blocked()
        assert results(waiters) == ["waits", "waits"]
        other.close()
        other.close()
    assert [type(one) for one in results(waiters)] == [trio.EndOfChannel] * 2


def test_unbounded_sender_is_closed_and_broken_as_others() -> None:
    sender, receiver = open_unbounded_channel[int]()
    clone = sender.clone()
    clone.close()
    for call in (partial(clone.send_nowait, 1), clone.clone):
        with pytest.raises(trio.ClosedResourceError):
            call()
    sender.send_nowait(1)
    receiver.close()
    with pytest.raises(trio.BrokenResourceError):
        sender.send_nowait(2)
    assert sender.meter.read().sent == 1
    assert sender.statistics().open_send_channels == 1


async def test_refused_input_is_taken_to_the_last_and_no_more_is_let_in() -> None:
    """As the embedding program meets it when an orchestra has stopped listening to its events."""
    sender, receiver = open_metered_channel[int](1)
    sender.send_nowait(1)
    async with waiting(partial(sender.send, 2)) as waiters:
        sender._channel.refuse_input()
    assert isinstance(waiters[0].result, trio.BrokenResourceError)
    with pytest.raises(trio.BrokenResourceError):
        sender.send_nowait(3)
    assert await receiver.receive() == 1
    with pytest.raises(trio.EndOfChannel):
        await receiver.receive()


# --- Priority --------------------------------------------------------------------------------------------------------


def test_high_priority_has_a_lane_and_a_meter_of_its_own() -> None:
    sender, receiver = open_metered_channel[str](1, priority_capacity=2)
    for message in ("urgent", "more urgent"):
        sender.send_nowait(message, priority=HIGH)
    sender.send_nowait("ordinary")
    for priority, count in ((Priority.NORMAL, 1), (HIGH, 2)):
        with pytest.raises(trio.WouldBlock):
            sender.send_nowait("too much", priority=priority)
        assert receiver.meter.read(priority) == Readout(count, 0, count, count, 0)
    assert receiver.meter.read() == receiver.meter.read(Priority.NORMAL)
    assert sender.statistics().current_buffer_used == 1
    assert [receiver.receive_nowait() for _ in range(3)] == ["urgent", "more urgent", "ordinary"]


def test_high_priority_goes_the_ordinary_way_where_there_is_no_lane_for_it() -> None:
    sender, receiver = open_metered_channel[str](2)
    sender.send_nowait("ordinary")
    sender.send_nowait("urgent", priority=HIGH)
    assert receiver.meter.read(HIGH) == receiver.meter.read() == Readout(2, 0, 2, 2, 0)
    assert [receiver.receive_nowait() for _ in range(2)] == ["ordinary", "urgent"]


def test_ordinary_messages_are_not_starved() -> None:
    sender, receiver = open_metered_channel[str](math.inf, priority_capacity=math.inf)
    for _ in range(100):
        sender.send_nowait("ordinary")
        sender.send_nowait("urgent", priority=HIGH)
    assert [receiver.receive_nowait() for _ in range(68)].count("ordinary") == 4


async def test_receiver_that_waits_sees_both_lanes() -> None:
    sender, receiver = open_metered_channel[str](1, priority_capacity=1)
    async with waiting(receiver.receive, receiver.receive) as waiters:
        await sender.send("urgent", priority=HIGH)
        await sender.send("ordinary")
    assert results(waiters) == ["urgent", "ordinary"]


async def test_full_priority_lane_makes_its_own_senders_wait_alone() -> None:
    sender, receiver = open_metered_channel[str](1, priority_capacity=1)
    sender.send_nowait("urgent", priority=HIGH)
    async with waiting(partial(sender.send, "more urgent", priority=HIGH)) as waiters:
        await sender.send("ordinary")
        assert sender.statistics().tasks_waiting_send == 1
        assert results(waiters) == ["waits"]
        assert receiver.receive_nowait() == "urgent"
        with pytest.raises(trio.WouldBlock):
            sender.send_nowait("most urgent", priority=HIGH)
    assert results(waiters) == [None]
    assert [receiver.receive_nowait() for _ in range(2)] == ["more urgent", "ordinary"]


@given(
    st.integers(0, 3),
    st.integers(1, 3),
    st.lists(st.one_of(st.booleans(), st.none()), max_size=40),
)
def test_lanes_are_separate_and_each_keeps_its_order(
    capacity: int, priority_capacity: int, steps: list[bool | None]
) -> None:
    """True sends an urgent message, False an ordinary one, None receives."""
    sender, receiver = open_metered_channel[tuple[bool, int]](capacity, priority_capacity=priority_capacity)
    lying: dict[bool, list[int]] = {True: [], False: []}
    for number, is_urgent in enumerate(steps):
        if is_urgent is None:
            try:
                urgent, received = receiver.receive_nowait()
            except trio.WouldBlock:
                assert lying == {True: [], False: []}
            else:
                assert lying[urgent].pop(0) == received
        else:
            try:
                sender.send_nowait((is_urgent, number), priority=HIGH if is_urgent else Priority.NORMAL)
            except trio.WouldBlock:
                assert len(lying[is_urgent]) == (priority_capacity if is_urgent else capacity)
            else:
                lying[is_urgent].append(number)
        check_meter(sender._channel)
        assert sender.meter.read(HIGH).channel_len == len(lying[True])
        assert sender.meter.read().channel_len == len(lying[False])


# --- Meters ----------------------------------------------------------------------------------------------------------


async def test_meter_is_the_same_from_both_ends_and_reading_changes_nothing(autojump_clock: MockClock) -> None:
    sender, receiver = open_metered_channel[int](4, tof_every=2)
    for number in range(4):
        await sender.send(number)
    await trio.sleep(3)
    for _ in range(3):
        await receiver.receive()
    expected = Readout(sent=4, received=3, channel_len=1, peak_channel_len=4, blocked=0, tof=(3.0,))
    assert [end.meter.read() for end in (sender, receiver, sender.clone(), sender)] == [expected] * 4


def test_time_of_flight_is_left_out_where_there_is_no_clock() -> None:
    sender, receiver = open_metered_channel[int](1, tof_every=1)
    sender.send_nowait(1)
    receiver.receive_nowait()
    assert receiver.meter.read().tof == ()


async def test_channel_filled_outside_of_a_run_is_read_in_one() -> None:
    """The run is that of this test; the channel was made by another thread, in none."""

    def fill() -> MeteredReceiver[int]:
        sender, receiver = open_metered_channel[int](3, tof_every=1)
        with sender:
            for number in range(3):
                sender.send_nowait(number)
        return receiver

    receiver = await trio.to_thread.run_sync(fill)
    assert [number async for number in receiver] == [0, 1, 2]
    assert receiver.meter.read() == Readout(sent=3, received=3, channel_len=0, peak_channel_len=3, blocked=0)


@pytest.mark.parametrize("yield_every", [1, 100])
def test_channel_is_used_in_one_run_after_another_in_any_thread(yield_every: int) -> None:
    sender, receiver = open_metered_channel[int](math.inf, yield_every=yield_every)

    async def use() -> None:
        for number in range(3):
            await sender.send(number)
            assert await receiver.receive() == number

    async def use_in_a_run_of_a_thread() -> None:
        await use()
        await trio.to_thread.run_sync(trio.run, use)
        await use()

    trio.run(use_in_a_run_of_a_thread)
    trio.run(use)
    assert receiver.meter.read().received == 12


# --- Checkpoints -----------------------------------------------------------------------------------------------------


async def test_every_call_is_a_full_checkpoint_by_default() -> None:
    for sender, receiver in (open_metered_channel[int](9), open_metered_channel[int](9, priority_capacity=1)):
        for number in range(9):
            with assert_checkpoints():
                await sender.send(number)
        for number in range(9):
            with assert_checkpoints():
                assert await receiver.receive() == number
        with assert_checkpoints():
            await sender.aclose()
        with assert_checkpoints(), pytest.raises(trio.EndOfChannel):
            await receiver.receive()
        with assert_checkpoints():
            await receiver.aclose()


async def test_calls_that_need_not_wait_are_schedule_points_every_so_often(mock_clock: MockClock) -> None:
    """Each end has a budget of its own."""
    sender, receiver = open_metered_channel[int](math.inf, yield_every=8)
    counts = []
    async with Counting() as counting:
        for number in range(24):
            await sender.send(number)
            counts.append(counting.count)
        for number in range(24):
            assert await receiver.receive() == number
            counts.append(counting.count)
    assert counts == [number // 8 for number in range(1, 49)]


async def test_call_that_waited_has_a_whole_budget_again(mock_clock: MockClock) -> None:
    sender, receiver = open_metered_channel[int](10, yield_every=4)
    async with trio.open_nursery() as nursery:
        for number in range(3):
            sender.send_nowait(number)
        for _ in range(3):
            await receiver.receive()

        async def send_later() -> None:
            await trio.lowlevel.checkpoint()
            for number in range(5):
                sender.send_nowait(number)

        nursery.start_soon(send_later)
        sender.send_nowait(0)
        await receiver.receive()  # the fourth: a schedule point
        await receiver.receive()  # waits
        async with Counting() as counting:
            for _ in range(3):
                await receiver.receive()
            assert counting.count == 0
            await receiver.receive()
            assert counting.count == 1


async def test_receiver_is_iterated_to_the_end_of_the_channel() -> None:
    sender, receiver = open_metered_channel[int](0)

    async def send() -> None:
        async with sender:
            for number in range(5):
                await sender.send(number)

    async with trio.open_nursery() as nursery, receiver:
        nursery.start_soon(send)
        assert [number async for number in receiver] == list(range(5))
