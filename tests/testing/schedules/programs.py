"""Small programs with known ordering bugs, each with the least number of decisions that brings it out."""

from __future__ import annotations

from typing import Any

import trio


async def lost_update() -> None:
    """Two tasks count; each reads, lets others run, and writes. Wrong in trio's plain order already, unless late."""
    count = 0

    async def add(pause: int) -> None:
        nonlocal count
        for _ in range(pause):
            await trio.lowlevel.checkpoint()
        before = count
        await trio.lowlevel.checkpoint()
        count = before + 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(add, 0)
        nursery.start_soon(add, 3)
    assert count == 2


async def starved(pauses: int = 12) -> None:
    """Goes wrong only where a task is late by so many steps of another one."""
    ready = False

    async def prepare() -> None:
        nonlocal ready
        await trio.lowlevel.checkpoint()
        ready = True

    async def use() -> None:
        for _ in range(pauses):
            await trio.lowlevel.checkpoint()
        assert ready

    async with trio.open_nursery() as nursery:
        nursery.start_soon(prepare)
        nursery.start_soon(use)


def interleaved(log: list[Any]) -> Any:  # noqa: ANN401 - an async function
    """Return a program that notes in which order the steps of its tasks come."""

    async def main() -> None:
        log.clear()

        async def step(number: int) -> None:
            for place in range(4):
                log.append((number, place))
                await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            for number in range(4):
                nursery.start_soon(step, number)

    return main
