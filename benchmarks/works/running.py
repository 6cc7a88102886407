"""How the works run an orchestra."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestra_trio import Orchestra

__all__ = ["run_until_stopped"]


async def run_until_stopped(orchestra: Orchestra) -> None:
    """Run until the subsystems have ended by themselves, with the input open all the while.

    `run()` would close it at once, and measure an orchestra that drains.
    """
    async with orchestra.open() as running:
        await running.wait_stopped()
