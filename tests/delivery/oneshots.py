"""What the tests of oneshots share."""

from __future__ import annotations

import contextlib
import logging.handlers
from typing import TYPE_CHECKING, Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from orchestra_trio.delivery.oneshot import OneshotReceiver, OneshotSender
    from orchestra_trio.records import Measurements


def _run_in_mock_time(main: Callable[[], Awaitable[object]], **_: object) -> object:
    return trio.run(main, clock=MockClock(autojump_threshold=0))


in_mock_time = pytest.mark.trio(run=_run_in_mock_time)
"""What the fixture `autojump_clock` does, without an argument that the test would not use."""


class Waiting:
    """A task that waits for an answer: how it ended, and a scope to cancel it by."""

    def __init__(self, answer: OneshotReceiver[Any]) -> None:
        self._answer = answer
        self.scope = trio.CancelScope()
        self.result: object = None

    async def run(self) -> None:
        with self.scope:
            try:
                self.result = await self._answer.receive()
            except Exception as error:  # noqa: BLE001  # every outcome is a result
                self.result = error
        if self.scope.cancelled_caught:
            self.result = "given up"


@contextlib.asynccontextmanager
async def waiting_for(answer: OneshotReceiver[Any]) -> AsyncGenerator[Waiting]:
    """Have a task wait in `receive` within the block, and see that it ends by the end of it."""
    waiting = Waiting(answer)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(waiting.run)
        await wait_all_tasks_blocked()
        yield waiting


async def receive_cancelled_after(answer: OneshotReceiver[Any], seconds: float) -> None:
    with trio.move_on_after(seconds) as scope:
        await answer.receive()
    assert scope.cancelled_caught


def wanted(reply: OneshotSender[Any]) -> bool:
    return reply.is_wanted  # a call, since type checkers take a property to stay what it was


def measured(end: OneshotSender[Any] | OneshotReceiver[Any]) -> Measurements | None:
    return end.measurements


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    assert all(record.name == "orchestra_trio" and record.levelno == logging.WARNING for record in caplog.records)
    return [record.getMessage() for record in caplog.records]
