"""The command `expand`: the wiring as resolved, and a typed stub of class and builder."""

import argparse
from pathlib import Path
from typing import Any

from orchestra_trio.cli.target import TARGET_HELP, load_target
from orchestra_trio.wiring.expand import expand

__all__ = ["add_expand"]

_DESCRIPTION = """\
Write out what an orchestra's class declares: types, lanes, capacities and strategies as resolved, and a typed stub of
the class and its builder, which mypy and pyright accept, and in which build() exists only when all is set."""


def add_expand(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to those of the command line."""
    parser = commands.add_parser("expand", help="write out a wiring as a typed stub", description=_DESCRIPTION)
    parser.add_argument("target", metavar="TARGET", help=TARGET_HELP)
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="default: the standard output")
    parser.set_defaults(run=_run_expand, program=parser.prog)


def _run_expand(options: argparse.Namespace) -> int:
    text = expand(load_target(options.target).__declaration__)
    if options.output is None:
        print(text, end="")
    else:
        options.output.write_text(text, "utf-8")
    return 0
