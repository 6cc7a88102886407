"""Oneshots: a cancelled receive has changed nothing, whatever it met."""

from __future__ import annotations

import signal
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from orchestra_trio.delivery.oneshot import open_oneshot
from orchestra_trio.errors import OneshotTimedOut
from orchestra_trio.records import Measurements
from tests.delivery.oneshots import (
    in_mock_time,
    measured,
    receive_cancelled_after,
    waiting_for,
    wanted,
)


@in_mock_time
async def test_cancel_during_receive_then_receive_again() -> None:
    reply, answer = open_oneshot[int]()
    await receive_cancelled_after(answer, 1)
    assert wanted(reply)
    async with waiting_for(answer) as waiting:
        assert reply.send(1)
    assert waiting.result == 1


@in_mock_time
async def test_cancel_during_receive_then_send_then_receive() -> None:
    reply, answer = open_oneshot[int]()
    await receive_cancelled_after(answer, 1)
    assert reply.send(1)
    assert await answer.receive() == 1


@in_mock_time
async def test_cancel_before_receive_of_an_answer_that_is_there() -> None:
    reply, answer = open_oneshot[int]()
    reply.send(1)
    await receive_cancelled_after(answer, 0)
    assert answer.receive_nowait() == 1


@in_mock_time
async def test_cancel_before_receive_starts_no_timeout() -> None:
    reply, answer = open_oneshot[int](hard_timeout=1)
    await receive_cancelled_after(answer, 0)
    await trio.sleep(10)
    assert reply.send(1) is True
    assert measured(reply) == Measurements(10, None, "answered")


@in_mock_time
async def test_cancel_after_the_answer_woke_the_waiting_task() -> None:
    """What was handed over is not lost."""
    reply, answer = open_oneshot[int](soft_timeout=1, hard_timeout=5)
    async with waiting_for(answer) as waiting:
        reply.send(1)
        waiting.scope.cancel()
    assert waiting.result == 1


@in_mock_time
async def test_cancel_between_soft_and_hard_timeout(caplog: pytest.LogCaptureFixture) -> None:
    reply, answer = open_oneshot[int](soft_timeout=1, hard_timeout=5)
    await receive_cancelled_after(answer, 2)
    assert len(caplog.records) == 1
    assert reply.send(1)
    assert await answer.receive() == 1


@in_mock_time
@pytest.mark.parametrize("option", ["soft_timeout", "hard_timeout"])
async def test_cancel_at_the_very_moment_of_a_timeout(option: str, caplog: pytest.LogCaptureFixture) -> None:
    """The cancelled call leaves it to the next one to warn or to raise."""
    reply, answer = open_oneshot[int](**dict[str, Any]({option: 3}))
    await receive_cancelled_after(answer, 3)
    assert measured(answer) is None
    assert not caplog.records
    if option == "hard_timeout":
        assert not wanted(reply)
        with pytest.raises(OneshotTimedOut):
            await answer.receive()
    else:
        await receive_cancelled_after(answer, 1)
        assert len(caplog.records) == 1


@in_mock_time
async def test_cancel_before_receive_of_a_failure_records_nothing() -> None:
    _reply, answer = open_oneshot[int](hard_timeout=1)
    await receive_cancelled_after(answer, 0.5)
    await trio.sleep(1)
    await receive_cancelled_after(answer, 0)
    assert measured(answer) is None
    with pytest.raises(OneshotTimedOut):
        answer.receive_nowait()


@pytest.mark.parametrize("timeouts", [{}, {"soft_timeout": 1, "hard_timeout": 2}])
def test_keyboard_interrupt_during_receive(timeouts: dict[str, Any]) -> None:
    """Ctrl-C leaves the oneshot whole."""

    async def main() -> None:
        reply, answer = open_oneshot[int](**timeouts)

        @trio.lowlevel.enable_ki_protection  # so that it reaches the main task, in its wait
        async def interrupt() -> None:
            await wait_all_tasks_blocked()
            signal.raise_signal(signal.SIGINT)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(interrupt)
            with pytest.raises(KeyboardInterrupt):
                await answer.receive()
        assert reply.send(1)
        assert await answer.receive() == 1

    trio.run(main)
