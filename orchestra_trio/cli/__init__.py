"""The command line: `orchestra-trio`, also `python -m orchestra_trio`.

Exit status: 0; 1 if something was found or went wrong; 2 for misuse, which gives one line and no traceback.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import NoReturn

from orchestra_trio.cli.bench.command import add_bench
from orchestra_trio.cli.check import add_check
from orchestra_trio.cli.demo.command import add_demo
from orchestra_trio.cli.expand import add_expand
from orchestra_trio.cli.graph import add_graph
from orchestra_trio.cli.printing import Failed, Misuse, print_error
from orchestra_trio.cli.top.command import add_top

__all__ = ["main"]

_FAILED = 1
_MISUSED = 2
_INTERRUPTED = 130  # as shells have it: 128, and the number of the signal


class _Parser(argparse.ArgumentParser):
    """Explains misuse in one line; argparse's own shows the usage, too."""

    def error(self, message: str) -> NoReturn:
        print_error(self.prog, f"{message} (see {self.prog} --help)")
        self.exit(_MISUSED)


class _ShowVersion(argparse.Action):
    """Asks for the version only when it is wanted: reading metadata takes longer than all else here."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        try:
            number = version("orchestra-trio")
        except PackageNotFoundError:
            number = "(not installed)"
        print(parser.prog, number)
        parser.exit()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: What follows the program's name; that of this process if None.

    Returns:
        The exit status.

    Raises:
        SystemExit: After `--help` and `--version`, and for arguments that cannot be parsed.
    """
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")  # not every terminal can show every name of a file
    options = _make_parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output wants no more of it
        status = _FAILED
    except KeyboardInterrupt:
        status = _INTERRUPTED
    except Misuse as problem:
        print_error(options.program, problem)
        status = _MISUSED
    except (Failed, OSError) as problem:
        print_error(options.program, problem)
        status = _FAILED
    _give_up_output()
    return status


def _give_up_output() -> None:
    """Let go of what cannot be written, if anything: else Python would try again, and change the exit status."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _make_parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="orchestra-trio", description="Orchestras of subsystems for trio.")
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="show which version this is")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    add_demo(commands)
    add_graph(commands)
    add_check(commands)
    add_expand(commands)
    add_bench(commands)
    add_top(commands)
    return parser
