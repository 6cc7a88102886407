"""What the tests of the command `bench` share: statistics made by hand, and a chain of three subsystems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Never

import attrs
import trio

from orchestra_trio import (
    OneshotSender,
    Orchestra,
    OrchestraStatistics,
    Readout,
    Subsystem,
    SubsystemContext,
    SubsystemStatistics,
    subsystem,
)
from orchestra_trio.cli.bench.looking import Reading
from orchestra_trio.cli.bench.measuring import Measuring
from orchestra_trio.records import Wait

if TYPE_CHECKING:
    from orchestra_trio.cli.bench.loads import Load
    from orchestra_trio.cli.bench.report import Report
    from orchestra_trio.records import LaneName, SubsystemState, WaitKind

IDLE = Readout(sent=0, received=0, channel_len=0, peak_channel_len=0, blocked=0)


def readout(length: int = 0, *, received: int = 0, blocked: int = 0, tof: tuple[float, ...] = ()) -> Readout:
    return Readout(received + length, received, length, length, blocked, tof)


def wait(kind: WaitKind, subsystem: str = "", lane: LaneName = "bounded") -> Wait:
    return Wait("task", kind, subsystem, None if kind == "request" else lane, None, 0)


def member(
    name: str,
    bounded: Readout = IDLE,
    *waits: Wait,
    jobs: int = 0,
    state: SubsystemState = "running",
    signals: Readout = IDLE,
) -> SubsystemStatistics:
    """Return the statistics of one subsystem."""
    return SubsystemStatistics(name, state, signals, IDLE, IDLE, bounded, 0, jobs, 0, waits)


def reading(time: float, *members: SubsystemStatistics, outgoing: Readout = IDLE) -> Reading:
    """Return all meters at one moment."""
    statistics = OrchestraStatistics("Sample", {one.name: one for one in members}, 0, IDLE, {}, time)
    return Reading(time, statistics, outgoing)


class Raw(NamedTuple):
    number: int


class Cooked(NamedTuple):
    number: int


class Question(NamedTuple):
    reply: OneshotSender[int]


class Chain(Orchestra, message_capacity=16):
    """The one in the middle gets from the first, or from outside, and gives to the last."""

    first: Subsystem[Never, Raw]
    middle: Subsystem[Raw, Cooked]
    last: Subsystem[Cooked] = subsystem(message_capacity=4)


class Asking(Orchestra, message_capacity=16, outgoing=Cooked):
    """Each Raw needs an answer."""

    asker: Subsystem[Raw, Question | Cooked]
    answerer: Subsystem[Question]


@attrs.frozen
class Source:
    """Sends so many, as fast as it can, or with a pause after each."""

    count: int = 10**9
    pause: float = 0

    async def __call__(self, ctx: SubsystemContext[Never, Raw]) -> None:
        for number in range(self.count):
            await ctx.send(Raw(number))
            if self.pause:
                await trio.sleep(self.pause)


@attrs.frozen
class Cook:
    """Takes some time for each."""

    seconds: float = 0

    async def __call__(self, ctx: SubsystemContext[Raw, Cooked]) -> None:
        async for raw in ctx:
            await trio.sleep(self.seconds)
            await ctx.send(Cooked(raw.number))


@attrs.frozen
class Eater:
    """Takes some time for each, and fails at one."""

    seconds: float = 0
    fails_at: int | None = None

    async def __call__(self, ctx: SubsystemContext[Cooked]) -> None:
        async for cooked in ctx:
            await trio.sleep(self.seconds)
            if cooked.number == self.fails_at:
                message = "too hot\nand more of it"
                raise ValueError(message)


def make_chain(source: float = 0, cook: float = 0, eater: float = 0, count: int = 10**9) -> Chain:
    """Return a chain in which each takes so many seconds for each message."""
    return Chain(first=Source(count, source), middle=Cook(cook), last=Eater(eater))


async def ask(ctx: SubsystemContext[Raw, Question | Cooked]) -> None:
    async for raw in ctx:
        await ctx.send(Cooked(await ctx.request(Question) + raw.number))


async def answer_slowly(ctx: SubsystemContext[Question]) -> None:
    async for question in ctx:
        await trio.sleep(0.1)
        question.reply.send(1)


async def measure(
    orchestra: Orchestra[Any, Any], load: Load | None = None, *, seconds: float = 20, warm_up: float = 1
) -> Report:
    """Measure for some time, and return the figures."""
    measuring = Measuring(orchestra, load, seconds, warm_up, processor_time=lambda: 0.0)
    await measuring.run()
    assert measuring.report is not None
    return measuring.report
