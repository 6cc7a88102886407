"""The wiring as a graph: who sends to whom, what belongs together in a cycle, and what lies upstream of what."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs

from orchestra_trio.wiring.cycles import Cycle, shortest_cycle, strongly_connected
from orchestra_trio.wiring.drawing.composing import compose
from orchestra_trio.wiring.drawing.data import to_data
from orchestra_trio.wiring.drawing.dot import to_dot
from orchestra_trio.wiring.drawing.mermaid import to_mermaid
from orchestra_trio.wiring.drawing.svg.document import to_svg

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from orchestra_trio.records import LaneStrategy
    from orchestra_trio.wiring.drawing.figures import Figures
    from orchestra_trio.wiring.routing import Routes
    from orchestra_trio.wiring.slots import Slot

__all__ = [
    "Boundary",
    "Component",
    "Edge",
    "EdgeLane",
    "OpenEnd",
    "WiringGraph",
    "build_graph",
    "can_block",
    "wiring_edges",
]

EdgeLane: TypeAlias = Literal["bounded", "unbounded"]
"""Which lane an edge's messages take; one that is not declared unbounded can make its sender wait."""

Component: TypeAlias = "tuple[str, ...]"
"""A strongly connected component: slots that reach each other, in declaration order."""


@attrs.frozen
class Edge:
    """Messages of one type that may go from one slot to another."""

    sender: str
    """The slot that sends."""

    consumer: str
    """The slot that consumes; the sender itself in a self loop."""

    message_type: type
    """The type as the sender declares it."""

    lane: EdgeLane
    """The lane that the sender declares for it."""


@attrs.frozen
class OpenEnd:
    """A message type that enters or leaves the wiring at a slot, or goes nowhere."""

    slot: str
    """The slot that consumes it, or that sends it."""

    message_type: type
    """The type as the slot declares it."""


@attrs.frozen(kw_only=True)
class Boundary:
    """What a wiring has to do with the world around it."""

    orchestra: str
    """The name of the class."""

    signal_types: tuple[type, ...]
    """What can be broadcast."""

    event_types: tuple[type, ...]
    """What comes in through the handle."""

    outgoing: tuple[OpenEnd, ...]
    """What slots send out to the embedding program."""

    unsent: tuple[OpenEnd, ...]
    """What slots consume and no slot sends: it can only be routed from outside."""

    unconsumed: tuple[OpenEnd, ...]
    """What slots send and nobody consumes: it becomes dead letters."""

    hearing: Mapping[str, tuple[type, ...]] = attrs.field(eq=False, repr=False)
    """The signals that each slot subscribes to."""

    blocking: frozenset[str]
    """Slots whose subsystems run in threads of their own."""

    conditional: Mapping[str, str] = attrs.field(eq=False, repr=False)
    """Slots that are in use only with certain features, each with its condition as text."""

    strategies: Mapping[str, LaneStrategy] = attrs.field(factory=dict[str, "LaneStrategy"], eq=False, repr=False)
    """Slots that choose among their lanes in a way of their own."""


@attrs.frozen
class WiringGraph:
    """The graph of one orchestra's class."""

    nodes: tuple[str, ...]
    """All slots, in declaration order."""

    wip: frozenset[str]
    """Those of them that are not built yet."""

    edges: tuple[Edge, ...]
    """By sender, then by sent type, both as declared; those from and to slots that are not built included."""

    components: tuple[Component, ...]
    """The strongly connected components of the built slots, upstream first, ties in declaration order.

    A slot that is not built has no part in it: what is sent to it becomes a dead letter, and nothing comes from it.
    """

    _upstream: Mapping[Component, tuple[str, ...]] = attrs.field(alias="upstream", eq=False, repr=False)
    _cyclic: frozenset[Component] = attrs.field(alias="cyclic", eq=False, repr=False)

    boundary: Boundary | None = attrs.field(default=None, eq=False, repr=False)
    """What goes in and out; None for a graph that was made of nodes and edges alone."""

    figures: Figures | None = attrs.field(default=None, eq=False, repr=False)
    """How much has gone along the edges and waits at the nodes; None for a wiring that does not run."""

    @property
    def cycles(self) -> tuple[Cycle, ...]:
        """One for each cyclic component: a shortest cycle that can block, or, if there is none, a shortest one.

        Takes time in proportion to members times edges of each component.
        """
        inner = self._inner_edges()
        found: list[Cycle] = []
        for place, component in enumerate(self.components):
            if self.is_cyclic(component):
                blocking = shortest_cycle(component, filter(can_block, inner[place]))
                found.append(Cycle(component, blocking or shortest_cycle(component, inner[place]), bool(blocking)))
        return tuple(found)

    @property
    def blocking_cycles(self) -> tuple[Cycle, ...]:
        """One for each set of slots that can make each other wait in a circle, so that a deadlock is possible.

        Types that a slot declares unbounded do not count: it sends them with `send_unbounded`, which never waits. If
        it sends one with `send` or `request` for all that, it does wait, and this cannot know.
        """
        bounded = build_graph(self.nodes, filter(can_block, self.edges), self.wip)
        return bounded.cycles

    def is_cyclic(self, component: Component) -> bool:
        """Return whether a message can come back: the component has several members, or one that sends to itself."""
        return component in self._cyclic

    def upstream(self, component: Component) -> tuple[str, ...]:
        """Return the built slots outside a component that send to it directly, in declaration order.

        Raises:
            KeyError: The graph has no such component.
        """
        return self._upstream[component]

    def to_dot(self) -> str:
        """Return a picture of the wiring in DOT, the language of Graphviz.

        Shows what `to_svg` shows, with that language's means: shapes tell slots, threads, entries and exits apart;
        dashed arrows with open heads are unbounded lanes; a legend says what the styles mean that occur.
        """
        return to_dot(compose(self))

    def to_mermaid(self) -> str:
        """Return a picture of the wiring as a Mermaid flowchart, without the fence that Markdown wants around it.

        Shows what `to_svg` shows, with Mermaid's means: dotted arrows are unbounded lanes, thick red ones a shortest
        cycle that can block; a box without an arrow holds the cycles and the legend.
        """
        return to_mermaid(compose(self))

    def to_svg(self) -> str:
        """Return a picture of the wiring as an SVG document.

        A box for each slot, with the signals that it hears: double-sided where it runs in a thread, dashed with its
        condition where it needs features, dashed and grey where it is not built or not in use. An arrow for all that
        one slot sends to another in one lane, with the types on it: solid for the bounded lane, dashed for an unbounded
        one. Members of cycles that can block are red, and the arrows of a shortest one thick; cycles that cannot block
        are blue. Green marks are what comes in (`route_message`, and events through the handle) and goes out
        (`outgoing`), or reaches nobody. A legend explains the styles that occur.

        With `figures`, arrows say how many messages were sent, and boxes how full their lanes are.

        It runs downwards or to the right, whichever fits better on a page, and has light and dark colours. An order of
        the boxes is asked of python-igraph (the extra `graph`), or else of Graphviz, and then improved. The same graph
        gives the same text, with the same helper.

        Raises:
            RuntimeError: Neither python-igraph nor Graphviz is installed.
        """
        return to_svg(compose(self))

    def to_json(self) -> dict[str, Any]:
        """Return the graph as plain data: dicts, lists and texts, which `json.dumps` can write.

        Nodes, edges (sender, consumer, type, lane), components, cycles (members, path, `can_block`, text), the names of
        slots that are `wip`, `conditional` (each with its condition) and `blocking` (in threads), `signals`, `events`
        and who is `hearing` what, `unsent` and `unconsumed` types, `entries` and `exits`, and `figures`.
        """
        return to_data(self)

    def _inner_edges(self) -> list[list[Edge]]:
        """For each component, the edges between its members."""
        owner = {name: place for place, component in enumerate(self.components) for name in component}
        inner: list[list[Edge]] = [[] for _ in self.components]
        for edge in self.edges:
            place = owner.get(edge.sender)
            if place is not None and place == owner.get(edge.consumer):
                inner[place].append(edge)
        return inner


def can_block(edge: Edge) -> bool:
    """Return whether messages along an edge can make their sender wait."""
    return edge.lane == "bounded"


def wiring_edges(slots: Mapping[str, Slot], routes: Routes) -> tuple[Edge, ...]:
    """Return an edge for every slot, type that it sends, and consumer that such messages can have."""
    edges: list[Edge] = []
    for slot in slots.values():
        for sent in slot.sends:
            consumers = {routes.declared[one].consumer: None for one in routes.reach[sent]}
            lane: EdgeLane = "unbounded" if sent in slot.unbounded else "bounded"
            edges.extend(Edge(slot.name, one, sent, lane) for one in consumers if one is not None)
    return tuple(edges)


def build_graph(
    nodes: Iterable[str], edges: Iterable[Edge], wip: Iterable[str] = (), boundary: Boundary | None = None
) -> WiringGraph:
    """Return the graph of these nodes and edges, in time linear in both, but for sorting.

    Args:
        nodes: All slots, in declaration order.
        edges: Between them.
        wip: Those of the nodes that are not built yet.
        boundary: What goes in and out.
    """
    names, all_edges, unbuilt = tuple(nodes), tuple(edges), frozenset(wip)
    built = [name for name in names if name not in unbuilt]
    place = {name: number for number, name in enumerate(built)}
    successors: list[list[int]] = [[] for _ in built]
    for edge in all_edges:
        if edge.sender in place and edge.consumer in place:
            successors[place[edge.sender]].append(place[edge.consumer])
    members = _ordered(strongly_connected(successors), successors)
    components = tuple(tuple(built[one] for one in component) for component in members)
    loops = {node for node, reached in enumerate(successors) if node in reached}
    return WiringGraph(
        nodes=names,
        wip=unbuilt,
        edges=all_edges,
        components=components,
        upstream={
            component: tuple(built[one] for one in senders)
            for component, senders in zip(components, _senders(members, successors), strict=True)
        },
        cyclic=frozenset(
            component
            for component, inside in zip(components, members, strict=True)
            if len(inside) > 1 or inside[0] in loops
        ),
        boundary=boundary,
    )


def _ordered(components: list[list[int]], successors: Sequence[Sequence[int]]) -> list[list[int]]:
    """Upstream first; of those that may come next, the one with the first member in declaration order."""
    owner = {node: number for number, component in enumerate(components) for node in component}
    followers = [{owner[one] for node in component for one in successors[node]} for component in components]
    waiting_for = [0] * len(components)
    for number, reached in enumerate(followers):
        reached.discard(number)
        for one in reached:
            waiting_for[one] += 1
    ready = [(component[0], number) for number, component in enumerate(components) if not waiting_for[number]]
    heapq.heapify(ready)
    ordered: list[list[int]] = []
    while ready:
        _, number = heapq.heappop(ready)
        ordered.append(components[number])
        for one in followers[number]:
            waiting_for[one] -= 1
            if not waiting_for[one]:
                heapq.heappush(ready, (components[one][0], one))
    return ordered


def _senders(components: Sequence[Sequence[int]], successors: Sequence[Sequence[int]]) -> list[list[int]]:
    """For each component, the nodes outside it that lead into it."""
    owner = {node: number for number, component in enumerate(components) for node in component}
    found: list[set[int]] = [set() for _ in components]
    for node, reached in enumerate(successors):
        for one in reached:
            if owner[one] != owner[node]:
                found[owner[one]].add(node)
    return [sorted(senders) for senders in found]
