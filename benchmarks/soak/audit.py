"""Whether an orchestra's own numbers agree with what its subsystems have counted: pure, each fault in one sentence."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.soak.ledger import Ledger
    from orchestra_trio import OrchestraStatistics, Readout, SubsystemStatistics

__all__ = ["OUTSIDE", "find_faults_at_the_end", "find_faults_on_the_way"]

OUTSIDE: Final = "outgoing"
"""Under this name the ledger has what the embedding program reads."""

_NAMED: Final = 3
"""How many messages a sentence names."""


def find_faults_on_the_way(ledger: Ledger, numbers: OrchestraStatistics, capacity: int) -> Iterator[str]:
    """Check what must hold at every moment between two steps of trio's thread.

    Args:
        ledger: What was counted so far.
        numbers: What the orchestra says.
        capacity: How many messages fit into each bounded and each priority lane.
    """
    buried = Counter((one.consumer, one.lane) for one in list(ledger.dead) if one.reason == "left over")
    for name, subsystem in numbers.subsystems.items():
        for lane, readout in _message_lanes(subsystem):
            dead = buried[name, lane]
            if readout.sent != readout.received + readout.channel_len + dead:
                yield (
                    f"lane {lane} of {name}: {readout.sent} sent are not {readout.received} received, "
                    f"{readout.channel_len} in it and {dead} dead"
                )
            most = max(readout.peak_channel_len, readout.channel_len)
            if lane != "unbounded" and most > capacity:
                yield f"lane {lane} of {name} has held {most} messages, with room for {capacity}"


def find_faults_at_the_end(
    ledger: Ledger, numbers: OrchestraStatistics, capacity: int, *, alone: set[str]
) -> list[str]:
    """Check what must hold once nothing of an orchestra runs any more.

    Args:
        ledger: What was counted.
        numbers: What the orchestra says, afterwards.
        capacity: As on the way.
        alone: The subsystems of which one task or thread receives, and so notes everything in its order.
    """
    found = list(ledger.faults)
    found += [f"{one.name} is still in the midst of a {one.kind}" for one in ledger.inside]
    found += _conservation(ledger)
    found += find_faults_on_the_way(ledger, numbers, capacity)
    found += _counts(ledger, numbers)
    found += _epochs(ledger, numbers, alone)
    found += _restarts(ledger, numbers)
    found += _order(ledger, alone)
    return found


def _message_lanes(subsystem: SubsystemStatistics) -> tuple[tuple[str, Readout], ...]:
    return ("priority", subsystem.priority), ("unbounded", subsystem.unbounded), ("bounded", subsystem.bounded)


def _conservation(ledger: Ledger) -> Iterator[str]:
    """Check that what was accepted, and nothing else, was received or became a dead letter, once."""
    ends = [(number, name) for name, numbers in ledger.received.items() for number in numbers]
    ends += [(dead.number, f"dead letters, {dead.reason}") for dead in ledger.dead]
    came = Counter(number for number, _ in ends)
    twice = [number for number, times in came.items() if times > 1]
    if twice:
        places = [name for number, name in ends if number == twice[0]]
        yield f"{_listed(ledger, twice)} came out more than once, the first one at {' and at '.join(places)}"
    missing = sorted(ledger.accepted - came.keys())
    if missing:
        yield f"{_listed(ledger, missing)} accepted, and neither received nor dead"
    possible = ledger.accepted | ledger.unsure | {number for run in ledger.cut_short for number in run}
    surplus = sorted(came.keys() - possible)
    if surplus:
        yield f"{_listed(ledger, surplus)} not accepted, and received or dead all the same"
    for run in ledger.cut_short:
        there = [number in came for number in run]
        if there != sorted(there, reverse=True):
            yield f"of a list that was cut short, not the first were accepted: {_listed(ledger, run)}"


def _counts(ledger: Ledger, numbers: OrchestraStatistics) -> Iterator[str]:
    """Check the totals that both sides have."""
    signals = Counter(ledger.signals)
    for name, subsystem in numbers.subsystems.items():
        lanes = dict(_message_lanes(subsystem))
        received = sum(readout.received for readout in lanes.values())
        counted = len(ledger.received.get(name, ()))
        if received != counted:
            yield f"{name} has counted {counted} messages, and its lanes say {received}"
        if subsystem.signals.received != signals[name]:
            yield f"{name} has counted {signals[name]} signals, and its lane says {subsystem.signals.received}"
        left = {lane: readout.channel_len for lane, readout in lanes.items() if readout.channel_len}
        if left:
            yield f"{name} has ended as {subsystem.state}, and messages lie in its lanes: {left}"
        if subsystem.jobs or subsystem.waits:
            yield f"{name} has ended, and has {subsystem.jobs} jobs and {len(subsystem.waits)} waits"
    reasons = Counter(dead.reason for dead in ledger.dead)
    if reasons != Counter(numbers.dead_letters):
        yield f"the hook was told of these dead letters: {dict(reasons)}, and counted are {numbers.dead_letters}"
    notes = ledger.count_notes()
    for what, told in (("events accepted", numbers.events.sent), ("events handled", numbers.events.received)):
        if notes[what] != told:
            yield f"{what}: {notes[what]}, and the orchestra says {told}"


def _epochs(ledger: Ledger, numbers: OrchestraStatistics, alone: set[str]) -> Iterator[str]:
    """Check that all heard all broadcasts up to their epoch, in order."""
    if numbers.epoch != ledger.epoch:
        yield f"{ledger.epoch} broadcasts were made, and the orchestra's epoch is {numbers.epoch}"
    for name, subsystem in numbers.subsystems.items():
        heard = ledger.heard.get(name, [])
        in_order = heard if name in alone else sorted(heard)
        if in_order != list(range(1, subsystem.epoch + 1)):
            yield f"{name} has the epoch {subsystem.epoch}, and heard the broadcasts {heard}"


def _restarts(ledger: Ledger, numbers: OrchestraStatistics) -> Iterator[str]:
    """Check that restarts were counted: the last one may have been cancelled before it had called anything."""
    begun = Counter(ledger.begun)
    for name, subsystem in numbers.subsystems.items():
        if subsystem.restarts not in {max(0, begun[name] - 1), begun[name]}:
            yield f"{name} was called {begun[name]} times, and is said to have begun anew {subsystem.restarts} times"


def _order(ledger: Ledger, alone: set[str]) -> Iterator[str]:
    """Check that what one task or thread sent in one way came in its order, where one task or thread receives."""
    for name in alone:
        last: dict[tuple[int, str], int] = {}
        for number in ledger.received.get(name, ()):
            stream = ledger.made[number].stream
            if number < last.get(stream, 0):
                yield f"{name} received {_listed(ledger, [last[stream], number])} in this order"
            last[stream] = number


def _listed(ledger: Ledger, numbers: Iterable[int]) -> str:
    """Name some messages."""
    known = [f"{number} ({ledger.made[number].title})" for number in numbers]
    more = f" and {len(known) - _NAMED} more" if len(known) > _NAMED else ""
    return f"messages {', '.join(known[:_NAMED])}{more}"
