"""The fixed runs that are counted, and the yardstick. They stay as they are: a changed run needs new figures."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Never

import attrs
import trio
from trio.testing import MockClock

from orchestra_trio import (
    OneshotSender,
    Orchestra,
    Subsystem,
    SubsystemContext,
    make_orchestra,
    open_metered_channel,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from orchestra_trio import MeteredReceiver, MeteredSender

__all__ = ["RUNS", "YARDSTICK", "Run"]

_CAPACITY: Final = 1024
_BATCH: Final = 100
_LISTENERS: Final = 16


@attrs.frozen
class Run:
    """Something that is done a number of times, in the same way each time."""

    name: str
    unit: str
    """What it is done to, and a figure is for one of."""
    size: int
    """How many units; it is counted with as many, and with twice as many. Full lanes and schedule points are in it."""
    prepare: Callable[[int], Callable[[], object]]
    """Given the number of units, returns what does them all; only that is counted."""


@attrs.frozen
class _Message:
    """What is sent."""


@attrs.frozen
class _Answer:
    """What is sent back."""


@attrs.frozen
class _Question:
    """A request."""

    reply: OneshotSender[int]


@attrs.frozen
class _Tick:
    """A signal."""


_MESSAGE: Final = _Message()
_ANSWER: Final = _Answer()
_TICK: Final = _Tick()


class _OneWay(Orchestra, message_capacity=_CAPACITY):
    source: Subsystem[Never, _Message]
    sink: Subsystem[_Message]


class _RoundTrip(Orchestra, message_capacity=_CAPACITY):
    ping: Subsystem[_Answer, _Message]
    pong: Subsystem[_Message, _Answer]


class _Talk(Orchestra, message_capacity=_CAPACITY):
    asker: Subsystem[Never, _Question]
    answerer: Subsystem[_Question]


def _in_trio(main: Callable[[], Awaitable[object]]) -> Callable[[], object]:
    """Return what runs it; on a clock that stands still, so that no schedule point depends on the time."""
    return partial(trio.run, main, clock=MockClock())


def _until_stopped(orchestra: Orchestra) -> Callable[[], object]:
    """Return what runs it until its subsystems have ended by themselves."""

    async def main() -> None:
        async with orchestra.open() as running:
            await running.wait_stopped()

    return _in_trio(main)


def _one_at_a_time(count: int) -> Callable[[], object]:
    async def source(ctx: SubsystemContext[Never, _Message]) -> None:
        for _ in range(count):
            await ctx.send(_MESSAGE)

    async def sink(ctx: SubsystemContext[_Message]) -> None:
        for _ in range(count):
            await ctx.receive()

    return _until_stopped(_OneWay(source=source, sink=sink))


def _batches(count: int) -> Callable[[], object]:
    batch = [_MESSAGE] * _BATCH

    async def source(ctx: SubsystemContext[Never, _Message]) -> None:
        for _ in range(count // _BATCH):
            await ctx.send_many(batch)

    async def sink(ctx: SubsystemContext[_Message]) -> None:
        left = count
        while left:
            left -= len(await ctx.receive_many(_BATCH))

    return _until_stopped(_OneWay(source=source, sink=sink))


def _ping_pong(count: int) -> Callable[[], object]:
    async def ping(ctx: SubsystemContext[_Answer, _Message]) -> None:
        for _ in range(count):
            await ctx.send(_MESSAGE)
            await ctx.receive()

    async def pong(ctx: SubsystemContext[_Message, _Answer]) -> None:
        for _ in range(count):
            await ctx.receive()
            await ctx.send(_ANSWER)

    return _until_stopped(_RoundTrip(ping=ping, pong=pong))


def _requests(count: int) -> Callable[[], object]:
    async def asker(ctx: SubsystemContext[Never, _Question]) -> None:
        for _ in range(count):
            await ctx.request(_Question)

    async def answerer(ctx: SubsystemContext[_Question]) -> None:
        for _ in range(count):
            (await ctx.receive()).reply.send(1)

    return _until_stopped(_Talk(asker=asker, answerer=answerer))


async def _listen(ctx: SubsystemContext[Any, Never, _Tick]) -> None:
    async for _ in ctx:
        pass


def _listeners(count: int) -> Orchestra[_Tick]:
    """Return an orchestra of so many subsystems, each with an input of its own."""
    names = [f"listener_{number}" for number in range(count)]
    fields = {name: Subsystem[attrs.make_class(f"For_{name}", []), Never, _Tick] for name in names}  # type: ignore[misc]  # types that are made at run time
    made: Any = make_orchestra("Listeners", fields, signals=_Tick)
    orchestra: Orchestra[_Tick] = made(**dict.fromkeys(names, _listen))
    return orchestra


def _broadcast(count: int) -> Callable[[], object]:
    orchestra = _listeners(_LISTENERS)

    async def main() -> None:
        async with orchestra.open() as running:
            for _ in range(count):
                await running.broadcast_signal(_TICK)

    return _in_trio(main)


def _start_and_stop(count: int) -> Callable[[], object]:
    orchestra = _listeners(count)

    async def main() -> None:
        async with orchestra.open():
            pass

    return _in_trio(main)


def _channel(count: int) -> Callable[[], object]:
    async def send(sender: MeteredSender[_Message]) -> None:
        for _ in range(count):
            await sender.send(_MESSAGE)

    async def receive(receiver: MeteredReceiver[_Message]) -> None:
        for _ in range(count):
            await receiver.receive()

    async def main() -> None:
        sender, receiver = open_metered_channel[_Message](_CAPACITY, yield_every=64)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send, sender)
            nursery.start_soon(receive, receiver)

    return _in_trio(main)


class _Counting:
    """What the yardstick calls."""

    def __init__(self) -> None:
        self.calls = 0
        self.last: dict[str, int] = {}

    def note(self, number: int) -> None:
        self.calls += 1
        self.last["number"] = number

    async def note_later(self, number: int) -> int | None:
        self.note(number)
        return self.last.get("nothing")


def _calls(count: int) -> Callable[[], object]:
    counting = _Counting()

    async def main() -> None:
        for number in range(count):
            await counting.note_later(number)

    def run() -> None:
        with suppress(StopIteration):
            main().send(None)

    return run


YARDSTICK: Final = Run("yardstick", "call", 5_000, _calls)
"""Plain Python that only a change of the interpreter makes dearer: calls, awaits, attributes, dictionaries."""

RUNS: Final = (
    Run("one-at-a-time", "message", 2_048, _one_at_a_time),
    Run("batches", "message", 12_800, _batches),
    Run("ping-pong", "round trip", 256, _ping_pong),
    Run("requests", "request", 128, _requests),
    Run("broadcast", f"signal to {_LISTENERS}", 32, _broadcast),
    Run("start-and-stop", "subsystem", 50, _start_and_stop),
    Run("channel", "message", 1_024, _channel),
)
"""All fixed runs, in the order in which they are shown. None has threads: the system decides when those switch."""
