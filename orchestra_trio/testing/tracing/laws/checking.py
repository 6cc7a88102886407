"""Checking a trace against the laws that can be seen in it: 1 to 7, and 10."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestra_trio.errors import a_type
from orchestra_trio.testing.tracing.laws.back_pressure import BackPressure
from orchestra_trio.testing.tracing.laws.conservation import BroadcastsReach, Conservation
from orchestra_trio.testing.tracing.laws.course import Course
from orchestra_trio.testing.tracing.laws.drain import DrainOrder
from orchestra_trio.testing.tracing.laws.fairness import Fairness
from orchestra_trio.testing.tracing.laws.order import FirstInFirstOut, WaitingInOrder
from orchestra_trio.testing.tracing.laws.signals import SignalsFirst, TotalOrder, Watermark
from orchestra_trio.testing.tracing.laws.violations import LawsViolated, Violation
from orchestra_trio.testing.tracing.trace import Trace

if TYPE_CHECKING:
    from orchestra_trio.testing.tracing.laws.law import Law

__all__ = ["check_laws", "find_violations"]

_LAWS: Final[tuple[type[Law], ...]] = (
    Conservation,
    BroadcastsReach,
    FirstInFirstOut,
    WaitingInOrder,
    SignalsFirst,
    TotalOrder,
    Watermark,
    Fairness,
    BackPressure,
    DrainOrder,
)


def find_violations(trace: Trace) -> list[Violation]:
    """Return where a trace breaks the laws, in the order in which its events show it.

    The trace may have begun while the orchestra ran, and may not have ended yet: what happened outside of it is taken
    to be as it should. It takes time in proportion to the number of events, about 5 µs for each.

    Raises:
        TypeError: That is no trace.
    """
    given: object = trace
    if not isinstance(given, Trace):
        raise TypeError(f"laws are checked of one trace at a time, not of {a_type(type(given))}")
    course = Course.of(trace)
    found: list[Violation] = []
    laws = [law(course, found) for law in _LAWS]
    for event in trace.events:
        for law in laws:
            law.look(event)
        course.apply(event)
    for law in laws:
        law.end()
    return found


def check_laws(trace: Trace) -> None:
    """See that a trace breaks no law.

    Checked are conservation (1), order (2), signals first (3), the total order of signals (4), the watermark (5),
    weighted fairness (6), back-pressure (7) and the order of the drain (10), as far as the trace shows them.

    Raises:
        TypeError: That is no trace.
        LawsViolated: It does; the text says which law, where, and which events show it.
    """
    violations = find_violations(trace)
    if violations:
        raise LawsViolated(trace.orchestra, violations)
