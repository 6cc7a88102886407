"""The command `check`: what in a wiring is worth a look, for continuous integration."""

import argparse
import json
from typing import Any

import attrs

from orchestra_trio.cli.printing import Misuse
from orchestra_trio.cli.target import TARGET_HELP, load_target
from orchestra_trio.wiring.findings import Allowed, WiringFinding, find_in_wiring

__all__ = ["add_check"]

_DESCRIPTION = """\
Look for what may be a mistake in an orchestra's wiring, or is new in it: cycles of subsystems that can wait for each
other for ever, types that nobody sends or consumes, subsystems to which no message can come. What is meant so is
allowed by an option, and what is allowed and does not occur is a finding too."""

_EPILOG = "Exit status: 0; 1 with a line for each finding; 2 for misuse."


def add_check(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to those of the command line."""
    summary = "look for mistakes in a wiring"
    parser = commands.add_parser("check", help=summary, description=_DESCRIPTION, epilog=_EPILOG)
    add = parser.add_argument
    add("target", metavar="TARGET", help=TARGET_HELP)
    add("--allow-cycle", action="append", default=[], metavar="A,B", help="these may wait for each other; repeatable")
    add("--allow-unsent", action="append", default=[], metavar="TYPE", help="routed from outside; repeatable")
    add("--allow-unconsumed", action="append", default=[], metavar="TYPE", help="for nobody; repeatable")
    add("--allow-unreachable", action="append", default=[], metavar="SLOT", help="nothing comes there; repeatable")
    add("--format", choices=["text", "json"], default="text", help="default: %(default)s")
    parser.set_defaults(run=_run_check, program=parser.prog)


def _run_check(options: argparse.Namespace) -> int:
    declared = load_target(options.target)
    graph = declared.graph()
    given_cycles: list[str] = options.allow_cycle
    cycles = [frozenset(filter(None, given.split(","))) for given in given_cycles]
    for name in sorted(frozenset[str]().union(*cycles) - set(graph.nodes)):
        raise Misuse(f"--allow-cycle: {declared.__name__} has no slot {name!r}; it has {', '.join(graph.nodes)}")
    allowed = Allowed(cycles, options.allow_unsent, options.allow_unconsumed, options.allow_unreachable)
    findings = find_in_wiring(graph, allowed)
    if options.format == "json":
        shown = {"orchestra": declared.__name__, "findings": [attrs.asdict(one) for one in findings]}
        print(json.dumps(shown, indent=2))
    else:
        _print_findings(declared.__name__, findings)
    return 1 if findings else 0


def _print_findings(orchestra: str, findings: tuple[WiringFinding, ...]) -> None:
    for one in findings:
        print(f"{orchestra}: {one.kind}: {one.text}")
    if not findings:
        print(f"{orchestra}: nothing found")
