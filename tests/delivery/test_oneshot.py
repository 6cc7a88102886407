"""Oneshots: opening, answering, closing, who may wait, and what the runtime asks of their state."""

from __future__ import annotations

import copy
import math
import pickle
import weakref
from typing import TYPE_CHECKING, Any, assert_type

import pytest
import trio
from trio.testing import assert_checkpoints, wait_all_tasks_blocked

from orchestra_trio.delivery.oneshot import OneshotReceiver, OneshotSender, OneshotState, open_oneshot
from orchestra_trio.errors import OneshotCancelled
from tests.delivery.oneshots import (
    in_mock_time,
    waiting_for,
    wanted,
)

if TYPE_CHECKING:
    from collections.abc import Callable


async def test_open_returns_a_plain_pair_of_ends() -> None:
    pair = open_oneshot[int]("lookup")
    assert type(pair) is tuple
    reply, answer = pair
    assert_type(reply, OneshotSender[int])
    assert_type(answer, OneshotReceiver[int])
    assert (type(reply), type(answer)) == (OneshotSender, OneshotReceiver)
    assert (reply.name, answer.name) == ("lookup", "lookup")
    assert (repr(reply), repr(answer)) == ("<OneshotSender 'lookup': open>", "<OneshotReceiver 'lookup': open>")
    assert reply.send(1)
    assert repr(answer) == "<OneshotReceiver 'lookup': answered>"
    await answer.receive()


async def test_open_without_type_or_name() -> None:
    reply: OneshotSender[int]
    answer: OneshotReceiver[int]
    reply, answer = open_oneshot()
    assert (reply.name, answer.name) == ("oneshot", "oneshot")
    await answer.aclose()


@pytest.mark.parametrize("option", ["soft_timeout", "hard_timeout"])
@pytest.mark.parametrize(
    ("value", "error", "says"),
    [
        (0, ValueError, "must be more than 0 s, not 0 s"),
        (-0.5, ValueError, "must be more than 0 s, not -0.5 s"),
        (math.nan, ValueError, "must be more than 0 s, not nan s"),
        ("1", TypeError, "must be seconds or None, not str"),
        (True, TypeError, "must be seconds or None, not bool"),
    ],
)
def test_open_refuses_timeouts_that_are_no_positive_seconds(
    option: str, value: object, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=f"^the {option} of 'lookup' {says}$"):
        open_oneshot[int]("lookup", **dict[str, Any]({option: value}))


@pytest.mark.parametrize("hard", [1, 2])
def test_open_refuses_a_soft_timeout_that_is_not_less_than_the_hard_one(hard: float) -> None:
    with pytest.raises(ValueError, match=f"^the soft_timeout of 'x', 2 s, must be less than its hard_timeout, {hard}"):
        open_oneshot[int]("x", soft_timeout=2, hard_timeout=hard)


@in_mock_time
@pytest.mark.parametrize(("soft", "hard"), [(math.inf, math.inf), (1, math.inf), (math.inf, None)])
async def test_infinite_timeouts_are_none(soft: float, hard: float | None, caplog: pytest.LogCaptureFixture) -> None:
    reply, answer = open_oneshot[int](soft_timeout=soft, hard_timeout=hard)
    async with waiting_for(answer) as waiting:
        await trio.sleep(1000)
        assert reply.send(1)
    assert waiting.result == 1
    assert len(caplog.records) == (soft == 1)


def test_open_outside_of_a_trio_run_is_refused() -> None:
    with pytest.raises(RuntimeError, match="async context"):
        open_oneshot[int]()


@pytest.mark.parametrize("end", [OneshotSender, OneshotReceiver])
def test_ends_cannot_be_made_by_themselves(end: Callable[[], object]) -> None:
    with pytest.raises(TypeError):
        end()


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
async def test_ends_cannot_be_copied(copied: Callable[[object], object]) -> None:
    """Else the collection of a copy would cancel the oneshot."""
    reply, answer = open_oneshot[int]()
    for end in (reply, answer):
        with pytest.raises((TypeError, pickle.PicklingError)):
            copied(end)
    await wait_all_tasks_blocked()
    assert wanted(reply)


async def test_send_then_receive() -> None:
    reply, answer = open_oneshot[str]()
    assert wanted(reply)
    assert reply.send("yes") is True
    assert not wanted(reply)
    with assert_checkpoints():
        assert await answer.receive() == "yes"


async def test_receive_then_send() -> None:
    reply, answer = open_oneshot[str]()
    async with waiting_for(answer) as waiting:
        assert wanted(reply)
        assert reply.send("yes") is True
        assert waiting.result is None
    assert waiting.result == "yes"


@pytest.mark.parametrize("value", [None, (), (1,), OneshotCancelled])
async def test_any_value_is_an_answer(value: object) -> None:
    reply, answer = open_oneshot[object]()
    reply.send(value)
    assert await answer.receive() is value


async def test_send_then_receive_nowait() -> None:
    reply, answer = open_oneshot[int]()
    with pytest.raises(trio.WouldBlock):
        answer.receive_nowait()
    reply.send(1)
    assert answer.receive_nowait() == 1
    await wait_all_tasks_blocked()


async def test_answer_that_was_taken_is_kept_by_nobody() -> None:
    class Value:
        pass

    reply, answer = open_oneshot[Value]()
    reply.send(Value())
    kept = weakref.ref(await answer.receive())
    assert kept() is None


async def test_receive_twice() -> None:
    """The answer is handed out once; then the receiver is closed."""
    reply, answer = open_oneshot[int]("lookup")
    reply.send(1)
    await answer.receive()
    with (
        assert_checkpoints(),
        pytest.raises(trio.ClosedResourceError, match="receiver of 'lookup' was closed, was ans"),
    ):
        await answer.receive()
    with pytest.raises(trio.ClosedResourceError):
        answer.receive_nowait()


async def test_send_twice() -> None:
    reply, answer = open_oneshot[int]("lookup")
    reply.send(1)
    with pytest.raises(trio.ClosedResourceError, match="the reply end of 'lookup' was used or closed before"):
        reply.send(2)
    assert await answer.receive() == 1


async def test_close_after_send_changes_nothing() -> None:
    reply, answer = open_oneshot[int]()
    with reply:
        reply.send(1)
    reply.close()
    assert await answer.receive() == 1


async def test_send_from_another_thread() -> None:
    """It answers as one from trio's thread does, and so do refusals."""
    reply, answer = open_oneshot[int]()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.to_thread.run_sync, reply.send, 2)
        assert await answer.receive() == 2
    with pytest.raises(trio.ClosedResourceError):
        await trio.to_thread.run_sync(reply.send, 3)


async def test_close_from_another_thread() -> None:
    reply, answer = open_oneshot[int]()
    await trio.to_thread.run_sync(reply.close)
    with pytest.raises(OneshotCancelled):
        await answer.receive()
    other, unwanted = open_oneshot[int]()
    await trio.to_thread.run_sync(unwanted.close)
    assert not await trio.to_thread.run_sync(other.send, 1)


async def test_close_reply_then_receive() -> None:
    """A oneshot that was cancelled stays so: each call says it again."""
    reply, answer = open_oneshot[int]("lookup")
    reply.close()
    reply.close()
    assert not wanted(reply)
    for _ in range(2):
        with assert_checkpoints(), pytest.raises(OneshotCancelled, match="no answer to 'lookup' will come"):
            await answer.receive()
        with pytest.raises(OneshotCancelled):
            answer.receive_nowait()
    with pytest.raises(trio.ClosedResourceError):
        reply.send(1)


async def test_receive_then_close_reply() -> None:
    reply, answer = open_oneshot[int]()
    async with waiting_for(answer) as waiting:
        with reply:
            pass
    assert isinstance(waiting.result, OneshotCancelled)


async def test_close_receiver_then_send() -> None:
    """A reply to a requester that has gone is no error of the one that answers."""
    reply, answer = open_oneshot[int]()
    answer.close()
    answer.close()
    assert not wanted(reply)
    assert reply.send(1) is False
    with pytest.raises(trio.ClosedResourceError):
        reply.send(2)
    with assert_checkpoints(), pytest.raises(trio.ClosedResourceError):
        await answer.receive()


async def test_close_receiver_while_another_task_waits() -> None:
    reply, answer = open_oneshot[int]()
    async with waiting_for(answer) as waiting:
        answer.close()
        assert reply.send(1) is False
    assert isinstance(waiting.result, trio.ClosedResourceError)


async def test_close_receiver_between_the_answer_and_its_taking() -> None:
    """Who closes the receiver wants no answer any more, even if it has come already."""
    reply, answer = open_oneshot[int]()
    async with waiting_for(answer) as waiting:
        assert reply.send(1) is True
        answer.close()
    assert isinstance(waiting.result, trio.ClosedResourceError)
    with pytest.raises(trio.ClosedResourceError):
        answer.receive_nowait()


async def test_close_both_ends_in_either_order() -> None:
    for first, second in ((0, 1), (1, 0)):
        ends = open_oneshot[int]()
        ends[first].close()
        ends[second].close()
        with pytest.raises(trio.ClosedResourceError):
            await ends[1].receive()


async def test_receiver_closes_itself_as_a_context_manager() -> None:
    reply, answer = open_oneshot[int]()
    with answer:
        assert wanted(reply)
    assert not wanted(reply)
    reply, answer = open_oneshot[int]()
    async with answer:
        assert wanted(reply)
    assert not wanted(reply)


async def test_aclose_is_a_checkpoint_and_closes_even_when_cancelled() -> None:
    reply, answer = open_oneshot[int]()
    with trio.CancelScope() as scope:
        scope.cancel()
        await answer.aclose()
    assert scope.cancelled_caught
    assert not wanted(reply)
    with assert_checkpoints():
        await answer.aclose()


async def test_second_task_in_receive_is_refused() -> None:
    reply, answer = open_oneshot[int]("lookup")
    async with waiting_for(answer) as waiting:
        with pytest.raises(trio.BusyResourceError, match="another task waits for the answer to 'lookup'"):
            await answer.receive()
        with pytest.raises(trio.BusyResourceError):
            answer.receive_nowait()
        reply.send(1)
        with pytest.raises(trio.BusyResourceError):  # the answer is the first one's, though it has not run yet
            answer.receive_nowait()
    assert waiting.result == 1


async def test_another_task_may_receive_after_the_first_was_cancelled() -> None:
    reply, answer = open_oneshot[int]()
    async with waiting_for(answer) as first:
        first.scope.cancel()
        with pytest.raises(trio.BusyResourceError):
            answer.receive_nowait()
    async with waiting_for(answer) as second:
        reply.send(1)
    assert (first.result, second.result) == ("given up", 1)


async def test_state_cancels_a_request_whose_message_was_lost() -> None:
    """The reply end is still somewhere, but it can be told that nobody wants the answer."""
    state: OneshotState[int] = OneshotState("lookup")
    reply: OneshotSender[int] = OneshotSender(state)
    answer: OneshotReceiver[int] = OneshotReceiver(state)
    async with waiting_for(answer) as waiting:
        state.cancel()
        assert state.is_ended
        state.cancel()
    assert isinstance(waiting.result, OneshotCancelled)
    assert not wanted(reply)
    assert reply.send(1) is False


async def test_state_cancel_after_the_answer_changes_nothing() -> None:
    state: OneshotState[int] = OneshotState("lookup")
    reply: OneshotSender[int] = OneshotSender(state)
    answer: OneshotReceiver[int] = OneshotReceiver(state)
    reply.send(1)
    state.cancel()
    assert await answer.receive() == 1


async def test_state_keeps_no_end_alive() -> None:
    state: OneshotState[int] = OneshotState("lookup")
    reply: OneshotSender[int] = OneshotSender(state)
    answer: OneshotReceiver[int] = OneshotReceiver(state)
    async with waiting_for(answer) as waiting:
        del reply
    assert isinstance(waiting.result, OneshotCancelled)
