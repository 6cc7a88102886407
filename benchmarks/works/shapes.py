"""The shapes in which messages flow: many to one, one to many, and one after another.

The subsystems do nothing but send and receive, in the same loops as the peers.
"""

from __future__ import annotations

from itertools import cycle, islice
from typing import Any, Final, Never

import trio

from benchmarks.harness import Peer, Work
from benchmarks.peers import asyncio_queues, trio_channels
from benchmarks.workload import CAPACITY, HOPS, MANY, MESSAGE, Message, Stopwatch, share
from benchmarks.works.running import run_until_stopped
from orchestra_trio import Subsystem, SubsystemContext, make_orchestra, subsystem

__all__ = ["WORKS", "chain", "fan_in", "fan_out"]

_PARTS: Final = [type(f"Part{index}", (), {}) for index in range(MANY)]
"""The types of messages of the fan-out: a consumer each."""

_STEPS: Final = [type(f"Step{index}", (), {}) for index in range(HOPS)]
"""The types of messages of the chain: a hop each."""

FanIn: Final[Any] = make_orchestra(
    "FanIn",
    {**{f"source_{index}": Subsystem[Never, Message] for index in range(MANY)}, "sink": Subsystem[Message]},
    message_capacity=CAPACITY,
)
"""Many send to one."""

FanOut: Final[Any] = make_orchestra(
    "FanOut",
    {
        "source": subsystem(sends=tuple(_PARTS)),
        **{f"sink_{index}": subsystem(consumes=part) for index, part in enumerate(_PARTS)},
    },
    message_capacity=CAPACITY,
)
"""One sends to many."""

Chain: Final[Any] = make_orchestra(
    "Chain",
    {
        "source": subsystem(sends=_STEPS[0]),
        **{f"relay_{index}": subsystem(consumes=_STEPS[index - 1], sends=_STEPS[index]) for index in range(1, HOPS)},
        "sink": subsystem(consumes=_STEPS[-1]),
    },
    message_capacity=CAPACITY,
)
"""Messages go from subsystem to subsystem."""


def fan_in(count: int) -> float:
    """Many subsystems send to one, through the one bounded lane that it has."""
    watch = Stopwatch()

    def source(messages: int) -> Any:  # noqa: ANN401 - a subsystem
        async def send(ctx: SubsystemContext[Never, Message]) -> None:
            watch.begin()
            for _ in range(messages):
                await ctx.send(MESSAGE)

        return send

    async def sink(ctx: SubsystemContext[Message]) -> None:
        for _ in range(count):
            await ctx.receive()
        watch.end()

    sources = {f"source_{index}": source(share(count, index)) for index in range(MANY)}
    trio.run(run_until_stopped, FanIn(**sources, sink=sink), count)
    return watch.seconds


def fan_out(count: int) -> float:
    """One subsystem sends to many, in turn: the type of the message says to whom, which the peers need not look up."""
    watch = Stopwatch(MANY)
    parts = [part() for part in _PARTS]

    async def source(ctx: SubsystemContext[Never, Any]) -> None:
        watch.begin()
        for part in islice(cycle(parts), count):
            await ctx.send(part)

    def sink(messages: int) -> Any:  # noqa: ANN401 - a subsystem
        async def receive(ctx: SubsystemContext[Any]) -> None:
            for _ in range(messages):
                await ctx.receive()
            watch.end()

        return receive

    sinks = {f"sink_{index}": sink(share(count, index)) for index in range(MANY)}
    trio.run(run_until_stopped, FanOut(source=source, **sinks), count)
    return watch.seconds


def chain(count: int) -> float:
    """Messages go from subsystem to subsystem; each hop has its own type of message, as every wiring would."""
    watch = Stopwatch()

    async def source(ctx: SubsystemContext[Never, Any]) -> None:
        step = _STEPS[0]()
        watch.begin()
        for _ in range(count):
            await ctx.send(step)

    def relay(index: int) -> Any:  # noqa: ANN401 - a subsystem
        async def pass_on(ctx: SubsystemContext[Any, Any]) -> None:
            step = _STEPS[index]()
            for _ in range(count):
                await ctx.receive()
                await ctx.send(step)

        return pass_on

    async def sink(ctx: SubsystemContext[Any]) -> None:
        for _ in range(count):
            await ctx.receive()
        watch.end()

    relays = {f"relay_{index}": relay(index) for index in range(1, HOPS)}
    trio.run(run_until_stopped, Chain(source=source, **relays, sink=sink), HOPS * count)
    return watch.seconds


_TRIO: Final = "trio channels, wired by hand"
_ASYNCIO: Final = "asyncio queues, wired by hand"

WORKS: Final = (
    Work(
        f"fan-in {MANY}:1",
        fan_in,
        [Peer(_TRIO, trio_channels.fan_in), Peer(_ASYNCIO, asyncio_queues.fan_in)],
        count=20_000,
    ),
    Work(
        f"fan-out 1:{MANY}",
        fan_out,
        [Peer(_TRIO, trio_channels.fan_out), Peer(_ASYNCIO, asyncio_queues.fan_out)],
        count=30_000,
    ),
    Work(
        f"chain of {HOPS} hops",
        chain,
        [Peer(_TRIO, trio_channels.chain), Peer(_ASYNCIO, asyncio_queues.chain)],
        count=5_000,
        unit=f"message, {HOPS} hops",
    ),
)
"""In the order in which they are shown."""
