"""How many schedules it takes to find a bug; run in a process of its own, with the copy of the library that has it."""

from __future__ import annotations

import json
import logging
import random
import sys
from typing import TYPE_CHECKING, Final

from orchestra_trio.testing.scheduling.courses import follow, steer
from orchestra_trio.testing.scheduling.playing import play
from orchestra_trio.testing.scheduling.script import LAG, Script
from orchestra_trio.testing.scheduling.steering import Steering
from orchestra_trio.testing.scheduling.strategies import Priorities, Uniform
from tests.testing.planted.mill import main

if TYPE_CHECKING:
    from orchestra_trio.testing.scheduling.strategies import Strategy

__all__ = ["STRATEGIES", "hunt"]

STRATEGIES: Final[dict[str, Strategy]] = {"uniform": Uniform(), "priorities": Priorities()}


def hunt(strategy: Strategy, seed: int, most: int) -> tuple[int, str] | None:
    """Return after how many schedules the mill fails, and how; None if it does not fail in so many.

    The schedules are those of `explore(main, seed=seed, strategy=strategy, cancel=True)`; what fails is not shrunk.
    """
    plain = steering = Steering(follow(Script()))
    for number in range(1, most + 1):
        try:
            play(steering, main)
        except Exception as failure:  # noqa: BLE001 - whatever the bug leads to
            return number, type(failure).__name__
        source = random.Random(seed + number).randrange
        course = steer(source, strategy, lag=LAG, cancel=True, shrink_capacities=False, steps=plain.steps)
        steering = Steering(course)
    return None


if __name__ == "__main__":
    logging.disable()
    most, *seeds = map(int, sys.argv[1:])
    found = {name: [hunt(strategy, seed, most) for seed in seeds] for name, strategy in STRATEGIES.items()}
    json.dump(found, sys.stdout)
