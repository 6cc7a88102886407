"""Orchestras of subsystems for trio: typed messages, metered lanes, signals that overtake, ordered endings.

Layers, each importing only from those before it: `errors`, `records` and `logs`; `wiring` (declare) and `delivery`
(lanes, order, waiting); `runtime` (open, route, stop); `cli`.
"""

from orchestra_trio.delivery.channels import Meter
from orchestra_trio.delivery.ends import MeteredReceiver, MeteredSender, UnboundedMeteredSender
from orchestra_trio.delivery.oneshot import OneshotReceiver, OneshotSender, open_oneshot
from orchestra_trio.delivery.open_channels import open_metered_channel, open_unbounded_channel
from orchestra_trio.delivery.select import select, select_with_strategy
from orchestra_trio.delivery.strategies import Biased, Weighted
from orchestra_trio.errors import (
    AnnotateErrorOrigin,
    DeadlockDetected,
    DeclarationError,
    OneshotCancelled,
    OneshotTimedOut,
    OrchestraError,
    SubsystemExited,
    SubsystemStalled,
    UndeclaredMessage,
)
from orchestra_trio.logs import SubsystemFilter
from orchestra_trio.records import (
    DeadLetter,
    Happening,
    Measurements,
    OrchestraStatistics,
    PollNext,
    Priority,
    Readout,
    Standing,
    StopReport,
    SubsystemStatistics,
)
from orchestra_trio.runtime.contexts.blocking import BlockingSubsystemContext
from orchestra_trio.runtime.contexts.context import SubsystemContext
from orchestra_trio.runtime.contexts.sender import SubsystemSender
from orchestra_trio.runtime.contexts.subsystem import BlockingSubsystem, Subsystem
from orchestra_trio.runtime.contexts.workers import Workers
from orchestra_trio.runtime.events import Connector
from orchestra_trio.runtime.life.spawner import Spawner
from orchestra_trio.runtime.making import make_orchestra
from orchestra_trio.runtime.orchestra import Orchestra
from orchestra_trio.runtime.running import RunningOrchestra
from orchestra_trio.wiring.builder import Builder
from orchestra_trio.wiring.features import Feature, feature
from orchestra_trio.wiring.restart import Restart, fresh
from orchestra_trio.wiring.specifiers import subsystem, subsystem_if

__all__ = [
    "AnnotateErrorOrigin",
    "Biased",
    "BlockingSubsystem",
    "BlockingSubsystemContext",
    "Builder",
    "Connector",
    "DeadLetter",
    "DeadlockDetected",
    "DeclarationError",
    "Feature",
    "Happening",
    "Measurements",
    "Meter",
    "MeteredReceiver",
    "MeteredSender",
    "OneshotCancelled",
    "OneshotReceiver",
    "OneshotSender",
    "OneshotTimedOut",
    "Orchestra",
    "OrchestraError",
    "OrchestraStatistics",
    "PollNext",
    "Priority",
    "Readout",
    "Restart",
    "RunningOrchestra",
    "Spawner",
    "Standing",
    "StopReport",
    "Subsystem",
    "SubsystemContext",
    "SubsystemExited",
    "SubsystemFilter",
    "SubsystemSender",
    "SubsystemStalled",
    "SubsystemStatistics",
    "UnboundedMeteredSender",
    "UndeclaredMessage",
    "Weighted",
    "Workers",
    "feature",
    "fresh",
    "make_orchestra",
    "open_metered_channel",
    "open_oneshot",
    "open_unbounded_channel",
    "select",
    "select_with_strategy",
    "subsystem",
    "subsystem_if",
]
