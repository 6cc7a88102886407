"""A picture of a wiring in DOT, the language of Graphviz."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orchestra_trio.wiring.drawing.picture import Arrow, Kind, Node, Picture, Sample

__all__ = ["to_dot"]

SHAPES: Mapping[Kind, str] = MappingProxyType(
    {
        "subsystem": "box",
        "thread": "component",
        "route_message": "cds",
        "handle": "cds",
        "on_event": "hexagon",
        "outgoing": "cds",
        "nobody": "doublecircle",
    }
)
LOOKS: Mapping[Sample, str] = MappingProxyType(
    {
        "bounded": "solid arrow",
        "unbounded": "dashed arrow, open head",
        "blocking path": "thick red arrow",
        "blocking node": "red box",
        "calm path": "blue arrow",
        "calm node": "blue box",
        "thread": "box with tabs",
        "conditional": "dashed box",
        "disabled": "dashed grey box, with its condition",
        "wip": "dashed grey box",
        "queue": "12/64",
        "nobody": "double circle",
    }
)
RED, BLUE, GREY = "#b3261e", "#1f5fa8", "#6b7280"


def to_dot(picture: Picture) -> str:
    """Return the picture as a directed graph in DOT."""
    name = picture.title or "wiring"
    heading = [name, *([f"signals: {', '.join(picture.signals)}"] if picture.signals else []), *picture.notes]
    lines = [
        f"digraph {_quoted(name)} {{",
        f"  graph [label={_lines(heading, left=True)}, labelloc=t, labeljust=l, rankdir=TB, fontname=Helvetica];",
        '  node [shape=box, style="rounded,filled", fillcolor=white, fontname=Helvetica, fontsize=12];',
        "  edge [fontname=Helvetica, fontsize=10];",
        *(f"  {node.key} [{_listed(_node(node))}];" for node in picture.nodes),
        *(f"  {one.source} -> {one.target} [{_listed(_arrow(one))}];" for one in picture.arrows),
    ]
    if picture.legend:
        rows = [f"{LOOKS[entry.sample]}: {entry.meaning}" for entry in picture.legend]
        lines.append(f"  legend [shape=note, style=filled, fontsize=10, label={_lines(rows, left=True)}];")
    return "\n".join([*lines, "}", ""])


def _node(node: Node) -> Iterator[tuple[str, str]]:
    yield "label", _lines([node.title, *node.subtitle, *node.queue_lines])
    yield "shape", SHAPES[node.kind]
    if node.presence == "conditional":
        yield "style", '"rounded,filled,dashed"'
    elif node.presence != "built":
        yield "style", '"rounded,filled,dashed"'
        yield from (("color", f'"{GREY}"'), ("fontcolor", f'"{GREY}"'), ("fillcolor", '"#f1f2f4"'))
    elif not node.is_slot:
        yield from (("style", "filled"), ("color", f'"{GREY}"'))
    if node.cycling == "blocking":
        yield from (("color", f'"{RED}"'), ("fillcolor", '"#fbe3e0"'))
    elif node.cycling == "calm":
        yield from (("color", f'"{BLUE}"'), ("fillcolor", '"#e3eefb"'))


def _arrow(arrow: Arrow) -> Iterator[tuple[str, str]]:
    if arrow.lines:
        yield "label", _lines(arrow.lines)
    if arrow.lane == "unbounded":
        yield from (("style", "dashed"), ("arrowhead", "empty"))
    if arrow.cycling == "blocking":
        yield from (("color", f'"{RED}"'), ("penwidth", "2.5"))
    elif arrow.cycling == "calm":
        yield "color", f'"{BLUE}"'
    elif arrow.is_faded or arrow.lane == "outside":
        yield from (("color", f'"{GREY}"'), ("fontcolor", f'"{GREY}"'))


def _listed(attributes: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{name}={value}" for name, value in dict(attributes).items())


def _lines(lines: Iterable[str], *, left: bool = False) -> str:
    """Return a label of several lines, each ended as DOT ends lines on the left, or else between them."""
    end = "\\l" if left else "\\n"
    text = end.join(_escaped(line) for line in lines)
    return f'"{text}{end if left else ""}"'


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    """Return the text as a part of a quoted string: backslashes, quotes and HTML's entities mean something there."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
    return "".join(one if one.isprintable() else " " for one in plain)
