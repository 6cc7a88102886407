"""What all laws have in common: they look at every event before it is read, and report what they find."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

import attrs

from orchestra_trio.testing.tracing.laws.violations import Violation
from orchestra_trio.testing.tracing.trace import place_name

if TYPE_CHECKING:
    from orchestra_trio.testing.tracing.laws.course import Course
    from orchestra_trio.testing.tracing.trace import TraceEvent
    from orchestra_trio.testing.tracing.whereabouts import Place

__all__ = ["Law", "lane_of", "what", "who"]


@attrs.define(eq=False)
class Law(ABC):
    """One law, or a part of one, over one trace."""

    number: ClassVar[int]
    """As the contract counts them."""
    name: ClassVar[str]
    course: Course
    found: list[Violation]
    """Where violations go, those of all laws."""

    @abstractmethod
    def look(self, event: TraceEvent) -> None:
        """Look at an event; the course stands where it stood before."""

    def end(self) -> None:  # noqa: B027 - most laws have nothing to say then
        """Look at where all stands after the last event."""

    def report(self, message: str, *events: TraceEvent | None) -> None:
        """Add a violation, with the events that show it; those that are None are not known."""
        shown = {event.number: event for event in events if event is not None}
        self.found.append(Violation(self.number, self.name, message, tuple(shown[one] for one in sorted(shown))))


def what(event: TraceEvent) -> str:
    """Return what an event is about."""
    return event.text or event.type or "a message"


def who(event: TraceEvent) -> str:
    """Return who sends."""
    return place_name(event.sender)


def lane_of(place: Place) -> str:
    """Return how a lane is called."""
    return f"the {place[1]} lane of {place_name(place[0])}"
