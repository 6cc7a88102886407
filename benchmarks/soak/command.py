"""The command: round after round, until the time is over or something is wrong."""

from __future__ import annotations

import math
import random
import sys
import time
import traceback
from typing import TYPE_CHECKING, Final

import trio

from benchmarks.soak.growth import Growth
from benchmarks.soak.plan import Plan
from benchmarks.soak.report import Outcome
from benchmarks.soak.rounds import Round
from benchmarks.soak.storm import make_storm
from benchmarks.soak.watching import dumping_on_request, watching

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from benchmarks.soak.storm import Storm
    from benchmarks.soak.watching import Watch

__all__ = ["add_arguments", "main", "soak"]

_SECONDS: Final = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--seconds", type=float, metavar="S", help=f"how long; {_SECONDS:g} if neither this nor --rounds is given"
    )
    parser.add_argument("--rounds", type=int, metavar="R", help="how many rounds at the most")
    parser.add_argument("--seed", type=int, metavar="N", help="what the traffic is drawn from; by chance if not given")


def main(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    """Soak, print, and return the exit status; 2, with one line, for arguments that cannot be."""
    seconds, rounds, seed = options.seconds, options.rounds, options.seed
    if seconds is not None and not 0 < seconds < math.inf:  # nan too
        parser.error(f"argument --seconds: must be more than 0, not {seconds:g}")
    if rounds is not None and rounds < 1:
        parser.error(f"argument --rounds: must be at least 1, not {rounds}")
    if seconds is None:
        seconds = _SECONDS if rounds is None else math.inf
    outcome = Outcome(random.randrange(10**6) if seed is None else seed, Growth())
    try:
        soak(outcome, seconds=seconds, rounds=rounds)
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted in round {outcome.rounds} of seed {outcome.seed}", file=sys.stderr)
        return 130
    print(outcome.as_text())
    return outcome.status


def soak(
    outcome: Outcome, *, seconds: float, rounds: int | None = None, make: Callable[..., Storm] = make_storm
) -> None:
    """Play rounds until the time is over, but at least one, or until something is wrong.

    Args:
        outcome: Is filled.
        seconds: When they are over, no further round is begun.
        rounds: How many there are at the most; None for any number.
        make: Makes the orchestra of a round, as `make_storm` does.
    """
    began = time.perf_counter()
    current: list[Round] = []

    def dump() -> str:
        return "\n".join(f"{one.plan}\n{one.running.dump() if one.running else 'not open yet'}" for one in current)

    async def play_all(watch: Watch) -> None:
        while not outcome.faults:
            outcome.rounds += 1
            current[:] = [Round(Plan.draw(outcome.seed, outcome.rounds), make)]
            outcome.faults += await current[0].play()
            outcome.faults += watch.take_faults()
            outcome.add(current.pop())
            outcome.growth.look(outcome.rounds)
            if outcome.rounds == rounds or time.perf_counter() - began > seconds:
                break

    with watching() as watch, dumping_on_request(dump):
        try:
            trio.run(play_all, watch)
        except Exception:  # noqa: BLE001 - whatever breaks the run is what the soak has found
            outcome.faults.append("the round did not come to its end:\n" + traceback.format_exc())
    outcome.seconds = time.perf_counter() - began
    outcome.records += watch.records
    outcome.faults += outcome.growth.find_faults()
