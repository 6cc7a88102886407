"""What a page has to know of a wiring, once: which lanes there are, and what goes from where to where. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from orchestra_trio.dashboard.folding import MOST_SHOWN, fold
from orchestra_trio.errors import type_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orchestra_trio.dashboard.folding import Folding
    from orchestra_trio.records import LaneName
    from orchestra_trio.wiring.drawing.figures import Figures
    from orchestra_trio.wiring.graph import EdgeLane, OpenEnd, WiringGraph

__all__ = ["LANES", "Link", "Place", "Shown", "Wiring", "count_traffic", "read_wiring"]

LANES: Final[tuple[LaneName, ...]] = ("signals", "priority", "unbounded", "bounded")

Place: TypeAlias = "tuple[str | None, str | None, str]"
"""Sender, consumer and lane, of which bounded includes priority; None is the embedding program."""


@attrs.frozen
class Link:
    """All that goes from one place to another in one lane."""

    sender: str | None
    """None for the embedding program."""

    consumer: str | None
    """None for `running.outgoing`."""

    lane: EdgeLane
    types: tuple[str, ...]

    @property
    def place(self) -> Place:
        """Where it is, as traffic is counted."""
        return self.sender, self.consumer, self.lane


@attrs.frozen
class Shown:
    """Which entries a view has, and what each stands for."""

    entries: Mapping[str, tuple[str, ...]]
    """For each name that is shown, the subsystems that it stands for, in declaration order."""

    group: str | None = None
    """The group that is open; None where all of the orchestra is shown."""

    offset: int = 0
    """How many members of the open group come before the first one that is shown."""

    @property
    def owner(self) -> dict[str, str]:
        """For each subsystem that is shown, the name under which it is."""
        return {member: entry for entry, members in self.entries.items() for member in members}


@attrs.frozen
class Wiring:
    """What does not change while an orchestra runs."""

    names: tuple[str, ...]
    """The subsystems that are built, in declaration order."""

    lanes: Mapping[str, Mapping[LaneName, int | None]]
    """The lanes of each that something can come through, with their capacities; None for no limit."""

    links: tuple[Link, ...]
    """Between these and the embedding program. What leads to slots that are not built is left out."""

    folding: Folding | None

    def view(self, group: str | None = None, offset: int = 0) -> Shown | None:
        """Return what to show; None where there is no such thing.

        Args:
            group: The group to open, at most so many members at a time as are shown one by one; None for all.
            offset: How many of its members to leave out first: a multiple of that, so that there are few views.
        """
        if group is not None:
            members = () if self.folding is None else self.folding.groups.get(group, ())
            part = members[offset : offset + MOST_SHOWN] if offset % MOST_SHOWN == 0 else ()
            return Shown({name: (name,) for name in part}, group, offset) if part else None
        if offset:
            return None
        if self.folding is None:
            return Shown({name: (name,) for name in self.names})
        entries: dict[str, list[str]] = {}
        for name in self.names:
            entries.setdefault(self.folding.shown[name], []).append(name)
        return Shown({entry: tuple(members) for entry, members in entries.items()})


def read_wiring(graph: WiringGraph, names: Iterable[str], most: int = MOST_SHOWN) -> Wiring:
    """Read the graph of a running orchestra, with its live figures.

    Args:
        graph: The graph.
        names: The subsystems that run, or have run.
        most: As for `fold`.
    """
    known = tuple(names)
    links = tuple(_links(graph, frozenset(known)))
    return Wiring(known, _lanes(graph, known, links), links, fold(known, most))


def count_traffic(figures: Figures | None, wiring: Wiring) -> Counter[Place]:
    """Return how many messages went along each link; those of a place that no link stands for count on their own.

    A type that is declared unbounded may be sent bounded too: a link that is alone between its ends stands for all
    lanes.
    """
    alone = Counter((one.sender, one.consumer) for one in wiring.links)
    lane_of = {(one.sender, one.consumer): one.lane for one in wiring.links}
    counts: Counter[Place] = Counter()
    for one in () if figures is None else figures.traffic:
        ends = one.sender, one.consumer
        lane: str = "unbounded" if one.lane == "unbounded" else "bounded"
        counts[(*ends, lane_of[ends] if alone[ends] == 1 else lane)] += one.messages
    return counts


def _links(graph: WiringGraph, known: frozenset[str]) -> Iterable[Link]:
    types: dict[tuple[str | None, str | None, EdgeLane], list[str]] = {}
    for edge in graph.edges:
        if {edge.sender, edge.consumer} <= known:
            types.setdefault((edge.sender, edge.consumer, edge.lane), []).append(type_name(edge.message_type))
    boundary = graph.boundary
    for end in () if boundary is None else boundary.unsent:
        types.setdefault((None, end.slot, "bounded"), []).append(type_name(end.message_type))
    for end in () if boundary is None else boundary.outgoing:
        types.setdefault((end.slot, None, "bounded"), []).append(type_name(end.message_type))
    for (sender, consumer, lane), names in types.items():
        if {sender, consumer} - {None} <= known:
            yield Link(sender, consumer, lane, tuple(dict.fromkeys(names)))


def _lanes(
    graph: WiringGraph, names: tuple[str, ...], links: tuple[Link, ...]
) -> Mapping[str, Mapping[LaneName, int | None]]:
    hearing: Mapping[str, tuple[type, ...]] = {} if graph.boundary is None else graph.boundary.hearing
    unsent: tuple[OpenEnd, ...] = () if graph.boundary is None else graph.boundary.unsent
    fed = {(one.consumer, one.lane) for one in links} | {(end.slot, "bounded") for end in unsent}
    consuming = {consumer for consumer, _ in fed}
    found: dict[str, dict[LaneName, int | None]] = {name: {} for name in names}
    for queue in () if graph.figures is None else graph.figures.queues:
        name = queue.consumer
        exists = {
            "signals": bool(hearing.get(name)),
            "priority": name in consuming,
            "unbounded": (name, "unbounded") in fed,
            "bounded": name in consuming,
        }[queue.lane]
        if exists and name in found:
            found[name][queue.lane] = queue.capacity
    return {name: {lane: lanes[lane] for lane in LANES if lane in lanes} for name, lanes in found.items()}
