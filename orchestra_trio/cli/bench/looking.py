"""What one look at the meters says, and what many looks say together. Pure: fed with statistics, it knows no task.

Counters are exact, and are read at the beginning and at the end. What has no counter is known from looks in between:
how often a lane was full, and what each subsystem waited for. A share of the looks stands for a share of the time.
"""

import math
from array import array
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

import attrs

from orchestra_trio import OrchestraStatistics, Readout, SubsystemStatistics
from orchestra_trio.wiring.drawing.figures import Traffic

__all__ = ["ANSWERS", "OUTGOING", "Flights", "Place", "Reading", "Shares", "Tally"]

ANSWERS: Final = "answers"
"""Stands for a lane where others wait for a subsystem's answers."""

OUTGOING: Final = "outgoing"
"""Stands for a subsystem, as it does in `Wait`: the embedding program, which reads `running.outgoing`."""

_TOF_EVERY: Final = 16
"""A lane takes the time of its 16th message, its 32nd, and so on: see `Readout.tof`."""
_TOF_KEPT: Final = 100


class Place(NamedTuple):
    """Where messages can pile up, or others wait: a lane, or a subsystem's answers."""

    subsystem: str
    lane: str

    def __str__(self) -> str:
        return f"{self.subsystem}.{self.lane}"


@attrs.frozen
class Reading:
    """All meters at one moment."""

    time: float
    """On trio's clock, in seconds."""
    statistics: OrchestraStatistics
    outgoing: Readout
    """What goes out to the embedding program."""
    traffic: tuple[Traffic, ...] = ()
    """Messages so far by sender, consumer and lane; read at the beginning and at the end alone."""
    computed: float = 0
    """Seconds of processor time that trio's thread has had."""

    lanes: Mapping[Place, Readout] = attrs.field(
        init=False, default=attrs.Factory(lambda self: _lanes(self.statistics, self.outgoing), takes_self=True)
    )
    """All lanes, in declaration order; what goes out comes last."""

    def messages(self) -> int:
        """Return how many messages were sent so far; signals are none."""
        return sum(readout.sent for place, readout in self.lanes.items() if place.lane != "signals")


@attrs.define
class Shares:
    """What one subsystem did, in looks: its tasks, main and jobs, share each of them evenly."""

    tasks: int = 0
    input: float = 0
    """It waited to receive."""
    room: float = 0
    """It waited for room in a lane of another."""
    answers: float = 0
    """It waited for the answer to a request."""
    busy: float = 0
    """None of these: it computed, or waited for something that the library does not know of."""

    def add(self, statistics: SubsystemStatistics) -> None:
        """Add what one look has seen; one that has ended does nothing."""
        if statistics.has_ended:
            return
        kinds = Counter(wait.kind for wait in statistics.waits)
        tasks = max(1 + statistics.jobs, kinds.total())
        self.tasks += tasks
        self.input += kinds["receive"] / tasks
        self.room += kinds["send"] / tasks
        self.answers += kinds["request"] / tasks
        self.busy += (tasks - kinds.total()) / tasks


@attrs.define
class Flights:
    """Times of flight of one lane, thinned out evenly where they are many."""

    most: int = 20_000
    """Keep no more."""
    seen: int = 0
    """How many were given."""
    seconds: "array[float]" = attrs.Factory(lambda: array("d"))
    """Those that are kept."""
    _stride: int = 1

    def add(self, before: Readout, after: Readout) -> None:
        """Add the flights that have ended between two readings of a lane, as far as the later one still has them."""
        for one in _new_flights(before, after):
            self.seen += 1
            if self.seen % self._stride == 0:
                self.seconds.append(one)
                if len(self.seconds) > self.most:
                    self.seconds = self.seconds[1::2]
                    self._stride *= 2

    def percentile(self, share: float) -> float | None:
        """Return the time, in seconds, that this share of the flights did not exceed; None where there was none."""
        if not self.seconds:
            return None
        return sorted(self.seconds)[max(0, math.ceil(share * len(self.seconds)) - 1)]


@attrs.define
class Tally:
    """The sum of many looks."""

    capacities: Mapping[Place, int | None]
    """Messages that fit into each lane; None where there is no limit."""
    last: Reading
    """The look before; at first, the reading with which the measurement begins."""
    looks: int = 0
    full: Counter[Place] = attrs.Factory(Counter[Place])
    """In how many looks each lane was full, or each subsystem's answers were waited for."""
    pressing: Counter[Place] = attrs.Factory(Counter[Place])
    """The same, but answers only where who waited for them had nothing else to do: all of its tasks waited."""
    onwards: dict[Place, Counter[Place]] = attrs.Factory(dict[Place, Counter[Place]])
    """For each of `full`, where the subsystem that should have emptied it waited itself, in how many of these looks."""
    waited_for: set[Place] = attrs.Factory(set[Place])
    """The lanes for which somebody was seen to wait."""
    shares: dict[str, Shares] = attrs.Factory(dict[str, Shares])
    """What each subsystem did."""
    flights: dict[Place, Flights] = attrs.Factory(dict[Place, Flights])
    """By lane."""
    progress: list[tuple[float, int]] = attrs.Factory(list[tuple[float, int]])
    """When each look was, and how many messages were sent by then; the first reading comes first."""

    def __attrs_post_init__(self) -> None:
        self.progress.append((self.last.time, self.last.messages()))

    def add(self, reading: Reading) -> None:
        """Add one look, which comes after all others."""
        self.looks += 1
        full = self._full_lanes(reading)
        self.pressing.update(full)
        held: dict[str, list[Place]] = {}
        for one in reading.statistics.subsystems.values():
            self.shares.setdefault(one.name, Shares()).add(one)
            held[one.name] = places = _held_at(one)
            answers = [place for place in places if place.lane == ANSWERS]
            full += [place for place in answers if place not in full]
            if len(one.waits) > one.jobs and all(wait.kind != "receive" for wait in one.waits):
                self.pressing.update(answers)
        self._note_full(held, full)
        self._note_flights(reading)
        self.progress.append((reading.time, reading.messages()))
        self.last = reading

    def _full_lanes(self, reading: Reading) -> list[Place]:
        full: list[Place] = []
        for place, readout in reading.lanes.items():
            capacity = self.capacities.get(place)
            # A broadcast may put signals beyond the capacity, and only then does somebody wait.
            if capacity is not None and readout.channel_len >= capacity + (place.lane == "signals"):
                full.append(place)
        return full

    def _note_full(self, held: Mapping[str, list[Place]], full: Collection[Place]) -> None:
        # Who was let in a moment ago counts as waiting until its task runs: the lane it waited for is not full.
        for place in full:
            onwards = [one for one in held.get(place.subsystem, []) if one in full]
            self.full[place] += 1
            self.onwards.setdefault(place, Counter()).update(onwards)
        for places in held.values():
            self.waited_for.update(one for one in places if one in full)

    def _note_flights(self, reading: Reading) -> None:
        for place, after in reading.lanes.items():
            before = self.last.lanes[place]
            if after.received != before.received:
                self.flights.setdefault(place, Flights()).add(before, after)


def _lanes(statistics: OrchestraStatistics, outgoing: Readout) -> dict[Place, Readout]:
    subsystems = statistics.subsystems.values()
    lanes = {Place(one.name, lane): readout for one in subsystems for lane, readout in one.lanes.items()}
    return {**lanes, Place(OUTGOING, "bounded"): outgoing}


def _held_at(statistics: SubsystemStatistics) -> list[Place]:
    """Return where a subsystem waits for others, each place once."""
    waits = [wait for wait in statistics.waits if wait.kind != "receive"]
    places = (Place(one.subsystem, ANSWERS if one.kind == "request" else one.lane or "bounded") for one in waits)
    return list(dict.fromkeys(places))


def _new_flights(before: Readout, after: Readout) -> Sequence[float]:
    """Return the times of flight that the later of two readings has and the earlier did not.

    That a number of them are new follows from what was received; it is less where some flights were not timed.
    """
    expected = min(len(after.tof), after.received // _TOF_EVERY - before.received // _TOF_EVERY)
    for count in range(expected, 0, -1):
        new = after.tof[len(after.tof) - count :]
        if (before.tof + new)[-_TOF_KEPT:] == after.tof:
            return new
    return ()
