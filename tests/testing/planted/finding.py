"""Finding a planted bug: the hunt, in a process that imports the copy of the library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from tests.testing.planted.bugs import Bug, plant

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Found", "find"]

Found: TypeAlias = "list[tuple[int, str] | None]"
"""For each seed: after how many schedules it failed, and how; None where it did not."""

_ROOT = Path(__file__).parents[3]


def find(bug: Bug | None, most: int, seeds: Iterable[int]) -> dict[str, Found]:
    """Return how each strategy found a bug, for each of the seeds, in `most` schedules at the most."""
    with tempfile.TemporaryDirectory() as folder:
        plant(bug, Path(folder))
        words = [sys.executable, "-m", "tests.testing.planted.hunting", str(most), *map(str, seeds)]
        # Its coverage is not measured: the copy is gone when that is reported. Safe path: else the folder in which it
        # runs would come before the copy.
        env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
        env |= {"PYTHONPATH": os.pathsep.join([folder, str(_ROOT)]), "PYTHONSAFEPATH": "1"}
        done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the hunt for {bug} has failed:\n{done.stderr}")
    found: dict[str, Found] = json.loads(done.stdout)
    return found
