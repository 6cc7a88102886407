"""What the tests of deadlock detection share: wirings with cycles, what their subsystems do, and how they are run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeAlias

import trio

from orchestra_trio import DeadlockDetected, OneshotSender, Orchestra, Subsystem
from tests.runtime.samples import AnyContext, Tick, stopped

Main: TypeAlias = Callable[[AnyContext], Awaitable[None]]

LONG = 10_000
"""Seconds on the mock clock, around the orchestra: when they are over, it hung."""


class MsgA(NamedTuple):
    """Goes to a."""

    number: int = 0


class MsgB(NamedTuple):
    """Goes to b."""

    number: int = 0


class MsgC(NamedTuple):
    """Goes to c."""

    number: int = 0


class QueryA(NamedTuple):
    """Asks a."""

    reply: OneshotSender[int]


class QueryB(NamedTuple):
    """Asks b."""

    reply: OneshotSender[int]


class Pair(Orchestra[Tick], message_capacity=1):
    """Two that send to each other, and ask each other."""

    a: Subsystem[MsgA | QueryA, MsgB | QueryB]
    b: Subsystem[MsgB | QueryB, MsgA | QueryA]


class Trio(Orchestra[Tick], message_capacity=1):
    """Three, each of which sends to all, itself included. The first two hear signals."""

    a: Subsystem[MsgA | QueryA, MsgA | MsgB | MsgC | QueryB | QueryA, Tick]
    b: Subsystem[MsgB | QueryB, MsgA | MsgB | MsgC | QueryA | QueryB, Tick]
    c: Subsystem[MsgC, MsgA | MsgB | MsgC | QueryA | QueryB]


def fills(*messages: object) -> Main:
    """Make a subsystem that sends these messages one after another, over and over, and never receives."""

    async def send_on_and_on(ctx: AnyContext) -> None:
        while True:
            for message in messages:
                await ctx.send(message)

    return send_on_and_on


def asks(query: Callable[[OneshotSender[int]], object], *, first: object = None) -> Main:
    """Make a subsystem that sends one message, if it is given one, and then makes requests."""

    async def ask(ctx: AnyContext) -> None:
        if first is not None:
            await ctx.send(first)
        while True:
            await ctx.request(query)

    return ask


async def sleeps(_: AnyContext) -> None:
    """Never receive, and never end; nobody but itself knows that it will not."""
    await trio.sleep_forever()


async def takes(ctx: AnyContext) -> None:
    """Receive one after another until the input ends, one each second."""
    async for _ in ctx:
        await trio.sleep(1)


async def deadlock_in(orchestra: Orchestra[Any, Any]) -> DeadlockDetected:
    """Open an orchestra and wait; return the one error that stops it."""
    with stopped() as errors, trio.fail_after(LONG):
        async with orchestra.open():
            await trio.sleep_forever()
    (error,) = errors
    assert isinstance(error, DeadlockDetected)
    return error


async def stays_open(orchestra: Orchestra[Any, Any], seconds: float = 100) -> None:
    """Open an orchestra for a time; see that nothing stops it before."""
    with trio.fail_after(LONG):
        async with orchestra.open() as running:
            with trio.move_on_after(seconds) as scope:
                await running.wait_stopped()
            assert scope.cancelled_caught
            running.cancel()
