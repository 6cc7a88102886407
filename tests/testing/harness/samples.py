"""What the tests of the harness share: subjects, and how a failed expectation is looked at."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import trio

from orchestra_trio.testing.harness.failures import ExpectationFailed
from tests.runtime.samples import Ask, Item, Other, Tick

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra_trio import BlockingSubsystemContext, SubsystemContext


async def relay(ctx: SubsystemContext[Item, Other, Tick]) -> None:
    """Send on each number; forget signals."""
    async for incoming in ctx:
        if isinstance(incoming, Item):
            await ctx.send(Other(incoming.number))


async def sorter(ctx: SubsystemContext[Item, Item | Other]) -> None:
    """Send odd numbers on, and the half of even ones to itself."""
    async for incoming in ctx:
        await ctx.send(Other(incoming.number) if incoming.number % 2 else Item(incoming.number // 2))


async def asking(ctx: SubsystemContext[Item, Ask | Other]) -> None:
    """Ask about each number, and send on the answer."""
    async for incoming in ctx:
        await ctx.send(Other(await ctx.request(Ask, incoming.number)))


async def counting(ctx: SubsystemContext[Item | Ask, Other]) -> None:
    """Count the numbers; tell how many there were when asked, and at the end."""
    count = 0
    async for incoming in ctx:
        if isinstance(incoming, Ask):
            incoming.reply.send(count)
        else:
            count += 1
    await ctx.send(Other(count))


async def deaf(_: SubsystemContext[Item, Other, Tick]) -> None:
    """Never receive."""
    await trio.sleep_forever()


async def failing(ctx: SubsystemContext[Item, Other]) -> None:
    """Send on each number, and fail at 0."""
    async for incoming in ctx:
        if not incoming.number:
            message = "it was 0"
            raise ValueError(message)
        await ctx.send(Other(incoming.number))


async def bursting(ctx: SubsystemContext[Item, Other]) -> None:
    """Send as many messages as the number says."""
    async for incoming in ctx:
        for number in range(incoming.number):
            await ctx.send(Other(number))


def blocking_relay(ctx: BlockingSubsystemContext[Item, Other, Tick]) -> None:
    """Send on each number, from a thread."""
    for incoming in ctx:
        if isinstance(incoming, Item):
            ctx.send(Other(incoming.number))


@contextmanager
def unmet() -> Iterator[list[str]]:
    """See that an expectation is not met; fill the list with the lines of the error."""
    lines: list[str] = []
    with pytest.raises(ExpectationFailed) as caught:
        yield lines
    lines += str(caught.value).splitlines()


def never_reached() -> None:
    """Fail; for lines that must not run, without type checkers knowing so."""
    pytest.fail("this line must not be reached")


def fail_with(error: BaseException) -> None:
    """Raise an error, without type checkers knowing so."""
    raise error
