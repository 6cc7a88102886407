"""Pictures in Mermaid."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given

from orchestra_trio.wiring.drawing.composing import compose
from orchestra_trio.wiring.graph import Edge, WiringGraph, build_graph
from tests.wiring.drawing.reading import mermaid_arrows, mermaid_nodes
from tests.wiring.drawing.samples import Kitchen, graphs, live, one_edge


def test_a_small_picture() -> None:
    """All of it, as it is written."""
    assert build_graph("ab", [Edge("a", "b", int, "bounded")]).to_mermaid() == (
        "flowchart TB\n"
        '    n0["a"]\n'
        '    n1["b"]\n'
        '    n0 -->|"int"| n1\n'
        '    legend["solid arrow: bounded lane: while it is full, its senders wait"]\n'
        "    classDef legend fill:none,stroke:#8a919c,text-align:left\n"
        "    class legend legend\n"
    )


@pytest.mark.parametrize(
    "line",
    [
        'title: "Kitchen, signals: Go, Halt"',
        'n0["waiter<br/>hears Go"]',
        'n2[["larder<br/>hears Halt"]]',
        'n4["tracer<br/>if (trace #38; #126;lite)"]',
        'n5["later<br/>not built yet"]',
        'route_message_n0(["route_message"])',
        'on_event{{"on_event"}}',
        'outgoing_n1(["outgoing"])',
        'nobody_n0(("nobody"))',
        'n0 -->|"Cut<br/>Boil<br/>Fry<br/>+2 more"| n1',
        'n1 -.->|"Mull"| n1',
        'n1 ==>|"Again"| n1',
        'handle -->|"Outside"| on_event',
        "class n1,n3 blocking",
        "class n4 conditional",
        "class n5 absent",
        "linkStyle 2 stroke:#b3261e,stroke-width:3px",
        "linkStyle 5 stroke:#8a919c",
    ],
)
def test_what_is_told_apart(line: str) -> None:
    """Line by line: shapes, lanes, cycles, presence, entries and exits."""
    assert line in [one.strip() for one in Kitchen.graph().to_mermaid().splitlines()]


def test_styles_of_lines_are_given_by_the_numbers_of_the_arrows() -> None:
    text = Kitchen.graph().to_mermaid()
    arrows = mermaid_arrows(text)
    assert arrows[2][2] == "Again"
    assert arrows[5][3] == "n5"


def test_calm_cycles_are_blue() -> None:
    text = build_graph("ab", [Edge("a", "b", int, "bounded"), Edge("b", "a", str, "unbounded")]).to_mermaid()
    assert "    class n0,n1 calm\n" in text
    assert "    linkStyle 0,1 stroke:#3b7dd8\n" in text
    assert "cannot block: a -[int]-#62; b -[str]-#62; a" in text


def test_figures_are_written_out() -> None:
    text = live(Kitchen.graph()).to_mermaid()
    assert 'n1["cook<br/>hears Go, Halt<br/>unbounded 3<br/>bounded 60/64"]' in text
    assert "+2 more<br/>1,216 sent, 12 urgent" in text
    assert 'route_message_n2 -->|"2 sent"| n2' in text


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("f.<locals>.Found", "f.#60;locals#62;.Found"),
        ('a"b', "a#34;b"),
        ("a#35;b", "a#35;35;b"),
        ("a|b`c`*d*", "a#124;b#96;c#96;#42;d#42;"),
        ("a_b", "a_b"),
        ("__a__", "#95;#95;a#95;#95;"),  # bold, in Markdown
        ("a\nb", "a b"),
        ("名前", "名前"),
    ],
)
def test_names_are_escaped(name: str, written: str) -> None:
    assert mermaid_arrows(one_edge(name).to_mermaid())[0][2] == written


@given(graphs())
def test_any_wiring_has_every_node_and_arrow_once(graph: WiringGraph) -> None:
    """Labels, decoded as browsers do, hold the names."""
    picture, text = compose(graph), graph.to_mermaid()
    assert mermaid_nodes(text) == [node.key for node in picture.nodes]
    arrows = mermaid_arrows(text)
    assert [(one[0], one[3]) for one in arrows] == [(one.source, one.target) for one in picture.arrows]
    for (_, _, label, _), arrow in zip(arrows, picture.arrows, strict=True):
        decoded = [html.unescape(re.sub(r"#(\d+);", r"&#\1;", line)) for line in label.split("<br/>")]
        lines = ["".join(one if one.isprintable() else " " for one in line) for line in arrow.lines]
        assert decoded == (lines or [""])
    assert text == graph.to_mermaid()
