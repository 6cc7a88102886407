"""From two looks at an orchestra to what the page is told, as plain data. Pure."""

from __future__ import annotations

from collections import Counter
from heapq import nsmallest
from typing import TYPE_CHECKING, Any, Final

import attrs

from orchestra_trio.dashboard.deadlocks import began, still_holds
from orchestra_trio.dashboard.percentiles import describe_flights
from orchestra_trio.dashboard.rates import rate
from orchestra_trio.dashboard.wiring import LANES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from orchestra_trio import DeadlockDetected, OrchestraStatistics, Readout, SubsystemStatistics
    from orchestra_trio.dashboard.wiring import Place, Shown, Wiring
    from orchestra_trio.records import LaneName, SubsystemState, Wait

__all__ = ["Look", "describe", "describe_subsystem", "lying", "received_rate", "total_blocked_rate"]

SCHEMA: Final = 1

_MOST_WAITS = 20
"""So many waits of one entry are told: those for room or an answer first, and the longest ones of each."""

_MOST_TYPES = 12
"""So many types of one edge are named."""

_WORST_FIRST: Final[tuple[SubsystemState, ...]] = (
    "failed", "restarting", "cancelled", "ending", "starting", "running", "finished",
)  # fmt: skip


@attrs.frozen(kw_only=True)
class Look:
    """What an orchestra looked like at one moment."""

    now: float
    """On trio's clock, in seconds."""

    unix: float
    """The same moment in seconds since 1970."""

    statistics: OrchestraStatistics
    deadlocks: Sequence[DeadlockDetected] = ()
    events_capacity: int | None = None
    traffic: Counter[Place] | None = None
    """Messages along each link so far; None where nobody wanted to know."""

    def to_unix(self, since: float) -> float:
        """Return a moment on trio's clock in seconds since 1970."""
        return self.unix - (self.now - since)


def lying(one: SubsystemStatistics) -> int:
    """Return how many messages and signals lie in the lanes of a subsystem."""
    return sum(lane.channel_len for lane in one.lanes.values())


def received_rate(before: SubsystemStatistics, now: SubsystemStatistics, seconds: float) -> float:
    """Return how many messages and signals a subsystem has received per second between two looks."""
    lanes = zip(before.lanes.values(), now.lanes.values(), strict=True)
    return sum(rate(then.received, lane.received, seconds) for then, lane in lanes)


def total_blocked_rate(before: OrchestraStatistics, now: OrchestraStatistics, seconds: float) -> float:
    """Return how often senders had to wait per second between two looks, all lanes together."""
    return sum(
        rate(then.blocked, lane.blocked, seconds)
        for name, one in now.subsystems.items()
        for then, lane in zip(before.subsystems[name].lanes.values(), one.lanes.values(), strict=True)
    )


def describe(
    before: Look, now: Look, wiring: Wiring, shown: Shown, *, interval: float, edges_before: Look | None = None
) -> dict[str, Any]:
    """Return one snapshot as the page is told it.

    Args:
        before: An earlier look, from which rates are reckoned.
        now: The look that is described.
        wiring: What both belong to.
        shown: What of it is to be told.
        interval: Seconds between two looks.
        edges_before: The last look before that counted traffic, if that was an earlier one.
    """
    seen = now.statistics
    subsystems = [_entry(before, now, wiring, entry, members) for entry, members in shown.entries.items()]
    for one in subsystems:
        one["group"] = shown.group
    return {
        "schema": SCHEMA,
        "name": seen.name,
        "time": round(now.unix, 3),
        "uptime": round(seen.uptime, 3),
        "interval": interval,
        "ended": seen.has_ended,
        "epoch": seen.epoch,
        "events": {
            "length": seen.events.channel_len,
            "capacity": now.events_capacity,
            "sent": seen.events.sent,
            "received": seen.events.received,
        },
        "dead_letters": dict(seen.dead_letters),
        "dead_letter_total": sum(seen.dead_letters.values()),
        "totals": _totals(before, now),
        "deadlocks": [_deadlock(one, now) for one in now.deadlocks],
        "subsystems": subsystems,
        "edges": list(_edges(edges_before or before, now, wiring, shown)),
        "folding": _folding(wiring, shown),
    }


def describe_subsystem(before: Look, now: Look, wiring: Wiring, name: str) -> dict[str, Any]:
    """Return one subsystem as snapshots have it."""
    folding = wiring.folding
    group = None if folding is None or folding.shown[name] == name else folding.shown[name]
    return {**_entry(before, now, wiring, name, (name,)), "group": group}


def _seconds(before: Look, now: Look) -> float:
    """Return the time that rates are reckoned over; none once all has ended, since nothing flows then."""
    return 0.0 if now.statistics.has_ended else now.now - before.now


def _totals(before: Look, now: Look) -> dict[str, Any]:
    seconds = _seconds(before, now)
    then, seen = before.statistics, now.statistics
    all_now = seen.subsystems.values()
    return {
        "received_rate": round(sum(received_rate(then.subsystems[one.name], one, seconds) for one in all_now), 3),
        "blocked_rate": round(total_blocked_rate(then, seen, seconds), 3),
        "lying": sum(map(lying, all_now)),
        "waiting": sum(wait.kind != "receive" for one in all_now for wait in one.waits),
        "restarts": sum(one.restarts for one in all_now),
    }


def _entry(before: Look, now: Look, wiring: Wiring, entry: str, members: tuple[str, ...]) -> dict[str, Any]:
    """Describe one subsystem, or several as one: figures are added up, the worst state is taken."""
    ones = [now.statistics.subsystems[name] for name in members]
    thens = [before.statistics.subsystems[name] for name in members]
    lanes: list[LaneName] = [lane for lane in LANES if any(lane in wiring.lanes[name] for name in members)]
    data: dict[str, Any] = {
        "name": entry,
        "state": min((one.state for one in ones), key=_WORST_FIRST.index),
        "epoch": min(one.epoch for one in ones),
        "jobs": sum(one.jobs for one in ones),
        "restarts": sum(one.restarts for one in ones),
        "group": None,
        "lanes": {
            lane: _lane(
                [one.lanes[lane] for one in thens],
                [one.lanes[lane] for one in ones],
                [wiring.lanes[name].get(lane) for name in members if lane in wiring.lanes[name]],
                _seconds(before, now),
            )
            for lane in lanes
        },
        "waits": _waits(ones, now.now),
    }
    if len(members) > 1:
        data["members"] = len(members)
        data["fullest"] = max((_fill(one, wiring) for one in ones), default=0.0)
    return data


def _fill(one: SubsystemStatistics, wiring: Wiring) -> float:
    """Return how full the fullest lane of a subsystem is, of 1."""
    fills = [one.lanes[lane].channel_len / capacity for lane, capacity in wiring.lanes[one.name].items() if capacity]
    return round(max(fills, default=0.0), 4)


def _lane(
    before: Sequence[Readout], now: Sequence[Readout], capacities: Sequence[int | None], seconds: float
) -> dict[str, Any]:
    bounds = [one for one in capacities if one is not None]
    pairs = list(zip(before, now, strict=True))
    return {
        "length": sum(one.channel_len for one in now),
        "capacity": sum(bounds) if len(bounds) == len(capacities) else None,
        "peak": max(one.peak_channel_len for one in now),
        "sent": sum(one.sent for one in now),
        "received": sum(one.received for one in now),
        "blocked": sum(one.blocked for one in now),
        "received_rate": round(sum(rate(then.received, one.received, seconds) for then, one in pairs), 3),
        "blocked_rate": round(sum(rate(then.blocked, one.blocked, seconds) for then, one in pairs), 3),
        "flight": describe_flights(now[0].tof if len(now) == 1 else [time for one in now for time in one.tof]),
    }


def _waits(ones: Iterable[SubsystemStatistics], now: float) -> list[dict[str, Any]]:
    # What only waits for its own mailbox is idle: it comes last, so that it does not crowd out who is held up.
    longest = nsmallest(_MOST_WAITS, (wait for one in ones for wait in one.waits), key=_urgency)
    return [
        {
            "task": wait.task,
            "kind": wait.kind,
            "subsystem": wait.subsystem,
            "lane": wait.lane,
            "type": wait.message_type,
            "seconds": round(max(now - wait.since, 0), 3),
        }
        for wait in longest
    ]


def _urgency(wait: Wait) -> tuple[bool, float]:
    return wait.kind == "receive", wait.since


def _deadlock(deadlock: DeadlockDetected, now: Look) -> dict[str, Any]:
    since = began(deadlock)
    return {
        "cycle": list(deadlock.cycle),
        "members": list(deadlock.members),
        "message": str(deadlock),
        "since": None if since is None else round(now.to_unix(since), 3),
        "holds": still_holds(deadlock, now.statistics.subsystems),
    }


def _edges(before: Look, now: Look, wiring: Wiring, shown: Shown) -> Iterator[dict[str, Any]]:
    """Describe what goes where; links of one entry to another are taken together, others are left out."""
    owner: dict[str | None, str | None] = dict(shown.owner.items())
    owner[None] = None
    counts = now.traffic or Counter[Any]()
    earlier = before.traffic or Counter[Any]()
    types: dict[Place, dict[str, None]] = {}
    sums: dict[Place, list[int]] = {}
    declared = {link.place: link.types for link in wiring.links}
    for place in dict.fromkeys((*declared, *counts)):
        sender, consumer, lane = place
        if sender in owner and consumer in owner:
            together = owner[sender], owner[consumer], lane
            types.setdefault(together, {}).update(dict.fromkeys(declared.get(place, ())))
            both = sums.setdefault(together, [0, 0])
            both[0] += earlier[place]
            both[1] += counts[place]
    seconds = _seconds(before, now)
    for (sender, consumer, lane), names in types.items():
        then, messages = sums[sender, consumer, lane]
        yield {
            "sender": sender,
            "consumer": consumer,
            "lane": lane,
            "types": _shortened(list(names)),
            "messages": messages,
            "rate": round(rate(then, messages, seconds), 3),
            "can_block": lane == "bounded",
        }


def _shortened(names: list[str]) -> list[str]:
    more = len(names) - _MOST_TYPES
    return names if more <= 0 else [*names[:_MOST_TYPES], f"{more} more"]


def _folding(wiring: Wiring, shown: Shown) -> dict[str, Any] | None:
    folding = wiring.folding
    if folding is None:
        return None
    data: dict[str, Any] = {
        "rule": folding.rule,
        "shown": len(shown.entries),
        "of": len(wiring.names) if shown.group is None else len(folding.groups[shown.group]),
        "groups": [{"name": name, "members": len(members)} for name, members in folding.groups.items()],
    }
    if shown.group is not None:
        data |= {"group": shown.group, "offset": shown.offset}
    return data
