"""Laws 3 to 5: signals before messages, in the same order for all, and before what was sent after them."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from typing import TYPE_CHECKING, ClassVar

import attrs

from orchestra_trio.testing.tracing.laws.course import CHANNELS
from orchestra_trio.testing.tracing.laws.law import Law, what, who

if TYPE_CHECKING:
    from orchestra_trio.testing.tracing.trace import TraceEvent

__all__ = ["SignalsFirst", "TotalOrder", "Watermark"]


@attrs.define(eq=False)
class SignalsFirst(Law):
    """Law 3: nobody receives a message while a signal lies in their signal lane."""

    number: ClassVar[int] = 3
    name: ClassVar[str] = "signals first"
    _told: set[tuple[str | None, int | None]] = attrs.Factory(set[tuple["str | None", "int | None"]])
    """In front of whom which signals were overtaken: told once."""

    def look(self, event: TraceEvent) -> None:
        """See that no signal lies there when a message is received."""
        if event.kind != "receive" or event.lane is None or event.lane == "signals" or event.subsystem in CHANNELS:
            return
        course = self.course
        if course.length((event.subsystem, "signals")):
            sent = next(iter(course.lying[event.subsystem, "signals"].values()), None)
            key = (event.subsystem, None if sent is None else sent.message)
            if key in self._told:
                return
            self._told.add(key)
            signal = "one from before the recording began" if sent is None else what(sent)
            told = f"{event.subsystem} receives {what(event)} from its {event.lane} lane"
            self.report(f"{told}, while a signal lies in its signal lane: {signal}", sent, event)


@attrs.define(eq=False)
class TotalOrder(Law):
    """Law 4: signals are received in the order in which they were sent, broadcasts with rising numbers."""

    number: ClassVar[int] = 4
    name: ClassVar[str] = "total order of signals"
    _lying: defaultdict[str | None, OrderedDict[int, TraceEvent]] = attrs.Factory(
        lambda: defaultdict[str | None, "OrderedDict[int, TraceEvent]"](OrderedDict)
    )
    _received: dict[str | None, TraceEvent] = attrs.Factory(dict["str | None", "TraceEvent"])
    """The last broadcast that each received."""
    _epochs: Counter[str | None] = attrs.field(init=False)
    """Its number."""
    _broadcast: TraceEvent | None = None
    _epoch: int = attrs.field(init=False)
    """The number of the last broadcast."""

    def __attrs_post_init__(self) -> None:
        trace = self.course.trace
        self._epoch = trace.epoch
        self._epochs = Counter({one.name: one.epoch for one in trace.participants})

    def look(self, event: TraceEvent) -> None:
        """See that broadcasts are numbered, and signals received, in order."""
        if event.kind == "broadcast":
            if event.epoch is None or event.epoch <= self._epoch:
                told = f"the broadcast of {what(event)} is number {event.epoch}, after number {self._epoch}"
                self.report(told, self._broadcast, event)
            self._broadcast, self._epoch = event, max(self._epoch, event.epoch or 0)
        elif event.lane == "signals" and event.message is not None:
            if event.kind == "send":
                self._lying[event.subsystem][event.message] = event
            elif event.kind == "receive":
                self._take(event, event.message)

    def _take(self, event: TraceEvent, message: int) -> None:
        name = event.subsystem
        skipped = self._skip_to(message, self._lying[name])
        if skipped:
            told = f"{name} receives {_signal(event)} and skips {_signal(skipped[0])}, which was sent to it earlier"
            self.report(told, skipped[0], event)
        elif self.course.before[name, "signals"]:
            told = f"{name} receives {_signal(event)} before a signal that lay there when the recording began"
            self.report(told, event)
        if event.epoch is None:
            return
        if event.epoch <= self._epochs[name]:
            told = f"{name} receives {_signal(event)} after broadcast {self._epochs[name]}"
            self.report(told, self._received.get(name), event)
        self._epochs[name], self._received[name] = max(self._epochs[name], event.epoch), event

    @staticmethod
    def _skip_to(message: int, lying: OrderedDict[int, TraceEvent]) -> list[TraceEvent]:
        """Take a signal out of those that lie there, and those before it; return these."""
        skipped: list[TraceEvent] = []
        if message in lying:
            while (first := lying.popitem(last=False))[0] != message:
                skipped.append(first[1])
        return skipped


@attrs.define(eq=False)
class Watermark(Law):
    """Law 5: a message is never received before the broadcasts that its sender had received when it was sent."""

    number: ClassVar[int] = 5
    name: ClassVar[str] = "watermark"
    _received: defaultdict[str | None, set[int]] = attrs.Factory(lambda: defaultdict["str | None", "set[int]"](set))
    """The broadcasts that each has received."""
    _marks: defaultdict[str | None, dict[tuple[str, ...], TraceEvent]] = attrs.Factory(
        lambda: defaultdict["str | None", "dict[tuple[str, ...], TraceEvent]"](dict)
    )
    """Of each subsystem, for each set of subscribers, where it received the last broadcast to these."""
    _subscribers: dict[tuple[str, ...], frozenset[str]] = attrs.Factory(dict[tuple[str, ...], "frozenset[str]"])
    _audiences: dict[int, tuple[str, ...]] = attrs.Factory(dict[int, "tuple[str, ...]"])
    _sent: dict[int, tuple[TraceEvent, TraceEvent]] = attrs.Factory(dict[int, "tuple[TraceEvent, TraceEvent]"])
    """Of each message, where it was sent, and where its sender had received a broadcast that comes before it."""
    _held: list[TraceEvent] = attrs.Factory(list["TraceEvent"])
    """Receipts of a broadcast that is still on its way into lanes: other threads of their subsystems know nothing of
    it yet, and what these send meanwhile does not come after it."""
    _told: set[tuple[str | None, int | None]] = attrs.Factory(set[tuple["str | None", "int | None"]])
    """In front of whom which broadcasts were overtaken: told once."""

    def look(self, event: TraceEvent) -> None:
        """See that who receives a message has received what its sender had."""
        if self._held and self.course.ends_broadcast(event):
            self._let_go()
        if event.kind == "broadcast" and event.epoch is not None:
            self._audiences[event.epoch] = event.audience
            self._subscribers.setdefault(event.audience, frozenset(event.audience))
        elif event.lane == "signals":
            if event.kind == "receive" and event.epoch is not None:
                self._received[event.subsystem].add(event.epoch)
                self._held.append(event)
                if self.course.broadcast is None or self.course.broadcast.epoch != event.epoch:
                    self._let_go()
        elif event.message is not None and event.subsystem not in CHANNELS:
            if event.kind == "send":
                self._mark(event, event.message)
            elif event.kind == "receive":
                self._check(event, event.message)

    def _let_go(self) -> None:
        for one in self._held:
            audience = self._audiences.get(one.epoch or 0)
            if audience is not None:
                self._marks[one.subsystem][audience] = one
        self._held.clear()

    def _mark(self, event: TraceEvent, message: int) -> None:
        marks = self._marks.get(event.sender)
        if marks is None:
            return
        heard = [mark for audience, mark in marks.items() if event.subsystem in self._subscribers[audience]]
        if heard:
            self._sent[message] = (event, max(heard, key=lambda mark: mark.epoch or 0))

    def _check(self, event: TraceEvent, message: int) -> None:
        sent, mark = self._sent.pop(message, (None, None))
        if sent is None or mark is None or mark.epoch in self._received[event.subsystem]:
            return
        if (event.subsystem, mark.epoch) not in self._told:
            self._told.add((event.subsystem, mark.epoch))
            told = f"{event.subsystem} receives {what(event)} before broadcast {mark.epoch}"
            self.report(f"{told}, which {who(sent)} had received when it sent that", mark, sent, event)


def _signal(event: TraceEvent) -> str:
    return what(event) if event.epoch is None else f"broadcast {event.epoch}"
