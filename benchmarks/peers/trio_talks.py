"""`trio.open_memory_channel`: requests, broadcasts, and what is urgent while a channel is kept full."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import TypeAlias

import attrs
import trio

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
    share,
    turn,
    urgents_among,
)

__all__ = ["broadcast", "broadcast_nowait", "in_line", "requests"]


@attrs.frozen
class Question:
    """A number, and where to send it back to."""

    reply: trio.MemorySendChannel[int]
    number: int


def requests(count: int) -> float:
    """Requests one after another; for each a channel is opened that takes one answer.

    The one that answers puts it there without waiting, as there is room for it. Nobody closes these channels, which
    would take longer still; so a request that is not answered would be waited for for ever, where ours ends with an
    error.
    """
    watch = Stopwatch()
    answers = 0

    async def ask(sender: trio.MemorySendChannel[Question]) -> None:
        nonlocal answers
        watch.begin()
        for _ in range(count):
            reply, answer = trio.open_memory_channel[int](1)
            await sender.send(Question(reply, 1))
            answers += await answer.receive()
        watch.end()

    async def give_answers(receiver: trio.MemoryReceiveChannel[Question]) -> None:
        for _ in range(count):
            question = await receiver.receive()
            question.reply.send_nowait(question.number)

    async def main() -> None:
        sender, receiver = trio.open_memory_channel[Question](CAPACITY)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, sender)
            nursery.start_soon(give_answers, receiver)

    trio.run(main)
    check_count("answers", answers, count)
    return watch.seconds


def broadcast(count: int) -> float:
    """Broadcasts as a loop over the channels, which waits at each of them.

    A subscriber that stalls keeps those after it from hearing anything, where ours puts a signal into all lanes in one
    step.
    """

    async def send(senders: list[trio.MemorySendChannel[Ping]]) -> None:
        for _ in range(count):
            for sender in senders:
                await sender.send(PING)

    return _broadcast(count, send)


def broadcast_nowait(count: int) -> float:
    """The same with nowait calls, and one checkpoint for each broadcast: the faster way, written by hand."""

    async def send(senders: list[trio.MemorySendChannel[Ping]]) -> None:
        for _ in range(count):
            for sender in senders:
                try:
                    sender.send_nowait(PING)
                except trio.WouldBlock:
                    await sender.send(PING)
            await trio.lowlevel.checkpoint()

    return _broadcast(count, send)


_Broadcasting: TypeAlias = Callable[[list[trio.MemorySendChannel[Ping]]], Awaitable[None]]


def _broadcast(count: int, send: _Broadcasting) -> float:
    watch = Stopwatch(MANY)

    async def begin(senders: list[trio.MemorySendChannel[Ping]]) -> None:
        watch.begin()
        await send(senders)

    async def receive(receiver: trio.MemoryReceiveChannel[Ping]) -> None:
        for _ in range(count):
            await receiver.receive()
        watch.end()

    async def main() -> None:
        senders: list[trio.MemorySendChannel[Ping]] = []
        async with trio.open_nursery() as nursery:
            for _ in range(MANY):
                sender, receiver = trio.open_memory_channel[Ping](CAPACITY)
                senders.append(sender)
                nursery.start_soon(receive, receiver)
            nursery.start_soon(begin, senders)

    trio.run(main)
    return watch.seconds


def in_line(count: int, flights: list[float]) -> float:
    """Some tasks keep the channel full, and what is urgent goes through it in line with their messages.

    There is nothing else that it could go through: who receives from two channels at once needs a task for each.
    """
    watch = Stopwatch()
    received = CAPACITY + count + urgents_among(count)

    async def load(sender: trio.MemorySendChannel[Message | Urgent], index: int) -> None:
        for number in range(share(count, index, LOADERS)):
            await sender.send(MESSAGE)
            if number % EVERY == turn(index):
                await sender.send(Urgent(perf_counter()))

    async def receive(receiver: trio.MemoryReceiveChannel[Message | Urgent]) -> None:
        watch.begin()
        for _ in range(received):
            message = await receiver.receive()
            if type(message) is Urgent:
                flights.append(perf_counter() - message.sent_at)
        watch.end()

    async def main() -> None:
        sender, receiver = trio.open_memory_channel[Message | Urgent](CAPACITY)
        for _ in range(CAPACITY):
            sender.send_nowait(MESSAGE)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive, receiver)
            for index in range(LOADERS):
                nursery.start_soon(load, sender, index)

    trio.run(main)
    return watch.seconds * count / received
