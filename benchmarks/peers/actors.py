"""Libraries of actors: pykka, whose actors have a thread each, and xoscar, whose actors here share one process.

Their inboxes have no bound, so that who sends never waits for room; and an actor is called for each message, where a
subsystem of ours has a loop. Of a request, they too tell the caller when it fails.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from benchmarks.workload import MESSAGE, Message, Stopwatch, check_count

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

__all__ = ["pykka_ask", "pykka_tell", "xoscar_ask", "xoscar_tell"]


def pykka_tell(count: int) -> float:
    """One message at a time to a `pykka.ThreadingActor`, with `tell`."""
    import pykka  # noqa: PLC0415 - not everybody has this peer

    watch = Stopwatch()
    done = threading.Event()

    class Receiver(pykka.ThreadingActor):
        left = count

        def on_receive(self, message: object) -> None:  # noqa: ARG002 - a message is only counted, as everywhere
            self.left -= 1
            if not self.left:
                watch.end()
                done.set()

    actor = Receiver.start()
    watch.begin()
    for _ in range(count):
        actor.tell(MESSAGE)
    done.wait()
    actor.stop()
    return watch.seconds


def pykka_ask(count: int) -> float:
    """Requests one after another to a `pykka.ThreadingActor`, with `ask`, which blocks the thread that asks."""
    import pykka  # noqa: PLC0415 - not everybody has this peer

    watch = Stopwatch()
    answers = 0

    class GivesAnswers(pykka.ThreadingActor):
        def on_receive(self, message: Message) -> int:
            return message.number

    actor = GivesAnswers.start()
    watch.begin()
    for _ in range(count):
        answers += actor.ask(MESSAGE, block=True)
    watch.end()
    actor.stop()
    check_count("answers", answers, count)
    return watch.seconds


def xoscar_tell(count: int) -> float:
    """One message at a time to an actor of xoscar, with a method's `tell`, which waits only until it is on its way."""
    watch = Stopwatch()
    done: list[asyncio.Event] = []

    class Receiver(import_module("xoscar").Actor):  # type: ignore[misc]  # not everybody has this peer
        left = count

        async def hear(self, _message: Message) -> None:
            self.left -= 1
            if not self.left:
                watch.end()
                done[0].set()

    async def main() -> None:
        done.append(asyncio.Event())
        async with _xoscar_actor(Receiver) as actor:
            watch.begin()
            for _ in range(count):
                await actor.hear.tell(MESSAGE)
            await done[0].wait()

    asyncio.run(main())
    return watch.seconds


def xoscar_ask(count: int) -> float:
    """Requests one after another to an actor of xoscar, as calls of a method."""
    watch = Stopwatch()
    answers = 0

    class GivesAnswers(import_module("xoscar").Actor):  # type: ignore[misc]  # not everybody has this peer
        async def answer(self, message: Message) -> int:
            return message.number

    async def main() -> None:
        nonlocal answers
        async with _xoscar_actor(GivesAnswers) as actor:
            watch.begin()
            for _ in range(count):
                answers += await actor.answer(MESSAGE)
            watch.end()

    asyncio.run(main())
    check_count("answers", answers, count)
    return watch.seconds


@asynccontextmanager
async def _xoscar_actor(actor_class: type) -> AsyncGenerator[Any]:
    """Run an actor in this process, on this event loop: no message is serialized, and none passes through a socket."""
    xoscar = import_module("xoscar")
    pool = await xoscar.create_actor_pool("127.0.0.1:0", n_process=0)
    try:
        yield await xoscar.create_actor(actor_class, address=pool.external_address)
    finally:
        await pool.stop()
