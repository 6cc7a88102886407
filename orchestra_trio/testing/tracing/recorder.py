"""Recording: every happening of a running orchestra becomes an event of a trace.

Which message is received is found by the object itself: the recorder knows which objects lie in which lane, and never
believes the library's own counts. It keeps no object for longer than the lane does, so that requests whose reply end
is dropped are still noticed.
"""

from __future__ import annotations

import re
import reprlib
from collections import Counter
from contextlib import contextmanager
from itertools import chain
from threading import RLock
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import attrs
import trio
from typing_extensions import override

from orchestra_trio.delivery.strategies import Weighted
from orchestra_trio.errors import a_type, type_name
from orchestra_trio.runtime.running import RunningOrchestra
from orchestra_trio.runtime.surroundings import on_opening
from orchestra_trio.testing.tracing.trace import FROM_BEFORE, Participant, Trace, TraceEvent
from orchestra_trio.testing.tracing.whereabouts import Known, Lying, Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from orchestra_trio.records import Happening, LaneStrategy, MessageLane, OrchestraStatistics, SubsystemStatistics
    from orchestra_trio.testing.tracing.whereabouts import Place
    from orchestra_trio.wiring.drawing.figures import Queue
    from orchestra_trio.wiring.graph import WiringGraph

__all__ = ["record", "recording"]

_LAY: Final = {"left over", "outgoing closed"}
"""Reasons of dead letters that may have lain in a lane."""

_WAITED: Final = {"exited", "stopping", "outgoing closed"}
"""Reasons of dead letters that may have waited for room."""

_ANY: Final = 1 << 60
"""As many as may come."""

_ADDRESS: Final = re.compile(r" at 0x[0-9a-fA-F]+")

_END = r"""(?:\w+=)?<OneshotSender (?:'[^']*'|"[^"]*"): [a-z ]+>"""
_REPLY_END: Final = re.compile(f"{_END}, |(?:, )?{_END}")
"""A reply end within a message's text: that it has one is told otherwise."""


class _Short(reprlib.Repr):
    """Cuts texts to about 60 characters, without addresses and reply ends.

    Addresses are left out before: a part of one would differ from run to run.
    """

    def __init__(self) -> None:
        super().__init__()
        self.maxother = self.maxstring = 60

    @override
    def repr_instance(self, x: object, level: int) -> str:
        text = _REPLY_END.sub("", _ADDRESS.sub("", repr(x)))
        if len(text) <= self.maxother:
            return text
        half = (self.maxother - 3) // 2
        return f"{text[:half]}...{text[-half:]}"


_short: Final = _Short()


def record(running: RunningOrchestra[Any, Any], *, describe: Callable[[object], str] | None = None) -> Trace:
    """Write down all that happens in a running orchestra from now on: every send, receive, signal, request, job...

    Recording costs some microseconds for each event, and memory for as long as the trace is kept. Before the first
    recording, and in orchestras that are not recorded, it costs nothing.

    Args:
        running: The orchestra. To record all from the beginning, see `recording`.
        describe: Returns the text of a message, signal, event or exception; if None, that is its `repr`, cut to about
            60 characters, without reply ends, and without addresses, which differ from run to run.

    Returns:
        The trace; it grows until the orchestra has ended.

    Raises:
        TypeError: That is no running orchestra.
    """
    given: object = running
    if not isinstance(given, RunningOrchestra):
        raise TypeError(f"record() takes what open() gives, not {a_type(type(given))}; see recording()")
    return _begin(running, describe, is_from_start=False)


@contextmanager
def recording(
    *, describe: Callable[[object], str] | None = None, last_run_only: bool = False
) -> Generator[list[Trace]]:
    """Record every orchestra that is opened in this context while the block lasts, before its subsystems start.

    Args:
        describe: As for `record`.
        last_run_only: Whether traces of earlier runs of trio are dropped: of many schedules, only the last one stays.

    Returns:
        The traces, in the order in which the orchestras are opened.
    """
    traces: list[Trace] = []
    last_run: trio.lowlevel.TrioToken | None = None

    def begin(running: RunningOrchestra[Any, Any]) -> None:
        nonlocal last_run
        run = trio.lowlevel.current_trio_token()
        if last_run_only and run is not last_run:
            traces.clear()
        last_run = run
        traces.append(_begin(running, describe, is_from_start=True))

    with on_opening(begin):
        yield traces


def _begin(
    running: RunningOrchestra[Any, Any], describe: Callable[[object], str] | None, *, is_from_start: bool
) -> Trace:
    graph, statistics = running.graph(), running.statistics()
    trace = _lay_out(running.name, graph, statistics, is_from_start=is_from_start)
    boundary = graph.boundary
    recorder = _Recorder(
        trace,
        describe or _short.repr,
        {name: () if boundary is None else tuple(boundary.hearing.get(name, ())) for name in trace.subsystems},
        trio.current_time(),
        _count_lying(trace, statistics.events.channel_len, running.outgoing.statistics().current_buffer_used),
    )
    running.observe(recorder)
    return trace


def _count_lying(trace: Trace, events: int, outgoing: int) -> Counter[Place]:
    """Return how much lies in each lane, so many of events and of what goes out among them."""
    lying: Counter[Place] = Counter()
    lying["on_event", "bounded"] = events
    lying[None, "bounded"] = outgoing
    for one in trace.participants:
        for lane in one.capacities:
            lying[one.name, lane] = one.lying.get(lane, 0) if trace.knows_start(one, lane) else _ANY
    return lying


@attrs.define(eq=False)
class _Recorder:
    """An observer that writes down what it is told."""

    trace: Trace
    describe: Callable[[object], str]
    hearing: Mapping[str, tuple[type, ...]]
    """The signals that each subsystem subscribes to."""
    began: float
    """When the recording began, on trio's clock."""
    unknown: Counter[Place]
    """How much still lies in each lane from before the recording began."""
    _lying: Lying = attrs.Factory(Lying)
    _waiting: Waiting = attrs.Factory(Waiting)
    _tasks: WeakKeyDictionary[object, str] = attrs.Factory(WeakKeyDictionary[object, str])
    _names: Counter[str] = attrs.Factory(Counter[str])
    _broadcast: int = 0
    """The identity of the signal that is being broadcast, or was last."""
    _epoch: int | None = None
    _awaited: set[str] = attrs.Factory(set[str])
    """Who has not been sent it yet."""
    _lock: RLock = attrs.Factory(RLock)
    """Threads tell, too."""

    def __call__(self, one: Happening) -> None:
        """Write down what happened."""
        with self._lock:
            number = len(self.trace.events)
            known = self._find(one, number)
            is_from_before = known is None and self._is_from_before(one)
            if known is None and one.detail == "outgoing closed" and not is_from_before:
                known = Known(number, None)  # it came too late to be in a lane
            self.trace.events.append(
                TraceEvent(
                    number=number,
                    time=one.time - self.began,
                    kind=one.kind,
                    subsystem=one.subsystem,
                    task=None if one.task is None else self._name(one.task),
                    sender=one.sender,
                    lane=one.lane,
                    message=None if known is None else known.number,
                    type=None if one.payload is None else type_name(type(one.payload)),
                    text=None if one.payload is None else self._describe(one.payload),
                    is_request=one.is_request,
                    epoch=one.epoch if known is None else known.epoch,
                    audience=self._begin_broadcast(one) if one.kind == "broadcast" else (),
                    detail=FROM_BEFORE if is_from_before else _without_address(one.detail),
                )
            )

    def _find(self, one: Happening, number: int) -> Known | None:
        """Return which message it is about, and keep account of where it is."""
        if one.lane is None:
            if one.kind == "exit":
                self._lying.forget((one.subsystem, "signals"))  # they are only dropped
            return None
        place: Place = (one.subsystem, one.lane)
        item = one.payload
        known: Known | None
        match one.kind:
            case "block":
                known = Known(number, None)
                self._waiting.put(place, one.task, item, known)
            case "send":
                known = self._waiting.take(place, one.task, item) or Known(number, self._epoch_of(one))
                self._lying.put(place, item, known)
            case "receive":
                known = self._lying.take(place, item)
            case "withdraw":
                known = self._waiting.take(place, one.task, item)
            case _:  # a dead letter
                known = self._bury(one, place, number)
        return known

    def _bury(self, one: Happening, place: Place, number: int) -> Known | None:
        """Return which message became a dead letter; None if it lay in a lane, and was not seen to come there."""
        known = None
        if one.detail in _LAY:
            known = self._lying.take(place, one.payload)
        if known is None and one.detail in _WAITED:
            known = self._waiting.take_oldest(place, one.payload)
        return known if known is not None or one.detail in _LAY else Known(number, None)

    def _is_from_before(self, one: Happening) -> bool:
        """Return whether it lay there, or waited for room, when the recording began; count it out."""
        if one.kind == "withdraw":
            return not self.trace.is_from_start
        if one.lane is None or one.kind not in {"receive", "dead letter"}:
            return False
        place: Place = (one.subsystem, one.lane)
        if self.unknown[place] <= 0:
            return False
        self.unknown[place] -= 1
        return True

    def _begin_broadcast(self, one: Happening) -> tuple[str, ...]:
        signal: Any = one.payload
        audience = tuple(name for name, types in self.hearing.items() if isinstance(signal, types))
        self._broadcast, self._epoch, self._awaited = id(signal), one.epoch, set(audience)
        return audience

    def _epoch_of(self, one: Happening) -> int | None:
        """Return the number of the broadcast that a signal's send belongs to; None for a signal to one subsystem."""
        if one.lane != "signals" or id(one.payload) != self._broadcast or one.subsystem not in self._awaited:
            return None
        self._awaited.discard(one.subsystem)
        return self._epoch

    def _name(self, task: object) -> str:
        name = self._tasks.get(task)
        if name is None:
            plain = _ADDRESS.sub("", getattr(task, "name", repr(task)))
            self._names[plain] += 1
            name = self._tasks[task] = plain if self._names[plain] == 1 else f"{plain}#{self._names[plain]}"
        return name

    def _describe(self, payload: object) -> str:
        try:
            return self.describe(payload)
        except Exception as error:  # noqa: BLE001 - a text that cannot be made must not end what is recorded
            return f"<{type_name(type(payload))}, whose text cannot be made: {type_name(type(error))}>"


def _without_address(detail: str | None) -> str | None:
    """Return the detail as it is in every run: jobs may be named after objects."""
    return detail if detail is None else _ADDRESS.sub("", detail)


def _lay_out(name: str, graph: WiringGraph, statistics: OrchestraStatistics, *, is_from_start: bool) -> Trace:
    """Return an empty trace with what the laws need to know of the orchestra."""
    subsystems = tuple(chain.from_iterable(graph.components))
    queues: Sequence[Queue] = () if graph.figures is None else graph.figures.queues
    strategies: Mapping[str, LaneStrategy] = {} if graph.boundary is None else graph.boundary.strategies
    by_consumer: dict[str, list[Queue]] = {one: [] for one in subsystems}
    for queue in queues:
        by_consumer[queue.consumer].append(queue)
    blocking = frozenset[str]() if graph.boundary is None else graph.boundary.blocking
    shared = blocking | {edge.consumer for edge in graph.edges if edge.sender in blocking}
    return Trace(
        orchestra=name,
        is_from_start=is_from_start,
        participants=tuple(
            _participant(statistics.subsystems[one], by_consumer[one], strategies, is_shared=one in shared)
            for one in subsystems
        ),
        components=graph.components,
        edges=tuple(
            dict.fromkeys(
                (edge.sender, edge.consumer) for edge in graph.edges if not {edge.sender, edge.consumer} & graph.wip
            )
        ),
        epoch=statistics.epoch,
    )


def _participant(
    statistics: SubsystemStatistics,
    queues: Sequence[Queue],
    strategies: Mapping[str, LaneStrategy],
    *,
    is_shared: bool,
) -> Participant:
    return Participant(
        name=statistics.name,
        capacities={queue.lane: queue.capacity for queue in queues},
        weights=_weights(strategies.get(statistics.name, Weighted())),
        lying={queue.lane: queue.length for queue in queues if queue.length},
        epoch=statistics.epoch,
        has_ended=statistics.has_ended,
        is_shared=is_shared,
    )


def _weights(strategy: LaneStrategy) -> dict[MessageLane, int] | None:
    if type(strategy) is not Weighted:  # a subclass may choose in another way
        return None
    return {"priority": strategy.priority, "unbounded": strategy.unbounded, "bounded": strategy.bounded}
