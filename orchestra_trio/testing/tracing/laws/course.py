"""Where everything is while a trace is read event by event: in the lanes, before them, and in broadcasts.

Kept by the events alone, and forgiving: what an event says that cannot be is for the laws to report, and changes
nothing here.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from typing import TYPE_CHECKING, Final

import attrs

from orchestra_trio.testing.tracing.trace import FROM_BEFORE

if TYPE_CHECKING:
    from orchestra_trio.testing.tracing.trace import Participant, Trace, TraceEvent
    from orchestra_trio.testing.tracing.whereabouts import Place

__all__ = ["CHANNELS", "Course"]

CHANNELS: Final[tuple[str | None, ...]] = ("on_event", None)
"""Consumers that are no subsystems: of events, and of what goes out."""


@attrs.define(eq=False)
class Course:
    """How far a trace has been read."""

    trace: Trace
    participants: dict[str | None, Participant]
    lying: defaultdict[Place, dict[int, TraceEvent]]
    """What lies in each lane, by its number, with the events that sent it."""
    waiting: defaultdict[Place, OrderedDict[int, TraceEvent]]
    """Who waits for room in each lane, by the number of the message, the longest first."""
    before: Counter[Place]
    """How much lies in each lane from before the recording began; where that is not known, what is seen to leave it."""
    ended: set[str | None]
    """The subsystems that have ended."""
    broadcast: TraceEvent | None = None
    """A broadcast whose signals may still be on their way into lanes."""
    unsent: dict[str, None] = attrs.Factory(dict[str, None])
    """Whose lanes it has not come to yet."""

    @classmethod
    def of(cls, trace: Trace) -> Course:
        """Begin to read a trace."""
        participants: dict[str | None, Participant] = {one.name: one for one in trace.participants}
        before: Counter[Place] = Counter()
        rough: set[Place] = set()
        for one in trace.participants:
            for lane in one.capacities:
                if trace.knows_start(one, lane):
                    before[one.name, lane] = one.lying.get(lane, 0)
                else:
                    rough.add((one.name, lane))
        if not trace.is_from_start:
            rough.update((name, "bounded") for name in CHANNELS)
            for event in trace.events:
                if event.lane is not None and _leaves_from_before(event) and (event.subsystem, event.lane) in rough:
                    before[event.subsystem, event.lane] += 1
        ended: set[str | None] = {one.name for one in trace.participants if one.has_ended}
        return cls(trace, participants, defaultdict(dict), defaultdict(OrderedDict), before, ended)

    def length(self, place: Place) -> int:
        """Return how much lies in a lane; where the beginning is not known, at least so much."""
        return len(self.lying[place]) + self.before[place]

    def knows(self, place: Place) -> bool:
        """Return whether `length` is exact."""
        participant = self.participants.get(place[0])
        return self.trace.is_from_start if participant is None else self.trace.knows_start(participant, place[1])

    def is_of_trio(self, event: TraceEvent) -> bool:
        """Return whether an event was surely a step of trio's own thread.

        At lanes that threads use, a step of theirs may be told of with the task that it wakes.
        """
        if event.task is None:
            return False
        participant = self.participants.get(event.subsystem)
        return event.lane is None or participant is None or not participant.is_shared

    def ends_broadcast(self, event: TraceEvent) -> bool:
        """Return whether the last broadcast had come to all lanes that it was to come to before this event.

        A broadcast is one step of trio's thread: none of that thread's other steps comes between.
        """
        one = self.broadcast
        return (
            one is not None
            and self.is_of_trio(event)
            and not (event.lane == "signals" and event.epoch == one.epoch and event.kind in {"send", "receive"})
        )

    def apply(self, event: TraceEvent) -> None:
        """Read an event, which the laws have looked at."""
        if self.broadcast is not None and self.ends_broadcast(event):
            self.broadcast = None
        if event.lane is None:
            if event.kind == "broadcast":
                self.broadcast = event
                self.unsent = dict.fromkeys(name for name in event.audience if name not in self.ended)
            elif event.kind == "exit":
                self.ended.add(event.subsystem)
            return
        place = (event.subsystem, event.lane)
        if event.message is None:
            if _leaves_from_before(event) and self.before[place]:
                self.before[place] -= 1
            return
        self._move(event, place, event.message)

    def _move(self, event: TraceEvent, place: Place, message: int) -> None:
        match event.kind:
            case "block":
                self.waiting[place][message] = event
            case "send":
                self.waiting[place].pop(message, None)
                self.lying[place][message] = event
                if self.broadcast is not None and event.lane == "signals" and event.epoch == self.broadcast.epoch:
                    self.unsent.pop(event.subsystem or "", None)
            case "receive":
                self.lying[place].pop(message, None)
            case _:  # a dead letter, or one that is withdrawn
                self.waiting[place].pop(message, None)
                self.lying[place].pop(message, None)


def _leaves_from_before(event: TraceEvent) -> bool:
    return event.message is None and event.detail == FROM_BEFORE and event.kind in {"receive", "dead letter"}
