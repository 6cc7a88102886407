"""Oneshots: soft and hard timeouts, and the times that are measured."""

from __future__ import annotations

import math

import pytest
import trio
from trio.testing import MockClock, assert_checkpoints

from orchestra_trio.delivery.oneshot import open_oneshot
from orchestra_trio.errors import OneshotCancelled, OneshotTimedOut
from orchestra_trio.records import Measurements
from tests.delivery.oneshots import (
    in_mock_time,
    measured,
    receive_cancelled_after,
    waiting_for,
    wanted,
    warnings_of,
)


@in_mock_time
async def test_soft_timeout_warns_once_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    reply, answer = open_oneshot[int]("lookup", soft_timeout=1.5)
    await trio.sleep(100)  # nobody waits yet
    async with waiting_for(answer) as waiting:
        await trio.sleep(1.25)
        assert not caplog.records
        await trio.sleep(0.5)
        (warning,) = warnings_of(caplog)
        assert warning.startswith("no answer to 'lookup' within its soft timeout of 1.5 s, still waiting; answer soon")
        await trio.sleep(100)
        reply.send(1)
    assert waiting.result == 1
    assert len(caplog.records) == 1


@in_mock_time
async def test_answer_before_soft_timeout_warns_not(caplog: pytest.LogCaptureFixture) -> None:
    reply, answer = open_oneshot[int](soft_timeout=1)
    async with waiting_for(answer):
        reply.send(1)
    await trio.sleep(2)
    assert not caplog.records


@in_mock_time
async def test_soft_timeout_passed_while_nobody_waited_warns_at_the_next_wait(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reply, answer = open_oneshot[int](soft_timeout=1)
    await receive_cancelled_after(answer, 0.5)
    await trio.sleep(5)
    with pytest.raises(trio.WouldBlock):
        answer.receive_nowait()
    assert not caplog.records
    async with waiting_for(answer):
        assert len(caplog.records) == 1
        await trio.sleep(5)
        reply.send(1)
    assert len(caplog.records) == 1


@in_mock_time
async def test_answer_between_the_soft_timeout_and_its_warning(caplog: pytest.LogCaptureFixture) -> None:
    """The timeout has woken the waiting task, but before that runs, there is an answer: no warning."""
    reply, answer = open_oneshot[int](soft_timeout=1)
    clock = trio.lowlevel.current_clock()
    assert isinstance(clock, MockClock)

    def send(_: trio.lowlevel.RaiseCancelT) -> trio.lowlevel.Abort:
        reply.send(1)
        return trio.lowlevel.Abort.SUCCEEDED

    async with waiting_for(answer) as waiting:
        with trio.move_on_after(1.5):
            clock.jump(2)  # trio meets all deadlines, in their order, before it runs any task
            await trio.lowlevel.wait_task_rescheduled(send)
    assert waiting.result == 1
    assert not caplog.records


@in_mock_time
async def test_hard_timeout_raises_and_closes_the_receiver() -> None:
    reply, answer = open_oneshot[int]("lookup", hard_timeout=5)
    await trio.sleep(100)  # nobody waits yet
    assert wanted(reply)
    with (
        assert_checkpoints(),
        pytest.raises(OneshotTimedOut, match="no answer to 'lookup' within its hard timeout of 5 s"),
    ):
        await answer.receive()
    assert trio.current_time() == 105
    assert not wanted(reply)
    assert reply.send(1) is False
    with pytest.raises(trio.ClosedResourceError):
        await answer.receive()


@in_mock_time
async def test_both_timeouts_in_turn(caplog: pytest.LogCaptureFixture) -> None:
    _reply, answer = open_oneshot[int](soft_timeout=1, hard_timeout=5)
    with pytest.raises(OneshotTimedOut) as caught:
        await answer.receive()
    assert len(caplog.records) == 1
    assert caught.value.timeout == 5
    assert isinstance(caught.value, TimeoutError)


@in_mock_time
async def test_hard_timeout_passed_while_nobody_waited_counts_at_once(caplog: pytest.LogCaptureFixture) -> None:
    """Neither does the soft one warn then."""
    for receive in (True, False):
        reply, answer = open_oneshot[int](soft_timeout=1, hard_timeout=5)
        await receive_cancelled_after(answer, 0.5)
        await trio.sleep(10)
        assert not wanted(reply)
        began = trio.current_time()
        with pytest.raises(OneshotTimedOut):
            await answer.receive() if receive else answer.receive_nowait()
        assert trio.current_time() == began
        with pytest.raises(trio.ClosedResourceError):
            answer.receive_nowait()
    assert not caplog.records


@in_mock_time
async def test_answer_after_hard_timeout_is_refused_though_nobody_waits() -> None:
    """Whether an answer is in time does not depend on whether somebody waits."""
    reply, answer = open_oneshot[int](hard_timeout=5)
    await receive_cancelled_after(answer, 1)
    await trio.sleep(4)
    assert reply.send(1) is False
    with pytest.raises(OneshotTimedOut):
        await answer.receive()
    assert measured(answer) == Measurements(5, 5, "timed out")


@in_mock_time
async def test_answer_before_hard_timeout_may_be_taken_after_it() -> None:
    reply, answer = open_oneshot[int](hard_timeout=5)
    await receive_cancelled_after(answer, 1)
    assert reply.send(1) is True
    await trio.sleep(10)
    assert await answer.receive() == 1


@in_mock_time
async def test_timeouts_are_not_seen_while_nobody_waits_and_leave_nothing_behind() -> None:
    reply, answer = open_oneshot[int](soft_timeout=1, hard_timeout=5)
    await receive_cancelled_after(answer, 0.5)
    assert trio.lowlevel.current_statistics().seconds_to_next_deadline == math.inf
    assert trio.current_effective_deadline() == math.inf
    reply.send(1)
    await answer.receive()
    assert trio.lowlevel.current_statistics().seconds_to_next_deadline == math.inf


@in_mock_time
async def test_measurements_of_an_answer_that_was_waited_for() -> None:
    reply, answer = open_oneshot[int]()
    await trio.sleep(2)
    async with waiting_for(answer):
        await trio.sleep(3)
        assert measured(reply) is None
        assert measured(answer) is None
        reply.send(1)
        await trio.sleep(1)
    assert measured(reply) == measured(answer) == Measurements(5, 3, "answered")


@in_mock_time
async def test_measurements_of_an_answer_that_came_before_the_first_wait() -> None:
    reply, answer = open_oneshot[int]()
    await trio.sleep(2)
    reply.send(1)
    await trio.sleep(2)
    await answer.receive()
    assert measured(reply) == measured(answer) == Measurements(2, None, "answered")


@in_mock_time
async def test_measurements_count_from_the_first_of_several_waits() -> None:
    reply, answer = open_oneshot[int]()
    await trio.sleep(1)
    for _ in range(3):
        await receive_cancelled_after(answer, 1)
    reply.send(1)
    assert measured(reply) == Measurements(4, 3, "answered")


@in_mock_time
async def test_measurements_of_a_cancelled_oneshot() -> None:
    reply, answer = open_oneshot[int]("lookup")
    await trio.sleep(2)
    reply.close()
    await trio.sleep(2)
    with pytest.raises(OneshotCancelled, match=r"2\.000 s") as caught:
        await answer.receive()
    assert caught.value.name == "lookup"
    assert caught.value.measurements == answer.measurements == Measurements(2, None, "cancelled")


@in_mock_time
async def test_measurements_of_a_oneshot_that_timed_out() -> None:
    reply, answer = open_oneshot[int]("lookup", hard_timeout=5)
    await trio.sleep(2)
    with pytest.raises(OneshotTimedOut) as caught:
        await answer.receive()
    assert caught.value.name == "lookup"
    assert caught.value.measurements == reply.measurements == Measurements(7, 5, "timed out")


@in_mock_time
async def test_measurements_of_a_hard_timeout_that_nobody_noticed_at_first() -> None:
    """Then they are taken when somebody does."""
    reply, answer = open_oneshot[int](hard_timeout=5)
    await receive_cancelled_after(answer, 1)
    await trio.sleep(8)
    assert measured(answer) is None
    reply.close()
    assert measured(answer) == Measurements(9, 9, "timed out")


@in_mock_time
async def test_measurements_of_an_answer_that_nobody_took() -> None:
    reply, answer = open_oneshot[int]()
    reply.send(1)
    await trio.sleep(1)
    answer.close()
    assert measured(answer) == Measurements(0, None, "answered")
