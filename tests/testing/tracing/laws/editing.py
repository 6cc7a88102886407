"""Finding events in a trace, and planting violations into a copy of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from orchestra_trio.testing.tracing.laws.checking import find_violations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra_trio.testing.tracing.trace import Trace, TraceEvent

__all__ = ["Edited", "laws_broken"]


@attrs.define
class Edited:
    """The events of a trace, being edited; each is told by the events of the trace itself."""

    trace: Trace
    events: list[TraceEvent] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.events = list(self.trace.events)

    def one(self, kind: str, **facts: Any) -> TraceEvent:  # noqa: ANN401 - fields of an event
        """Return the only event of a kind with these facts; `text` need only be a part of it."""
        found = self.all(kind, **facts)
        assert len(found) == 1, found
        return found[0]

    def all(self, kind: str, **facts: Any) -> list[TraceEvent]:  # noqa: ANN401 - as above
        """Return all events of a kind with these facts."""
        text = facts.pop("text", "")
        return [
            event
            for event in self.events
            if event.kind == kind
            and text in (event.text or "")
            and all(getattr(event, name) == value for name, value in facts.items())
        ]

    def drop(self, *events: TraceEvent) -> None:
        """Let something not have happened."""
        for event in events:
            self.events.remove(event)

    def repeat(self, event: TraceEvent, after: TraceEvent) -> None:
        """Let something happen once more, right after something."""
        self.events.insert(self.events.index(after) + 1, attrs.evolve(event))

    def move(self, event: TraceEvent, *, before: TraceEvent | None = None, after: TraceEvent | None = None) -> None:
        """Let something happen at another time."""
        self.events.remove(event)
        place = self.events.index(before) if before is not None else self.events.index(after) + 1  # type: ignore[arg-type]  # one of them is given
        self.events.insert(place, event)

    def swap(self, one: TraceEvent, other: TraceEvent) -> None:
        """Let two things happen in each other's place."""
        here, there = self.events.index(one), self.events.index(other)
        self.events[here], self.events[there] = other, one

    def change(self, event: TraceEvent, **facts: Any) -> TraceEvent:  # noqa: ANN401 - as above
        """Let something have been otherwise; return how it is now."""
        changed = attrs.evolve(event, **facts)
        self.events[self.events.index(event)] = changed
        return changed

    def done(self) -> Trace:
        """Return the edited trace, its events numbered anew; which message is which stays as it was."""
        events = [attrs.evolve(event, number=number) for number, event in enumerate(self.events)]
        return attrs.evolve(self.trace, events=events)

    def check(self, law: int, *shown: TraceEvent, only: bool = True) -> str:
        """See that the checker finds that law broken, and shows these events; return what it says.

        Args:
            law: The law that the first violation of it is to name.
            shown: The events that it is to show, in their order.
            only: Whether no other law may be broken.
        """
        trace = self.done()
        found = find_violations(trace)
        if only:
            assert {one.law for one in found} == {law}, found
        first = next(one for one in found if one.law == law)
        assert list(first.events) == [trace.events[self.events.index(event)] for event in shown], first
        return first.message


def laws_broken(traces: Iterable[Trace]) -> set[int]:
    """Return the numbers of the laws that some traces break."""
    return {one.law for trace in traces for one in find_violations(trace)}
