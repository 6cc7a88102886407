"""What the figures are called: one metric for each kind, with its labels, by the conventions of Prometheus.

Every label has values from a set that the wiring bounds: slots, lanes, and the literals of `orchestra_trio.records`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from orchestra_trio.records import DeadLetterReason, SubsystemState, WaitKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from prometheus_client.core import Metric

    from orchestra_trio import SubsystemStatistics
    from orchestra_trio.metrics.flights import Place
    from orchestra_trio.metrics.reading import Reading

__all__ = ["Families"]

_OUTGOING: Final = "(outgoing)"
"""What goes out, among the subsystems; no slot can be called that."""

_LANE: Final = ("orchestra", "subsystem", "lane")
_SUBSYSTEM: Final = ("orchestra", "subsystem")
_ORCHESTRA: Final = ("orchestra",)


def _counter(name: str, text: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"orchestra_{name}", text, labels=labels)


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"orchestra_{name}", text, labels=labels)


class Families:
    """All metrics, empty at first; the readings of several orchestras are added one after the other."""

    def __init__(self) -> None:
        """Name them."""
        self._sent = _counter("messages_sent", "Messages that the lane holds or has held.", *_LANE)
        self._received = _counter("messages_received", "Messages that were taken from the lane.", *_LANE)
        self._blocked = _counter("sends_blocked", "How often a sender had to wait for room in the lane.", *_LANE)
        self._length = _gauge("lane_messages", "Messages in the lane now.", *_LANE)
        self._peak = _gauge("lane_peak_messages", "The most messages that were ever in the lane at once.", *_LANE)
        self._capacity = _gauge("lane_capacity_messages", "Messages that fit in the lane, if it has a limit.", *_LANE)
        self._flight = HistogramMetricFamily(
            "orchestra_flight_seconds", "Time from send to receive, of every 16th message.", labels=_LANE
        )
        self._state = _gauge("subsystem_state", "1 for the state that the subsystem is in.", *_SUBSYSTEM, "state")
        self._restarts = _counter("subsystem_restarts", "How often the subsystem was started anew.", *_SUBSYSTEM)
        self._jobs = _gauge("subsystem_jobs", "Jobs of the subsystem that run now.", *_SUBSYSTEM)
        self._waiting = _gauge(
            "subsystem_waiting_tasks", "Tasks of the subsystem that wait inside the library.", *_SUBSYSTEM, "kind"
        )
        self._longest = _gauge(
            "subsystem_longest_wait_seconds", "How long one of these tasks has waited.", *_SUBSYSTEM, "kind"
        )
        self._subsystem_epoch = _gauge(
            "subsystem_epoch", "The number of the last broadcast that the subsystem received.", *_SUBSYSTEM
        )
        self._epoch = _gauge("epoch", "The number of the last broadcast.", *_ORCHESTRA)
        self._dead = _counter("dead_letters", "Accepted messages that no subsystem received.", *_ORCHESTRA, "reason")
        self._deadlocks = _counter("deadlocks", "Deadlocks that were found.", *_ORCHESTRA)
        self._running = _gauge("running", "1 while any subsystem runs, else 0.", *_ORCHESTRA)
        self._uptime = _gauge("uptime_seconds", "Time from the opening until now, or to the end.", *_ORCHESTRA)
        self._age = _gauge("figures_age_seconds", "How old these figures are, where trio was too busy.", *_ORCHESTRA)

    def all(self) -> Iterable[Metric]:
        """Return all of them, with what was added."""
        return tuple(vars(self).values())

    def add(self, orchestra: str, reading: Reading, capacities: Mapping[Place, int], *, since: float) -> None:
        """Add a reading of one orchestra.

        Args:
            orchestra: The value of that label.
            reading: The last one.
            capacities: Of its lanes, where they have a limit.
            since: When the scrape began, on the clock that counts the age of a reading.
        """
        self._add_lanes(orchestra, reading, capacities)
        for one in reading.statistics.subsystems.values():
            self._add_subsystem(orchestra, one, reading)
        statistics = reading.statistics
        self._epoch.add_metric([orchestra], statistics.epoch)
        for reason in get_args(DeadLetterReason):
            self._dead.add_metric([orchestra, reason], statistics.dead_letters.get(reason, 0))
        self._deadlocks.add_metric([orchestra], reading.deadlocks)
        self._running.add_metric([orchestra], not reading.is_over)
        self._uptime.add_metric([orchestra], statistics.uptime)
        self._age.add_metric([orchestra], 0 if reading.is_over else max(0.0, since - reading.taken_at))

    def _add_lanes(self, orchestra: str, reading: Reading, capacities: Mapping[Place, int]) -> None:
        for place, readout in reading.lanes.items():
            consumer, lane = place
            labels = [orchestra, _OUTGOING if consumer is None else consumer, lane]
            self._sent.add_metric(labels, readout.sent)
            self._received.add_metric(labels, readout.received)
            self._blocked.add_metric(labels, readout.blocked)
            self._length.add_metric(labels, readout.channel_len)
            self._peak.add_metric(labels, readout.peak_channel_len)
            if place in capacities:
                self._capacity.add_metric(labels, capacities[place])
            flights = reading.flights[place]
            buckets = [("+Inf" if math.isinf(bound) else repr(bound), count) for bound, count in flights.cumulative]
            self._flight.add_metric(labels, buckets, flights.seconds)

    def _add_subsystem(self, orchestra: str, one: SubsystemStatistics, reading: Reading) -> None:
        labels = [orchestra, one.name]
        for state in get_args(SubsystemState):
            self._state.add_metric([*labels, state], one.state == state)
        self._restarts.add_metric(labels, one.restarts)
        self._jobs.add_metric(labels, one.jobs)
        self._subsystem_epoch.add_metric(labels, one.epoch)
        for kind in get_args(WaitKind):
            waited = [reading.now - wait.since for wait in one.waits if wait.kind == kind]
            self._waiting.add_metric([*labels, kind], len(waited))
            self._longest.add_metric([*labels, kind], max(waited, default=0))
