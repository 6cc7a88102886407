"""The one task that looks at the orchestra, once per interval, for all who watch."""

from __future__ import annotations

import json
import logging
import math
import time
from typing import TYPE_CHECKING, Any, Final

import trio

from orchestra_trio.dashboard.history import History, Moment
from orchestra_trio.dashboard.layout import lay_out
from orchestra_trio.dashboard.snapshot import (
    Look,
    describe,
    describe_subsystem,
    lying,
    received_rate,
    total_blocked_rate,
)
from orchestra_trio.dashboard.wiring import count_traffic, read_wiring

if TYPE_CHECKING:
    from orchestra_trio import RunningOrchestra
    from orchestra_trio.dashboard.wiring import Shown, Wiring

__all__ = ["Sampler", "View"]

_LOG: Final = logging.getLogger("orchestra_trio.dashboard")

_MOST_STACKS = 200
"""A subsystem with more jobs shows no stacks: each task costs a millisecond, in which the orchestra stands still."""

_ATTENTION = 3
"""For so many intervals after somebody asked for a state it counts as watched."""

View = tuple[str | None, int]
"""The group that is open, and how many of its members come before: what a client wants to see."""


class Sampler:
    """Knows what the orchestra looks like now, what it looked like a moment ago, and the minute before.

    As long as nobody watches, it reads the statistics and keeps the history. What somebody has asked for is made once
    per look, however many ask.
    """

    def __init__(self, running: RunningOrchestra[Any, Any], interval: float) -> None:
        """Look for the first time."""
        self.interval = interval
        self.streams: int = 0
        """How many are being told of every look."""
        self.number: int = 0
        """Of the last look."""
        self.threads: trio.CapacityLimiter = trio.CapacityLimiter(2)
        """The page's own: who looks must not wait for threads of the orchestra, nor the orchestra for these."""
        self._running = running
        graph = running.graph()
        self.wiring: Wiring = read_wiring(graph, running.statistics().subsystems)
        self._now = self._before = self._edges_now = self._edges_before = self._look(counts_traffic=True)
        self._history = History(interval)
        self._asked_at = -math.inf
        self._made: dict[object, bytes] = {}
        self._layouts: dict[View, bytes] = {}
        self._laying_out = trio.Lock()
        self._changed = trio.Event()

    @property
    def ended(self) -> bool:
        """Whether the last look found that nothing of the orchestra runs any more."""
        return self._now.statistics.has_ended

    async def run(self) -> None:
        """Look once per interval until the orchestra has ended, and once more then."""
        with trio.CancelScope() as looking:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._await_end, looking)
                begun = trio.current_time()
                while True:
                    # At fixed times, so that what one look takes does not put off the next; those missed are left out.
                    passed = math.floor((trio.current_time() - begun) / self.interval)
                    await trio.sleep_until(begun + (passed + 1) * self.interval)
                    self._take()
        self._take()

    async def wait_changed(self) -> None:
        """Wait for the next look."""
        await self._changed.wait()

    def state(self, view: View) -> bytes | None:
        """Return the last look as JSON; None where there is no such group."""
        self._asked_at = trio.current_time()
        shown = self.wiring.view(*view)
        return None if shown is None else self._once(("state", view), lambda: self._describe(shown))

    def history(self, view: View) -> bytes | None:
        """Return the last minute as JSON; None where there is no such group."""
        shown = self.wiring.view(*view)
        if shown is None:
            return None
        return self._once(("history", view), lambda: self._history.series(shown.entries))

    def subsystem(self, name: str) -> bytes | None:
        """Return one subsystem with its stacks as JSON; None where there is no such subsystem."""
        if name not in self.wiring.lanes:
            return None
        return self._once(("subsystem", name), lambda: self._detail(name))

    async def layout(self, view: View) -> bytes | None:
        """Return where to draw what as JSON; None where there is no such group. It is made once, in a thread."""
        shown = self.wiring.view(*view)
        async with self._laying_out:
            if shown is None:
                return None
            if view not in self._layouts:
                data = await trio.to_thread.run_sync(
                    lay_out, self.wiring, shown, abandon_on_cancel=True, limiter=self.threads
                )
                self._layouts[view] = _to_json(data)
            return self._layouts[view]

    async def _await_end(self, looking: trio.CancelScope) -> None:
        await self._running.wait_stopped()
        looking.cancel()

    def _take(self) -> None:
        """Look, and tell all who wait for it; what fails here must not reach the orchestra."""
        try:
            is_watched = self.streams > 0 or trio.current_time() <= self._asked_at + _ATTENTION * self.interval
            now = self._look(counts_traffic=is_watched)
        except Exception:  # noqa: BLE001 - logged, and must not reach the orchestra
            _LOG.exception("the live page could not look at %s", self._running.name)
            return
        self._before, self._now = self._now, now
        if now.traffic is not None:
            self._edges_before, self._edges_now = self._edges_now, now
        self.number += 1
        self._made.clear()
        self._remember()
        self._changed.set()
        self._changed = trio.Event()

    def _look(self, *, counts_traffic: bool) -> Look:
        running = self._running
        size = int(running.handle.statistics().max_buffer_size)  # event_capacity, which is no infinity
        return Look(
            now=trio.current_time(),
            unix=time.time(),
            statistics=running.statistics(),
            deadlocks=running.deadlocks,
            events_capacity=size,
            traffic=count_traffic(running.graph().figures, self.wiring) if counts_traffic else None,
        )

    def _remember(self) -> None:
        before, now = self._before, self._now
        seconds = now.now - before.now
        then = before.statistics.subsystems
        figures = {
            name: (received_rate(then[name], one, seconds), lying(one))
            for name, one in now.statistics.subsystems.items()
        }
        blocked = total_blocked_rate(before.statistics, now.statistics, seconds)
        self._history.add(Moment(now.unix, blocked, figures), now.now)

    def _describe(self, shown: Shown) -> dict[str, Any]:
        if self._now.traffic is None:  # nobody had watched: what flows along the edges is counted from now on
            self._edges_now = self._edges_before = self._now = self._look(counts_traffic=True)
        return describe(
            self._before, self._now, self.wiring, shown, interval=self.interval, edges_before=self._edges_before
        )

    def _detail(self, name: str) -> dict[str, Any]:
        entry = describe_subsystem(self._before, self._now, self.wiring, name)
        jobs = entry["jobs"]
        if jobs > _MOST_STACKS:
            stack = f"{jobs:,} jobs run: too many to show their stacks here; running.dump() does"
            return {**entry, "place": f"has {jobs:,} jobs running", "stack": stack}
        standing = self._running.standing(name)
        return {**entry, "place": standing.place, "stack": standing.stack}

    def _once(self, key: object, make: Any) -> bytes:  # noqa: ANN401
        if key not in self._made:
            self._made[key] = _to_json(make())
        return self._made[key]


def _to_json(data: object) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
