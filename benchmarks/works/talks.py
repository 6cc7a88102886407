"""Requests, broadcasts, and what is urgent while a lane is kept full.

Under load, `LOADERS` subsystems send to one, whose bounded lane is full at the beginning. They fill whatever room there
is whenever they run, so that it stays within a tenth of full until they have no more. Once in every `EVERY`
messages of its own, each of them sends one that is urgent, with the time at which it began to send it: so the wait for
room is part of the flight. Nobody waits for the urgent ones to arrive, which would make them rarer where they are slow.
"""

from __future__ import annotations

from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, Never

import attrs
import trio

from benchmarks.harness import Peer, Quantity, QuantityPeer, Work
from benchmarks.peers import actors, asyncio_talks, trio_talks
from benchmarks.workload import (
    CAPACITY,
    EVERY,
    LOADERS,
    MANY,
    MESSAGE,
    PING,
    Message,
    Ping,
    Stopwatch,
    Urgent,
    check_count,
    part_of,
    share,
    turn,
    urgents_among,
)
from benchmarks.works.flights import throughput, urgent_flights
from benchmarks.works.running import check_messages, run_until_stopped
from orchestra_trio import (
    OneshotSender,
    Orchestra,
    Priority,
    RunningOrchestra,
    Subsystem,
    SubsystemContext,
    SubsystemStatistics,
    make_orchestra,
    subsystem,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from benchmarks.harness import Timed

__all__ = ["QUANTITIES", "WORKS", "broadcast", "priority_under_load", "requests", "signals_under_load"]


@attrs.frozen
class Question:
    """A number, and where to send it back to."""

    reply: OneshotSender[int]
    number: int


class Asking(Orchestra, message_capacity=CAPACITY):
    """One asks the other."""

    asks: Subsystem[Never, Question]
    answers: Subsystem[Question]


Broadcasting: Final[Any] = make_orchestra(
    "Broadcasting",
    {f"listener_{index}": Subsystem[Never, Never, Ping] for index in range(MANY)},
    signals=Ping,
    signal_capacity=CAPACITY,
)
"""Many subscribe to one signal."""

SignalsUnderLoad: Final[Any] = make_orchestra(
    "SignalsUnderLoad",
    {
        **{f"load_{index}": Subsystem[Never, Message] for index in range(LOADERS)},
        "sink": Subsystem[Message, Never, Urgent],
    },
    signals=Urgent,
    message_capacity=CAPACITY,
    signal_capacity=CAPACITY,
)
"""A subsystem whose bounded lane is full hears signals."""

PriorityUnderLoad: Final[Any] = make_orchestra(
    "PriorityUnderLoad",
    {
        **{f"load_{index}": Subsystem[Never, Message | Urgent] for index in range(LOADERS)},
        "sink": (Subsystem[Message | Urgent], subsystem(priority=True)),
    },
    message_capacity=CAPACITY,
)
"""A subsystem whose bounded lane is full has another lane for what is urgent."""


def requests(count: int) -> float:
    """Requests one after another: `ctx.request`, which ends with an error where no answer will come."""
    watch = Stopwatch()
    answered = 0

    async def asks(ctx: SubsystemContext[Never, Question]) -> None:
        nonlocal answered
        watch.begin()
        for _ in range(count):
            answered += await ctx.request(Question, 1)
        watch.end()

    async def answers(ctx: SubsystemContext[Question]) -> None:
        for _ in range(count):
            question = await ctx.receive()
            question.reply.send(question.number)

    trio.run(run_until_stopped, Asking(asks=asks, answers=answers), count)
    check_count("answers", answered, count)
    return watch.seconds


def broadcast(count: int) -> float:
    """Broadcasts of the embedding program, each to many subsystems, which receive nothing else.

    Each is a checkpoint, and waits until no lane is beyond its capacity; it is counted, so that one can wait until all
    have received it.
    """
    watch = Stopwatch(MANY)

    async def listener(ctx: SubsystemContext[Never, Never, Ping]) -> None:
        for _ in range(count):
            await ctx.receive()
        watch.end()

    async def main() -> None:
        listeners = {f"listener_{index}": listener for index in range(MANY)}
        async with Broadcasting(**listeners).open() as running:
            watch.begin()
            for _ in range(count):
                await running.broadcast_signal(PING)
            await running.wait_stopped()
        check_count("signals received", sum(one.signals.received for one in _subsystems(running)), MANY * count)

    trio.run(main)
    return watch.seconds


def signals_under_load(count: int, flights: list[float]) -> float:
    """What is urgent is broadcast as a signal, by the very tasks that send the messages; one subsystem subscribes."""
    running: RunningOrchestra[Any, Any]

    async def send_urgent(_ctx: SubsystemContext[Never, Message]) -> None:
        await running.broadcast_signal(Urgent(perf_counter()))

    loaded = _Loaded(count, flights, send_urgent)

    async def main() -> None:
        nonlocal running
        async with SignalsUnderLoad(**loaded.subsystems()).open() as running:
            await loaded.begin(running)
        check_messages(running.statistics(), CAPACITY + count)

    trio.run(main)
    return loaded.seconds


def priority_under_load(count: int, flights: list[float], *, priority: Priority = Priority.HIGH) -> float:
    """What is urgent is sent with a priority: with HIGH it has a lane of its own, with NORMAL that of the others."""

    async def send_urgent(ctx: SubsystemContext[Never, Message | Urgent]) -> None:
        await ctx.send(Urgent(perf_counter()), priority=priority)

    loaded = _Loaded(count, flights, send_urgent)

    async def main() -> None:
        async with PriorityUnderLoad(**loaded.subsystems()).open() as running:
            await loaded.begin(running)
        check_messages(running.statistics(), CAPACITY + count + urgents_among(count))

    trio.run(main)
    return loaded.seconds


def _subsystems(running: RunningOrchestra[Any, Any]) -> Collection[SubsystemStatistics]:
    return running.statistics().subsystems.values()


class _Loaded:
    """The subsystems that send to one, that one, and its times."""

    def __init__(self, count: int, flights: list[float], send_urgent: Any) -> None:  # noqa: ANN401 - takes any context
        self._count = count
        self._flights = flights
        self._send_urgent = send_urgent
        self._received = CAPACITY + count + urgents_among(count)
        self._watch = Stopwatch()
        self._is_full = trio.Event()

    @property
    def seconds(self) -> float:
        """The time for `count` of all that was received."""
        return self._watch.seconds * self._count / self._received

    def subsystems(self) -> dict[str, Any]:
        """Return all of them, by the names of their slots."""
        return {**{f"load_{index}": partial(self._load, index) for index in range(LOADERS)}, "sink": self._sink}

    async def begin(self, running: RunningOrchestra[Any, Any]) -> None:
        """Fill the lane, let them all begin, and wait for their end."""
        for _ in range(CAPACITY):
            running.route_message_nowait(MESSAGE)
        self._is_full.set()
        await running.wait_stopped()

    async def _load(self, index: int, ctx: SubsystemContext[Never, Any]) -> None:
        await self._is_full.wait()
        for number in range(share(self._count, index, LOADERS)):
            await ctx.send(MESSAGE)
            if number % EVERY == turn(index):
                await self._send_urgent(ctx)

    async def _sink(self, ctx: SubsystemContext[Message | Urgent, Never, Urgent]) -> None:
        await self._is_full.wait()
        flights = self._flights
        self._watch.begin()
        for _ in range(self._received):
            incoming = await ctx.receive()
            if type(incoming) is Urgent:
                flights.append(perf_counter() - incoming.sent_at)
        self._watch.end()


def _per_receipt(broadcasts: Timed) -> Timed:
    """Return a work of whose signals so many are received, however many subscribe to each."""

    def timed(count: int) -> float:
        signals = max(1, count // MANY)
        return broadcasts(signals) * count / (signals * MANY)

    return timed


_TRIO: Final = "trio channel"
_ASYNCIO: Final = "asyncio.Queue"

WORKS: Final = (
    Work(
        "requests",
        requests,
        [
            Peer(f"{_TRIO}, one more per request", trio_talks.requests),
            Peer(f"{_ASYNCIO}, a future per request", asyncio_talks.requests),
            Peer("pykka ask", part_of(actors.pykka_ask, 2), package="pykka"),
            Peer("xoscar, calls of a method", part_of(actors.xoscar_ask, 5), package="xoscar"),
        ],
        count=5_000,
        unit="request",
    ),
    Work(
        f"broadcast to {MANY}",
        _per_receipt(broadcast),
        [
            Peer(f"loop over {MANY} trio channels", _per_receipt(trio_talks.broadcast)),
            Peer("the same, nowait by hand", _per_receipt(trio_talks.broadcast_nowait)),
            Peer(f"loop over {MANY} asyncio queues", _per_receipt(asyncio_talks.broadcast)),
        ],
        count=20_000,
        unit="receipt",
    ),
    Work(
        f"a signal after every {EVERY} messages, full lane",
        throughput(signals_under_load),
        [
            Peer(f"{_TRIO}, in line", throughput(trio_talks.in_line)),
            Peer(f"{_ASYNCIO}, in line", throughput(asyncio_talks.in_line)),
        ],
        count=20_000,
    ),
)
"""In the order in which they are shown."""

QUANTITIES: Final = (
    Quantity(
        "flight of a signal, full lane",
        urgent_flights(signals_under_load),
        unit="us",
        count=20_000,
        peers=[
            QuantityPeer(f"{_TRIO}, in line", urgent_flights(trio_talks.in_line)),
            QuantityPeer(f"{_ASYNCIO}, in line", urgent_flights(asyncio_talks.in_line)),
        ],
    ),
    Quantity(
        "flight of a message with priority, full lane",
        urgent_flights(priority_under_load),
        unit="us",
        count=20_000,
        peers=[
            QuantityPeer(
                "ours, NORMAL in the full lane", urgent_flights(partial(priority_under_load, priority=Priority.NORMAL))
            ),
            QuantityPeer(f"{_TRIO}, in line", urgent_flights(trio_talks.in_line)),
            QuantityPeer(f"{_ASYNCIO}, in line", urgent_flights(asyncio_talks.in_line)),
            QuantityPeer("asyncio.PriorityQueue", urgent_flights(asyncio_talks.priority_queue)),
        ],
    ),
)
"""In the order in which they are shown."""
