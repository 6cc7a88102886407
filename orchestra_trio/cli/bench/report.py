"""All figures of one measurement. Pure: made of two readings, the looks between them, and the wiring."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

import attrs

from orchestra_trio import Readout
from orchestra_trio.cli.bench.capacities import Suggestion, Usage, suggest
from orchestra_trio.cli.bench.limits import Limit, find_limits
from orchestra_trio.cli.bench.looking import OUTGOING, Flights, Place, Reading, Shares, Tally
from orchestra_trio.errors import type_name
from orchestra_trio.wiring.drawing.figures import Traffic
from orchestra_trio.wiring.graph import WiringGraph

__all__ = ["OUTSIDE", "EdgeReport", "FlightReport", "LaneReport", "Report", "SubsystemReport", "make_report"]

OUTSIDE: Final = "(outside)"
"""Stands for the embedding program as a sender: here, the load."""

_PARTS: Final = 5
_FEWEST_LOOKS: Final = 25


@attrs.frozen
class EdgeReport:
    """What one sender sent to one consumer in one lane."""

    sender: str
    consumer: str
    lane: str
    types: tuple[str, ...]
    """What may go there: the meters count no types."""
    messages: int
    per_second: float


@attrs.frozen
class FlightReport:
    """How long messages lay in one lane, in seconds."""

    timed: int
    """How many flights were timed."""
    p50: float
    p90: float
    p99: float
    longest: float


@attrs.frozen(kw_only=True)
class LaneReport:
    """One lane through which something went."""

    subsystem: str
    lane: str
    messages: int
    """Sent into it."""
    per_second: float
    capacity: int | None
    """None where there is no limit."""
    peak: int
    """The most that lay in it, since the orchestra was opened."""
    grown: int
    """How many more lay in it at the end than at the beginning."""
    full: float
    """The share of looks in which it was full."""
    blocked: int
    """How often a sender had to wait for room."""
    flights: FlightReport | None
    """None where none was timed."""
    suggestion: Suggestion | None
    """For the lanes that share `message_capacity`; None for others."""


@attrs.frozen
class SubsystemReport:
    """What one subsystem did, in shares of the looks, which its tasks, main and jobs, share evenly."""

    subsystem: str
    tasks: float
    """How many it had, in the mean."""
    input: float
    room: float
    answers: float
    busy: float
    """It waited for none of these: it computed, or waited for something that the library does not know of."""


@attrs.frozen(kw_only=True)
class Report:
    """One measurement."""

    orchestra: str
    seconds: float
    """How long was measured."""
    warm_up: float
    """For how long it had run before."""
    ending: str
    """Why it ended: `time`, `ended`, `interrupted`."""
    messages: int
    """All that were sent."""
    per_second: float
    parts: tuple[float, ...]
    """Messages per second in each fifth of the time; nothing where there were too few looks."""
    looks: int
    computed: float
    """The share of the time in which trio's thread computed."""
    limits: tuple[Limit, ...]
    edges: tuple[EdgeReport, ...]
    lanes: tuple[LaneReport, ...]
    subsystems: tuple[SubsystemReport, ...]
    dead_letters: Mapping[str, int]
    """By reason, while it was measured."""

    def to_json(self) -> dict[str, Any]:
        """Return all of it as plain data, which `json.dumps` can write."""
        return attrs.asdict(attrs.evolve(self, limits=())) | {"limits": [_limit_data(one) for one in self.limits]}


def make_report(graph: WiringGraph, first: Reading, tally: Tally, *, warm_up: float, ending: str) -> Report:
    """Return all figures between a first reading and the last look of a tally.

    Args:
        graph: The wiring.
        first: With its traffic.
        tally: Its last look is the reading at the end, with its traffic.
        warm_up: How long it had run before.
        ending: Why it ended.
    """
    last = tally.last
    seconds = last.time - first.time
    lanes = {place: (first.lanes[place], after) for place, after in last.lanes.items()}
    blocked = {place for place, (start, end) in lanes.items() if end.blocked > start.blocked}
    pressing = {
        place: count
        for place, count in tally.pressing.items()
        if place in blocked or place in tally.waited_for  # a full lane that nobody waits for holds up nobody
    }
    letters = {
        reason: count - first.statistics.dead_letters.get(reason, 0)
        for reason, count in last.statistics.dead_letters.items()
    }
    return Report(
        orchestra=last.statistics.name,
        seconds=seconds,
        warm_up=warm_up,
        ending=ending,
        messages=last.messages() - first.messages(),
        per_second=(last.messages() - first.messages()) / seconds,
        parts=tuple(_parts(tally.progress)),
        looks=tally.looks,
        computed=min(1, (last.computed - first.computed) / seconds),
        limits=find_limits(tally.looks, tally.full, tally.onwards, pressing),
        edges=tuple(_edges(graph, first.traffic, last.traffic, seconds)),
        lanes=tuple(_lanes(lanes, tally, seconds)),
        subsystems=tuple(_subsystem(name, shares, tally.looks) for name, shares in tally.shares.items()),
        dead_letters={reason: count for reason, count in letters.items() if count},
    )


def _limit_data(limit: Limit) -> dict[str, Any]:
    chain = [
        {"subsystem": place.subsystem, "lane": place.lane, "full": share}
        for place, share in zip(limit.chain, limit.shares, strict=True)
    ]
    return {**chain[-1], "is_circle": limit.is_circle, "chain": chain}


def _parts(progress: list[tuple[float, int]]) -> Iterator[float]:
    if len(progress) < _FEWEST_LOOKS:
        return
    (start, _), (end, _) = progress[0], progress[-1]
    cuts = [start + (end - start) * part / _PARTS for part in range(1, _PARTS)]
    bounds = [progress[0], *(min(progress, key=lambda one: abs(one[0] - cut)) for cut in cuts), progress[-1]]
    for (begun, before), (ended, after) in pairwise(bounds):
        if ended > begun:
            yield (after - before) / (ended - begun)


def _edges(
    graph: WiringGraph, before: Iterable[Traffic], after: Iterable[Traffic], seconds: float
) -> Iterator[EdgeReport]:
    """Yield what was sent, by sender and consumer as declared; what comes from outside first."""
    earlier = {(one.sender, one.consumer, one.lane): one.messages for one in before}
    ranks = {None: -1} | {name: rank for rank, name in enumerate(graph.nodes)}
    last = len(ranks)
    found = sorted(after, key=lambda one: (ranks[one.sender], last if one.consumer is None else ranks[one.consumer]))
    for one in found:
        messages = one.messages - earlier.get((one.sender, one.consumer, one.lane), 0)
        if messages:
            types = tuple(dict.fromkeys(type_name(sent) for sent in _types(graph, one)))
            yield EdgeReport(
                one.sender or OUTSIDE, one.consumer or OUTGOING, one.lane, types, messages, messages / seconds
            )


def _types(graph: WiringGraph, traffic: Traffic) -> Iterator[type]:
    """Yield the types that may have gone there."""
    boundary = graph.boundary
    if traffic.consumer is None:
        yield from (one.message_type for one in (boundary.outgoing if boundary else ()) if one.slot == traffic.sender)
    elif traffic.sender is None:
        # Anything that is consumed can be routed from outside; but what nobody sends can come from nowhere else.
        unsent = [one.message_type for one in (boundary.unsent if boundary else ()) if one.slot == traffic.consumer]
        yield from unsent or [one.message_type for one in graph.edges if one.consumer == traffic.consumer]
    else:
        lane = "unbounded" if traffic.lane == "unbounded" else "bounded"
        for edge in graph.edges:
            if (edge.sender, edge.consumer) == (traffic.sender, traffic.consumer) and lane in (edge.lane, "bounded"):
                yield edge.message_type


def _lanes(lanes: Mapping[Place, tuple[Readout, Readout]], tally: Tally, seconds: float) -> Iterator[LaneReport]:
    for place, (before, after) in lanes.items():
        messages = after.sent - before.sent
        if not messages and not after.channel_len:
            continue
        yield LaneReport(
            subsystem=place.subsystem,
            lane=place.lane,
            messages=messages,
            per_second=messages / seconds,
            capacity=tally.capacities.get(place),
            peak=after.peak_channel_len,
            grown=after.channel_len - before.channel_len,
            full=tally.full[place] / tally.looks,
            blocked=after.blocked - before.blocked,
            flights=_flights(tally.flights.get(place)),
            suggestion=_suggest(place, lanes, tally),
        )


def _flights(flights: Flights | None) -> FlightReport | None:
    percentiles = [None if flights is None else flights.percentile(share) for share in (0.5, 0.9, 0.99, 1)]
    known = [one for one in percentiles if one is not None]
    return FlightReport(flights.seen, *known) if flights is not None and known else None


def _suggest(place: Place, lanes: Mapping[Place, tuple[Readout, Readout]], tally: Tally) -> Suggestion | None:
    """Suggest a `message_capacity`, which is that of two lanes."""
    sharing = [Place(place.subsystem, lane) for lane in ("priority", "bounded")]
    capacity = tally.capacities.get(place)
    if place not in sharing or place.subsystem == OUTGOING or capacity is None:
        return None
    used = [(one, *lanes[one]) for one in sharing]
    usage = Usage(
        messages=sum(after.sent - before.sent for _, before, after in used),
        blocked=sum(after.blocked for _, _, after in used),
        peak=max(after.peak_channel_len for _, _, after in used),
        full=max(tally.full[one] / tally.looks for one, _, _ in used),
    )
    return suggest(capacity, usage)


def _subsystem(name: str, shares: Shares, looks: int) -> SubsystemReport:
    sums = (shares.tasks, shares.input, shares.room, shares.answers, shares.busy)
    return SubsystemReport(name, *(one / looks for one in sums))
