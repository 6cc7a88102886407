"""Law 1: every message accepted is received exactly once, by its consumer, or is a dead letter at the end.

The way of a message, each step at the same lane::

    [block ->] send -> receive, or dead letter
    block -> withdraw, or dead letter
    dead letter, where it was in no lane

A signal goes the same way, but is dropped where its consumer has ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import attrs

from orchestra_trio.testing.tracing.laws.law import Law, lane_of, what, who
from orchestra_trio.testing.tracing.trace import FROM_BEFORE

if TYPE_CHECKING:
    from orchestra_trio.testing.tracing.trace import TraceEvent
    from orchestra_trio.testing.tracing.whereabouts import Place

__all__ = ["BroadcastsReach", "Conservation"]

_AFTER: dict[str, str] = {
    "block": "it was never let in",
    "send": "it lies there already",
    "receive": "it was received already",
    "withdraw": "it was withdrawn",
    "dead letter": "it is a dead letter already",
}
"""Why a step cannot follow another."""

_MAY_FOLLOW: dict[str, frozenset[str | None]] = {
    "block": frozenset({None}),
    "send": frozenset({None, "block"}),
    "receive": frozenset({"send"}),
    "withdraw": frozenset({"block"}),
    "dead letter": frozenset({None, "block", "send"}),
}

_VERBS: dict[str, str] = {
    "block": "waits for room in",
    "send": "is put into",
    "receive": "is received from",
    "withdraw": "is withdrawn from",
    "dead letter": "is buried in",
}


@attrs.define(eq=False)
class Conservation(Law):
    """Each message makes its way, and comes to its end."""

    number: ClassVar[int] = 1
    name: ClassVar[str] = "conservation"
    _last: dict[int, TraceEvent] = attrs.Factory(dict[int, "TraceEvent"])
    """The last step of each message."""

    def look(self, event: TraceEvent) -> None:
        """See that a step can follow the one before."""
        if event.lane is None or event.kind not in _MAY_FOLLOW:
            return
        place: Place = (event.subsystem, event.lane)
        if event.message is None:
            self._look_at_unknown(event, place)
            return
        last = self._last.get(event.message)
        self._last[event.message] = event
        if (None if last is None else last.kind) not in _MAY_FOLLOW[event.kind] or (
            last is None and event.detail == "left over"
        ):
            why = "it was never sent" if last is None else _AFTER[last.kind]
            self.report(f"{what(event)} {_VERBS[event.kind]} {lane_of(place)}, but {why}", last, event)
        elif last is not None and (last.subsystem, last.lane) != place:
            there = lane_of((last.subsystem, last.lane or "bounded"))
            self.report(f"{what(event)} {_VERBS[event.kind]} {lane_of(place)}, but it was in {there}", last, event)

    def end(self) -> None:
        """See that nothing lies in the message lanes of who has ended."""
        if not self.course.trace.has_ended:
            return
        for place, lying in self.course.lying.items():
            if place[1] != "signals" and place[0] in self.course.participants:
                for sent in lying.values():
                    message = f"{what(sent)} was sent by {who(sent)} to {lane_of(place)}, and is lost"
                    self.report(f"{message}: neither received nor a dead letter at the end", sent)
        for place, count in self.course.before.items():
            if count and place[1] != "signals" and place[0] in self.course.participants:
                message = f"{count} of those that lay in {lane_of(place)} when the recording began are lost"
                self.report(f"{message}: neither received nor dead letters at the end")

    def _look_at_unknown(self, event: TraceEvent, place: Place) -> None:
        if event.detail != FROM_BEFORE:
            self.report(f"{what(event)} {_VERBS[event.kind]} {lane_of(place)}, but it was not there", event)
        elif event.kind != "withdraw" and not self.course.before[place]:
            message = f"{what(event)} {_VERBS[event.kind]} {lane_of(place)}"
            self.report(f"{message}, but all that lay there when the recording began has left it", event)


@attrs.define(eq=False)
class BroadcastsReach(Law):
    """Each broadcast is put into the signal lanes of all subsystems that subscribe to it and live, in one step."""

    number: ClassVar[int] = 1
    name: ClassVar[str] = "conservation"

    def look(self, event: TraceEvent) -> None:
        """See that a broadcast that is over has come to everybody."""
        if self.course.ends_broadcast(event):
            self._report_unsent(event)

    def end(self) -> None:
        """See the same of the last broadcast."""
        if self.course.trace.has_ended:
            self._report_unsent(None)

    def _report_unsent(self, event: TraceEvent | None) -> None:
        one = self.course.broadcast
        if one is not None and self.course.unsent:
            names = ", ".join(self.course.unsent)
            self.report(
                f"broadcast {one.epoch} of {what(one)} was not sent to {names}, subscribed and alive", one, event
            )
            self.course.unsent = {}
