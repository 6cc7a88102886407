"""The wiring of the soak: several cycles that share a subsystem, with threads, workers and restart groups on them.

::

    source -> relay <-> store (a thread) and pool (workers), a group; left <-> right, another one
    relay, store -> ears -> relay              store, pool, right, relay, source ask store and ears
    everybody -> scribe (threads) -> outgoing  relay -> mayfly, later

`relay`, `left` and `ears` never wait without a time limit, and one of them stands on every cycle.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Never

from typing_extensions import override

from benchmarks.soak.members import Ears, Mayfly, Member, Pool, Ready, Relay, Source
from benchmarks.soak.messages import (
    Chore,
    Draft,
    Echo,
    Hiccup,
    Imported,
    Left,
    Lookup,
    Moment,
    Note,
    Nudge,
    Poison,
    Put,
    Query,
    Report,
    Right,
    Tick,
    Work,
)
from benchmarks.soak.threads import Scribe, Store
from benchmarks.soak.traffic import Traffic
from orchestra_trio import Biased, BlockingSubsystem, Orchestra, Restart, RunningOrchestra, Subsystem, fresh, subsystem

if TYPE_CHECKING:
    from orchestra_trio import DeadLetter

__all__ = ["ALONE", "CAPACITIES", "DEAF", "MORTAL", "Storm", "make_storm"]

Signal = Tick | Nudge | Poison

_ANEW: Final = Restart(max_restarts=10**9, within=math.inf, backoff=0.001, factor=1, jitter=1, on=Hiccup)
_REST_ANEW: Final = Restart(max_restarts=10**9, within=math.inf, backoff=0, on=Hiccup, order="rest")

ALONE: Final = {"relay", "left", "right", "store", "pool"}
"""Subsystems of which one task, or thread, receives."""

DEAF: Final = frozenset({"mayfly", "outgoing"})
"""Consumers that hear no signals."""

MORTAL: Final = ("relay", "left", "right", "store", "pool", "ears", "scribe")
"""Subsystems that can be given poison."""


class Storm(
    Orchestra[Signal, Imported],
    message_capacity=8,
    signal_capacity=2,
    event_capacity=2,
    signal_timeout=math.inf,
    message_timeout=math.inf,
    outgoing=Report,
):
    """Every option that concerns how messages go and how things end."""

    source: Subsystem[Never, Work | Put | Note | Draft | Lookup | Query] = subsystem(restart=_ANEW)
    relay: Subsystem[Work, Put | Chore | Left | Moment | Draft | Note | Echo | Lookup | Query, Signal] = subsystem(
        priority=True, restart=_ANEW, unbounded={Echo: "at most one per message that came"}
    )
    left: Subsystem[Left, Right | Work | Note, Signal] = subsystem(restart=_ANEW, restart_group="pair")
    right: Subsystem[Right, Left | Note | Lookup | Query, Signal] = subsystem(
        restart=_REST_ANEW, restart_group="pair", readiness=True
    )
    store: BlockingSubsystem[Put | Lookup, Work | Note | Echo | Query, Signal] = subsystem(
        priority=True,
        select=Biased("bounded", "unbounded", "priority"),
        unbounded={Echo: "at most one per message that came"},
        restart=_ANEW,
        restart_group="shop",
    )
    pool: Subsystem[Chore, Work | Note | Lookup | Query, Signal] = subsystem(restart=_ANEW, restart_group="shop")
    ears: Subsystem[Echo | Query, Work | Note, Signal] = subsystem(restart=_ANEW)
    scribe: BlockingSubsystem[Note, Report, Signal] = subsystem(restart=_ANEW)
    mayfly: Subsystem[Moment] = subsystem(after_exit="dead_letter")
    later: Subsystem[Draft] = subsystem(wip=True)
    traffic: Traffic

    @override
    async def on_event(self, event: Imported, running: RunningOrchestra[Signal, Imported]) -> None:
        """Route a message for each event."""
        self.traffic.ledger.note("events handled")
        number = self.traffic.ledger.make(Work, "on_event")
        with self.traffic.ledger.sending(number):
            await running.route_message(Work(number, event.hops))

    @override
    def on_dead_letter(self, letter: DeadLetter) -> None:
        """Count it."""
        self.traffic.ledger.bury(letter)


class Narrow(Storm, message_capacity=1, signal_capacity=1):
    """Everybody waits for everybody."""


class Wide(Storm, message_capacity=256, yield_every=1):
    """Hardly anybody waits."""


CAPACITIES: Final[dict[int, type[Storm]]] = {1: Narrow, 8: Storm, 256: Wide}
"""The classes, by the capacity of their lanes."""


def make_storm(traffic: Traffic, *, capacity: int, load: int, hops: int) -> Storm:
    """Make the orchestra of one round.

    Args:
        traffic: What all share.
        capacity: One of `CAPACITIES`.
        load: How often the source sends.
        hops: How many messages follow from each of the source's at the most, one after another.
    """
    to_scribe = (Note,)
    return CAPACITIES[capacity](
        source=Source("source", traffic, (Work, Work, Put, Note, Draft), load, hops),
        relay=Relay(
            "relay",
            traffic,
            (Put, Put, Chore, Chore, Left, Left, Moment, Draft, Note),
            asks=(Lookup, Query),
            patient=False,
        ),
        left=fresh(lambda: Member("left", traffic, (Right, Right, Work, *to_scribe), patient=False)),
        right=fresh(lambda: Ready("right", traffic, (Left, Left, *to_scribe), asks=(Lookup, Query))),
        store=Store("store", traffic, (Work, Work, *to_scribe), asks=(Query,)),
        pool=Pool("pool", traffic, (Work, Work, *to_scribe), asks=(Lookup, Query)),
        ears=Ears("ears", traffic, (Work, *to_scribe), patient=False, alone=False),
        scribe=Scribe("scribe", traffic, (Report,)),
        mayfly=Mayfly("mayfly", traffic, ()),
        traffic=traffic,
    )
