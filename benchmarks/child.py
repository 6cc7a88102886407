"""A process that measures: `python -m benchmarks.child ROUNDS SCALE NAME...`, started by `__main__`.

It measures what has one of the names and is meant for this process: works with trio's public interface alone where
`ORCHESTRA_TRIO_PUBLIC_ONLY` is set, else all other figures. It prints one JSON object:

* `private_in_use`: whether the library uses what is private to trio;
* `works`, `growths`: for each, for each contender or size, the seconds per unit in each round;
* `quantities`: for each, for each contender, the figures by label in each round.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import attrs

from benchmarks.harness import QuantitySamples, Samples, measure, measure_growths, measure_quantities
from benchmarks.works import SUITE
from orchestra_trio.delivery.trio_internals import PRIVATE_IN_USE

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Measured", "main", "measure_in_child"]

_PUBLIC_ONLY: Final = "ORCHESTRA_TRIO_PUBLIC_ONLY"


@attrs.frozen
class Measured:
    """What a child has measured."""

    private_in_use: bool
    works: Samples
    growths: Samples
    quantities: QuantitySamples


def measure_in_child(names: Sequence[str], *, public_only: bool, rounds: int, scale: float) -> Measured:
    """Measure in a process of its own, which sees the same packages as this one.

    Raises:
        subprocess.CalledProcessError: It did not come to its end; why, it has said itself.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), _PUBLIC_ONLY: ""}
    if public_only:
        environment[_PUBLIC_ONLY] = "1"
    finished = subprocess.run(  # noqa: S603 - this very module
        [sys.executable, "-P", "-m", __name__, str(rounds), str(scale), *names],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Measured(**json.loads(finished.stdout))


def main(rounds: int, scale: float, names: Sequence[str]) -> None:
    """Measure in this process, and print what came out."""
    suite = SUITE.named(names).meant_for(public_only=bool(os.environ.get(_PUBLIC_ONLY)))
    measured = Measured(
        PRIVATE_IN_USE,
        measure(suite.works, rounds=rounds, scale=scale),
        measure_growths(suite.growths, rounds=rounds, scale=scale),
        measure_quantities(suite.quantities, rounds=rounds, scale=scale),
    )
    print(json.dumps(attrs.asdict(measured)))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the parent says that it was interrupted
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:])
