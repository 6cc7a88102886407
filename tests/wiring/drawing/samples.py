"""What the tests of pictures draw: a wiring in which everything occurs, and random graphs."""

from __future__ import annotations

from itertools import pairwise
from types import MappingProxyType
from typing import Any, Never

import attrs
from hypothesis import strategies as st

from orchestra_trio import BlockingSubsystem, Orchestra, Subsystem, feature, subsystem, subsystem_if
from orchestra_trio.wiring.drawing.figures import Figures, Queue, Traffic
from orchestra_trio.wiring.graph import Boundary, Edge, OpenEnd, WiringGraph, build_graph

__all__ = ["FIGURES", "Kitchen", "graphs", "live", "one_edge", "tangles", "type_called"]


def type_called(name: str) -> type:
    """A type with any qualified name."""
    made = type("T", (), {})
    made.__qualname__ = name
    return made


class Go: ...


class Halt: ...


class Outside: ...


class Order: ...


class Cut: ...


class Boil: ...


class Fry: ...


class Bake: ...


class Taste: ...


class Put: ...


class Lost: ...


class Again: ...


class Mull: ...


class Ask: ...


class Say: ...


class Dish: ...


class Span: ...


class Later: ...


class Kitchen(Orchestra[Go | Halt, Outside], unconsumed="allow", outgoing=Dish):
    """Everything that a picture can show."""

    waiter: Subsystem[Order, Cut | Boil | Fry | Bake | Taste | Put | Lost, Go]
    cook: Subsystem[
        Cut | Boil | Fry | Bake | Taste | Again | Mull | Say, Again | Mull | Ask | Later | Span | Dish, Go | Halt
    ] = subsystem(unbounded={Mull: "one per dish"})
    larder: BlockingSubsystem[Put, Never, Halt]
    chef: Subsystem[Ask, Say]
    tracer: Subsystem[Span] = subsystem_if(feature("trace") & ~feature("lite"))
    later: Subsystem[Later] = subsystem(wip=True)

    async def on_event(self, event: Outside, running: Any) -> None: ...  # noqa: ANN401 - never called


FIGURES = Figures(
    traffic=(
        Traffic("waiter", "cook", "bounded", 1_204),
        Traffic("waiter", "cook", "priority", 12),
        Traffic("cook", "cook", "bounded", 7),
        Traffic("cook", "cook", "unbounded", 3),
        Traffic("cook", None, "bounded", 6),
        Traffic(None, "waiter", "bounded", 9),
        Traffic(None, "larder", "bounded", 2),
    ),
    queues=(
        Queue("waiter", "bounded", 0, 1_024),
        Queue("cook", "bounded", 60, 64),
        Queue("cook", "unbounded", 3, None),
        Queue("cook", "priority", 0, 64),
        Queue("larder", "bounded", 12, 64),
    ),
)


def live(graph: WiringGraph, figures: Figures = FIGURES) -> WiringGraph:
    """The graph with figures."""
    return attrs.evolve(graph, figures=figures)


def one_edge(name: str) -> WiringGraph:
    """A graph with one message type of this name."""
    return build_graph("ab", [Edge("a", "b", type_called(name), "bounded")])


# Names as Python allows them, words that mean something in DOT, Mermaid and XML among them; and any text at all for
# the names of types, since `__qualname__` can be set.
_IDENTIFIERS = st.one_of(
    st.sampled_from(["end", "graph", "node", "class", "x", "_", "__main", "naïve", "名前", "subgraph", "o"]),
    st.from_regex(r"[a-z_][a-z0-9_]{0,12}", fullmatch=True),
)
_TYPE_NAMES = st.one_of(
    st.sampled_from(
        ["Found", "f.<locals>.Found", 'a"b', "a&b;", "a|b", "]]>", "a\\b", "#35;", "-->", "Naïve", "名前", "`x`"]
    ),
    st.text(max_size=60),
)


@st.composite
def graphs(draw: st.DrawFn) -> WiringGraph:
    """Random wirings with a boundary, as a declaration would make them."""
    names = draw(st.lists(_IDENTIFIERS, min_size=1, max_size=8, unique=True))
    name = st.sampled_from(names)
    types = [type_called(one) for one in draw(st.lists(_TYPE_NAMES, min_size=1, max_size=6))]
    kind = st.sampled_from(types)
    edges = draw(st.lists(st.builds(Edge, name, name, kind, st.sampled_from(["bounded", "unbounded"])), max_size=16))
    ends = st.lists(st.builds(OpenEnd, name, kind), max_size=3, unique=True).map(tuple)
    conditional = draw(st.sets(name, max_size=2))
    wip = draw(st.sets(name, max_size=2))
    boundary = Boundary(
        orchestra=draw(_IDENTIFIERS),
        signal_types=tuple(types[:2]),
        event_types=tuple(types[: draw(st.integers(0, 2))]),
        outgoing=draw(ends),
        unsent=draw(ends),
        unconsumed=draw(ends),
        hearing=MappingProxyType({one: tuple(types[: draw(st.integers(0, 2))]) for one in names}),
        blocking=frozenset(draw(st.sets(name, max_size=2))),
        conditional=MappingProxyType({one: str(feature("a") | ~feature("b")) for one in conditional}),
    )
    graph = build_graph(names, edges, wip, draw(st.sampled_from([boundary, None])))
    if draw(st.booleans()):
        traffic = st.builds(
            Traffic, name, name, st.sampled_from(["bounded", "unbounded", "priority"]), st.integers(0, 9)
        )
        queue = st.builds(Queue, name, st.just("bounded"), st.integers(0, 9), st.sampled_from([1, 8, None]))
        graph = live(graph, Figures(draw(st.lists(traffic).map(tuple)), draw(st.lists(queue).map(tuple))))
    return graph


@st.composite
def tangles(draw: st.DrawFn) -> tuple[list[list[int]], list[tuple[int, int]]]:
    """Layers of vertices, and links between neighbouring layers."""
    sizes = draw(st.lists(st.integers(1, 7), min_size=1, max_size=4))
    layers: list[list[int]] = []
    for size in sizes:
        start = sum(map(len, layers))
        layers.append(list(range(start, start + size)))
    links: list[tuple[int, int]] = []
    for upper, lower in pairwise(layers):
        links += draw(st.lists(st.tuples(st.sampled_from(upper), st.sampled_from(lower)), max_size=20))
    return layers, links
