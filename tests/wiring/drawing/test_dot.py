"""Pictures in DOT."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from hypothesis import given

from orchestra_trio.wiring.drawing.composing import compose
from orchestra_trio.wiring.graph import Edge, WiringGraph, build_graph
from tests.wiring.drawing.samples import Kitchen, graphs, live, one_edge

TEXT = r'"(?:[^"\\\n]|\\.)*"'
NODE = re.compile(rf"^  (?!graph )(\w+) \[label=({TEXT})(.*)\];$", re.MULTILINE)
ARROW = re.compile(rf"^  (\w+) -> (\w+) \[(?:label=({TEXT}))?(.*)\];$", re.MULTILINE)


def statement(dot: str, beginning: str) -> str:
    return next(line for line in dot.splitlines() if line.startswith(f"  {beginning} "))


def test_a_small_picture() -> None:
    """All of it, as it is written."""
    assert build_graph("ab", [Edge("a", "b", int, "bounded")]).to_dot() == (
        'digraph "wiring" {\n'
        '  graph [label="wiring\\l", labelloc=t, labeljust=l, rankdir=TB, fontname=Helvetica];\n'
        '  node [shape=box, style="rounded,filled", fillcolor=white, fontname=Helvetica, fontsize=12];\n'
        "  edge [fontname=Helvetica, fontsize=10];\n"
        '  n0 [label="a", shape=box];\n'
        '  n1 [label="b", shape=box];\n'
        '  n0 -> n1 [label="int"];\n'
        "  legend [shape=note, style=filled, fontsize=10, "
        'label="solid arrow: bounded lane: while it is full, its senders wait\\l"];\n'
        "}\n"
    )


@pytest.mark.parametrize(
    ("beginning", "looks"),
    [
        ("n0", ["shape=box", r"waiter\nhears Go"]),
        ("n1", ['color="#b3261e"']),  # lies on a cycle that can block
        ("n2", ["shape=component"]),  # in a thread
        ("n4", ['style="rounded,filled,dashed"', r"tracer\nif (trace & ~lite)".replace("&", "&amp;")]),
        ("n5", ['style="rounded,filled,dashed"', 'fontcolor="#6b7280"', "not built yet"]),
        ("on_event", ["shape=hexagon"]),
        ("nobody_n0", ["shape=doublecircle"]),
        ("outgoing_n1", ["shape=cds"]),
        ("route_message_n0", ["shape=cds"]),
        ("n0 -> n1", [r'label="Cut\nBoil\nFry\n+2 more"']),
        ("n1 -> n1", ['label="Again"', "penwidth=2.5"]),
        ("n1 -> n5", ['color="#6b7280"']),
        ("handle -> on_event", ['label="Outside"']),
    ],
)
def test_what_is_told_apart(beginning: str, looks: list[str]) -> None:
    line = statement(Kitchen.graph().to_dot(), beginning)
    assert all(look in line for look in looks), line


def test_unbounded_lanes_are_dashed_with_open_heads() -> None:
    line = next(one for one in Kitchen.graph().to_dot().splitlines() if '"Mull"' in one)
    assert "style=dashed, arrowhead=empty" in line


def test_calm_cycles_are_blue() -> None:
    dot = build_graph("ab", [Edge("a", "b", int, "bounded"), Edge("b", "a", str, "unbounded")]).to_dot()
    assert 'color="#1f5fa8"' in statement(dot, "n0")
    assert 'color="#1f5fa8"' in statement(dot, "n0 -> n1")
    assert "cannot block: a -[int]-> b -[str]-> a" in dot


def test_figures_are_written_out() -> None:
    dot = live(Kitchen.graph()).to_dot()
    assert r"1,216 sent, 12 urgent" in statement(dot, "n0 -> n1")
    assert r"unbounded 3\nbounded 60/64" in statement(dot, "n1")
    assert "12/64: messages that wait" in dot


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("f.<locals>.Found", "f.<locals>.Found"),
        ('a"b', r"a\"b"),
        ("a\\nb", r"a\\nb"),
        ("a&amp;b", "a&amp;amp;b"),
        ("a\nb", "a b"),
    ],
)
def test_names_are_escaped(name: str, written: str) -> None:
    """Quotes, backslashes and HTML's entities mean something inside quotes; angle brackets do not."""
    assert f'label="{written}"' in statement(one_edge(name).to_dot(), "n0 -> n1")


@given(graphs())
def test_any_wiring_has_every_node_and_arrow_once(graph: WiringGraph) -> None:
    picture, dot = compose(graph), graph.to_dot()
    lines = dot.splitlines()
    assert lines[0].startswith("digraph ")
    assert lines[-1] == "}"
    assert [match[1] for match in NODE.finditer(dot)] == [node.key for node in picture.nodes]
    assert [(match[1], match[2]) for match in ARROW.finditer(dot)] == [(a.source, a.target) for a in picture.arrows]
    assert len(lines) == 5 + len(picture.nodes) + len(picture.arrows) + bool(picture.legend)
    assert dot == graph.to_dot()


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
@pytest.mark.parametrize("graph", [Kitchen.graph(), live(Kitchen.graph()), one_edge('<b> & "\\')])
def test_graphviz_reads_it(graph: WiringGraph) -> None:
    finished = subprocess.run(["dot", "-Tsvg"], input=graph.to_dot(), capture_output=True, text=True, check=True)  # noqa: S607 - whichever it is
    assert finished.stderr == ""
