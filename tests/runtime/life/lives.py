"""What the tests of restarts share: subsystems that do another thing in each incarnation, and what the log says."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Never, TypeAlias

import trio

from orchestra_trio import Orchestra, Restart, Subsystem, subsystem
from tests.runtime.samples import AnyContext, Ask, Item, Tick, idle

if TYPE_CHECKING:
    import pytest

__all__ = ["Hardy", "Lives", "Play", "boom", "failing", "hardy", "restart_records", "tidying"]

Play: TypeAlias = Callable[[AnyContext], Awaitable[None]]


class Lives:
    """A subsystem that plays one function in each incarnation, and after them receives until its input ends."""

    def __init__(self, *plays: Play) -> None:
        self.plays = plays
        self.begun: list[float] = []
        """When each incarnation began."""
        self.ended: list[float] = []
        """When the main function of each ended."""

    async def __call__(self, ctx: AnyContext) -> None:
        play = self.plays[len(self.begun)] if len(self.begun) < len(self.plays) else idle
        self.begun.append(trio.current_time())
        try:
            await play(ctx)
        finally:
            self.ended.append(trio.current_time())


def failing(after: float = 0, error: type[BaseException] = ValueError) -> Play:
    """Make a play that raises a new exception after a time."""

    async def play(_: object) -> None:
        await trio.sleep(after)
        raise error("boom")

    return play


boom = failing()


async def tidying(seconds: float, ended: list[float] | None = None, raises: BaseException | None = None) -> None:
    """Wait to be cancelled; then take some seconds to end, note when, and raise what is given."""
    try:
        await trio.sleep_forever()
    finally:
        with trio.CancelScope(shield=True):
            await trio.sleep(seconds)
        if ended is not None:
            ended.append(trio.current_time())
        if raises is not None:
            raise raises


class Hardy(Orchestra[Tick], message_capacity=4):
    """One subsystem that begins anew a second after a failure."""

    worker: Subsystem[Item | Ask, Never, Tick] = subsystem(restart=Restart(backoff=1))


def hardy(restart: Restart | None, *, readiness: bool = False) -> type[Hardy]:
    """Make such a class with another restart."""

    class Varied(Hardy):
        worker: Subsystem[Item | Ask, Never, Tick] = subsystem(restart=restart, readiness=readiness)

    return Varied


def restart_records(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return the records of the library's log, which must all be warnings."""
    records = [record for record in caplog.records if record.name == "orchestra_trio"]
    assert all(record.levelno == logging.WARNING for record in records)
    return records
