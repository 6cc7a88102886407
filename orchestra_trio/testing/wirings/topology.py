"""A wiring as plain data: what `topologies` draws, and what makes an orchestra of it.

Node number n is the slot `s<n>`, which consumes `PACKETS[n]`, and `QUERIES[n]` where another node requests of it. What
leads back, to the node itself or to one before it, goes through unbounded lanes: so a relay that waits for room or for
an answer waits for a later node only, and no wiring can deadlock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Never, TypeAlias

import attrs

from orchestra_trio.runtime.contexts.subsystem import BlockingSubsystem, Subsystem
from orchestra_trio.runtime.making import make_orchestra
from orchestra_trio.testing.wirings.packets import PACKETS, QUERIES, SIGNALS, Pulse
from orchestra_trio.testing.wirings.relays import relay_of
from orchestra_trio.wiring.specifiers import subsystem

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra_trio.delivery.strategies import Biased, Weighted
    from orchestra_trio.runtime.orchestra import Orchestra

__all__ = ["Link", "LinkKind", "Node", "Topology"]

LinkKind: TypeAlias = Literal["bounded", "unbounded", "request"]
"""How messages go along a link."""


@attrs.frozen
class Link:
    """What one node sends to another, or to itself."""

    consumer: int
    """The number of the node that it leads to."""

    kind: LinkKind = "bounded"
    """How; back to an earlier node, or to the same one, only unbounded."""


@attrs.frozen
class Node:
    """One slot."""

    links: tuple[Link, ...] = ()
    """What it sends; no two of them lead to the same node in the same way, or both by packets."""

    message_capacity: int = 2
    """Of its bounded and priority lanes, in messages."""

    signal_capacity: int = 2
    """Of its signal lane, in signals."""

    priority: bool = False
    """Whether it has a priority lane."""

    select: Weighted | Biased | None = None
    """How it chooses among its lanes; None for the default."""

    hears: tuple[int, ...] = ()
    """Which of `SIGNALS` it subscribes to."""

    wip: bool = False
    """Whether it is not built yet, so that what is sent to it becomes dead letters."""

    blocking: bool = False
    """Whether it runs in a thread of its own."""


@attrs.frozen
class Topology:
    """A wiring."""

    nodes: tuple[Node, ...]
    """The slots, in declaration order."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the slots."""
        return tuple(f"s{number}" for number in range(len(self.nodes)))

    @property
    def built(self) -> tuple[int, ...]:
        """The numbers of the nodes that are built."""
        return tuple(number for number, node in enumerate(self.nodes) if not node.wip)

    def declare(self, name: str = "Drawn", **options: Any) -> type[Orchestra[Pulse, Never]]:  # noqa: ANN401 - class options
        """Declare an orchestra with this wiring, by `make_orchestra`.

        Args:
            name: Of the class.
            options: Of the class, such as `yield_every=1`.
        """
        fields = {slot: self._declare(number) for number, slot in enumerate(self.names)}
        return make_orchestra(name, fields, signals=SIGNALS, **options)

    def hold(
        self,
        subsystem_of: Callable[[Topology, int], Callable[[Any], Any]] | None = None,
        **options: Any,  # noqa: ANN401 - as above
    ) -> Orchestra[Pulse, Never]:
        """Return an orchestra with this wiring.

        Args:
            subsystem_of: Called with the topology and the number of each node that is built, returns its subsystem; a
                `Relay` if None.
            options: Of the class, such as `yield_every=1`.
        """
        make = subsystem_of or relay_of
        held: dict[str, Any] = {self.names[number]: make(self, number) for number in self.built}
        return self.declare(**options)(**held)

    def sent_by(self, number: int) -> tuple[type, ...]:
        """Return the types that a node sends."""
        links = self.nodes[number].links
        return tuple((QUERIES if link.kind == "request" else PACKETS)[link.consumer] for link in links)

    def consumed_by(self, number: int) -> tuple[type, ...]:
        """Return the types that a node consumes."""
        is_asked = any(Link(number, "request") in node.links for node in self.nodes)
        return (PACKETS[number], QUERIES[number]) if is_asked else (PACKETS[number],)

    def _declare(self, number: int) -> object:
        node = self.nodes[number]
        specify: Any = subsystem  # its overloads tell slots that are not built from others when they are read
        specifier = specify(
            consumes=self.consumed_by(number),
            sends=self.sent_by(number),
            signals=tuple(SIGNALS[one] for one in node.hears),
            message_capacity=node.message_capacity,
            signal_capacity=node.signal_capacity,
            priority=node.priority,
            select=node.select,
            unbounded={PACKETS[link.consumer]: "its hops" for link in node.links if link.kind == "unbounded"},
            wip=node.wip,
        )
        return (BlockingSubsystem if node.blocking else Subsystem), specifier
