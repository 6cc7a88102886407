"""Seats: one waits there at a time, is cancelled, served and told of the end as any who waits, and leaves no trace."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from orchestra_trio.delivery.mailbox import EMPTY, Mailbox
from orchestra_trio.delivery.shared import SharedMailbox
from orchestra_trio.delivery.strategies import Weighted
from orchestra_trio.delivery.trio_internals import PRIVATE_IN_USE, make_pace
from orchestra_trio.delivery.waiting import Seat, make_seat
from tests.delivery.models import FakeClock, FakeSender, results, waiting

private_only = pytest.mark.skipif(not PRIVATE_IN_USE, reason="there are no seats with trio's public interface alone")


class Parcel:
    """An item that can be watched."""


def make_mailbox(kind: type[Mailbox[Any, Any]] = Mailbox[Any, Any]) -> Mailbox[Any, Any]:
    return kind(message_capacity=9, signal_capacity=1, strategy=Weighted(), clock=FakeClock())


async def receive(seat: Seat[Any]) -> object:
    item = await seat.wait_for(trio.lowlevel.current_task())
    assert item is not EMPTY
    return item


def make(mailbox: Mailbox[Any, Any]) -> Seat[Any]:
    seat = make_seat(mailbox, make_pace(64))
    assert seat is not None
    return seat


@private_only
async def test_seat_is_free_again_once_who_waited_goes_on(autojump_clock: MockClock) -> None:
    """Not when it was served: what it was given lies there until then."""
    mailbox = make_mailbox()
    seat = make(mailbox)
    for number in range(3):
        taken = [seat.is_taken]
        async with waiting(lambda: receive(seat)) as waiters:
            assert list(mailbox.receivers) == [seat]
            assert mailbox.bounded.post(number, "a")
            assert not mailbox.receivers
            taken.append(seat.is_taken)
        assert taken == [False, True]
        assert results(waiters) == [number]


@private_only
async def test_cancelled_wait_has_taken_nothing(autojump_clock: MockClock) -> None:
    mailbox = make_mailbox()
    seat = make(mailbox)
    async with waiting(lambda: receive(seat)) as waiters:
        waiters[0].scope.cancel()
    assert results(waiters) == ["cancelled"]
    assert not seat.is_taken
    assert not mailbox.receivers
    mailbox.bounded.post("it", "a")
    assert mailbox.take() == "it"


@private_only
async def test_who_was_served_is_not_cancelled_any_more(autojump_clock: MockClock) -> None:
    mailbox = make_mailbox()
    seat = make(mailbox)
    async with waiting(lambda: receive(seat)) as waiters:
        mailbox.bounded.post("it", "a")
        waiters[0].scope.cancel()
    assert results(waiters) == ["it"]


@private_only
async def test_end_of_input_is_an_error_once(autojump_clock: MockClock) -> None:
    mailbox = make_mailbox()
    seat = make(mailbox)
    async with waiting(lambda: receive(seat)) as waiters:
        mailbox.close_input()
    assert [type(result) for result in results(waiters)] == [trio.EndOfChannel]
    assert await seat.wait_for(trio.lowlevel.current_task()) is EMPTY
    mailbox.input_closed = False  # as no mailbox does: to see that nothing of the error is left
    async with waiting(lambda: receive(seat)) as waiters:
        mailbox.bounded.post("late", "a")
    assert results(waiters) == ["late"]


@private_only
@pytest.mark.parametrize("what", ["taken", "signal", "unbounded", "priority", "passing", "closed"])
async def test_nobody_waits_there_who_need_not_or_must_not(what: str, autojump_clock: MockClock) -> None:
    mailbox: Mailbox[Any, Any] = Mailbox(
        message_capacity=0,
        signal_capacity=1,
        priority_capacity=1 if what == "priority" else None,
        strategy=Weighted(),
        clock=FakeClock(),
    )
    seat = make(mailbox)
    match what:
        case "taken":
            seat.is_taken = True
        case "signal":
            mailbox.put_signal("it", None)
        case "unbounded":
            mailbox.unbounded.post("it", "a")
        case "priority":
            assert mailbox.priority is not None
            mailbox.priority.post("it", "a")
        case "passing":  # through a lane without capacity
            mailbox.bounded.offer(FakeSender(), "it", "a", None)
        case _:
            mailbox.close_input()
    with trio.fail_after(1):
        assert await seat.wait_for(trio.lowlevel.current_task()) is EMPTY
    assert not mailbox.receivers


@private_only
async def test_who_waited_has_a_whole_budget(autojump_clock: MockClock) -> None:
    mailbox = make_mailbox()
    pace = make_pace(3)
    pace.calls = 2
    seat = make_seat(mailbox, pace)
    assert seat is not None
    async with waiting(lambda: receive(seat)):
        mailbox.bounded.post("it", "a")
    assert pace.due == 5


@private_only
async def test_seat_keeps_nothing_of_what_was_handed_over(autojump_clock: MockClock) -> None:
    """A message may carry a reply end, whose requester waits until it is let go."""
    mailbox = make_mailbox()
    seat = make(mailbox)
    async with waiting(lambda: receive(seat)) as waiters:
        parcel = Parcel()
        watched = weakref.ref(parcel)
        mailbox.bounded.post(parcel, "a")
        del parcel
    waiters.clear()
    gc.collect()
    assert watched() is None


@private_only
async def test_seat_says_since_when_its_task_waits(mock_clock: MockClock) -> None:
    seat = make(mailbox := make_mailbox())
    for _ in range(2):
        mock_clock.jump(5)
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive, seat)
            await wait_all_tasks_blocked()
            mock_clock.jump(1)
            assert (seat.since, seat.task.name) == (began, f"{__name__}.receive")
            mailbox.bounded.post("it", "a")


async def test_there_is_none_at_a_mailbox_that_threads_share(autojump_clock: MockClock) -> None:
    mailbox = make_mailbox(SharedMailbox[Any, Any])
    assert make_seat(mailbox, make_pace(64)) is None
    await trio.lowlevel.checkpoint()
