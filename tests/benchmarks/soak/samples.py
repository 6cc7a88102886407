"""What the tests of the soak share: plans, and the numbers of an orchestra that was quiet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from benchmarks.soak.plan import Plan
from orchestra_trio import OrchestraStatistics, Readout, SubsystemStatistics

if TYPE_CHECKING:
    from benchmarks.soak.plan import Way
    from orchestra_trio.records import DeadLetterReason

EMPTY = Readout(sent=0, received=0, channel_len=0, peak_channel_len=0, blocked=0)


def plan(way: Way = "leave") -> Plan:
    """A short round in which nothing fails by chance."""
    drawn = Plan.draw(1, 1)
    return attrs.evolve(drawn, way=way, capacity=8, load=15, feeds=4, hops=3, hiccups=0, burst=6, pause=0.001, grace=60)


def readout(sent: int, received: int, channel_len: int = 0, peak: int = 0) -> Readout:
    return attrs.evolve(EMPTY, sent=sent, received=received, channel_len=channel_len, peak_channel_len=peak)


def subsystem(name: str, bounded: Readout = EMPTY, signals: Readout = EMPTY, epoch: int = 0) -> SubsystemStatistics:
    return SubsystemStatistics(
        name=name,
        state="finished",
        signals=signals,
        priority=EMPTY,
        unbounded=EMPTY,
        bounded=bounded,
        epoch=epoch,
        jobs=0,
        restarts=0,
        waits=(),
    )


def numbers(
    *subsystems: SubsystemStatistics, epoch: int = 0, dead_letters: dict[DeadLetterReason, int] | None = None
) -> OrchestraStatistics:
    return OrchestraStatistics(
        name="Sample",
        subsystems={one.name: one for one in subsystems},
        epoch=epoch,
        events=EMPTY,
        dead_letters={} if dead_letters is None else dead_letters,
        uptime=1.0,
    )
