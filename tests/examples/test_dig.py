"""The example of a wiring that is looked at."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "dig.py"


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", PROGRAM, *arguments], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    return done.stdout


def test_it_names_edges_and_cycles() -> None:
    """The cycle through the unbounded lane belongs to those that come back, and not to those that can block."""
    assert run().splitlines() == [
        "foreman -> digger: Dig (bounded)",
        "digger -> sorter: Rock (bounded)",
        "sorter -> vault: Gold (bounded)",
        "sorter -> digger: Dig (bounded)",
        "vault -> foreman: Report (unbounded)",
        "together: foreman, digger, sorter, vault",
        "can block: digger -[Rock]-> sorter -[Dig]-> digger",
    ]


def test_it_draws_a_picture() -> None:
    assert "flowchart" in run("--mermaid")


@pytest.mark.parametrize("allowed", [True, False])
def test_the_command_line_checks_it(*, allowed: bool) -> None:
    """Known cycles are allowed; others are findings."""
    command = [sys.executable, "-m", "orchestra_trio", "check", "examples.dig:Mine"]
    command += ["--allow-cycle", "digger,sorter"] if allowed else []
    done = subprocess.run(command, cwd=PROGRAM.parent.parent, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == (0 if allowed else 1), done.stdout + done.stderr
    assert ("nothing found" in done.stdout) is allowed
