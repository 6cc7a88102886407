"""The command: `python -m benchmarks [--quick] [--json FILE]`, or `python -m benchmarks soak`, which `soak` describes.

Exit status 0 whatever the figures are, 1 if a process that measured failed or the soak found something, 2 for misuse,
in one line; 130 if it was interrupted. Progress goes to standard error.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import attrs

from benchmarks.child import Measured, measure_in_child
from benchmarks.harness import compare, merge, missing_packages
from benchmarks.report import Machine, Report, describe_machine
from benchmarks.soak import command as soak
from benchmarks.works import WORKS

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


@attrs.frozen
class _Plan:
    """How much is measured."""

    processes: int
    rounds: int
    scale: float


_FULL = _Plan(processes=5, rounds=6, scale=1.0)
_QUICK = _Plan(processes=1, rounds=2, scale=0.1)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """End with status 2."""
        self.exit(2, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit status."""
    parser = _Parser(prog="python -m benchmarks", description="Measure orchestra_trio against its peers.")
    parser.add_argument("--quick", action="store_true", help="only show that they run; the figures mean nothing")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE, as JSON")
    commands = parser.add_subparsers(dest="command", metavar="soak")
    soak_parser = commands.add_parser("soak", help="load an orchestra for a while, and check that its numbers add up")
    soak.add_arguments(soak_parser)
    options = parser.parse_args(arguments)
    if options.command is not None:
        if options.quick or options.json is not None:
            parser.error("--quick and --json are for measuring, and soak measures nothing")
        return soak.main(soak_parser, options)
    file: Path | None = options.json
    if file is not None:
        _write(parser, file, "a", "")  # what is wrong is rather told now than after minutes
    try:
        report = _measure_all(_QUICK if options.quick else _FULL, quick=options.quick)
    except subprocess.CalledProcessError as error:
        print(f"{parser.prog}: a process that measured failed, with status {error.returncode}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted", file=sys.stderr)
        return 130
    print(report.as_text())
    if file is not None:
        _write(parser, file, "w", json.dumps(report.as_data(), indent=2) + "\n")
    return 0


def _write(parser: _Parser, file: Path, mode: str, text: str) -> None:
    """Write to the file, or end with status 2."""
    try:
        with file.open(mode, encoding="utf-8") as opened:
            opened.write(text)
    except OSError as error:
        parser.error(f"cannot write {file}: {error.strerror}")


def _measure_all(plan: _Plan, *, quick: bool) -> Report:
    machine = describe_machine()
    _print_head(machine, plan)
    usual: list[Measured] = []
    public_only: list[Measured] = []
    for number in range(1, plan.processes + 1):
        print(f"process {number} of {plan.processes}", file=sys.stderr)
        usual.append(measure_in_child(public_only=False, rounds=plan.rounds, scale=plan.scale))
        public_only.append(measure_in_child(public_only=True, rounds=plan.rounds, scale=plan.scale))
    samples = merge(measured.samples for measured in usual + public_only)
    return Report(
        machine=machine,
        quick=quick,
        processes=plan.processes,
        rounds=plan.rounds,
        private_in_use=all(measured.private_in_use for measured in usual),
        missing=missing_packages(WORKS),
        rows=compare(WORKS, samples),
    )


def _print_head(machine: Machine, plan: _Plan) -> None:
    print(f"{machine}; {plan.processes} processes of {plan.rounds} rounds\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
