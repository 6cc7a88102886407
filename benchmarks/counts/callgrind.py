"""Counting instructions of the processor, where valgrind is installed.

Callgrind begins a new part, in a file of its own, at each call of `ctermid`: that function of the C library changes
nothing, is seen in any interpreter, and is called by nothing but `child`, right before a run and right after it.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.counts.child import CountingFailed, start
from benchmarks.counts.counters import INSTRUCTIONS, Figure
from benchmarks.counts.runs import RUNS, YARDSTICK

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["count_instructions", "is_installed", "read_parts"]


def is_installed() -> bool:
    """Whether instructions can be counted."""
    return shutil.which("valgrind") is not None


def count_instructions(names: Sequence[str]) -> dict[str, Figure]:
    """Return the instructions of one unit of each run, in yardsticks; and those of one unit of the yardstick itself.

    Raises:
        CountingFailed: Valgrind or what it ran failed, or what it wrote is not what was expected.
    """
    counted = [run for run in RUNS if run.name in names] + [YARDSTICK]
    with TemporaryDirectory() as folder:
        start(_command(folder), INSTRUCTIONS, [run.name for run in counted])
        parts = read_parts(Path(folder))
    if len(parts) != 4 * len(counted):  # before each run, and the run, with both sizes
        raise CountingFailed(f"callgrind wrote {len(parts)} parts where {4 * len(counted)} were expected")
    runs = parts[1::2]
    per_unit = {
        run.name: (large - small) / run.size for run, small, large in zip(counted, runs[::2], runs[1::2], strict=True)
    }
    yardstick = per_unit.pop(YARDSTICK.name)
    return {name: Figure(number / yardstick) for name, number in per_unit.items()} | {YARDSTICK.name: Figure(yardstick)}


def _command(folder: str) -> list[str]:
    return [
        shutil.which("valgrind") or "valgrind",
        "--quiet",
        "--tool=callgrind",
        "--dump-before=ctermid",
        f"--callgrind-out-file={folder}/out",
    ]


def read_parts(folder: Path) -> list[int]:
    """Return the instructions of all parts that callgrind has written there, in their order, but for the last one."""
    files = sorted(folder.glob("out.*"), key=lambda file: int(file.suffix[1:]))
    found = [re.search(r"^summary: (\d+)$", file.read_text("utf-8"), re.MULTILINE) for file in files]
    return [int(part[1]) for part in found if part is not None]
