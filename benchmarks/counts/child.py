"""A process that counts: `python -m benchmarks.counts.child COUNTER[,COUNTER] RUN ...`, started by `count_in_child`.

It prints one JSON object, the figures by counter and run; or nothing for `instructions`, which somebody else counts:
see `callgrind`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from benchmarks.counts.counters import INSTRUCTIONS, Figure, count, settled
from benchmarks.counts.runs import RUNS, YARDSTICK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.counts.runs import Run

__all__ = ["CountingFailed", "count_in_child", "start"]

_KEPT: Final = ("PATH", "HOME", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "VALGRIND_LIB")
"""What the process sees of the environment; nothing that changes how Python runs."""


class CountingFailed(Exception):
    """A process that counts has failed; what it says is one line."""


def count_in_child(counters: Sequence[str], names: Iterable[str]) -> dict[str, dict[str, Figure]]:
    """Count runs in a process of its own, which sees the same packages as this one.

    Returns:
        For each counter, for each run, its figure.

    Raises:
        CountingFailed: It did not come to its end; why, it has said itself.
    """
    printed = start([], ",".join(counters), names)
    return {
        counter: {name: Figure(**figure) for name, figure in figures.items()}
        for counter, figures in json.loads(printed).items()
    }


def start(tool: Sequence[str], counters: str, names: Iterable[str]) -> str:
    """Start the process, by a tool's command line in front of it, and return what it has printed."""
    here = Path(__file__).resolve().parents[2]
    environment = {key: os.environ[key] for key in _KEPT if key in os.environ}
    environment |= {"PYTHONPATH": os.pathsep.join([*filter(None, sys.path), str(here)]), "PYTHONHASHSEED": "0"}
    command = [*tool, sys.executable, "-P", "-m", __name__, counters, *names]
    finished = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 - this very module
    if finished.returncode:
        raise CountingFailed(f"the process that counts {counters} failed, with status {finished.returncode}")
    return finished.stdout


def main(counters: Sequence[str], names: Sequence[str]) -> None:
    """Count in this process, and print what came out."""
    runs = [run for run in (*RUNS, YARDSTICK) if run.name in names]
    if INSTRUCTIONS in counters:
        for run in runs:
            _run_for_another(run)
        return
    counted = {run.name: count(run, tuple(counters)) for run in runs}
    by_counter = {
        counter: {name: attrs.asdict(figures[counter]) for name, figures in counted.items()} for counter in counters
    }
    print(json.dumps(by_counter))


def _run_for_another(run: Run) -> None:
    """Run with both sizes, and mark beginning and end by a call of the C library's that nothing else makes."""
    run.prepare(run.size)()
    for size in (run.size, 2 * run.size):
        do = run.prepare(size)
        with settled():
            os.ctermid()
            do()
            os.ctermid()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the parent says that it was interrupted
    main(sys.argv[1].split(","), sys.argv[2:])
