"""Turning what observers are told into spans.

A message's span lasts from its `receive` to the next `ask` of the task or thread that has it, or to that one's end. It
is a root span, linked to the span that was current where the message was sent: nesting would never end in a cycle. Who
handles a message is found so:

* a task: `receive` names it, also where it is handed the message in somebody else's step;
* a thread of a blocking subsystem: there `receive` names its carrier, or no task; see `desks`.

Observers are called by threads, too. Nothing here is locked: each lane tells in one thread at a time, each task is told
of by one, and whatever else there is belongs to trio's thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import trio
from opentelemetry import context as contexts
from opentelemetry.trace import set_span_in_context
from trio.abc import Instrument
from typing_extensions import override

from orchestra_trio.tracing.account import Account, Sent
from orchestra_trio.tracing.current import current_context, enter, leave, run_in, take_all
from orchestra_trio.tracing.desks import Desks
from orchestra_trio.tracing.lives import Lives
from orchestra_trio.tracing.spans import Spans, fail, type_title

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from opentelemetry.trace import Span, SpanContext, TracerProvider
    from trio.lowlevel import Task

    from orchestra_trio import Happening, OrchestraStatistics, RunningOrchestra
    from orchestra_trio.tracing.account import Place

__all__ = ["Instrumentation", "instrument_orchestra"]

_LAY = {"left over", "outgoing closed"}
"""Reasons of dead letters that may have lain in a lane."""

_WAITED = {"exited", "stopping", "outgoing closed"}
"""Reasons of dead letters that may have waited for room."""


_instrumented: WeakSet[RunningOrchestra[Any, Any]] = WeakSet()


def instrument_orchestra(running: RunningOrchestra[Any, Any], tracer_provider: TracerProvider | None = None) -> None:
    """Trace a running orchestra from now on, until it has ended: a span for each message that is handled.

    Each is a root span, linked to the span that was current where the message was sent, and is itself current while the
    message is handled, so that your own spans nest in it, and what is sent meanwhile is linked to it. Requests have a
    span of kind CLIENT where they are sent, too; each life of a subsystem has a span with its signals and errors.

    Args:
        running: The orchestra. To be called once for each that is opened, in trio's thread.
        tracer_provider: Whose tracer makes the spans; OpenTelemetry's global one if None. What it raises stops the
            orchestra, as an error of an observer.

    Raises:
        RuntimeError: It was called before: each message would have two spans.
    """
    if running in _instrumented:
        message = f"this run of {running.name} is instrumented already"
        raise RuntimeError(message)
    _instrumented.add(running)
    running.observe(Instrumentation(running, tracer_provider), asks=True)


class Instrumentation(Instrument):
    """An observer that makes spans, and an instrument of trio's that sees tasks end."""

    def __init__(self, running: RunningOrchestra[Any, Any], provider: TracerProvider | None) -> None:
        """Lay out the tables, and begin to watch the ends of tasks."""
        statistics, boundary = running.statistics(), running.graph().boundary
        self._spans = Spans(running.name, provider)
        self._account = Account(_lying(statistics, running.outgoing.statistics().current_buffer_used))
        self._blocking = frozenset[str]() if boundary is None else boundary.blocking
        self._desks = Desks()
        self._lives = Lives(self._spans, {} if boundary is None else boundary.hearing)
        self._handled: dict[object, list[Span]] = {}
        """By the task that handles them."""
        self._requests: dict[object, Span] = {}
        """By the task that waits for the answer."""
        self._asked: dict[str | None, Task] = {}
        """Who asked last, for each mailbox."""
        self._asking: object = None
        """Who asked last of all; what it receives in its own step, it has asked for."""
        self._steps: dict[str, Callable[[Happening], object]] = {
            "block": self._note_block,
            "send": self._note_send,
            "receive": self._note_receive,
            "withdraw": self._note_withdraw,
            "dead letter": self._note_dead_letter,
            "ask": self._note_ask,
            "answer": self._note_answer,
            "no answer": self._note_answer,
            "broadcast": self._lives.note_broadcast,
            "start": self._note_start,
            "job": self._note_job,
            "error": self._note_error,
            "exit": self._note_exit,
        }
        for one in statistics.subsystems.values():
            if one.state == "starting" and not running.standing(one.name).stack:
                self._lives.expect(one.name)
            elif not one.has_ended:
                self._lives.begin(one.name, one.restarts)
        self._is_watching = not self._lives.is_over
        if self._is_watching:
            trio.lowlevel.add_instrument(self)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is kept any more of what has happened."""
        tables = (self._handled, self._requests, self._asked)
        parts = (self._account, self._desks, self._lives)
        return not self._is_watching and not any(tables) and all(one.is_empty for one in parts)

    def __call__(self, one: Happening) -> None:
        """Take note of a step."""
        step = self._steps.get(one.kind)
        if step is not None:
            step(one)

    @override
    def task_exited(self, task: Task) -> None:
        """End what a task still had in hand; called by trio."""
        _end(self._handled.pop(task, ()))
        _end(self._desks.clear(task))
        self._stop_watching()

    # --- Sending -------------------------------------------------------------------------------------------------

    def _note_block(self, one: Happening) -> None:
        if one.lane is not None and one.lane != "signals":
            self._account.wait((one.subsystem, one.lane), one.task, self._capture(one))

    def _note_send(self, one: Happening) -> None:
        if one.lane is None:
            return
        if one.lane == "signals":
            self._lives.note_signal_sent(one)
            return
        place: Place = (one.subsystem, one.lane)
        sent = self._account.waited(place, one.task, id(one.payload))
        self._account.lay(place, self._capture(one) if sent is None else sent)

    def _capture(self, one: Happening) -> Sent:
        """Return what is known of a message in the step in which it is sent, or has to wait for room."""
        task: Any = one.task
        desk = self._desks.of_sender(task, one.sender) if one.sender in self._blocking else None
        if task is None:
            desk = None  # the thread's own context tells more
        link = current_context() if desk is None else _context_of(desk.current)
        if one.is_request and not self._spans.is_dropped(link):
            sender = contexts.get_current() if desk is None else set_span_in_context(desk.current)
            span = self._requests[one.task] = self._spans.request(one, sender)
            link = _context_of(span)
        return Sent(id(one.payload), link, one.sender, one.is_request)

    def _note_withdraw(self, one: Happening) -> None:
        if one.lane is not None:
            sent = self._account.waited((one.subsystem, one.lane), one.task, id(one.payload))
            if sent is not None and sent.is_request:
                self._end_request(one.task, "withdrawn")

    def _note_answer(self, one: Happening) -> None:
        self._end_request(one.task, None if one.kind == "answer" else "no answer")

    def _end_request(self, task: object, error: str | None) -> None:
        span = self._requests.pop(task, None)
        if span is not None:
            if error is not None:
                fail(span, error)
            span.end()

    def _note_dead_letter(self, one: Happening) -> None:
        if one.lane is None:
            return
        place: Place = (one.subsystem, one.lane)
        item = id(one.payload)
        sent = self._account.take(place, item) if one.detail in _LAY else None
        if sent is None and one.detail in _WAITED:
            sent = self._account.waited_oldest(place, item)
        if sent is None and one.detail != "left over":
            sent = self._capture(one)
        self._spans.dead_letter(one, None if sent is None else sent.link).end()

    # --- Handling ------------------------------------------------------------------------------------------------

    def _note_ask(self, one: Happening) -> None:
        task: Any = one.task
        if one.subsystem is None:
            return
        if one.subsystem in self._blocking:
            desks = self._desks
            desk = desks.here(one.subsystem) if task is None else desks.carried_by(task, one.subsystem)
            _end(take_all(desk.spans))
            return
        self._asking = self._asked[one.subsystem] = task
        spans = self._handled.pop(task, None)
        if spans is not None:
            _end(spans)
            leave()

    def _note_receive(self, one: Happening) -> None:
        if one.lane is None:
            return
        if one.lane == "signals":
            self._lives.note_signal_received(one)
            return
        sent = self._account.take((one.subsystem, one.lane), id(one.payload))
        span = self._spans.handled(one, sent)
        task: Any = one.task
        if one.subsystem is None:
            span.end()  # what the embedding program does with it is not to be seen
        elif one.subsystem in self._blocking:
            desks = self._desks
            desk = desks.here(one.subsystem) if task is None else desks.carried_by(task, one.subsystem)
            desk.spans.append(span)
        else:
            self._hand_to(self._find_receiver(task, one.subsystem), span)

    def _find_receiver(self, task: Task, subsystem: str) -> Task:
        """Return who receives: the task that is named, unless that is a worker whose end lets another one take."""
        if task is self._asking or self._asking is None:
            return task
        try:
            is_own_step = trio.lowlevel.current_task() is task
        except RuntimeError:  # in another thread than trio's
            return task
        return self._asked.get(subsystem, task) if is_own_step else task

    def _hand_to(self, task: Task, span: Span) -> None:
        self._handled.setdefault(task, []).append(span)
        run_in(task, enter, span)

    # --- Living --------------------------------------------------------------------------------------------------

    def _note_start(self, one: Happening) -> None:
        if one.subsystem is not None:
            _end(self._desks.clear_all(one.subsystem))
            self._lives.note_start(one.subsystem)
            self._note_job(one)

    def _note_job(self, one: Happening) -> None:
        if one.subsystem in self._blocking:
            self._desks.begin(one.subsystem)

    def _note_error(self, one: Happening) -> None:
        error = type_title(type(one.payload))
        desk = self._desks.of_host(one.task, one.subsystem) if one.subsystem in self._blocking else None
        for span in self._handled.get(one.task, ()) if desk is None else desk.spans:
            if span.is_recording():
                fail(span, error)
                span.add_event("exception", {"exception.type": error})
        self._lives.note_error(one, error)

    def _note_exit(self, one: Happening) -> None:
        if one.subsystem is None:
            return
        _end(self._handled.pop(one.task, ()))
        _end(self._desks.clear_all(one.subsystem))
        self._asked.pop(one.subsystem, None)
        self._lives.end(one.subsystem, one.detail)
        if self._lives.is_over:
            self._asking = None
            self._stop_watching()

    def _stop_watching(self) -> None:
        """Let trio go on alone once nothing can come any more that would have to be ended."""
        if self._is_watching and self._lives.is_over and not self._handled and not self._requests:
            self._is_watching = False
            self._asked.clear()
            self._account.forget(("on_event", "bounded"))
            trio.lowlevel.remove_instrument(self)


def _end(spans: Iterable[Span]) -> None:
    for span in spans:
        span.end()


def _context_of(span: Span) -> SpanContext | None:
    found = span.get_span_context()
    return found if found.is_valid else None


def _lying(statistics: OrchestraStatistics, outgoing: int) -> dict[Place, int]:
    """Return how much lies in each lane."""
    lying: dict[Place, int] = {(None, "bounded"): outgoing, ("on_event", "bounded"): statistics.events.channel_len}
    for name, one in statistics.subsystems.items():
        for lane, readout in one.lanes.items():
            lying[name, lane] = readout.channel_len
    return lying
