"""The command `bench`: its arguments, and what its exit status says."""

import argparse
import json
import logging
import math
import signal
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import trio

import orchestra_trio
from orchestra_trio.cli.bench.interrupts import interruptible
from orchestra_trio.cli.bench.loads import Load, read_load
from orchestra_trio.cli.bench.measuring import LoadFailed, Measuring
from orchestra_trio.cli.bench.report import Report
from orchestra_trio.cli.bench.tables import describe
from orchestra_trio.cli.printing import Failed, Misuse, print_error
from orchestra_trio.cli.target import find, make_target
from orchestra_trio.runtime.life.failures import members

__all__ = ["add_bench"]

_DESCRIPTION = """\
Run an orchestra and measure it: messages per second along each edge, times of flight and blocked sends per lane, which
lane holds up the whole, what each subsystem waits for, and what capacities to try."""

_EPILOG = """\
Without --load, the orchestra must feed itself: its input is closed at once, as Orchestra.run() does. With it, the input
is closed when the load has ended, and what is still under way is handled. It is over when everything has ended, at the
latest after the time given; then all that still runs is cancelled. Ctrl-C ends it early, with the figures so far; a
second one ends it at once. Exit status: 0; 1 if the orchestra or the load failed; 2 for misuse; 130 after Ctrl-C. An
example: orchestra-trio bench orchestra_trio.cli.demo.bench:indexing --load orchestra_trio.cli.demo.bench:walk"""

_TARGET_HELP = """\
module:name of an orchestra, or of what is called without arguments and returns one, or a context manager that yields
one; looked up from the current folder"""

_LOAD_HELP = """\
module:name of an async function that is called with the running orchestra, or of a generator function: the messages
that it yields are routed as fast as they are taken"""

_NOTE = "orchestra_trio: "
"""How the notes begin that the library adds to exceptions of subsystems."""

_LIBRARIES = tuple(str(Path(one.__path__[0]) / "_")[:-1] for one in (orchestra_trio, trio))
"""Where no user's code is at fault."""

_INTERRUPTED = 128 + signal.SIGINT


def add_bench(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to those of the command line."""
    summary = "measure an orchestra, and find what holds it up"
    parser = commands.add_parser("bench", help=summary, description=_DESCRIPTION, epilog=_EPILOG)
    add = parser.add_argument
    add("target", metavar="TARGET", help=_TARGET_HELP)
    add("--load", metavar="LOAD", help=_LOAD_HELP)
    add("--rate", type=_positive, metavar="N", help="route N of the generator function's messages per second")
    add("--seconds", type=_positive, default=5.0, metavar="S", help="measure for so long; default: %(default)g")
    add("--warm-up", type=_not_negative, default=1.0, metavar="S", help="run so long before; default: %(default)g")
    add("--json", type=Path, metavar="FILE", help="write all figures there, too")
    parser.set_defaults(run=_run_bench, program=parser.prog)


def _positive(text: str) -> float:
    """Read a number; argparse names this function's complaint."""
    number = _read(text)
    if number > 0:
        return number
    raise argparse.ArgumentTypeError(f"{text!r} is no positive number")


def _not_negative(text: str) -> float:
    number = _read(text)
    if number >= 0:
        return number
    raise argparse.ArgumentTypeError(f"{text!r} is neither 0 nor a positive number")


def _read(text: str) -> float:
    """Return a finite number, or -1 for what is none."""
    try:
        number = float(text)
    except ValueError:
        return -1
    return number if math.isfinite(number) else -1


def _run_bench(options: argparse.Namespace) -> int:
    load = _find_load(options.load, options.rate)
    if options.json is not None:
        _check_writable(options.json)
    # What is cancelled at the end leaves messages, of which the library would warn.
    logging.getLogger("orchestra_trio").addHandler(logging.NullHandler())
    with make_target(options.target) as orchestra:
        measuring = Measuring(orchestra, load, options.seconds, options.warm_up)
        problem = _measure(measuring, options)
    report = measuring.report
    if report is not None:
        _show(report, options.json)
    if problem is not None:
        raise Failed(problem)
    if report is None and measuring.ending == "ended":
        raise Failed(
            f"it ended by itself after {measuring.lasted:.1f} s, within the warm-up: nothing was measured; give it "
            f"more to do, or a shorter --warm-up"
        )
    if measuring.ending == "interrupted":
        if report is None:
            print_error(options.program, "interrupted before anything was measured")
        return _INTERRUPTED
    if report is not None and not report.messages:
        raise Failed("nothing was sent" + ("" if load else ": where it does not feed itself, it needs a --load"))
    return 0


def _find_load(name: str | None, rate: float | None) -> Load | None:
    if name is not None:
        found = find(name, "module:function, such as app.loads:crawl")
        return read_load(name, found.value, rate)
    if rate is not None:
        raise Misuse("--rate says how fast the messages of a --load are routed, and there is none")
    return None


def _check_writable(file: Path) -> None:
    """See that the figures can be written, before it takes its time."""
    try:
        file.open("a", encoding="utf-8").close()
    except OSError as error:
        raise Misuse(f"--json: {error.strerror}: {str(file)!r}") from error


def _measure(measuring: Measuring, options: argparse.Namespace) -> str | None:
    """Run it, and return what went wrong, in one line."""
    try:
        with interruptible(measuring):
            trio.run(measuring.run)
    except LoadFailed as error:
        return f"--load {options.load} failed: {_describe(error.__cause__)}"
    except BaseExceptionGroup as group:
        errors = list(_leaves(group))
        others = f"; {len(errors) - 1} more" if len(errors) > 1 else ""
        return f"{options.target} failed: {_describe(errors[0])}{others}"
    return None


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for one in members(cast("BaseExceptionGroup[BaseException]", error)):
            yield from _leaves(one)
    else:
        yield error


def _describe(error: BaseException | None) -> str:
    """Return an exception on one line: its type, how its message begins, and where it was raised."""
    lines = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    notes = (note.partition(_NOTE) for note in getattr(error, "__notes__", ()))
    where = [rest for before, found, rest in notes if found and not before]
    frames = traceback.extract_tb(None if error is None else error.__traceback__)
    theirs = [frame for frame in frames if not frame.filename.startswith(_LIBRARIES)] or frames
    if theirs:
        where.append(f"{theirs[-1].filename}:{theirs[-1].lineno}")
    return f"{text} ({'; '.join(where)})" if where else text


def _show(report: Report, file: Path | None) -> None:
    if file is not None:
        file.write_text(json.dumps(report.to_json(), indent=2) + "\n", "utf-8")
    print(describe(report))
