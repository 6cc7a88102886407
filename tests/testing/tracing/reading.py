"""What the tests of traces share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra_trio.testing.tracing.laws.checking import check_laws

if TYPE_CHECKING:
    from orchestra_trio.testing.tracing.trace import Trace

__all__ = ["only", "steps"]


def steps(trace: Trace, *kinds: str) -> list[str]:
    """What was sent and received, or what these kinds of events say, in few words."""
    shown = kinds or ("send", "receive", "block", "withdraw", "dead letter")
    return [f"{one.kind} {one.text}" for one in trace if one.kind in shown]


def only(traces: list[Trace]) -> Trace:
    """The only trace, in which no law is broken."""
    (trace,) = traces
    check_laws(trace)
    return trace
