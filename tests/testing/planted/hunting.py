"""How many schedules it takes to find a bug; run in a process of its own, with the copy of the library that has it."""

from __future__ import annotations

import json
import logging
import sys
from typing import TYPE_CHECKING, Final

from orchestra_trio.testing.scheduling.exploring import explore
from orchestra_trio.testing.scheduling.steering import cancellable
from orchestra_trio.testing.scheduling.strategies import Priorities, Uniform
from tests.testing.planted.mill import main

if TYPE_CHECKING:
    from orchestra_trio.testing.scheduling.strategies import Strategy

__all__ = ["STRATEGIES", "hunt"]

STRATEGIES: Final[dict[str, Strategy]] = {"uniform": Uniform(), "priorities": Priorities()}


def hunt(strategy: Strategy, seed: int, most: int) -> tuple[int, str] | None:
    """Return after how many schedules the mill fails, and how; None if it does not fail in so many."""
    runs = 0
    has_failed = False

    async def grind() -> None:
        nonlocal runs, has_failed
        if has_failed:
            return  # what fails is not to be shrunk here
        runs += 1
        has_failed = True
        with cancellable():
            await main()
        has_failed = False

    try:
        explore(grind, schedules=most, seed=seed, strategy=strategy, cancel=True)
    except Exception as failure:  # noqa: BLE001 - whatever the bug leads to
        return runs, type(failure).__name__
    return None


if __name__ == "__main__":
    logging.disable()
    most, *seeds = map(int, sys.argv[1:])
    found = {name: [hunt(strategy, seed, most) for seed in seeds] for name, strategy in STRATEGIES.items()}
    json.dump(found, sys.stdout)
