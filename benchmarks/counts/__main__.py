"""The command: `python -m benchmarks.counts [--only RUN ...] [--json FILE] [--where RUN | --update]`.

Exit status 0 if nothing is worse, 1 if something is, nothing could be compared or a process that counted failed, 2 for
misuse and for stored figures that cannot be read, in one line; 130 if it was interrupted.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from benchmarks.counts.callgrind import count_instructions, is_installed
from benchmarks.counts.child import CountingFailed, count_in_child
from benchmarks.counts.comparing import compare, shifts
from benchmarks.counts.counters import BYTECODES, C_CALLS, CALLS, INSTRUCTIONS
from benchmarks.counts.figures import STORED, Counted, FiguresBroken, Versions, find_file, load, merge, save
from benchmarks.counts.report import as_data, as_text, where_as_text
from benchmarks.counts.runs import RUNS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.counts.counters import Figure

    Counting = Callable[[Sequence[str], bool], Mapping[str, Mapping[str, Figure]]]

__all__ = ["count_all", "main"]

_NAMES: Final = [run.name for run in RUNS]


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """End with status 2."""
        self.exit(2, f"{self.prog}: {message}\n")


def count_all(names: Sequence[str], instructions: bool) -> dict[str, dict[str, Figure]]:  # noqa: FBT001 - as it is handed on
    """Count runs, each counter at the same time as the others: they are counted, not timed.

    Raises:
        CountingFailed: A process that counted failed.
    """
    with ThreadPoolExecutor() as pool:
        slowest = pool.submit(count_instructions, names) if instructions else None
        parts = [pool.submit(count_in_child, counters, names) for counters in ((BYTECODES,), (CALLS, C_CALLS))]
        counted = {counter: figures for part in parts for counter, figures in part.result().items()}
        return counted if slowest is None else {**counted, INSTRUCTIONS: slowest.result()}


def main(arguments: Sequence[str] | None = None, *, folder: Path = STORED, counting: Counting = count_all) -> int:
    """Count, compare with the figures that are stored in the folder, print, and return the exit status."""
    parser = _make_parser()
    options = parser.parse_args(arguments)
    if options.update and (options.only or options.json is not None):
        parser.error("--update stores all runs, and compares nothing: it goes without --only and --json")
    if options.json is not None:
        _write(parser, options.json, "a", "")  # what is wrong is rather told now than after a minute
    here = Versions.here()
    file = find_file(folder, here.python)
    try:
        if options.update:
            return _update(parser, folder / f"{here.python}.json", here, counting)
        stored = {} if file is None else load(file)
        if options.where is not None:
            return _show_where(options.where, stored, here, counting)
        return _check(parser, options, stored, here, counting)
    except FiguresBroken as error:
        parser.error(str(error))
    except CountingFailed as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted", file=sys.stderr)
        return 130


def _make_parser() -> _Parser:
    parser = _Parser(
        prog="python -m benchmarks.counts", description="Count fixed runs, and compare with what is stored."
    )
    parser.add_argument(
        "--only", action="append", choices=_NAMES, metavar="RUN", help="count this run; may be repeated"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the comparison to FILE, as JSON")
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--where", choices=_NAMES, metavar="RUN", help="show in which functions a run has changed")
    either.add_argument("--update", action="store_true", help="store the figures of now")
    parser.epilog = f"The runs are {', '.join(_NAMES)}."
    return parser


def _check(
    parser: _Parser, options: argparse.Namespace, stored: Mapping[str, Counted], here: Versions, counting: Counting
) -> int:
    names = [name for name in _NAMES if not options.only or name in options.only]
    counted = _count(names, here, counting, instructions=is_installed())
    comparison = compare(stored, counted)
    print(as_text(comparison, here))
    if options.json is not None:
        _write(parser, options.json, "w", json.dumps(as_data(comparison, counted), indent=2) + "\n")
    return 0 if comparison.passed else 1


def _show_where(run: str, stored: Mapping[str, Counted], here: Versions, counting: Counting) -> int:
    for counter, counted in _count([run], here, counting, instructions=False).items():
        kept = stored.get(counter)
        before = None if kept is None or kept.versions.python != here.python else kept.figures.get(run)
        print(where_as_text(counter, run, shifts(before, counted.figures[run])), end="\n\n")
    return 0


def _update(parser: _Parser, file: Path, here: Versions, counting: Counting) -> int:
    try:
        kept = load(file) if file.exists() else {}
    except FiguresBroken:
        kept = {}  # they are replaced
    counted = _count(_NAMES, here, counting, instructions=is_installed())
    for counter in kept:
        if counter not in counted:
            print(f"note: {counter} could not be counted here: those of before are kept")
    try:
        save(file, merge(kept, counted))
    except OSError as error:
        parser.error(f"cannot write {file}: {error.strerror}")
    print(f"stored {', '.join(counted)} of {len(_NAMES)} runs in {file}")
    return 0


def _count(names: Sequence[str], here: Versions, counting: Counting, *, instructions: bool) -> dict[str, Counted]:
    return {counter: Counted(here, figures) for counter, figures in counting(names, instructions).items()}


def _write(parser: _Parser, file: Path, mode: str, text: str) -> None:
    """Write to the file, or end with status 2."""
    try:
        with file.open(mode, encoding="utf-8") as opened:
            opened.write(text)
    except OSError as error:
        parser.error(f"cannot write {file}: {error.strerror}")


if __name__ == "__main__":
    sys.exit(main())
