"""Property-testing of subsystems and wirings: harness, schedules, traces, faults, whole wirings.

Needs the extra `testing`: `pip install 'orchestra-trio[testing]'`. What hypothesis draws is imported when it is first
asked for, so that all the rest works without hypothesis too.

Rooms, each importing only from those before it: `hangs`; `scheduling` (the order in which tasks run), `tracing` (what
happened), `faults` (what goes wrong), `harness` (one subsystem); `wirings` (whole ones); `plugin` (pytest).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from orchestra_trio.testing.faults.chances import delay, drop, duplicate, reorder
from orchestra_trio.testing.faults.intercepted import Intercepted, intercept
from orchestra_trio.testing.faults.stages import Instead
from orchestra_trio.testing.hangs import Hang, NeverEnds, fail_on_hang
from orchestra_trio.testing.harness.failures import ExpectationFailed
from orchestra_trio.testing.harness.harness import CaughtError, Harness
from orchestra_trio.testing.harness.opening import open_harness
from orchestra_trio.testing.scheduling.choosing import SchedulesUnavailable
from orchestra_trio.testing.scheduling.decisions import Cancellation, Decision
from orchestra_trio.testing.scheduling.exploring import Exploration, explore, replay
from orchestra_trio.testing.scheduling.schedule import Schedule
from orchestra_trio.testing.scheduling.steering import cancellable
from orchestra_trio.testing.scheduling.strategies import Delays, Mixed, Priorities, Uniform
from orchestra_trio.testing.tracing.laws.checking import check_laws, find_violations
from orchestra_trio.testing.tracing.laws.violations import LawsViolated, Violation
from orchestra_trio.testing.tracing.recorder import record, recording
from orchestra_trio.testing.tracing.trace import Participant, Trace, TraceEvent
from orchestra_trio.testing.wirings.loads import Broadcast, Load, Pause, Route, SendEvent
from orchestra_trio.testing.wirings.packets import Packet, Pulse, Query
from orchestra_trio.testing.wirings.relays import BlockingRelay, Relay
from orchestra_trio.testing.wirings.topology import Link, Node, Topology

if TYPE_CHECKING:
    from orchestra_trio.testing.scheduling.drawn import schedules
    from orchestra_trio.testing.wirings.machine import RoutingMachine
    from orchestra_trio.testing.wirings.session import Induced
    from orchestra_trio.testing.wirings.strategies import loads, packets, pulses, topologies

__all__ = [
    "BlockingRelay",
    "Broadcast",
    "Cancellation",
    "CaughtError",
    "Decision",
    "Delays",
    "ExpectationFailed",
    "Exploration",
    "Hang",
    "Harness",
    "Induced",
    "Instead",
    "Intercepted",
    "LawsViolated",
    "Link",
    "Load",
    "Mixed",
    "NeverEnds",
    "Node",
    "Packet",
    "Participant",
    "Pause",
    "Priorities",
    "Pulse",
    "Query",
    "Relay",
    "Route",
    "RoutingMachine",
    "Schedule",
    "SchedulesUnavailable",
    "SendEvent",
    "Topology",
    "Trace",
    "TraceEvent",
    "Uniform",
    "Violation",
    "cancellable",
    "check_laws",
    "delay",
    "drop",
    "duplicate",
    "explore",
    "fail_on_hang",
    "find_violations",
    "intercept",
    "loads",
    "open_harness",
    "packets",
    "pulses",
    "record",
    "recording",
    "reorder",
    "replay",
    "schedules",
    "topologies",
]

_DRAWN: Final = {
    "Induced": "wirings.session",
    "RoutingMachine": "wirings.machine",
    "loads": "wirings.strategies",
    "packets": "wirings.strategies",
    "pulses": "wirings.strategies",
    "schedules": "scheduling.drawn",
    "topologies": "wirings.strategies",
}
"""Where each name stands that needs hypothesis."""


def __getattr__(name: str) -> object:
    """Import what needs hypothesis.

    Raises:
        AttributeError: There is no such name.
        ImportError: hypothesis is not installed.
    """
    if name not in _DRAWN:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = import_module(f"{__name__}.{_DRAWN[name]}")
    except ImportError as error:
        if error.name is None or error.name.partition(".")[0] != "hypothesis":
            raise
        raise ImportError(
            f"{__name__}.{name} needs hypothesis; install it with: pip install 'orchestra-trio[testing]'",
            name="hypothesis",
        ) from error
    return getattr(module, name)
