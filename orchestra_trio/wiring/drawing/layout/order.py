"""In which order the vertices of each layer stand, so that few links cross: asked of python-igraph or of Graphviz."""

from __future__ import annotations

import shutil
import subprocess
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["order_layers"]


def order_layers(layers: Sequence[int], links: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Return the vertices of each layer, in an order in which few links cross.

    Args:
        layers: The layer of each vertex.
        links: Each from a vertex of one layer to one of the next layer.

    Raises:
        RuntimeError: Neither python-igraph nor Graphviz is installed.
    """
    try:
        igraph: Any = import_module("igraph")
    except ImportError:
        program = shutil.which("dot")
        if program is None:
            message = (
                "to_svg() needs one of two helpers to lay out a graph, and finds neither: "
                "python-igraph (pip install orchestra_trio[graph]), or Graphviz, whose `dot` must be on the PATH"
            )
            raise RuntimeError(message) from None
        places = _ask_graphviz(program, layers, links)
    else:
        places = _ask_igraph(igraph, layers, links)
    ordered: list[list[int]] = [[] for _ in range(max(layers, default=-1) + 1)]
    for vertex in sorted(range(len(layers)), key=places.__getitem__):
        ordered[layers[vertex]].append(vertex)
    return ordered


def _ask_igraph(igraph: Any, layers: Sequence[int], links: Sequence[tuple[int, int]]) -> list[float]:  # noqa: ANN401 - it has no types
    graph = igraph.Graph(n=len(layers), edges=links, directed=True)
    layout = graph.layout_sugiyama(layers=list(layers), maxiter=1000)
    return [across for across, _ in layout.coords[: len(layers)]]


def _ask_graphviz(program: str, layers: Sequence[int], links: Sequence[tuple[int, int]]) -> list[float]:
    """Let `dot` lay it out, with a chain of anchors that holds each layer in its place."""
    anchors = [f"a{layer}" for layer in range(max(layers, default=-1) + 1)]
    ranks: list[list[str]] = [[anchor] for anchor in anchors]
    for vertex, layer in enumerate(layers):
        ranks[layer].append(f"v{vertex}")
    lines = [
        "digraph {",
        '  node [shape=box, fixedsize=true, width=0.5, height=0.3, label=""];',
        *(f"  {{ rank=same; {'; '.join(rank)} }}" for rank in ranks),
        *(f"  {one} -> {other} [style=invis, weight=0];" for one, other in pairwise(anchors)),
        *(f"  v{source} -> v{target};" for source, target in links),
        "}",
    ]
    plain = subprocess.run(  # noqa: S603 - the program was found on the PATH, and what it reads is made here
        [program, "-Tplain"], input="\n".join(lines), capture_output=True, text=True, check=True
    ).stdout
    places = [0.0] * len(layers)
    for line in plain.splitlines():
        match line.split():
            case ["node", name, across, *_] if name.startswith("v"):
                places[int(name[1:])] = float(across)
            case _:
                pass  # an anchor, an edge, or the size of the whole
    return places
