"""Tasks that wait at a mailbox which threads share: whoever serves them, and whenever they are cancelled."""

from __future__ import annotations

from contextlib import asynccontextmanager
from threading import RLock
from typing import TYPE_CHECKING, Any

import pytest
import trio

from orchestra_trio.delivery.mailbox import EMPTY
from orchestra_trio.delivery.waiting import park_receiver, park_sender
from tests.delivery.crowds import PATIENCE, Crowd, at_once, hasty, make_mailbox
from tests.delivery.models import results, waiting

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from trio.testing import MockClock

    from tests.delivery.models import Waiter


@asynccontextmanager
async def waiting_in_time(*waits: Callable[[], Awaitable[object]]) -> AsyncGenerator[list[Waiter]]:
    """Have tasks wait within the block; fail where one waits for ever."""
    with trio.fail_after(1):
        async with waiting(*waits) as waiters:
            yield waiters


def in_a_thread(*steps: Callable[[], object]) -> None:
    """Take steps in another thread while trio's stands still: whom they wake, it resumes later."""
    at_once(lambda: [step() for step in steps])


async def test_an_item_handed_over_by_a_thread_reaches_a_task_cancelled_before_it_woke(
    autojump_clock: MockClock,
) -> None:
    mailbox = make_mailbox()
    async with waiting_in_time(lambda: park_receiver(mailbox)) as waiters:
        in_a_thread(lambda: mailbox.bounded.post("it", None))
        waiters[0].scope.cancel()
    assert results(waiters) == ["it"]
    assert mailbox.bounded.read().received == 1


async def test_a_cancelled_task_leaves_the_item_that_a_thread_posts_before_it_has_gone(
    autojump_clock: MockClock,
) -> None:
    mailbox = make_mailbox()
    async with waiting_in_time(lambda: park_receiver(mailbox)) as waiters:
        waiters[0].scope.cancel()
        in_a_thread(lambda: mailbox.bounded.post("it", None))
    assert results(waiters) == ["cancelled"]
    assert mailbox.take() == "it"


async def test_a_sender_let_in_by_a_thread_has_sent_though_cancelled_before_it_woke(autojump_clock: MockClock) -> None:
    mailbox = make_mailbox()
    mailbox.bounded.post("one", None)
    async with waiting_in_time(lambda: park_sender(mailbox.bounded, "two", "a")) as waiters:
        in_a_thread(mailbox.take)
        waiters[0].scope.cancel()
    assert results(waiters) == [None]
    assert mailbox.take() == "two"


async def test_a_cancelled_sender_is_not_let_in_by_a_thread(autojump_clock: MockClock) -> None:
    mailbox = make_mailbox()
    mailbox.bounded.post("one", None)
    async with waiting_in_time(lambda: park_sender(mailbox.bounded, "two", "a")) as waiters:
        waiters[0].scope.cancel()
        in_a_thread(mailbox.take)
    assert results(waiters) == ["cancelled"]
    assert mailbox.take() is EMPTY
    assert mailbox.bounded.read().sent == 1


async def test_tasks_are_served_in_the_order_they_came_whichever_thread_serves_them(autojump_clock: MockClock) -> None:
    mailbox = make_mailbox()
    async with waiting_in_time(*[lambda: park_receiver(mailbox)] * 3) as waiters:
        in_a_thread(lambda: mailbox.bounded.post("one", None))
        mailbox.bounded.post("two", None)
        in_a_thread(lambda: mailbox.unbounded.post("three", None))
    assert results(waiters) == ["one", "two", "three"]


async def test_a_thread_that_takes_the_last_item_ends_those_who_wait_for_signals(autojump_clock: MockClock) -> None:
    """Also one that was cancelled before it woke: it was told, which is no cancellation any more."""
    mailbox = make_mailbox()
    mailbox.bounded.post("last", None)
    mailbox.close_input()
    wait = [lambda: park_receiver(mailbox, signals_only=True)] * 2
    async with waiting_in_time(*wait) as waiters:
        in_a_thread(mailbox.take)
        waiters[1].scope.cancel()
    assert [type(result) for result in results(waiters)] == [trio.EndOfChannel] * 2


@pytest.mark.parametrize("signals_only", [False, True])
async def test_who_is_about_to_wait_looks_once_more(signals_only: bool, autojump_clock: MockClock) -> None:
    """Another thread may have put something there since the task looked, or taken the last of it."""
    mailbox = make_mailbox()
    mailbox.put_signal("signal", 1)
    async with waiting_in_time(lambda: park_receiver(mailbox, signals_only=signals_only)) as waiters:
        assert results(waiters) == ["signal"]
    mailbox.close_input()
    async with waiting_in_time(lambda: park_receiver(mailbox, signals_only=signals_only)) as waiters:
        assert [type(result) for result in results(waiters)] == [trio.EndOfChannel]
    assert not mailbox.receivers
    assert not mailbox.signal_receivers


class Interrupted:
    """A lock after whose release another thread takes a step, once, before whoever released it goes on."""

    def __init__(self, step: Callable[[], object]) -> None:
        self.lock = RLock()
        self.depth = 0
        self.steps = [step]

    def __enter__(self) -> None:
        self.lock.acquire()
        self.depth += 1

    def __exit__(self, *_: object) -> None:
        self.depth -= 1
        is_free = not self.depth
        self.lock.release()
        if is_free and self.steps:
            in_a_thread(self.steps.pop())


async def test_who_has_found_nothing_gets_what_comes_right_after(autojump_clock: MockClock) -> None:
    """Looking and queueing are one step: no message slips between them."""
    mailbox = make_mailbox()
    mailbox.lock = Interrupted(lambda: mailbox.bounded.post("it", "a"))  # type: ignore[assignment]  # in its place
    async with waiting_in_time(lambda: park_receiver(mailbox)) as waiters:
        pass
    assert results(waiters) == ["it"]


async def test_who_has_found_no_room_gets_what_is_made_right_after(autojump_clock: MockClock) -> None:
    mailbox = make_mailbox()
    mailbox.bounded.post("one", "a")
    mailbox.bounded.lock = Interrupted(mailbox.take)  # type: ignore[attr-defined]  # in place of the shared lane's
    async with waiting_in_time(lambda: park_sender(mailbox.bounded, "two", "a")) as waiters:
        pass
    assert results(waiters) == [None]
    assert mailbox.take() == "two"


async def test_a_sender_about_to_wait_looks_once_more(autojump_clock: MockClock) -> None:
    mailbox = make_mailbox()
    async with waiting_in_time(lambda: park_sender(mailbox.bounded, "it", "a")) as waiters:
        assert results(waiters) == [None]
    assert mailbox.take() == "it"
    assert mailbox.bounded.read().blocked == 0


async def test_tasks_and_threads_meet_at_one_mailbox() -> None:
    """Tasks send and receive, some of them cancelled all the time, while threads do the same: nothing is lost."""
    mailbox = make_mailbox(2)
    crowd = Crowd(mailbox)
    crowd.sending += 1  # the task that sends

    async def send() -> None:
        for number in range(crowd.messages):
            item = ("task", "bounded", number)
            with trio.CancelScope() as scope:
                if number % 3 == 0:
                    trio.lowlevel.current_trio_token().run_sync_soon(scope.cancel)
                if not mailbox.bounded.post(item, "task"):
                    await park_sender(mailbox.bounded, item, "task")
                await trio.lowlevel.cancel_shielded_checkpoint()
                crowd.accepted.append(item)
        crowd.leave()

    async def receive() -> None:
        turns = 0
        while True:
            turns += 1
            with trio.CancelScope() as scope:
                if turns % 3 == 0:
                    trio.lowlevel.current_trio_token().run_sync_soon(scope.cancel)
                try:
                    found: Any = await park_receiver(mailbox)
                except trio.EndOfChannel:
                    return
                crowd.log.append(found)
            await trio.lowlevel.checkpoint()

    functions = [crowd.sender("a", mailbox.bounded), crowd.sender("b", mailbox.unbounded)]
    with hasty(), trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            for function in functions:
                nursery.start_soon(trio.to_thread.run_sync, function)
            nursery.start_soon(send)
            nursery.start_soon(receive)
    crowd.check()
