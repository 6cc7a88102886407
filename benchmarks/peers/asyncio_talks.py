"""`asyncio.Queue` and `asyncio.PriorityQueue`: requests, broadcasts, and what is urgent while a queue is kept full.

Calls that need not wait are no schedule points; see `asyncio_queues`.
"""

from __future__ import annotations

import asyncio
from itertools import count as numbers
from time import perf_counter
from typing import TypeAlias

import attrs

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

__all__ = ["broadcast", "in_line", "priority_queue", "requests"]


@attrs.frozen
class Question:
    """A number, and where to send it back to."""

    reply: asyncio.Future[int]
    number: int


def requests(count: int) -> float:
    """Requests one after another, each with a future for its answer.

    A request that is not answered would be waited for for ever, where ours ends with an error.
    """
    watch = Stopwatch()
    answers = 0

    async def ask(queue: asyncio.Queue[Question]) -> None:
        nonlocal answers
        loop = asyncio.get_running_loop()
        watch.begin()
        for _ in range(count):
            reply: asyncio.Future[int] = loop.create_future()
            await queue.put(Question(reply, 1))
            answers += await reply
        watch.end()

    async def give_answers(queue: asyncio.Queue[Question]) -> None:
        for _ in range(count):
            question = await queue.get()
            question.reply.set_result(question.number)

    async def main() -> None:
        queue: asyncio.Queue[Question] = asyncio.Queue(CAPACITY)
        await asyncio.gather(ask(queue), give_answers(queue))

    asyncio.run(main())
    check_count("answers", answers, count)
    return watch.seconds


def broadcast(count: int) -> float:
    """Broadcasts as a loop over the queues.

    A subscriber that stalls keeps those after it from hearing anything, where ours puts a signal into all lanes in one
    step. Nobody hears of a signal before the first queue is full.
    """
    watch = Stopwatch(MANY)

    async def send(queues: list[asyncio.Queue[Ping]]) -> None:
        watch.begin()
        for _ in range(count):
            for queue in queues:
                await queue.put(PING)

    async def receive(queue: asyncio.Queue[Ping]) -> None:
        for _ in range(count):
            await queue.get()
        watch.end()

    async def main() -> None:
        queues: list[asyncio.Queue[Ping]] = [asyncio.Queue(CAPACITY) for _ in range(MANY)]
        await asyncio.gather(*[receive(queue) for queue in queues], send(queues))

    asyncio.run(main())
    return watch.seconds


def in_line(count: int, flights: list[float]) -> float:
    """Some tasks keep the queue full, and what is urgent goes through it in line with their messages."""
    watch = Stopwatch()
    received = CAPACITY + count + urgents_among(count)

    async def load(queue: asyncio.Queue[Message | Urgent], index: int) -> None:
        for number in range(share(count, index, LOADERS)):
            await queue.put(MESSAGE)
            if number % EVERY == turn(index):
                await queue.put(Urgent(perf_counter()))

    async def receive(queue: asyncio.Queue[Message | Urgent]) -> None:
        watch.begin()
        for _ in range(received):
            message = await queue.get()
            if type(message) is Urgent:
                flights.append(perf_counter() - message.sent_at)
        watch.end()

    async def main() -> None:
        queue: asyncio.Queue[Message | Urgent] = asyncio.Queue(CAPACITY)
        for _ in range(CAPACITY):
            queue.put_nowait(MESSAGE)
        loaders = [load(queue, index) for index in range(LOADERS)]
        await asyncio.gather(receive(queue), *loaders)

    asyncio.run(main())
    return watch.seconds * count / received


_Entry: TypeAlias = tuple[int, int, Message | Urgent]
"""The rank, then the number that keeps those of one rank in order, as the documentation of `heapq` advises."""


def priority_queue(count: int, flights: list[float]) -> float:
    """Some tasks keep a priority queue full, and what is urgent overtakes their messages in it.

    It has one capacity for all ranks: what is urgent waits for room with the others, and only then overtakes.
    """
    watch = Stopwatch()
    received = CAPACITY + count + urgents_among(count)
    next_number = numbers().__next__

    async def load(queue: asyncio.PriorityQueue[_Entry], index: int) -> None:
        for number in range(share(count, index, LOADERS)):
            await queue.put((1, next_number(), MESSAGE))
            if number % EVERY == turn(index):
                await queue.put((0, next_number(), Urgent(perf_counter())))

    async def receive(queue: asyncio.PriorityQueue[_Entry]) -> None:
        watch.begin()
        for _ in range(received):
            _, _, message = await queue.get()
            if type(message) is Urgent:
                flights.append(perf_counter() - message.sent_at)
        watch.end()

    async def main() -> None:
        queue: asyncio.PriorityQueue[_Entry] = asyncio.PriorityQueue(CAPACITY)
        for _ in range(CAPACITY):
            queue.put_nowait((1, next_number(), MESSAGE))
        loaders = [load(queue, index) for index in range(LOADERS)]
        await asyncio.gather(receive(queue), *loaders)

    asyncio.run(main())
    return watch.seconds * count / received
