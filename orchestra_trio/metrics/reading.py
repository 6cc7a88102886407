"""The figures of one orchestra, read in trio's thread and brought to whoever scrapes, in whatever thread that is.

Three things can be in the way, and none of them makes a scrape fail or hang:

* trio's thread is busy for longer than the scrape may wait: it gets the figures that were read last, and their age;
* the orchestra has ended: its figures stand still; once they were read, the orchestra itself is let go of;
* the run of trio has ended, too: then nothing can change them any more, and they are read from any thread.
"""

from __future__ import annotations

import time
from threading import Event, Lock, get_ident
from typing import TYPE_CHECKING, Any

import attrs
import trio

from orchestra_trio.metrics.flights import Flights, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orchestra_trio import OrchestraStatistics, Readout, RunningOrchestra
    from orchestra_trio.metrics.flights import FlightCounts
    from orchestra_trio.records import LaneName

__all__ = ["Reading", "Source"]


@attrs.frozen
class Reading:
    """All figures of one orchestra, at one moment."""

    statistics: OrchestraStatistics
    lanes: Mapping[Place, Readout]
    """The lanes that can be used, with the channel of events and what goes out."""
    flights: Mapping[Place, FlightCounts]
    """For the same lanes."""
    deadlocks: int
    """Found so far."""
    now: float
    """On trio's clock, which the waits are measured on."""
    taken_at: float
    """On the clock that counts the age of a reading."""
    is_over: bool
    """Whether every subsystem has ended."""


class Source:
    """One running orchestra, read from any thread."""

    def __init__(self, running: RunningOrchestra[Any, Any], buckets: Sequence[float]) -> None:
        """Begin to count flights, and take a first reading. In trio's thread, while the orchestra runs."""
        self._running: RunningOrchestra[Any, Any] | None = running
        self._flights = Flights(buckets)
        self._token = trio.lowlevel.current_trio_token()
        self._thread = get_ident()
        self._lock = Lock()
        self._asked: Event | None = None
        """Set when the reading that was asked for is there; None while none is asked for."""
        self._used = _used_lanes(running)
        self.capacities: Mapping[Place, int] = _capacities(running)
        """Messages that fit in each lane, of those that have a limit."""
        self.last: Reading = self._take(running)
        """The reading that was taken last."""
        self._stop = running.observe_flights(self._flights)

    def close(self) -> None:
        """Count no more flights."""
        self._stop()

    def ask(self) -> Event | None:
        """Have a new reading taken.

        Returns:
            What is set once it is there; None where it is there already, or none can be taken.
        """
        if self._running is None:
            return None
        if get_ident() == self._thread:
            self._try()
            return None
        with self._lock:  # who asks while another one waits, waits with that one
            if self._asked is not None:
                return self._asked
            asked = self._asked = Event()
        try:
            self._token.run_sync_soon(self._answer)
        except trio.RunFinishedError:
            self._try()
            self._note_answered()
        return asked

    def _answer(self) -> None:
        self._try()
        self._note_answered()

    def _note_answered(self) -> None:
        with self._lock:
            asked, self._asked = self._asked, None
        if asked is not None:
            asked.set()

    def _try(self) -> None:
        """Take a reading, unless none can be taken: outside of trio, of a run that it did not bring to its end."""
        running = self._running
        if running is None:
            return
        try:
            reading = self._take(running)
        except RuntimeError:
            return
        self.last = reading
        if reading.is_over and not running.outgoing.meter.read().channel_len:
            self._running = None  # nothing will change any more

    def _take(self, running: RunningOrchestra[Any, Any]) -> Reading:
        statistics = running.statistics()
        lanes = dict(self._read_lanes(running, statistics))
        is_over = statistics.has_ended
        return Reading(
            statistics=statistics,
            lanes=lanes,
            flights={place: self._flights.read(place) for place in lanes},
            deadlocks=len(running.deadlocks),
            now=0.0 if is_over else trio.current_time(),
            taken_at=time.monotonic(),
            is_over=is_over,
        )

    def _read_lanes(
        self, running: RunningOrchestra[Any, Any], statistics: OrchestraStatistics
    ) -> Iterator[tuple[Place, Readout]]:
        for name, one in statistics.subsystems.items():
            for lane, readout in one.lanes.items():
                if (name, lane) in self._used or readout.sent or readout.blocked:
                    yield (name, lane), readout
        if ("on_event", "bounded") in self._used:
            yield ("on_event", "bounded"), statistics.events
        if (None, "bounded") in self._used:
            yield (None, "bounded"), running.outgoing.meter.read()


def _capacities(running: RunningOrchestra[Any, Any]) -> dict[Place, int]:
    figures = running.graph().figures
    queues = () if figures is None else figures.queues
    found: dict[Place, int] = {
        (queue.consumer, queue.lane): queue.capacity for queue in queues if queue.capacity is not None
    }
    found["on_event", "bounded"] = int(running.handle.statistics().max_buffer_size)
    found[None, "bounded"] = int(running.outgoing.statistics().max_buffer_size)
    return found


def _used_lanes(running: RunningOrchestra[Any, Any]) -> frozenset[Place]:
    """Return the lanes that the wiring can put something into: the others would only be series that stay at 0."""
    graph = running.graph()
    boundary, figures = graph.boundary, graph.figures
    if boundary is None or figures is None:
        return frozenset()
    consuming = {edge.consumer for edge in graph.edges} | {end.slot for end in boundary.unsent}
    unbounded = {edge.consumer for edge in graph.edges if edge.lane == "unbounded"}
    users: dict[LaneName, set[str]] = {
        "signals": {name for name, types in boundary.hearing.items() if types},
        "priority": consuming,
        "unbounded": unbounded,
        "bounded": consuming,
    }
    used: set[Place] = {(queue.consumer, queue.lane) for queue in figures.queues if queue.consumer in users[queue.lane]}
    if boundary.event_types:
        used.add(("on_event", "bounded"))
    if boundary.outgoing:
        used.add((None, "bounded"))
    return frozenset(used)
