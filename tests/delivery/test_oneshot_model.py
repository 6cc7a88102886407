"""Oneshots: any sequence of operations does what a plain model does."""

from __future__ import annotations

import logging.handlers
import math
from typing import Any

import attrs
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from orchestra_trio.delivery.oneshot import OneshotReceiver, OneshotSender, OneshotState
from orchestra_trio.errors import OneshotCancelled, OneshotTimedOut
from orchestra_trio.records import Measurements
from tests.delivery.oneshots import (
    Waiting,
    wanted,
)


@attrs.define
class Model:
    """What a oneshot is to do, told by one clock that ticks in whole seconds.

    Every step is a method. Waiting lasts from one step to a later one; `outcome` is what the last waiting task got.
    """

    soft: float
    hard: float
    now: int = 0
    first_wait: float = math.inf
    reason: Any = None
    ended: int = 0
    reply_open: bool = True
    receiver_open: bool = True
    waiting: bool = False
    outcome: object = None
    warnings: int = 0

    def is_late(self) -> bool:
        return self.now >= self.first_wait + self.hard

    def is_wanted(self) -> bool:
        return self.reply_open and self.reason is None and not self.is_late()

    def measurements(self) -> Measurements | None:
        since_first_wait = None if self.first_wait == math.inf else self.ended - self.first_wait
        return None if self.reason is None else Measurements(self.ended, since_first_wait, self.reason)

    def end(self, reason: str) -> None:
        if self.reason is None:
            self.reason, self.ended = ("timed out" if self.is_late() else reason), self.now

    def take(self) -> object:
        if not self.receiver_open:
            return trio.ClosedResourceError
        if self.reason is None and not self.is_late():
            return trio.WouldBlock
        self.end("timed out")
        self.receiver_open = self.reason == "cancelled"
        outcomes: dict[Any, object] = {
            "answered": "yes",
            "cancelled": OneshotCancelled,
            "timed out": OneshotTimedOut,
        }
        return outcomes[self.reason]

    def let_the_waiting_run(self) -> None:
        if not self.waiting:
            return
        took = self.take()
        if took is not trio.WouldBlock:
            self.waiting, self.outcome = False, took
        elif self.now >= self.first_wait + self.soft:
            self.warnings = 1

    def send(self) -> object:
        if not self.reply_open:
            return trio.ClosedResourceError
        had_ended = self.reason is not None
        self.end("answered")
        self.reply_open = False
        return self.reason == "answered" and not had_ended

    def cancel(self) -> None:
        self.end("cancelled")

    def close_reply(self) -> None:
        if self.reply_open:
            self.end("cancelled")
        self.reply_open = False

    drop_reply = close_reply

    def close_receiver(self) -> None:
        if self.receiver_open:
            self.end("cancelled")
        self.receiver_open = False

    def receive_nowait(self) -> object:
        return trio.BusyResourceError if self.waiting else self.take()

    def wait(self) -> None:
        if not self.waiting and self.receiver_open and self.reason is None:
            self.first_wait = min(self.first_wait, self.now)
        self.waiting = True

    def give_up(self) -> None:
        if self.waiting:
            self.waiting, self.outcome = False, "given up"

    def tick(self) -> None:
        self.now += 1


class Real:
    """The same steps, done to a oneshot."""

    def __init__(self, soft: float, hard: float, nursery: trio.Nursery) -> None:
        self.state: OneshotState[str] = OneshotState("lookup", soft, hard)
        self.reply: OneshotSender[str] | None = OneshotSender(self.state)
        self.answer: OneshotReceiver[str] = OneshotReceiver(self.state)
        self.waiting = Waiting(self.answer)
        self.nursery = nursery
        self.cancel = self.state.cancel
        self.close_receiver = self.answer.close
        self.receive_nowait = self.answer.receive_nowait

    def send(self) -> object:
        return trio.ClosedResourceError if self.reply is None else self.reply.send("yes")

    def close_reply(self) -> None:
        if self.reply is not None:
            self.reply.close()

    def drop_reply(self) -> None:
        self.reply = None

    def wait(self) -> None:
        if not self.state.receiving:
            self.waiting = Waiting(self.answer)
            self.nursery.start_soon(self.waiting.run)

    def give_up(self) -> None:
        self.waiting.scope.cancel()

    async def take(self, step: str) -> object:
        result: object = None
        try:
            if step == "tick":
                await trio.sleep(1)
            else:
                result = getattr(self, step)()
        except Exception as error:  # noqa: BLE001  # every outcome is a result
            result = type(error)
        await wait_all_tasks_blocked()
        return result


STEPS = ["send", "close_reply", "drop_reply", "cancel", "close_receiver", "receive_nowait", "wait", "give_up", "tick"]


@given(st.integers(1, 4), st.integers(1, 3), st.sets(st.sampled_from(["soft", "hard"])), st.data())
def test_any_sequence_of_steps_does_what_the_model_does(
    soft: int, more: int, has: set[str], data: st.DataObject
) -> None:
    """Results, warnings, what is wanted and all measurements, after every step."""
    timeouts = soft if "soft" in has else math.inf, soft + more if "hard" in has else math.inf
    log = logging.handlers.BufferingHandler(1000)
    steps = data.draw(st.lists(st.sampled_from([*STEPS, "wait", "tick", "tick"]), max_size=15))

    async def main() -> None:
        model = Model(*timeouts)
        async with trio.open_nursery() as nursery:
            real = Real(*timeouts, nursery)
            for step in steps:
                expected = getattr(model, step)()
                model.let_the_waiting_run()
                assert await real.take(step) == expected
                assert real.state.receiving == model.waiting
                got = real.waiting.result
                assert model.waiting or model.outcome == (type(got) if isinstance(got, Exception) else got)
                assert real.answer.measurements == model.measurements()
                assert len(log.buffer) == model.warnings
                assert real.reply is None or wanted(real.reply) == model.is_wanted()
            nursery.cancel_scope.cancel()

    logger = logging.getLogger("orchestra_trio")
    logger.addHandler(log)
    try:
        trio.run(main, clock=MockClock(autojump_threshold=0))
    finally:
        logger.removeHandler(log)
