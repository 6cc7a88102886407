"""Who is asked for an order of the boxes, and what happens where nobody can be."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from orchestra_trio.wiring.drawing.layout.order import order_layers
from orchestra_trio.wiring.graph import Edge, build_graph
from tests.wiring.drawing.reading import read_svg

if TYPE_CHECKING:
    from pathlib import Path

LAYERS = [0, 0, 1, 1, 2]
LINKS = [(0, 3), (1, 2), (2, 4), (3, 4)]
GRAPH = build_graph("abc", [Edge("a", "b", int, "bounded"), Edge("a", "c", str, "bounded")])

# Stands for Graphviz: answers in its plain format, each rank in the opposite order of the one it was given.
BACKWARDS_DOT = f"""#!{sys.executable}
import re, sys
assert sys.argv[1:] == ["-Tplain"]
print("graph 1 5 5")
for number, rank in enumerate(re.findall("rank=same; (.*) }}", sys.stdin.read())):
    for spot, name in enumerate(reversed(rank.split("; "))):
        print("node", name, spot + 0.5, number, 0.5, 0.3, name, "solid", "box", "black", "lightgrey")
print("edge v0 v3 4 0 0 0 0 0 0 0 0 solid black")
print("stop")
"""


@pytest.fixture
def without_igraph(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let python-igraph be not installed, and the PATH lead to this folder alone."""
    monkeypatch.setitem(sys.modules, "igraph", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def install_dot(folder: Path) -> None:
    program = folder / "dot"
    program.write_text(BACKWARDS_DOT, "utf-8")
    program.chmod(0o755)


def test_igraph_orders_without_a_crossing_where_it_can() -> None:
    order = order_layers(LAYERS, LINKS)
    assert [sorted(layer) for layer in order] == [[0, 1], [2, 3], [4]]
    assert (order[0][0] == 0) == (order[1][0] == 3)


def test_graphviz_is_asked_where_igraph_is_missing(without_igraph: Path) -> None:
    install_dot(without_igraph)
    assert order_layers(LAYERS, LINKS) == [[1, 0], [3, 2], [4]]


def test_a_picture_by_graphviz(without_igraph: Path) -> None:
    install_dot(without_igraph)
    picture = read_svg(GRAPH.to_svg())
    assert [node.texts for node in picture.nodes.values()] == [("a",), ("b",), ("c",)]


def test_without_either_the_error_names_both_ways(without_igraph: Path) -> None:
    """The other formats need neither."""
    with pytest.raises(RuntimeError, match=r"pip install orchestra_trio\[graph\]\), or Graphviz, whose `dot` must be"):
        GRAPH.to_svg()
    assert GRAPH.to_dot()
    assert GRAPH.to_mermaid()
    assert GRAPH.to_json()


def test_nothing_to_order() -> None:
    assert order_layers([], []) == []


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every layer keeps its vertices, in an order without a crossing."""
    monkeypatch.setitem(sys.modules, "igraph", None)
    order = order_layers(LAYERS, LINKS)
    assert [sorted(layer) for layer in order] == [[0, 1], [2, 3], [4]]
    assert (order[0][0] == 0) == (order[1][0] == 3)
