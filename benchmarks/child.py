"""A process that measures: `python -m benchmarks.child ROUNDS SCALE`, started by `__main__`.

It measures the works that are meant for this process: those with trio's public interface alone where
`ORCHESTRA_TRIO_PUBLIC_ONLY` is set, else all others. It prints one JSON object:

* `private_in_use`: whether the library uses what is private to trio;
* `samples`: for each work, for each contender, the seconds per unit in each round.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import Final

import attrs

from benchmarks.harness import Samples, measure
from benchmarks.works import WORKS
from orchestra_trio.delivery.trio_internals import PRIVATE_IN_USE

__all__ = ["Measured", "main", "measure_in_child"]

_PUBLIC_ONLY: Final = "ORCHESTRA_TRIO_PUBLIC_ONLY"


@attrs.frozen
class Measured:
    """What a child has measured."""

    private_in_use: bool
    samples: Samples


def measure_in_child(*, public_only: bool, rounds: int, scale: float) -> Measured:
    """Measure in a process of its own, which sees the same packages as this one.

    Raises:
        subprocess.CalledProcessError: It did not come to its end; why, it has said itself.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), _PUBLIC_ONLY: ""}
    if public_only:
        environment[_PUBLIC_ONLY] = "1"
    finished = subprocess.run(  # noqa: S603 - this very module
        [sys.executable, "-P", "-m", __name__, str(rounds), str(scale)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Measured(**json.loads(finished.stdout))


def main(rounds: int, scale: float) -> None:
    """Measure in this process, and print what came out."""
    public_only = bool(os.environ.get(_PUBLIC_ONLY))
    samples = measure((work for work in WORKS if work.public_only == public_only), rounds=rounds, scale=scale)
    print(json.dumps(attrs.asdict(Measured(PRIVATE_IN_USE, samples))))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the parent says that it was interrupted
    main(int(sys.argv[1]), float(sys.argv[2]))
