"""Law 6: with the same lanes always ready, over any sum-of-weights picks each gets its weight, plus or minus 1."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, ClassVar, Final

import attrs

from orchestra_trio.testing.tracing.laws.law import Law

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra_trio.records import LaneName, MessageLane
    from orchestra_trio.testing.tracing.trace import TraceEvent

__all__ = ["Fairness"]

_LANES: Final[tuple[MessageLane, ...]] = ("priority", "unbounded", "bounded")

_MOST_SHOWN: Final = 8
"""Picks that are shown; there may be as many as all weights together."""


@attrs.define
class _Run:
    """Picks of one mailbox while the same lanes were ready: the last sum-of-weights of them."""

    ready: tuple[MessageLane, ...]
    weights: Mapping[MessageLane, int]
    total: int
    picks: deque[TraceEvent] = attrs.Factory(deque["TraceEvent"])
    counts: Counter[LaneName] = attrs.Factory(Counter["LaneName"])

    def add(self, event: TraceEvent, lane: LaneName) -> list[MessageLane]:
        """Add a pick; return the lanes that have not had their due."""
        self.picks.append(event)
        self.counts[lane] += 1
        if len(self.picks) < self.total:
            return []
        unfair: list[MessageLane] = [lane for lane in self.ready if abs(self.counts[lane] - self.weights[lane]) > 1]
        if not unfair:
            self.counts[self.picks.popleft().lane or "bounded"] -= 1
        return unfair


@attrs.define(eq=False)
class Fairness(Law):
    """The lanes of a mailbox get their due, where its weights are known."""

    number: ClassVar[int] = 6
    name: ClassVar[str] = "weighted fairness"
    _runs: dict[str | None, _Run] = attrs.Factory(dict["str | None", "_Run"])

    def look(self, event: TraceEvent) -> None:
        """See how often each lane was picked while the same were ready; signals in between change nothing."""
        if event.kind != "receive" or event.lane is None or event.lane == "signals":
            return
        name, course = event.subsystem, self.course
        participant = course.participants.get(name)
        if participant is None or participant.weights is None or not course.knows((name, "bounded")):
            return
        ready: tuple[MessageLane, ...] = tuple(
            lane for lane in _LANES if course.length((name, lane)) or course.waiting.get((name, lane))
        )
        if len(ready) < 2 or event.lane not in ready:  # noqa: PLR2004 - one alone has no rival
            self._runs.pop(name, None)
            return
        run = self._runs.get(name)
        if run is None or run.ready != ready:
            total = sum(participant.weights[lane] for lane in ready)
            run = self._runs[name] = _Run(ready, participant.weights, total)
        unfair = run.add(event, event.lane)
        if unfair:
            self._report(run, unfair, name)
            del self._runs[name]

    def _report(self, run: _Run, unfair: list[MessageLane], name: str | None) -> None:
        counts = ", ".join(f"{lane} {run.counts[lane]} times (weight {run.weights[lane]})" for lane in run.ready)
        told = f"over {run.total} picks of {name} with {' and '.join(run.ready)} always ready, it picked {counts}"
        picks = list(run.picks)
        odd = [one for one in picks if one.lane in unfair]
        self.report(told, picks[0], *odd[: _MOST_SHOWN - 2], picks[-1])
