"""Tasks that wait at a mailbox: what they are woken with, and that a cancelled one has changed nothing (law 9)."""

from __future__ import annotations

import gc
import math
import weakref
from typing import TYPE_CHECKING, Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from orchestra_trio.delivery.mailbox import EMPTY, Mailbox
from orchestra_trio.delivery.strategies import Weighted
from orchestra_trio.delivery.waiting import Parked, ParkedAtSeveral, park_receiver, park_sender
from tests.delivery.models import FakeReply, results, waiting

if TYPE_CHECKING:
    from collections import OrderedDict
    from collections.abc import Callable


def make_mailbox(capacity: float = 1) -> Mailbox[Any, Any]:
    return Mailbox(message_capacity=capacity, signal_capacity=1, strategy=Weighted(), clock=trio.current_time)


async def test_receivers_get_messages_in_the_order_they_came() -> None:
    mailbox = make_mailbox()
    async with waiting(lambda: park_receiver(mailbox), lambda: park_receiver(mailbox)) as waiters:
        mailbox.bounded.post("one", None)
        mailbox.unbounded.post("two", None)
    assert results(waiters) == ["one", "two"]


async def test_receiver_of_signals_alone_gets_the_signal_only() -> None:
    mailbox = make_mailbox()
    async with waiting(lambda: park_receiver(mailbox, signals_only=True)) as waiters:
        mailbox.bounded.post("message", None)
        await wait_all_tasks_blocked()
        assert results(waiters) == ["waits"]
        mailbox.put_signal("signal", 1)
    assert results(waiters) == ["signal"]
    assert mailbox.take() == "message"


@pytest.mark.parametrize("end", [Mailbox.close_input, Mailbox.shut])
async def test_receivers_get_end_of_channel(end: Callable[[Mailbox[Any, Any]], object]) -> None:
    mailbox = make_mailbox()
    async with waiting(lambda: park_receiver(mailbox), lambda: park_receiver(mailbox, signals_only=True)) as waiters:
        end(mailbox)
    assert [type(result) for result in results(waiters)] == [trio.EndOfChannel] * 2


@pytest.mark.parametrize("signals_only", [False, True])
async def test_cancel_during_receive_leaves_the_next_message_to_others(signals_only: bool) -> None:
    mailbox = make_mailbox()
    async with waiting(lambda: park_receiver(mailbox, signals_only=signals_only)) as waiters:
        waiters[0].scope.cancel()
    assert results(waiters) == ["cancelled"]
    assert not mailbox.receivers
    assert not mailbox.signal_receivers
    mailbox.put_signal("it", 1)
    assert mailbox.take() == "it"


async def test_cancel_after_the_handing_over_changes_nothing() -> None:
    mailbox = make_mailbox()
    async with waiting(lambda: park_receiver(mailbox)) as waiters:
        mailbox.bounded.post("it", None)
        waiters[0].scope.cancel()
    assert results(waiters) == ["it"]


async def test_senders_are_let_in_in_the_order_they_came() -> None:
    mailbox = make_mailbox()
    lane, reply = mailbox.bounded, FakeReply()
    lane.post("one", None)
    async with waiting(
        lambda: park_sender(lane, "two", "a", reply), lambda: park_sender(lane, "three", "b")
    ) as waiters:
        assert mailbox.take() == "one"
        await wait_all_tasks_blocked()
        assert results(waiters) == [None, "waits"]
        assert mailbox.take() == "two"
    assert results(waiters) == [None, None]
    assert [(dead.item, dead.sender) for _, dead in mailbox.shut()] == [("three", "b")]
    assert lane.read().blocked == 2
    assert reply.cancellations == 0


async def test_cancel_during_send_leaves_nothing_behind() -> None:
    mailbox = make_mailbox()
    mailbox.bounded.post("one", None)
    async with waiting(lambda: park_sender(mailbox.bounded, "two", "a")) as waiters:
        waiters[0].scope.cancel()
    assert results(waiters) == ["cancelled"]
    assert (mailbox.take(), mailbox.take()) == ("one", EMPTY)
    assert mailbox.bounded.read().sent == 1


async def test_cancel_after_the_letting_in_changes_nothing() -> None:
    mailbox = make_mailbox()
    mailbox.bounded.post("one", None)
    async with waiting(lambda: park_sender(mailbox.bounded, "two", "a")) as waiters:
        mailbox.take()
        waiters[0].scope.cancel()
    assert results(waiters) == [None]
    assert mailbox.take() == "two"


@pytest.mark.parametrize("error", [None, KeyError("why")])
async def test_refused_sender_gets_the_error_or_returns(error: BaseException | None) -> None:
    mailbox = make_mailbox()
    mailbox.bounded.post("one", None)
    async with waiting(lambda: park_sender(mailbox.bounded, "two", "a")) as waiters:
        one, _ = mailbox.bounded.offers.popitem()
        one.refuse(error)
    assert results(waiters) == [error]


async def test_parked_knows_its_task_and_since_when(autojump_clock: MockClock) -> None:
    mailbox = make_mailbox()
    await trio.sleep(5)
    async with waiting(lambda: park_receiver(mailbox)) as waiters:
        (parked,) = mailbox.receivers
        assert isinstance(parked, Parked)
        await trio.sleep(5)
        assert (parked.since, parked.task.coro.__qualname__) == (5.0, "Waiter.run")
        waiters[0].scope.cancel()


async def test_error_that_ends_a_wait_is_let_go_of_without_the_collector() -> None:
    mailbox = make_mailbox()
    ended: list[weakref.ref[trio.EndOfChannel]] = []

    async def receive() -> None:
        try:
            await park_receiver(mailbox)
        except trio.EndOfChannel as error:
            ended.append(weakref.ref(error))

    gc.collect()
    gc.disable()
    try:
        async with waiting(receive):
            mailbox.close_input()
        assert [error() for error in ended] == [None]
    finally:
        gc.enable()


# --- At several queues -----------------------------------------------------------------------------------------------


def queues_of(*mailboxes: Mailbox[Any, Any]) -> list[OrderedDict[Any, None]]:
    return [mailbox.receivers for mailbox in mailboxes]


async def served(*mailboxes: Mailbox[Any, Any]) -> object:
    parked: ParkedAtSeveral[object] = ParkedAtSeveral(queues_of(*mailboxes))
    item = await parked.wait()
    return (parked.place, item)


async def test_first_to_serve_takes_the_task_out_of_all_queues() -> None:
    mailboxes = [make_mailbox() for _ in range(3)]
    async with waiting(lambda: served(*mailboxes)) as waiters:
        mailboxes[1].bounded.post("one", None)
        assert not any(queues_of(*mailboxes))
        mailboxes[0].bounded.post("two", None)
    assert results(waiters) == [(1, "one")]
    assert mailboxes[0].take() == "two"


async def test_tasks_at_several_queues_keep_their_turn_in_each() -> None:
    first, second = make_mailbox(), make_mailbox()
    async with waiting(
        lambda: park_receiver(second), lambda: served(first, second), lambda: served(second, first)
    ) as waiters:
        second.bounded.post(1, None)
        second.bounded.post(2, None)
        first.bounded.post(3, None)
    assert results(waiters) == [1, (1, 2), (1, 3)]


async def test_mailbox_that_ends_is_left_and_the_others_waited_for() -> None:
    mailboxes = [make_mailbox() for _ in range(3)]
    async with waiting(lambda: served(*mailboxes)) as waiters:
        mailboxes[0].close_input()
        mailboxes[2].shut()
        await wait_all_tasks_blocked()
        assert results(waiters) == ["waits"]
        mailboxes[1].bounded.post("it", None)
    assert results(waiters) == [(1, "it")]


async def test_last_of_several_mailboxes_to_end_ends_the_wait() -> None:
    mailboxes = [make_mailbox() for _ in range(2)]
    async with waiting(lambda: served(*mailboxes)) as waiters:
        for mailbox in mailboxes:
            mailbox.close_input()
    assert isinstance(waiters[0].result, trio.EndOfChannel)


async def test_same_queue_twice_is_one_place() -> None:
    mailbox, other = make_mailbox(), make_mailbox()
    async with waiting(lambda: served(mailbox, mailbox), lambda: served(mailbox, other, mailbox)) as waiters:
        assert len(mailbox.receivers) == 2
        mailbox.bounded.post("it", None)
        mailbox.close_input()
        other.close_input()
    assert results(waiters)[0] == (0, "it")
    assert isinstance(waiters[1].result, trio.EndOfChannel)


async def test_cancelled_or_refused_task_leaves_all_queues() -> None:
    mailboxes = [make_mailbox() for _ in range(3)]
    async with waiting(lambda: served(*mailboxes), lambda: served(*mailboxes)) as waiters:
        waiters[0].scope.cancel()
        await wait_all_tasks_blocked()
        (parked,) = mailboxes[0].receivers
        assert isinstance(parked, ParkedAtSeveral)
        parked.refuse(KeyError("why"))
        assert not any(queues_of(*mailboxes))
    assert waiters[0].result == "cancelled"
    assert isinstance(waiters[1].result, KeyError)


def test_capacity_of_a_mailbox_may_be_without_bound() -> None:
    assert make_mailbox(math.inf).bounded.capacity == math.inf
