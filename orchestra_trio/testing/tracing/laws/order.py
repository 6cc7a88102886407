"""Law 2: per sending task, lane and consumer, first in, first out; senders that wait are served in order."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import attrs

from orchestra_trio.testing.tracing.laws.course import CHANNELS
from orchestra_trio.testing.tracing.laws.law import Law, lane_of, what, who

if TYPE_CHECKING:
    from orchestra_trio.testing.tracing.trace import TraceEvent
    from orchestra_trio.testing.tracing.whereabouts import Place

__all__ = ["FirstInFirstOut", "WaitingInOrder"]

_Way: TypeAlias = "tuple[Place, str | None, str | None]"
"""A lane, who sends into it, and with which task."""


@attrs.define(eq=False)
class FirstInFirstOut(Law):
    """What one task sends into one lane leaves it in the same order."""

    number: ClassVar[int] = 2
    name: ClassVar[str] = "order"
    _lying: defaultdict[_Way, OrderedDict[int, TraceEvent]] = attrs.Factory(
        lambda: defaultdict[_Way, "OrderedDict[int, TraceEvent]"](OrderedDict)
    )
    _ways: dict[int, _Way] = attrs.Factory(dict[int, "_Way"])

    def look(self, event: TraceEvent) -> None:
        """See that what is received was the first of its sender."""
        if event.message is None or event.lane is None or event.lane == "signals":
            return  # the order of signals is law 4
        if event.kind == "send":
            way = self._ways[event.message] = ((event.subsystem, event.lane), event.sender, event.task)
            self._lying[way][event.message] = event
        elif event.kind in {"receive", "dead letter"}:
            self._take(event, event.message)

    def _take(self, event: TraceEvent, message: int) -> None:
        way = self._ways.pop(message, None)
        if way is None:
            return
        lying = self._lying[way]
        sent = lying.pop(message, None)
        first = next(iter(lying.values()), None)
        if event.kind == "receive" and first is not None and sent is not None and first.number < sent.number:
            task = "a thread" if sent.task is None else f"task {sent.task}"
            told = f"{what(event)} is received from {lane_of(way[0])} before {what(first)}"
            self.report(f"{told}, which {task} of {who(sent)} sent earlier", first, sent, event)


@attrs.define(eq=False)
class WaitingInOrder(Law):
    """Senders that wait for room are let in in the order in which they came, and nobody overtakes them."""

    number: ClassVar[int] = 2
    name: ClassVar[str] = "order"
    _from_before: set[Place] = attrs.field(init=False)
    """Lanes for which somebody may have waited when the recording began; they come before all others."""

    def __attrs_post_init__(self) -> None:
        course = self.course
        self._from_before = set()
        if course.trace.is_from_start:
            return
        self._from_before.update((name, "bounded") for name in CHANNELS)
        for one in course.trace.participants:
            for lane, capacity in one.capacities.items():
                is_full = capacity is not None and one.lying.get(lane, 0) >= capacity
                if is_full or not course.trace.knows_start(one, lane):
                    self._from_before.add((one.name, lane))

    def look(self, event: TraceEvent) -> None:
        """See that nobody was let in while others had waited for longer."""
        if event.kind != "send" or event.lane is None or event.lane == "signals":
            return
        place: Place = (event.subsystem, event.lane)
        waiting = self.course.waiting.get(place)
        if not waiting:
            return
        message, first = next(iter(waiting.items()))
        if event.message == message:
            self._from_before.discard(place)
        elif event.message is not None and event.message in waiting:
            told = f"{what(event)} of {who(event)} is let into {lane_of(place)} before {what(first)} of {who(first)}"
            self.report(f"{told}, which began to wait earlier", first, waiting[event.message], event)
        elif place not in self._from_before:
            told = f"{what(event)} of {who(event)} is put into {lane_of(place)}"
            self.report(f"{told}, while {what(first)} of {who(first)} waits for room there", first, event)
