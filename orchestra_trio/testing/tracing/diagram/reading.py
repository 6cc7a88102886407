"""Reading a trace: which receipt belongs to which sending, what overtook what, and what the rows of a diagram say."""

from __future__ import annotations

from collections import Counter
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Final

import attrs

from orchestra_trio.testing.tracing.diagram.rows import MOMENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra_trio.testing.tracing.diagram.rows import Place
    from orchestra_trio.testing.tracing.trace import TraceEvent

__all__ = ["Facts", "lane_text", "read", "shorten"]

_WIDEST: Final = 64
"""The most characters of a message's text: Mermaid breaks no lines."""

_COUNTED: Final = 100
"""So many overtaken messages are looked at, at the most."""


@attrs.define(eq=False)
class Facts:
    """What the events of a trace have to do with each other, by their numbers."""

    sent: dict[int, TraceEvent] = attrs.Factory(dict[int, "TraceEvent"])
    """By message: the event at which its lane got it."""

    known: set[int] = attrs.Factory(set[int])
    """The messages that were sent, or waited for room."""

    direct: dict[int, int] = attrs.Factory(dict[int, int])
    """By receipt: the sending right before it; nothing else came between them but what the sender sent to others."""

    taken: dict[int, TraceEvent] = attrs.Factory(dict[int, "TraceEvent"])
    """By sending: the receipt right behind it; the same pairs."""

    overtakes: dict[int, tuple[TraceEvent, int]] = attrs.Factory(dict[int, "tuple[TraceEvent, int]"])
    """By receipt: the sending of what lay in the mailbox longest, and how many lay there for longer than this."""

    bands: dict[int, int] = attrs.Factory(dict[int, int])
    """By sending of a signal: the broadcast that it is part of."""

    heard: dict[int, list[str]] = attrs.Factory(dict[int, list[str]])
    """By broadcast: to whom it was sent."""

    namesakes: Counter[tuple[Place, str]] = attrs.Factory(Counter["tuple[Place, str]"])
    """How many messages for the same consumer have the same text."""

    restarts: set[int] = attrs.Factory(set[int])
    """Starts that were not the first of their subsystem."""


def read(events: Iterable[TraceEvent]) -> Facts:
    """Find out what the events of a trace, all of them, have to do with each other."""
    reader = _Reader()
    for event in events:
        reader.take(event)
    return reader.facts


@attrs.define(eq=False)
class _Reader:
    facts: Facts = attrs.Factory(Facts)
    _lying: dict[Place, dict[int, TraceEvent]] = attrs.Factory(dict["Place", "dict[int, TraceEvent]"])
    """By mailbox: what lies in it, oldest first."""
    _handed: dict[Place, TraceEvent] = attrs.Factory(dict["Place", "TraceEvent"])
    """What one sender sends while nothing else happens: for each consumer the last, until it is received."""
    _sender: Place = None
    _broadcast: TraceEvent | None = None
    """The broadcast whose signals are being sent."""
    _started: set[Place] = attrs.Factory(set["Place"])

    def take(self, event: TraceEvent) -> None:
        """Read the next event."""
        if event.kind in {"send", "block"} and event.message == event.number:
            self.facts.namesakes[event.subsystem, shorten(event)] += 1
        match event.kind:
            case "send":
                self._take_send(event)
            case "receive":
                self._take_receipt(event)
            case _:
                self._handed.clear()
                self._broadcast = event if event.kind == "broadcast" else None
        if event.kind == "start":
            if event.subsystem in self._started:
                self.facts.restarts.add(event.number)
            self._started.add(event.subsystem)
        elif event.kind == "block":
            self.facts.known.add(event.number)
        elif event.kind == "dead letter" and event.message is not None:
            self._lying.get(event.subsystem, {}).pop(event.message, None)

    def _take_send(self, event: TraceEvent) -> None:
        if event.message is not None:
            self.facts.sent[event.message] = event
            self.facts.known.add(event.message)
            self._lying.setdefault(event.subsystem, {})[event.message] = event
        if self._handed and self._sender != event.sender:
            self._handed.clear()
        self._sender = event.sender
        self._handed[event.subsystem] = event
        broadcast = self._broadcast
        if broadcast is None or event.subsystem is None:
            return
        if (event.lane, event.epoch) != ("signals", broadcast.epoch):
            self._broadcast = None
        elif event.subsystem in broadcast.audience:
            self.facts.bands[event.number] = broadcast.number
            self.facts.heard.setdefault(broadcast.number, []).append(event.subsystem)

    def _take_receipt(self, event: TraceEvent) -> None:
        sending = self._handed.pop(event.subsystem, None)
        if event.message is not None:
            self._note_overtaking(event, event.message)
            if sending is not None and sending.message == event.message and event.time - sending.time < MOMENT:
                self.facts.direct[event.number] = sending.number
                self.facts.taken[sending.number] = event
                return
        self._handed.clear()
        self._broadcast = None

    def _note_overtaking(self, event: TraceEvent, message: int) -> None:
        lying = self._lying.get(event.subsystem, {})
        if lying.pop(message, None) is None:
            return
        # A message that waited for room bears the number of its waiting, and lies there only since it was sent.
        sent = self.facts.sent[message].number
        older = list(islice(takewhile(lambda one: one.number < sent, lying.values()), _COUNTED))
        if older:
            self.facts.overtakes[event.number] = (older[0], len(older))


def shorten(event: TraceEvent) -> str:
    """Return a short text of the message, signal, event or exception, with its epoch if it was broadcast."""
    text = (event.text or "").strip() or event.type or "?"
    short = text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."
    return short if event.epoch is None else f"{short}, epoch {event.epoch}"


def lane_text(event: TraceEvent) -> str:
    """Return the lane as it is shown behind a message: only if neither it goes without saying nor an epoch says it."""
    return "" if event.lane in {None, "bounded"} or event.epoch is not None else f" [{event.lane}]"
