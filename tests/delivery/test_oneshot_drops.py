"""Oneshots: what a collected end does to the other."""

from __future__ import annotations

import gc
import threading

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from orchestra_trio.delivery.oneshot import OneshotSender, open_oneshot
from orchestra_trio.errors import OneshotCancelled, OneshotTimedOut
from orchestra_trio.records import Measurements
from tests.delivery.oneshots import (
    in_mock_time,
    measured,
    receive_cancelled_after,
    waiting_for,
    wanted,
)


@in_mock_time
async def test_drop_reply_while_a_task_waits() -> None:
    reply, answer = open_oneshot[int]()
    async with waiting_for(answer) as waiting:
        await trio.sleep(2)
        del reply
        await trio.sleep(2)
    assert isinstance(waiting.result, OneshotCancelled)
    assert waiting.result.measurements == Measurements(2, 2, "cancelled")


@in_mock_time
async def test_drop_reply_then_receive_at_once() -> None:
    """The receiver does not wait for trio to hear of the drop."""
    for receive in (True, False):
        reply, answer = open_oneshot[int]()
        del reply
        with pytest.raises(OneshotCancelled):
            await answer.receive() if receive else answer.receive_nowait()
        await wait_all_tasks_blocked()
        assert measured(answer) == Measurements(0, None, "cancelled")


@in_mock_time
async def test_drop_reply_is_measured_when_the_trio_thread_sees_it() -> None:
    reply, answer = open_oneshot[int]()
    await trio.sleep(1)
    del reply
    assert measured(answer) is None
    await wait_all_tasks_blocked()
    await trio.sleep(1)
    assert measured(answer) == Measurements(1, None, "cancelled")


@in_mock_time
async def test_drop_reply_after_the_hard_timeout_is_a_timeout() -> None:
    """As if it had been closed then."""
    reply, answer = open_oneshot[int](hard_timeout=2)
    await receive_cancelled_after(answer, 1)
    await trio.sleep(2)
    del reply
    with pytest.raises(OneshotTimedOut):
        await answer.receive()


async def test_drop_reply_after_send_changes_nothing() -> None:
    reply, answer = open_oneshot[int]()
    reply.send(1)
    del reply
    await wait_all_tasks_blocked()
    assert await answer.receive() == 1


@in_mock_time
async def test_drop_receiver_then_send() -> None:
    for settled in (True, False):
        reply, answer = open_oneshot[int]()
        del answer
        if settled:
            await wait_all_tasks_blocked()
        assert not wanted(reply)
        assert reply.send(1) is False
        assert measured(reply) == Measurements(0, None, "cancelled")


@in_mock_time
async def test_drop_receiver_that_was_answered_keeps_the_record() -> None:
    reply, answer = open_oneshot[int]()
    reply.send(1)
    del answer
    await wait_all_tasks_blocked()
    assert measured(reply) == Measurements(0, None, "answered")


async def test_drop_a_cycle_with_the_reply_in_another_thread() -> None:
    """As when a lost message and its reply end know each other."""
    reply, answer = open_oneshot[int]()
    collected_in: list[threading.Thread] = []

    class Lost:
        def __init__(self, reply: OneshotSender[int]) -> None:
            self.itself = self
            self.reply = reply

        def __del__(self) -> None:
            collected_in.append(threading.current_thread())

    gc.disable()
    try:
        Lost(reply)
        del reply
        async with waiting_for(answer) as waiting:
            assert not collected_in
            await trio.to_thread.run_sync(gc.collect)
    finally:
        gc.enable()
    assert isinstance(waiting.result, OneshotCancelled)
    assert [thread is threading.current_thread() for thread in collected_in] == [False]


def test_drop_after_the_run_has_ended() -> None:
    ends: list[object] = []

    async def main() -> None:
        ends.extend(open_oneshot[int]())
        await trio.lowlevel.checkpoint()

    trio.run(main)
    ends.clear()  # an error in __del__ would fail the test as an unraisable exception


async def test_drop_of_both_ends_at_once() -> None:
    open_oneshot[int]()
    await wait_all_tasks_blocked()
