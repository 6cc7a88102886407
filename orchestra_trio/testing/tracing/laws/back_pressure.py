"""Law 7: a bounded lane never holds more than its capacity; a full one, and no other, makes senders wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import attrs

from orchestra_trio.testing.tracing.laws.law import Law, lane_of, what, who

if TYPE_CHECKING:
    from orchestra_trio.testing.tracing.trace import TraceEvent
    from orchestra_trio.testing.tracing.whereabouts import Place

__all__ = ["BackPressure"]


@attrs.define(eq=False)
class BackPressure(Law):
    """The lanes of messages hold what they may, and nobody waits while there is room."""

    number: ClassVar[int] = 7
    name: ClassVar[str] = "back-pressure"
    _capacities: dict[Place, int] = attrs.field(init=False)
    _freed: dict[Place, TraceEvent] = attrs.Factory(dict["Place", "TraceEvent"])
    """Lanes that something has left just now: who waits for the room is to be let in next."""

    def __attrs_post_init__(self) -> None:
        self._capacities = {
            (one.name, lane): capacity
            for one in self.course.trace.participants
            for lane, capacity in one.capacities.items()
            if capacity is not None and lane != "signals"
        }

    def look(self, event: TraceEvent) -> None:
        """See that there is room for what comes, and none for who begins to wait, or goes on waiting."""
        if self._freed:
            self._look_at_freed(event)
        if event.lane is None:
            return
        place: Place = (event.subsystem, event.lane)
        capacity = self._capacities.get(place)
        if capacity is None:
            return
        if event.kind == "send":
            length = self.course.length(place) + 1
            if length > capacity:
                told = f"{what(event)} of {who(event)} is put into {lane_of(place)}, which then holds {length}"
                self.report(f"{told}; its capacity is {capacity}", event)
        elif event.kind == "block":
            if self._has_room(place) and place[0] not in self.course.ended:
                told = f"{who(event)} waits to send {what(event)} into {lane_of(place)}, which holds"
                self.report(f"{told} {self.course.length(place)} and has room for {capacity}", event)
        elif event.kind == "receive" and self.course.waiting.get(place):
            self._freed[place] = event

    def _has_room(self, place: Place) -> bool:
        return self.course.knows(place) and self.course.length(place) < self._capacities[place]

    def _look_at_freed(self, event: TraceEvent) -> None:
        for place, cause in list(self._freed.items()):
            waiting = self.course.waiting.get(place)
            if not waiting or not self._has_room(place) or place[0] in self.course.ended:
                del self._freed[place]
            elif (event.subsystem, event.lane) == place:
                if event.kind == "withdraw":
                    self._report(place, cause, event)
            elif self.course.is_of_trio(cause) and self.course.is_of_trio(event):
                # Taking and letting in are one step: where trio's thread has gone on, nobody was let in.
                self._report(place, cause, event)

    def _report(self, place: Place, cause: TraceEvent, event: TraceEvent) -> None:
        del self._freed[place]
        first = next(iter(self.course.waiting[place].values()))
        told = f"{who(first)} still waits to send {what(first)} into {lane_of(place)}"
        self.report(f"{told}, which has had room since {what(cause)} left it", first, cause, event)
