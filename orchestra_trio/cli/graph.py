"""The command `graph`: the wiring as a picture, or as data."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestra_trio.cli.printing import Failed
from orchestra_trio.cli.target import TARGET_HELP, load_target
from orchestra_trio.errors import OrchestraError
from orchestra_trio.wiring.graph import WiringGraph

__all__ = ["add_graph"]

_DESCRIPTION = """\
Draw an orchestra's wiring: who sends what to whom, in which lane, and which subsystems can wait for each other in a
circle. SVG needs the extra `graph`, or Graphviz."""

_FORMATS: dict[str, Callable[[WiringGraph], str]] = {
    "mermaid": WiringGraph.to_mermaid,
    "dot": WiringGraph.to_dot,
    "svg": WiringGraph.to_svg,
    "json": lambda graph: json.dumps(graph.to_json(), indent=2) + "\n",
}


def add_graph(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to those of the command line."""
    parser = commands.add_parser("graph", help="draw a wiring", description=_DESCRIPTION)
    parser.add_argument("target", metavar="TARGET", help=TARGET_HELP)
    parser.add_argument("--format", choices=list(_FORMATS), help="default: by the ending of FILE, else mermaid")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="default: the standard output")
    parser.set_defaults(run=_run_graph, program=parser.prog)


def _run_graph(options: argparse.Namespace) -> int:
    output: Path | None = options.output
    chosen = options.format or _format_of(output)
    graph = load_target(options.target).graph()
    try:
        text = _FORMATS[chosen](graph)
    except OrchestraError as error:
        raise Failed(error) from error
    if output is None:
        print(text, end="")
    else:
        output.write_text(text, "utf-8")
    return 0


def _format_of(output: Path | None) -> str:
    endings = {".mmd": "mermaid", ".dot": "dot", ".gv": "dot", ".svg": "svg", ".json": "json"}
    return "mermaid" if output is None else endings.get(output.suffix.lower(), "mermaid")
