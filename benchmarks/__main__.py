"""The command `python -m benchmarks`: measure, or show what was measured before.

* `[--quick] [--only NAME]... [--json FILE] [--plot FOLDER]`: measure, print, and write or draw what came out;
* `--list [--only NAME]...`: say what may be measured;
* `--compare BEFORE AFTER`: say what has changed between two runs that were written with `--json`;
* `--plot FOLDER --from FILE`: draw such a run;
* `soak`: see `soak`.

Exit status 0 whatever the figures are, 1 if a process that measured failed or the soak found something, 2 for misuse,
in one line; 130 if it was interrupted. Progress goes to standard error.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Final, NoReturn

import attrs

from benchmarks.child import Measured, measure_in_child
from benchmarks.harness import OURS, Suite, compare, compare_growths, compare_quantities, merge
from benchmarks.report.changes import changes_as_text
from benchmarks.report.machine import describe_machine
from benchmarks.report.stored import Report, UnreadableError, as_data, load
from benchmarks.report.tables import as_text
from benchmarks.soak import command as soak
from benchmarks.works import SUITE

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


@attrs.frozen
class _Plan:
    """How much is measured."""

    processes: int
    rounds: int
    scale: float


_FULL: Final = _Plan(processes=5, rounds=6, scale=1.0)
_QUICK: Final = _Plan(processes=1, rounds=2, scale=0.1)

_USES: Final = {
    "soak": set[str](),
    "list": {"list", "only"},
    "compare": {"compare"},
    "from": {"from", "plot"},
    "": {"quick", "only", "json", "plot"},
}
"""What may be asked for, and the options that go with it; the first that is asked for says which it is."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """End with status 2."""
        self.exit(2, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is asked for, and return the exit status."""
    parser, soak_parser = _make_parsers()
    options = parser.parse_args(arguments)
    use = _find_use(parser, options)
    if use == "soak":
        return soak.main(soak_parser, options)
    if use == "compare":
        before, after = (_load(parser, file) for file in options.compare)
        print(changes_as_text(before, after))
        return 0
    if use == "from":
        report = _load(parser, vars(options)["from"])
        _prepare_plot(parser, options.plot)
        _plot(parser, report, options.plot)
        return 0
    suite = _choose(parser, options.only)
    if use == "list":
        print(_listed(suite))
        return 0
    return _measure(parser, options, suite)


def _make_parsers() -> tuple[_Parser, _Parser]:
    parser = _Parser(prog="python -m benchmarks", description="Measure orchestra_trio against its peers.")
    add = parser.add_argument
    add("--quick", action="store_true", help="only show that they run; the figures mean nothing")
    add("--only", action="append", default=[], metavar="NAME", help="only figures with NAME in their name; repeatable")
    add("--json", type=Path, metavar="FILE", help="also write the figures to FILE, as JSON")
    add("--plot", type=Path, metavar="FOLDER", help="also draw them, as SVG in FOLDER; needs the extra `plot`")
    add("--from", type=Path, metavar="FILE", help="with --plot: draw the figures in FILE, and measure nothing")
    add("--compare", type=Path, nargs=2, metavar=("BEFORE", "AFTER"), help="say what has changed between two files")
    add("--list", action="store_true", help="say what may be measured")
    commands = parser.add_subparsers(dest="command", metavar="soak", parser_class=_Parser)
    soak_parser = commands.add_parser("soak", help="load an orchestra for a while, and check that its numbers add up")
    soak.add_arguments(soak_parser)
    return parser, soak_parser


def _find_use(parser: _Parser, options: argparse.Namespace) -> str:
    """Return what is asked for, or end with status 2 if options do not go together."""
    named = vars(options)
    given = [name for name in ("quick", "only", "json", "plot", "from", "compare", "list") if named[name]]
    use = options.command or next((name for name in _USES if name in given), "")
    strange = [f"--{name}" for name in given if name not in _USES[use]]
    if strange and use == "soak":
        parser.error(f"{' and '.join(strange)} are for measuring, and soak measures nothing")
    if strange:
        parser.error(f"--{use} does not go with {' and '.join(strange)}")
    if use == "from" and options.plot is None:
        parser.error("--from says what --plot is to draw: say where, with --plot FOLDER")
    return use


def _choose(parser: _Parser, parts: Sequence[str]) -> Suite:
    """Return what is asked for by name, or end with status 2."""
    for part in parts:
        if not part or not SUITE.like(part).names:
            parser.error(f"argument --only: no name contains {part!r}; there are: {'; '.join(SUITE.names)}")
    return SUITE.named([name for part in parts for name in SUITE.like(part).names]) if parts else SUITE


def _listed(suite: Suite) -> str:
    lines = [f"{one.name}: against {'; '.join(peer.name for peer in one.peers)}" for one in suite.works]
    lines += [f"{one.name}: at {', '.join(f'{size:,}' for size in one.sizes)}" for one in suite.growths]
    lines += [f"{one.name}: of {'; '.join([OURS, *(peer.name for peer in one.peers)])}" for one in suite.quantities]
    return "\n".join(lines)


def _load(parser: _Parser, file: Path) -> Report:
    try:
        return load(file)
    except UnreadableError as error:
        parser.error(str(error))


def _measure(parser: _Parser, options: argparse.Namespace, suite: Suite) -> int:
    # What is wrong is rather told now than after minutes.
    if options.plot is not None:
        _prepare_plot(parser, options.plot)
    file: Path | None = options.json
    if file is not None:
        _write(parser, file, "a", "")
    try:
        report = _measure_all(suite, _QUICK if options.quick else _FULL, quick=options.quick)
    except subprocess.CalledProcessError as error:
        print(f"{parser.prog}: a process that measured failed, with status {error.returncode}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted", file=sys.stderr)
        return 130
    print(as_text(report))
    if file is not None:
        _write(parser, file, "w", json.dumps(as_data(report), indent=2) + "\n")
    if options.plot is not None:
        _plot(parser, report, options.plot)
    return 0


def _measure_all(suite: Suite, plan: _Plan, *, quick: bool) -> Report:
    machine = describe_machine(suite.packages)
    print(f"{machine}; {plan.processes} processes of {plan.rounds} rounds\n", flush=True)
    measured: list[Measured] = []
    parts = [(part, public) for public in (False, True) if (part := suite.meant_for(public_only=public)).names]
    private_in_use = True
    for number in range(1, plan.processes + 1):
        print(f"process {number} of {plan.processes}", file=sys.stderr)
        for part, public_only in parts:
            one = measure_in_child(part.names, public_only=public_only, rounds=plan.rounds, scale=plan.scale)
            measured.append(one)
            private_in_use &= one.private_in_use or public_only
    return Report(
        machine=machine,
        quick=quick,
        processes=plan.processes,
        rounds=plan.rounds,
        private_in_use=private_in_use,
        missing=suite.missing_packages,
        rows=compare(suite.works, merge(one.works for one in measured), rounds=plan.rounds),
        growths=compare_growths(suite.growths, merge(one.growths for one in measured), rounds=plan.rounds),
        quantities=compare_quantities(suite.quantities, merge(one.quantities for one in measured), rounds=plan.rounds),
    )


def _prepare_plot(parser: _Parser, folder: Path) -> None:
    """End with status 2 if nothing can be drawn into the folder, which is made if it is not there."""
    if find_spec("matplotlib") is None:
        parser.error("--plot needs matplotlib: install the extra `plot`, orchestra-trio[plot]")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        parser.error(f"cannot write into {folder}: {error.strerror}")


def _plot(parser: _Parser, report: Report, folder: Path) -> None:
    from benchmarks.report.pictures import draw  # noqa: PLC0415 - not everybody has matplotlib

    for name, picture in draw(report).items():
        _write(parser, folder / name, "w", picture)
        print(f"drawn: {folder / name}", file=sys.stderr)


def _write(parser: _Parser, file: Path, mode: str, text: str) -> None:
    """Write to the file, or end with status 2."""
    try:
        with file.open(mode, encoding="utf-8") as opened:
            opened.write(text)
    except OSError as error:
        parser.error(f"cannot write {file}: {error.strerror}")


if __name__ == "__main__":
    sys.exit(main())
