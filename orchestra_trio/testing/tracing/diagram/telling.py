"""Telling events: each becomes an arrow or a note, or part of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from orchestra_trio.testing.tracing.diagram.reading import lane_text, shorten
from orchestra_trio.testing.tracing.diagram.rows import MOMENT, NOBODY, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from orchestra_trio.testing.tracing.diagram.reading import Facts
    from orchestra_trio.testing.tracing.diagram.rows import Arrow, Place, Tone
    from orchestra_trio.testing.tracing.trace import TraceEvent

__all__ = ["tell"]


def tell(
    events: Sequence[TraceEvent],
    facts: Facts,
    *,
    shown: Collection[int],
    among: Collection[Place] | None,
    name_of: Callable[[Place], str],
) -> list[Row]:
    """Return the rows for some events of a trace.

    Args:
        events: The events.
        facts: What is known of all events of the trace.
        shown: The numbers of those that are to be highlighted.
        among: Who is shown of those that a broadcast was for; None for all.
        name_of: Returns what a place is called.
    """
    groups: dict[int, list[TraceEvent]] = {}
    for event, owner in zip(events, _owners(events, facts), strict=True):
        groups.setdefault(owner, []).append(event)
    teller = _Teller(facts, among, name_of)
    return list(_gathered(_finished(teller.tell(group), group, shown) for group in groups.values()))


def _owners(events: Iterable[TraceEvent], facts: Facts) -> Iterator[int]:
    """Yield of which event each is a part: of itself, unless one arrow or note tells both."""
    owners: dict[int, int] = {}
    last: TraceEvent | None = None
    for event in events:
        owner = event.number
        match event.kind:
            case "receive":
                owner = owners.get(facts.direct.get(owner, owner), owner)
                if owner in facts.heard and event.number in facts.overtakes:
                    owner = event.number
            case "send":
                owner = owners.get(facts.bands.get(owner, owner), owner)
            case "exit" | "job end" if last is not None and _ends(last, event):
                owner = last.number
            case _:
                pass
        owners[event.number] = owner
        last = event
        yield owner


def _ends(last: TraceEvent, event: TraceEvent) -> bool:
    if last.subsystem != event.subsystem or event.time - last.time >= MOMENT:
        return False
    if event.kind == "exit":
        return last.kind == "end of input"
    return last.kind == "job" and last.detail == event.detail


def _finished(row: Row, group: Sequence[TraceEvent], shown: Collection[int]) -> Row:
    tone: Tone = "error" if group[0].kind == "error" else "plain"
    if any(event.number in shown for event in group):
        tone = "shown"
    return attrs.evolve(row, tone=tone, ended=group[-1].time, events=len(group))


def _gathered(rows: Iterable[Row]) -> Iterator[Row]:
    """Join notes that say the same of several subsystems at once."""
    last: Row | None = None
    for row in rows:
        if last is None:
            last = row
        elif _can_join(last, row):
            last = attrs.evolve(last, ends=last.ends + row.ends, ended=row.ended, events=last.events + row.events)
        else:
            yield last
            last = row
    if last is not None:
        yield last


def _can_join(last: Row, row: Row) -> bool:
    return (
        not (row.arrow or row.first)
        and row.shape(with_type=True) == attrs.evolve(last, ends=row.ends).shape(with_type=True)
        and row.ends[0] not in last.ends
        and row.began - last.began < MOMENT
    )


@attrs.frozen
class _Teller:
    facts: Facts
    among: Collection[Place] | None
    name_of: Callable[[Place], str]

    def tell(self, group: Sequence[TraceEvent]) -> Row:
        """Return the row for an event and what is part of it."""
        event = group[0]
        place = self.name_of(event.subsystem)
        ends = (event.sender, event.subsystem)
        match event.kind:
            case "send":
                row = self._tell_send(event)
            case "receive":
                row = self._tell_receipt(event)
            case "block":
                row = self._note(event, event.sender, f"waits for room at {place} for ", after=lane_text(event))
            case "withdraw":
                row = self._note(event, event.sender, "gives up sending ", after=f"{lane_text(event)} to {place}")
            case "dead letter":
                row = self._tell_dead_letter(event)
            case "broadcast":
                row = self._tell_broadcast(event, group)
            case "answer" | "no answer":
                row = _row(event, "-->>" if event.kind == "answer" else "--x", ends, f"{event.kind} to {event.detail}")
            case "error":
                after = "" if event.detail is None else f" in job {event.detail}"
                row = self._note(event, event.subsystem, "error ", after=after)
            case _:
                row = self._tell_life(event, group)
        return row

    def _tell_send(self, event: TraceEvent) -> Row:
        verb = "request " if event.is_request else ""
        ends = (event.sender, event.subsystem)
        if event.number not in self.facts.taken:
            return _row(event, "-)", ends, verb, self._text(event), lane_text(event))
        row = _row(event, "->>", ends, verb, shorten(event), lane_text(event))
        return attrs.evolve(row, overtakes=self._tell_overtaking(self.facts.taken[event.number]))

    def _tell_receipt(self, event: TraceEvent) -> Row:
        sent = None if event.message is None else self.facts.sent.get(event.message)
        origin = ""
        if sent is not None and event.lane != "signals":
            origin = f" from {self.name_of(sent.sender)}"
        elif event.message is None and event.detail is not None:
            origin = f", {event.detail}"
        row = self._note(event, event.subsystem, "takes ", after=f"{lane_text(event)}{origin}")
        return attrs.evolve(row, overtakes=self._tell_overtaking(event))

    def _tell_overtaking(self, event: TraceEvent) -> str:
        if event.number not in self.facts.overtakes:
            return ""
        oldest, count = self.facts.overtakes[event.number]
        rest = "" if count == 1 else f" and {count - 1} more"
        return f", overtakes {self._text(oldest)}{lane_text(oldest)}{rest}"

    def _tell_dead_letter(self, event: TraceEvent) -> Row:
        reason = "" if event.detail is None else f" ({event.detail})"
        if event.message == event.number and event.message not in self.facts.known:
            is_for_nobody = event.subsystem is None and event.detail == "unconsumed"
            ends = (event.sender, NOBODY if is_for_nobody else event.subsystem)
            return _row(event, "-x", ends, "", shorten(event), f"{lane_text(event)}, dead letter{reason}")
        after = f"{lane_text(event)} from {self.name_of(event.sender)}"
        return self._note(event, event.subsystem, f"dead letter{reason} ", after=after)

    def _tell_broadcast(self, event: TraceEvent, group: Sequence[TraceEvent]) -> Row:
        heard = self.facts.heard.get(event.number, [])
        missed = [name for name in event.audience if name not in heard]
        takers = [self.name_of(part.subsystem) for part in group if part.kind == "receive"]
        after = f", not to {', '.join(missed)}" if missed else ""
        if takers:
            after += ", taken at once" if len(takers) == len(heard) else f", taken at once by {', '.join(takers)}"
        audience = tuple(name for name in event.audience if self.among is None or name in self.among)
        return _row(event, "", audience or (None,), "broadcast ", shorten(event), after)

    def _tell_life(self, event: TraceEvent, group: Sequence[TraceEvent]) -> Row:
        said: str = event.kind
        first = ""
        match event.kind:
            case "job" | "job end":
                first = event.detail or ""
                said = "job " if len(group) > 1 else "begins job " if event.kind == "job" else "ends job "
            case "start" if event.number in self.facts.restarts:
                said = "start anew"
            case "exit" if event.detail is not None:
                said = f"exit, {event.detail}"
            case "end of input" if len(group) > 1:
                said = f"end of input, exit, {group[1].detail}"
            case _:
                pass
        return _row(event, "", (event.subsystem,), said, first)

    def _note(self, event: TraceEvent, place: Place, before: str, *, after: str) -> Row:
        return _row(event, "", (place,), before, self._text(event), after)

    def _text(self, event: TraceEvent) -> str:
        """Return the text of a message, with its number if others in the same mailbox have the same text."""
        text = shorten(event)
        is_alone = event.message is None or self.facts.namesakes[event.subsystem, text] <= 1
        return text if is_alone else f"{text} no. {event.message}"


def _row(event: TraceEvent, arrow: Arrow, ends: tuple[Place, ...], before: str, what: str = "", after: str = "") -> Row:
    return Row(
        arrow=arrow,
        ends=ends,
        before=before,
        first=what,
        last=what,
        after=after,
        type=event.type,
        began=event.time,
        ended=event.time,
    )
