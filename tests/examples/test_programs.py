"""Every example is a program: it runs by itself, without a warning, and prints what it should."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "examples"

OUTPUT = {
    "backpressure": r"(lane: 4 of 4 parcels, .*\nsignal: .*\nmessage: .*\n){2}end: all 24 delivered\n",
    "dig": r"foreman -> digger: Dig \(bounded\)\n(.*\n)+can block: digger -.*-> digger\n",
    "duo": r"Ada: .*\nGrace: .*\nEdsger: .*\nleft on the shelf: 4\n",
    "spawners": r"subsystem  steps\n(.* \d+\n){2}threads at once: \d of 8\nwith a cap of 2: [12] of 8\n",
}
"""What each prints; `test_service_sockets` runs the one that goes on until it is stopped."""


@pytest.mark.parametrize("name", OUTPUT)
def test_program(name: str, tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-W", "error", FOLDER / f"{name}.py"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (0, "")
    assert re.fullmatch(OUTPUT[name], finished.stdout)


def test_every_example_is_tested() -> None:
    """Those that are tests themselves are collected as such."""
    programs = {path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("test_")}
    assert programs == {*OUTPUT, "service"}
