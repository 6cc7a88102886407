"""One opening of an orchestra: what all its parts share, and how they begin and end.

Invariants:

* Tasks of the library let nothing but `trio.Cancelled` pass: errors are recorded where they are raised.
* A subsystem has ended when its main task and jobs have; in that step its mailbox shuts, what lay in it becomes dead
  letters, who waits to send to it is told, and drain goes on.
* `input_closed` and `is_stopping` never become false again.
"""

from __future__ import annotations

import math
from collections import Counter
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import trio
from trio.lowlevel import enable_ki_protection

from orchestra_trio.delivery.channels import Channel
from orchestra_trio.delivery.ends import MeteredReceiver
from orchestra_trio.delivery.mailbox import Mailbox
from orchestra_trio.delivery.shared import SharedMailbox
from orchestra_trio.delivery.strategies import Weighted
from orchestra_trio.delivery.trio_internals import flight_clock, make_pace
from orchestra_trio.errors import DeadlockDetected, OneshotCancelled, SubsystemExited, type_name
from orchestra_trio.logs import Origin, logger, origin_of_task
from orchestra_trio.records import DeadLetter
from orchestra_trio.runtime.contexts.blocking import BlockingSubsystemContext
from orchestra_trio.runtime.contexts.context import SubsystemContext
from orchestra_trio.runtime.contexts.outlet import Outlet, reason_after_exit
from orchestra_trio.runtime.contexts.sender import SubsystemSender
from orchestra_trio.runtime.dead_letters import DeadLetters
from orchestra_trio.runtime.drain import Drain
from orchestra_trio.runtime.held import join_restart_groups, shared_mailboxes
from orchestra_trio.runtime.life.failures import Failures, without, without_cancelled
from orchestra_trio.runtime.life.frames import let_go
from orchestra_trio.runtime.life.incarnation import call_users
from orchestra_trio.runtime.life.live import LiveSubsystem
from orchestra_trio.runtime.life.restarts import Failure
from orchestra_trio.runtime.observing import FlightObservers, Observers
from orchestra_trio.runtime.signals import Signals
from orchestra_trio.runtime.surroundings import limited
from orchestra_trio.runtime.watch.deadlock import DeadlockWatch
from orchestra_trio.runtime.watch.rest import RestWatch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping

    from orchestra_trio.delivery.lanes import Buried, Lane, Offer
    from orchestra_trio.records import DeadLetterReason
    from orchestra_trio.runtime.held import Held
    from orchestra_trio.runtime.observing import Observer
    from orchestra_trio.wiring.options import OrchestraOptions
    from orchestra_trio.wiring.routing import Routes
    from orchestra_trio.wiring.slots import Slot

__all__ = ["Run"]

_handling_events_of: ContextVar[Run | None] = ContextVar("_handling_events_of", default=None)
"""The run whose event the current task handles: what it routes is input that came before the input was closed."""


class Run:
    """One opening of an orchestra. Made in the task that opens it, before the nursery is there."""

    nursery: trio.Nursery
    """What everything runs in; with the scope, the watches and the drain there from `prepare` on."""
    scope: trio.CancelScope
    watch: RestWatch
    deadlocks: DeadlockWatch
    drain: Drain

    def __init__(self, held: Held, events: Channel[Any], event_receiver: MeteredReceiver[Any]) -> None:
        """Lay out the subsystems; nothing runs yet."""
        declaration = held.declaration
        self.held = held
        self.orchestra: str = declaration.name
        self.options: OrchestraOptions = declaration.options
        self.routes: Routes = declaration.routes
        self.slots: Mapping[str, Slot] = held.slots
        self.is_stopping: bool = False
        self.input_closed: trio.Event = trio.Event()
        self.stopped: trio.Event = trio.Event()
        self.events_handled: trio.Event = trio.Event()
        self.opened_at: float = trio.current_time()
        self.ended_at: float | None = None
        self._clock = trio.lowlevel.current_clock().current_time  # what `trio.current_time` asks, at half its cost
        self._flight_clock = flight_clock()
        wrap = self.options.error
        self.failures: Failures = Failures(self.orchestra, self.cancel, wrap)
        self.dead_letters: DeadLetters = DeadLetters(held.on_dead_letter, self._fail_in_hook)
        shared = shared_mailboxes(held)
        self.subsystems: dict[str, LiveSubsystem] = {
            name: LiveSubsystem(
                held.slots[name],
                self.orchestra,
                self._make_mailbox(held.slots[name], shared=name in shared),
                self._report,
                held.spawner,
            )
            for name in held.subsystems
        }
        join_restart_groups(held.graph, self.subsystems)
        self._alive = len(self.subsystems)
        self._threads = trio.CapacityLimiter(math.inf)
        """Of blocking subsystems: those of other users of trio's default limiter are none of their concern."""
        self.signals: Signals = Signals(self.orchestra, self.routes, self.subsystems)
        self.events = events
        self.event_receiver = event_receiver
        self._event_scope = trio.CancelScope()
        self._event_task: trio.lowlevel.Task | None = None
        self._handles_events = bool(declaration.event_types)
        capacity = limited(self.options.message_capacity)
        self._outgoing: Channel[Any] = Channel.make(
            capacity, yield_every=self.options.yield_every, shut=self._shut_outgoing
        )
        self._outgoing.open_senders = 1
        self.outgoing: MeteredReceiver[Any] = MeteredReceiver(self._outgoing)
        self.observers: Observers | None = None
        self.flights: FlightObservers = FlightObservers(self._fail_in_observer, self._mailboxes)
        self.outlet: Outlet = Outlet(self, None, make_pace(self.options.yield_every))
        self.outside: SubsystemSender[Any] = SubsystemSender(self.outlet)

    @property
    def outgoing_mailbox(self) -> Mailbox[Any, Any]:
        """The mailbox of what goes out to the embedding program."""
        return self._outgoing.mailbox

    def prepare(self, nursery: trio.Nursery) -> None:
        """Lay out what needs the nursery; nothing runs yet, but everything may be cancelled."""
        self.nursery = nursery
        self.scope = nursery.cancel_scope
        outer_deadline = trio.current_effective_deadline()
        self.watch = RestWatch(self.scope, outer_deadline)
        self.deadlocks = DeadlockWatch(
            self.orchestra, self.subsystems, self.scope, outer_deadline, self._report_deadlock
        )
        if self.options.on_deadlock != "ignore":
            self.deadlocks.watch(self.held.graph)
        self.drain = Drain(self.held.graph, self.subsystems, self.watch)

    def start(self, on_event: Callable[[object], Awaitable[object]]) -> None:
        """Start all tasks, in declaration order; the one for events comes last."""
        for live in self.subsystems.values():
            self.held.spawner.start_soon(self.nursery, self._run_subsystem, live, name=live.name, subsystem=live.name)
        if not self._alive:
            self._note_all_ended()
        if self._handles_events:
            self.nursery.start_soon(self._run_events, on_event, name="on_event")
        else:
            self.events_handled.set()
            self.events.refuse_input()

    async def wait_ready(self) -> None:  # noqa: ASYNC910 - a task of the library, not a call of users
        """Wait until every subsystem that declares readiness has called `ctx.started()`."""
        for live in self.subsystems.values():
            if live.slot.readiness:
                await live.ready.wait()

    def _mailboxes(self) -> Iterator[tuple[str | None, Mailbox[Any, Any]]]:
        yield from ((name, live.mailbox) for name, live in self.subsystems.items())
        yield None, self.outgoing_mailbox
        yield "on_event", self.events.mailbox

    def observe(self, observer: Observer, *, asks: bool) -> None:
        """Tell somebody of all that happens from now on."""
        if self.observers is None:
            observers = self.observers = Observers(self._fail_in_observer, dict(self._mailboxes()), self._clock)
            for live in self.subsystems.values():
                live.tell = observers.tell
            self.dead_letters.observe = observers.tell_dead_letter
            self.signals.observe = lambda signal, epoch: observers.tell("broadcast", None, payload=signal, epoch=epoch)
        self.observers.add(observer, asks=asks)

    def close_input(self) -> None:
        """Refuse outside input from now on; drain when the events that have come are handled."""
        if self.input_closed.is_set():
            return
        self.input_closed.set()
        if self._handles_events:
            self.events.refuse_input()  # `_run_events` begins the drain
        else:
            self.drain.begin()

    def cancel(self) -> None:
        """Cancel the subsystems and the rest of the block."""
        self.is_stopping = True
        self.scope.cancel()

    def cancel_subsystems(self, grace: float) -> None:
        """Cancel what still runs, but not the block; name threads that still go on after the grace, in seconds."""
        self._event_scope.cancel()
        for live in self.subsystems.values():
            live.grace = grace
            if not live.has_ended:
                live.cancel()

    def check_not_in_on_event(self, operation: str) -> None:
        """Refuse what would wait for its own end.

        Raises:
            RuntimeError: The current task is the one that handles events.
        """
        if trio.lowlevel.current_task() is self._event_task:
            message = f"{operation} in on_event of {self.orchestra} would wait for its own end; use close_input()"
            raise RuntimeError(message)

    def check_input_open(self) -> None:
        """Refuse outside input once it was closed.

        Raises:
            trio.ClosedResourceError: It was closed, and the current task does not handle an earlier event.
        """
        handles_event = _handling_events_of.get() is self and not self.events_handled.is_set()
        if self.input_closed.is_set() and not handles_event:
            message = f"the input of {self.orchestra} is closed: it takes nothing more from outside"
            raise trio.ClosedResourceError(message)

    def close(self) -> None:
        """Let go of everything; all tasks have ended."""
        self.input_closed.set()
        self.watch.close()
        self.deadlocks.close()
        for live in self.subsystems.values():
            if not live.has_ended:  # it was never started: the spawner has raised
                live.end = "cancelled"
                self._note_end(live)
        unhandled = len(self.events.mailbox.bounded)
        if unhandled:
            logger.warning("%s ended with events unhandled: %d", self.orchestra, unhandled, extra=self.origin.extra)
        self.event_receiver.close()

    def close_outgoing(self) -> None:
        """Let go of what goes out: nobody will read it any more, through whatever clone."""
        self.outgoing.close()
        self._outgoing.break_off()

    @property
    def origin(self) -> Origin:
        """For log records that are about the orchestra as a whole."""
        return Origin(self.orchestra, None, lambda: self.signals.epoch)

    def _make_mailbox(self, slot: Slot, *, shared: bool) -> Mailbox[Any, Any]:
        make: Callable[..., Mailbox[Any, Any]] = SharedMailbox[Any, Any] if shared else Mailbox[Any, Any]
        return make(
            message_capacity=slot.message_capacity,
            signal_capacity=slot.signal_capacity,
            priority_capacity=slot.message_capacity if slot.priority else None,
            strategy=Weighted() if slot.select is None else slot.select,
            clock=self._flight_clock,
        )

    @enable_ki_protection
    def _run_subsystem(self, live: LiveSubsystem) -> Coroutine[Any, Any, None]:
        """Return what runs a subsystem: no frame around it, through which its task would go at each wake-up."""
        outlet = Outlet(self, live.name, make_pace(self.options.yield_every))
        context: SubsystemContext[Any, Any, Any] = SubsystemContext(outlet, live)
        main = self.held.subsystems[live.name]
        live.mailbox.on_signal_taken = live.look_again
        live.on_end = self._note_end
        if live.slot.blocking:
            return BlockingSubsystemContext(context, self._threads)._run_main(main)  # noqa: SLF001 - for the library alone
        return live.run(main, context)

    def _note_end(self, live: LiveSubsystem) -> None:
        """Do all that follows from the end of a subsystem, in one step."""
        if live.end == "cancelled" and not live.scope.cancel_called:
            self.is_stopping = True  # cancelled from around the orchestra, which the block may not have noticed yet
        live.was_told_to_end = live.mailbox.input_closed
        live.note("exit", live.end)
        live.left = self._bury(live.mailbox, live)
        live.look_again()
        self.drain.note_end(live)
        if live.end == "finished" and live.slot.on_exit == "stop":
            self.close_input()
        self._alive -= 1
        if not self._alive:
            self._note_all_ended()

    def _note_all_ended(self) -> None:
        self.ended_at = trio.current_time()
        self.outgoing_mailbox.close_input()
        self.stopped.set()

    def _shut_outgoing(self, mailbox: Mailbox[Any, Any]) -> None:
        self._bury(mailbox, None)

    def _bury(self, mailbox: Mailbox[Any, Any], consumer: LiveSubsystem | None) -> int:
        """Shut a mailbox for good: what lies in it becomes dead letters, and who waits for room in it is told.

        Args:
            mailbox: Of a subsystem that has ended, or of what goes out.
            consumer: That subsystem; None for what goes out.

        Returns:
            How many messages lay in it.
        """
        name = None if consumer is None else consumer.name
        buried = mailbox.shut()
        for lane, dead in buried:
            self._add_dead_letter(lane, dead, name, "outgoing closed" if consumer is None else "left over")
        if buried:
            whose = "outgoing" if name is None else f"subsystem {name!r}"
            origin = self.origin if consumer is None else consumer.origin
            logger.warning(
                "%s of %s ended with messages left in its lanes: %s",
                whose,
                self.orchestra,
                _counted(buried),
                extra=origin.extra,
            )
        for lane in mailbox.message_lanes:
            while lane.offers:
                waiting, offer = lane.offers.popitem(last=False)
                error = self._refusal(lane, offer, consumer)
                if error is not None and self.observers is not None:
                    self.observers.tell_refused(lane, offer, name, waiting)
                waiting.refuse(error)
        return len(buried)

    def _refusal(self, lane: Lane[Any], offer: Offer[Any], consumer: LiveSubsystem | None) -> SubsystemExited | None:
        """Return what a sender gets that waited for room in vain; None where its message became a dead letter."""
        if offer.reply is not None:
            offer.reply.cancel()
        if consumer is None:
            self._add_dead_letter(lane, offer, None, "outgoing closed")
            return None
        reason = reason_after_exit(self, consumer, offer.sender)
        if reason is None:
            message: object = offer.item
            return SubsystemExited(self.orchestra, consumer.name, offer.sender, type(message))
        self._add_dead_letter(lane, offer, consumer.name, reason)
        return None

    @enable_ki_protection
    async def _run_events(self, on_event: Callable[[object], Awaitable[object]]) -> None:  # noqa: ASYNC910 - a task of the library, not a call of users
        _handling_events_of.set(self)
        origin_of_task.set(self.origin)
        self._event_task = trio.lowlevel.current_task()
        event: object = None
        try:
            with self._event_scope:
                async for event in self.event_receiver:
                    await call_users(on_event, event)
        except BaseException as error:  # noqa: ASYNC103 - recorded, and raised again by `open()`
            failure = without_cancelled(error)
            if failure is None:
                raise
            self.failures.record(failure, "on_event", None if event is None else type(event))
        finally:
            self.events_handled.set()
            if self.input_closed.is_set():
                self.drain.begin()
            else:
                self._handles_events = False

    def _report(self, error: BaseException, live: LiveSubsystem, *, job: str | None) -> bool:
        if (self.is_stopping or live.is_stopping) and without(OneshotCancelled, error) is None:
            let_go(error)
            return False  # an answer that will not come is the way to end of what is stopping
        if live.group.survives(live, Failure(error, job)):
            return False
        self.failures.record(error, live.name, live.in_hand, job=job)
        return True

    def _report_deadlock(self, error: DeadlockDetected) -> None:
        if self.options.on_deadlock == "warn":
            logger.warning("%s", error, extra=self.origin.extra)
        else:
            self.failures.record_plain(error)

    def _fail_in_hook(self, error: BaseException, letter: DeadLetter) -> None:
        self.failures.record(error, "on_dead_letter", type(letter.message))

    def _fail_in_observer(self, error: BaseException) -> None:
        self.failures.record(error, "an observer", None)

    def _add_dead_letter(
        self, lane: Lane[Any], dead: Buried[Any] | Offer[Any], consumer: str | None, reason: DeadLetterReason
    ) -> None:
        self.dead_letters.add(DeadLetter(dead.item, dead.sender, consumer, lane.name, reason))


def _counted(buried: list[tuple[Lane[Any], Buried[Any]]]) -> str:
    """Return how many messages of which types were left."""
    messages: list[object] = [dead.item for _, dead in buried]
    counts = Counter(type_name(type(message)) for message in messages)
    return ", ".join(f"{count} {name}" for name, count in counts.items())
