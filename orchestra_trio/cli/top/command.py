"""The command `top`: its arguments, and what its exit status says."""

import argparse
import math
import sys
from typing import Any

from orchestra_trio.cli.printing import Misuse
from orchestra_trio.cli.top.address import Address, read_address
from orchestra_trio.cli.top.client import ask, listen

__all__ = ["add_top", "follow"]

_DESCRIPTION = """\
Show the figures of a live page as a table, as long as the orchestra runs; or once, with --once and where the output is
no terminal."""

_EPILOG = """\
A deadlock that holds is a red line above the table. Exit status: 0, also when the orchestra has ended; 1 if nothing
answers, or no more; 2 if what answers is no live page, or wants another token; 130 after Ctrl-C."""


def add_top(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to those of the command line."""
    summary = "show a running orchestra as a live table"
    parser = commands.add_parser("top", help=summary, description=_DESCRIPTION, epilog=_EPILOG)
    add = parser.add_argument
    add("url", metavar="URL", help="of the live page, with its token if it has one")
    add("--once", action="store_true", help="print one table and end")
    add("--interval", type=_seconds, default=0.0, metavar="SECONDS", help="at least so long between two tables")
    add("--token", metavar="TOKEN", help="what opens the page, where the URL does not have it")
    parser.set_defaults(run=_run_top, program=parser.prog)


def _seconds(text: str) -> float:
    """Read a time; argparse names this function's complaint."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if 0 <= number < math.inf:
        return number
    raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")


def _run_top(options: argparse.Namespace) -> int:
    try:
        from rich.console import Console  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise Misuse(f"{error}: pip install 'orchestra-trio[dashboard]'") from error
    address = read_address(options.url, options.token)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    if options.once or not console.is_terminal:
        from orchestra_trio.cli.top.table import show_state  # noqa: PLC0415 - needs rich

        console.print(show_state(ask(address)))
    else:
        follow(address, options.interval, console)
    return 0


def follow(address: Address, interval: float, console: Any) -> None:  # noqa: ANN401 - of rich, an extra
    """Draw the latest state again and again, until the orchestra has ended."""
    from rich.live import Live  # noqa: PLC0415 - an extra

    from orchestra_trio.cli.top.table import show_state  # noqa: PLC0415 - needs rich

    drawn_at = -math.inf
    with Live(console=console, auto_refresh=False) as live:
        for state in listen(address):
            # The page looks at intervals that are a little uneven: one that comes hardly too soon counts.
            if state.ended or state.time - drawn_at >= 0.9 * interval:
                live.update(show_state(state, console.height), refresh=True)
                drawn_at = state.time
