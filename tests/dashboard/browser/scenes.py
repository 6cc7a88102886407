"""Orchestras that the page is shown with."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import attrs
import trio

from orchestra_trio import Orchestra, Restart, Subsystem, subsystem
from tests.dashboard.asking import served
from tests.runtime.samples import AnyContext, Duo, Item, Other, Playing, forever, idle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from orchestra_trio import RunningOrchestra
    from tests.dashboard.browser.tabs import Tab

INTERVAL = 0.1


@attrs.frozen
class Ball:
    """A message of one of many pairs."""

    number: int


class Knot(Orchestra, message_capacity=2, on_deadlock="warn"):
    """Two that send each other more than their lanes hold, and one that has no part in it."""

    asker: Subsystem[Item, Other]
    broker: Subsystem[Other, Item | str]
    clerk: Subsystem[str]


class Lab(Orchestra, message_capacity=2):
    """One that begins anew after an error, and one whose error ends all."""

    gauge: Subsystem[Item] = subsystem(restart=Restart(backoff=3600, max_backoff=3600, on=ValueError))
    fuse: Subsystem[Other]


def flood(make: Any) -> Playing:  # noqa: ANN401 - a type of message
    """Answer each message with five, until somebody cancels that."""
    return Playing(lambda ctx: _flood(ctx, make))


async def _flood(ctx: AnyContext, make: Any) -> None:  # noqa: ANN401 - a type of message
    async for incoming in ctx:
        for _ in range(5):
            await ctx.send(make(incoming.number))


async def breaks(ctx: AnyContext) -> None:
    """Fail at the first message."""
    async for _ in ctx:
        message = "as planned"
        raise ValueError(message)


async def pulsing(ctx: AnyContext) -> None:
    """Send for ever: the pauses are the load's, and nobody waits for them."""
    number = 0
    while True:
        await ctx.send(Item(number))
        number += 1
        await trio.sleep(0.01)


def make_knot() -> Knot:
    return Knot(asker=flood(Other), broker=flood(Item), clerk=idle)


def make_duo(*, is_stuck: bool = False) -> Duo:
    """Return one that sends, and one that receives, or does not."""
    return Duo(source=Playing(pulsing), sink=forever if is_stuck else idle)


def make_crowd(workers: int = 600, stores: int = 400) -> Orchestra[Any, Any]:
    """Return an orchestra of so many: each worker may send to a store."""
    records = [type(f"Record{number}", (), {}) for number in range(stores)]
    jobs = [type(f"Job{number}", (), {}) for number in range(workers)]  # a type has one consumer
    slots: dict[str, Any] = {
        f"worker{number}": Subsystem[job, records[number % stores]]  # type: ignore[misc, valid-type]  # made at run time
        for number, job in enumerate(jobs)
    }
    for number, record in enumerate(records):
        slots[f"store{number}"] = Subsystem[record]  # type: ignore[valid-type]  # made at run time
    made: Any = type("Crowd", (Orchestra,), {"__annotations__": slots})
    orchestra: Orchestra[Any, Any] = made(**dict.fromkeys(slots, idle))
    return orchestra


def make_pairs(pairs: int = 120) -> tuple[Orchestra[Any, Any], list[type[Ball]]]:
    """Return an orchestra of pairs, and for each a message that makes the two wait for each other for ever."""
    balls: list[type[Ball]] = [type(f"Ball{number}", (Ball,), {}) for number in range(pairs)]
    backs = [type(f"Back{number}", (Ball,), {}) for number in range(pairs)]
    slots: dict[str, Any] = {}
    for number, (ball, back) in enumerate(zip(balls, backs, strict=True)):
        slots[f"ping{number}"] = Subsystem[ball, back]  # type: ignore[valid-type]  # made at run time
        slots[f"pong{number}"] = Subsystem[back, ball]  # type: ignore[valid-type]  # made at run time
    players = {f"ping{number}": flood(back) for number, back in enumerate(backs)}
    players |= {f"pong{number}": flood(ball) for number, ball in enumerate(balls)}
    made: Any = type("Pairs", (Orchestra,), {"__annotations__": slots}, message_capacity=2, on_deadlock="warn")
    return made(**players), balls


@asynccontextmanager
async def shown(
    tab: Tab,
    orchestra: Orchestra[Any, Any],
    path: str = "",
    **options: Any,  # noqa: ANN401 - of `serve_dashboard`
) -> AsyncIterator[RunningOrchestra[Any, Any]]:
    """Run an orchestra, look at its page, and end all of it."""
    async with orchestra.open() as running, served(running, **{"interval": INTERVAL} | options) as page:
        try:
            await tab.open(page, path)
            yield running
        finally:
            with trio.CancelScope(shield=True):
                await tab.leave()
        running.cancel()
