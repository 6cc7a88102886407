"""What is to be seen in a picture of a wiring: nodes, arrows, notes and a legend, whatever it is drawn with."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestra_trio.wiring.drawing.figures import Queue

__all__ = ["Arrow", "ArrowLane", "Cycling", "Entry", "Kind", "Node", "Picture", "Presence", "Sample", "folded"]

Kind: TypeAlias = Literal["subsystem", "thread", "route_message", "handle", "on_event", "outgoing", "nobody"]
"""What a node stands for: a slot, with its subsystem in a thread or not, or something at the edge of the wiring."""

Presence: TypeAlias = Literal["built", "conditional", "disabled", "wip"]
"""Whether a slot is in use: always, with certain features, not with the features given, not built yet."""

Cycling: TypeAlias = Literal["no", "calm", "blocking"]
"""Whether something lies on a cycle: on none, on one that cannot block, on one that can."""

ArrowLane: TypeAlias = Literal["bounded", "unbounded", "outside"]
"""The lane of an arrow between slots; `outside` where one end is no slot."""

Sample: TypeAlias = Literal[
    "bounded",
    "unbounded",
    "blocking path",
    "blocking node",
    "calm path",
    "calm node",
    "thread",
    "conditional",
    "disabled",
    "wip",
    "queue",
    "nobody",
]
"""What a legend can explain."""

MEANINGS: Mapping[Sample, str] = MappingProxyType(
    {
        "bounded": "bounded lane: while it is full, its senders wait",
        "unbounded": "unbounded lane: never makes its senders wait",
        "blocking path": "a shortest cycle that can block: a deadlock is possible",
        "blocking node": "lies on a cycle that can block",
        "calm path": "a shortest cycle, which cannot block",
        "calm node": "lies on a cycle that cannot block",
        "thread": "runs in a thread of its own",
        "conditional": "in use only with these features",
        "disabled": "not in use with the features given: what is sent to it becomes dead letters",
        "wip": "not built yet: what is sent to it becomes dead letters",
        "queue": "messages that wait in a lane, of as many as fit",
        "nobody": "nobody consumes it: it becomes dead letters",
    }
)

SHOWN = 4
"""How many items of a list are shown, the number of further ones included."""


@attrs.frozen(kw_only=True)
class Node:
    """A slot, or a mark at the edge of the wiring."""

    key: str
    """Unique, and safe in every format."""

    kind: Kind
    title: str
    presence: Presence = "built"
    condition: str | None = None
    """The features that it is in use with."""

    cycling: Cycling = "no"
    signals: tuple[str, ...] = ()
    """The names of those that it hears."""

    queues: tuple[Queue, ...] = ()
    """Those of its lanes that are worth showing; none without live figures."""

    @property
    def is_slot(self) -> bool:
        """Whether it stands for a slot."""
        return self.kind in ("subsystem", "thread")

    @property
    def subtitle(self) -> tuple[str, ...]:
        """Lines under its title: its presence, and the signals that it hears."""
        lines: list[str] = []
        if self.presence == "wip":
            lines.append("not built yet")
        elif self.condition is not None:
            lines.append(("not in use: if " if self.presence == "disabled" else "if ") + self.condition)
        if self.signals:
            lines.append(f"hears {', '.join(self.signals)}")
        return tuple(lines)

    @property
    def queue_lines(self) -> tuple[str, ...]:
        """A line for each of its lanes: `bounded 12/64`, `unbounded 3`."""
        return tuple(
            f"{one.lane} {one.length:,}" + ("" if one.capacity is None else f"/{one.capacity:,}") for one in self.queues
        )


@attrs.frozen(kw_only=True)
class Arrow:
    """All that goes from one node to another in one lane."""

    source: str
    target: str
    types: tuple[str, ...]
    """The names of the types of messages, or of events."""

    lane: ArrowLane
    cycling: Cycling = "no"
    """Whether it is a step of the cycle that the picture names."""

    is_faded: bool = False
    """Whether an end of it is not in use, so that nothing arrives."""

    messages: int | None = None
    """How many have gone along it; None without live figures."""

    urgent: int = 0
    """How many of them took the priority lane."""

    @property
    def figure(self) -> str | None:
        """The live figure, in words."""
        if self.messages is None:
            return None
        return f"{self.messages:,} sent" + (f", {self.urgent:,} urgent" if self.urgent else "")

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of its label: the first few types, and the live figure."""
        return (*folded(self.types), *([] if self.figure is None else [self.figure]))


@attrs.frozen
class Entry:
    """One line of a legend."""

    sample: Sample

    meaning: str


@attrs.frozen(kw_only=True)
class Picture:
    """All that is to be drawn."""

    title: str | None
    signals: tuple[str, ...]
    """All that can be broadcast."""

    nodes: tuple[Node, ...]
    """The slots in declaration order, then the marks."""

    arrows: tuple[Arrow, ...]
    """By sender and consumer, as first declared; then those from and to marks."""

    blocking_cycles: tuple[str, ...]
    """As text."""

    calm_cycles: tuple[str, ...]
    """As text."""

    @property
    def blocking_notes(self) -> tuple[str, ...]:
        """A line for each cycle that can block; long lists are folded."""
        return tuple(f"can block: {one}" for one in folded(self.blocking_cycles))

    @property
    def calm_notes(self) -> tuple[str, ...]:
        """A line for each cycle that cannot block; long lists are folded."""
        return tuple(f"cannot block: {one}" for one in folded(self.calm_cycles))

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said about the whole."""
        return (*self.blocking_notes, *self.calm_notes)

    @property
    def legend(self) -> tuple[Entry, ...]:
        """What the styles mean that occur in it."""
        seen = {*self._node_samples(), *self._arrow_samples()}
        return tuple(Entry(sample, meaning) for sample, meaning in MEANINGS.items() if sample in seen)

    @property
    def description(self) -> str:
        """The picture in one sentence."""
        slots = sum(node.is_slot for node in self.nodes)
        inner = sum(arrow.lane != "outside" for arrow in self.arrows)
        return f"Subsystems: {slots}; arrows between them: {inner}; cycles that can block: {len(self.blocking_cycles)}"

    def _node_samples(self) -> Iterator[Sample]:
        for node in self.nodes:
            if node.kind == "thread":
                yield "thread"
            if node.presence != "built":
                yield node.presence
            elif node.cycling != "no":
                yield "blocking node" if node.cycling == "blocking" else "calm node"
            if node.queues:
                yield "queue"
            if node.kind == "nobody":
                yield "nobody"

    def _arrow_samples(self) -> Iterator[Sample]:
        for arrow in self.arrows:
            if arrow.lane != "outside":
                yield arrow.lane
            if arrow.cycling != "no":
                yield "blocking path" if arrow.cycling == "blocking" else "calm path"


def folded(items: tuple[str, ...], limit: int = SHOWN) -> tuple[str, ...]:
    """Return the items, or, where they are more than the limit, the first few and how many more there are."""
    if len(items) <= limit:
        return items
    return (*items[: limit - 1], f"+{len(items) - limit + 1} more")
