"""The running orchestra: what `open()` yields, and all that one may do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Concatenate, Generic, Never, ParamSpec

import attrs
import trio
from trio.lowlevel import enable_ki_protection
from typing_extensions import TypeVar

from orchestra_trio.records import DeadLetter, OrchestraStatistics, Priority, StopReport, SubsystemStatistics
from orchestra_trio.runtime.watch.standing import dump, stand
from orchestra_trio.runtime.watch.traffic import read_figures

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra_trio.delivery.ends import MeteredReceiver, MeteredSender
    from orchestra_trio.delivery.oneshot import OneshotSender
    from orchestra_trio.errors import DeadlockDetected
    from orchestra_trio.records import Happening, LaneName, Standing
    from orchestra_trio.runtime.run import Run
    from orchestra_trio.wiring.graph import WiringGraph

__all__ = ["RunningOrchestra"]

SignalT_contra = TypeVar("SignalT_contra", contravariant=True, default=Never)
EventT_contra = TypeVar("EventT_contra", contravariant=True, default=Never)
T = TypeVar("T")
P = ParamSpec("P")


class RunningOrchestra(Generic[SignalT_contra, EventT_contra]):
    """The subsystems as tasks, and all that one may do with them. `RunningOrchestra[Signal, Event]`.

    Source:
        `Orchestra` and `Handle` of Rust orchestra.
    """

    def __init__(self, run: Run, handle: MeteredSender[EventT_contra]) -> None:
        """Made by `Orchestra.open()`; not to be made otherwise."""
        self._run = run
        self._handle = handle

    def __repr__(self) -> str:
        ended = sum(live.has_ended for live in self._run.subsystems.values())
        return f"<RunningOrchestra {self._run.orchestra}: {ended} of {len(self._run.subsystems)} subsystems ended>"

    @property
    def name(self) -> str:
        """The name of the orchestra's class."""
        return self._run.orchestra

    @property
    def handle(self) -> MeteredSender[EventT_contra]:
        """Sends events to `on_event`; can be cloned. Refuses them once the input is closed (`BrokenResourceError`)."""
        return self._handle

    @property
    def outgoing(self) -> MeteredReceiver[Any]:
        """Receives the messages of the class's `outgoing` types; ends after the last subsystem.

        Leaving the block closes it: what was not read by then, and what comes later, becomes dead letters.
        """
        return self._run.outgoing

    @property
    def dead_letters(self) -> tuple[DeadLetter, ...]:
        """The last 1,000 messages that no subsystem received, oldest first; `statistics()` counts all of them."""
        return tuple(self._run.dead_letters.kept)

    @property
    def deadlocks(self) -> tuple[DeadlockDetected, ...]:
        """The deadlocks found so far, oldest first; with `on_deadlock="warn"` some may have been resolved since."""
        return tuple(self._run.deadlocks.found)

    @enable_ki_protection
    async def broadcast_signal(self, signal: SignalT_contra) -> int:
        """Send a signal to every live subsystem that subscribes to its type.

        The signal takes the next epoch and its place in all lanes in one step, beyond their capacity if need be. Then
        this call waits until those lanes are within capacity again.

        Returns:
            The epoch. Returning means that all recipients will receive the signal, in the same order as all other
            broadcasts; not that they have: see `wait_epoch`. Where no live subsystem subscribes, nobody will.

        Raises:
            UndeclaredMessage: It is no signal of this orchestra; nothing was sent.
            SubsystemStalled: A lane stayed beyond its capacity for `signal_timeout` seconds. The signal stays
                delivered.

        Checkpoint:
            Always one.

        Cancellation:
            Ends the waiting, never the delivery: a cancelled broadcast has been delivered.

        Source:
            `broadcast_signal` of Rust orchestra. Unlike it, a subsystem that stalls does not keep the others from it.
        """
        recipients = self._run.signals.commit(signal)
        epoch = self._run.signals.epoch
        await self._run.signals.wait_within_capacity(recipients, self._run.options.signal_timeout)
        return epoch

    @enable_ki_protection
    async def send_signal(self, name: str, signal: SignalT_contra) -> None:
        """Send a signal to one subsystem. It moves no epoch; otherwise as `broadcast_signal`.

        Args:
            name: The subsystem's slot.
            signal: Of a type that it subscribes to.

        Raises:
            ValueError: There is no such subsystem.
            UndeclaredMessage: The subsystem does not subscribe to such signals.
            SubsystemExited: The subsystem has ended, and the orchestra is not stopping.
            SubsystemStalled: Its lane stayed beyond its capacity for `signal_timeout` seconds. The signal stays
                delivered.

        Checkpoint:
            Always one.

        Cancellation:
            Ends the waiting, never the delivery.

        Source:
            `send_signal` of Rust orchestra. Unlike there, no message waits for a signal that was not broadcast.
        """
        live = self._run.signals.find_listener(name, signal)
        self._run.signals.put(live, signal, is_stopping=self._run.is_stopping)
        await self._run.signals.wait_within_capacity([live], self._run.options.signal_timeout)

    @enable_ki_protection
    def send_signal_nowait(self, name: str, signal: SignalT_contra) -> None:
        """Send a signal to one subsystem if its lane has room now. Errors as for `send_signal`.

        Raises:
            trio.WouldBlock: The lane is full.

        Source:
            `try_send_signal` of Rust orchestra.
        """
        live = self._run.signals.find_listener(name, signal)
        lane = live.mailbox.signals
        if not live.has_ended and len(lane) >= lane.capacity:
            raise trio.WouldBlock
        self._run.signals.put(live, signal, is_stopping=self._run.is_stopping)

    async def wait_epoch(self, epoch: int) -> None:
        """Wait until every live subsystem that was to get a broadcast up to this epoch has received it.

        Args:
            epoch: What `broadcast_signal` returned; one that was not broadcast yet is waited for, however long.

        Checkpoint:
            Always one.

        Cancellation:
            Changes nothing.
        """
        await self._run.signals.wait_epoch(epoch)

    @enable_ki_protection
    async def route_message(self, message: object, *, priority: Priority = Priority.NORMAL) -> None:
        """Send a message to the subsystem that consumes its type, from outside.

        Returning means what it does for `SubsystemContext.send`: the lane holds the message, or its consumer has taken
        it, or it became a dead letter.

        Args:
            message: Of a type that a slot consumes.
            priority: HIGH uses the priority lane where the consumer's slot has one, else the bounded lane.

        Raises:
            UndeclaredMessage: No slot consumes such messages. Nothing was queued.
            SubsystemExited: The consumer has ended, and nothing makes the message a dead letter.
            SubsystemStalled: Its lane stayed full for `message_timeout` seconds. Nothing was queued.
            trio.ClosedResourceError: The input is closed; only `on_event` may still route.

        Checkpoint:
            Checks for cancellation on every call; a schedule point at the latest every `yield_every` calls, on the
            system clock also soon after 1 ms without one, and always if it waited.

        Cancellation:
            All or nothing: after `trio.Cancelled` the message is in no lane.

        Source:
            `route_message` and `route_message_with_priority` of Rust orchestra.
        """
        run = self._run
        run.check_input_open()
        await run.outlet.send(message, priority, within=run.options.message_timeout)

    @enable_ki_protection
    def route_message_nowait(self, message: object, *, priority: Priority = Priority.NORMAL) -> None:
        """Send a message from outside if its consumer's lane has room now. Arguments and errors as `route_message`.

        Raises:
            trio.WouldBlock: The lane is full.
        """
        self._run.check_input_open()
        self._run.outside.send_nowait(message, priority=priority)

    @enable_ki_protection
    async def request(
        self,
        make: Callable[Concatenate[OneshotSender[T], P], object],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Route a message that carries a reply end, and wait for the answer: `await running.request(Lookup, key)`.

        As `SubsystemContext.request`; without a time limit but the caller's own. Returning means that the consumer
        has answered.

        Raises:
            UndeclaredMessage: No slot consumes such messages.
            SubsystemExited: The consumer has ended before it had the message.
            OneshotCancelled: No answer will come.
            trio.ClosedResourceError: The input is closed.

        Checkpoint:
            Always one.

        Cancellation:
            The request may have been sent, and may be handled.
        """
        self._run.check_input_open()
        return await self._run.outside.request(make, *args, **kwargs)

    @enable_ki_protection
    def close_input(self) -> None:
        """Begin to drain: refuse outside messages and events from now on; what has come is still handled.

        Leaving the block does the same. Closing it again does nothing. Not a checkpoint.
        """
        self._run.close_input()

    @enable_ki_protection
    async def terminate(self, signal: SignalT_contra | None = None, *, grace: float = 10) -> StopReport:
        """Broadcast a signal, close the input, drain, and cancel what has not ended when the grace is over.

        Not to be called by a subsystem, which would wait for its own end until the grace is over.

        Args:
            signal: What tells the subsystems to end; None for none.
            grace: Seconds for all of it together.

        Returns:
            Who ended by itself, who was cancelled, and how many messages each left.

        Raises:
            UndeclaredMessage: It is no signal of this orchestra; nothing has happened.
            ValueError: The grace is negative; nothing has happened.
            RuntimeError: It was called by `on_event`, which would wait for its own end; nothing has happened.

        Checkpoint:
            Always one.

        Cancellation:
            The signal stays delivered and the input closed; the subsystems drain on.

        Source:
            `wait_terminate` of Rust orchestra. Unlike it, the grace is for all at once, and the report is true.
        """
        if grace < 0:
            message = f"grace must be at least 0 seconds, not {grace}"
            raise ValueError(message)
        run = self._run
        run.check_not_in_on_event("terminate()")
        if signal is not None:
            run.signals.commit(signal)
        run.is_stopping = True
        run.close_input()
        with trio.move_on_after(grace):
            await run.events_handled.wait()
            await run.stopped.wait()
        run.cancel_subsystems(grace)
        await run.events_handled.wait()
        await run.stopped.wait()
        subsystems = run.subsystems.values()
        return StopReport(
            finished=tuple(live.name for live in subsystems if live.end == "finished" and not live.was_cancelled),
            cancelled=tuple(live.name for live in subsystems if live.was_cancelled),
            undelivered={live.name: live.left for live in subsystems if live.left},
        )

    @enable_ki_protection
    def cancel(self) -> None:
        """Cancel the subsystems and the rest of the block; `open()` absorbs it. Not a checkpoint."""
        self._run.cancel()

    async def wait_stopped(self) -> None:
        """Wait until every subsystem has ended. Not to be called by a subsystem.

        Raises:
            RuntimeError: It was called by `on_event`, which the drain waits for.

        Checkpoint:
            Always one.

        Cancellation:
            Changes nothing.
        """
        self._run.check_not_in_on_event("wait_stopped()")
        await self._run.stopped.wait()

    async def wait_input_closed(self) -> None:
        """Wait until the input was closed, by whatever way.

        Checkpoint:
            Always one.

        Cancellation:
            Changes nothing.
        """
        await self._run.input_closed.wait()

    def statistics(self) -> OrchestraStatistics:
        """Return how the orchestra stands now. Changes nothing."""
        run = self._run
        ended_at = trio.current_time() if run.ended_at is None else run.ended_at
        return OrchestraStatistics(
            name=run.orchestra,
            subsystems={name: live.statistics() for name, live in run.subsystems.items()},
            epoch=run.signals.epoch,
            events=run.events.mailbox.bounded.read(),
            dead_letters=dict(run.dead_letters.counts),
            uptime=ended_at - run.opened_at,
        )

    def graph(self) -> WiringGraph:
        """Return the wiring as a graph with live figures: messages sent along each edge, and how full the lanes are.

        What is not in use with the orchestra's features counts as not built. Changes nothing.
        """
        run = self._run
        return attrs.evolve(run.held.graph, figures=read_figures(run.subsystems.values(), run.outgoing_mailbox))

    def dump(self) -> str:
        """Return where every subsystem stands, as text: state, lanes, waits, and the stacks of all tasks and threads.

        For people: its form may change. It costs about a millisecond for each task. Changes nothing.
        """
        return dump(self.statistics(), [stand(live) for live in self._run.subsystems.values()])

    def standing(self, name: str) -> Standing:
        """Return where one subsystem stands: its statistics, and what its tasks and threads do, with their stacks.

        It costs about a millisecond for each task. Changes nothing.

        Args:
            name: The subsystem's slot.

        Raises:
            ValueError: There is no such subsystem.
        """
        try:
            live = self._run.subsystems[name]
        except KeyError:
            message = f"{self.name} has no subsystem {name!r}; it has {', '.join(self._run.subsystems)}"
            raise ValueError(message) from None
        return stand(live)

    def observe(self, observer: Callable[[Happening], object], *, asks: bool = False) -> None:
        """Tell somebody of all that happens from now on, for as long as the orchestra runs.

        The observer is called in the step in which something happens: it takes note and returns, and calls nothing of
        the orchestra. What it raises stops the orchestra, as an error of a subsystem does. Steps of blocking
        subsystems call it from their threads. Until the first observer comes, none of this costs anything.

        Args:
            observer: Called with each `Happening`.
            asks: Also when somebody asks for what comes next (`ask`), and so is done with what came before.
        """
        self._run.observe(observer, asks=asks)

    def observe_flights(self, observer: Callable[[str | None, LaneName, float], object]) -> Callable[[], None]:
        """Tell somebody of each time of flight that is taken from now on: of every 16th message in each lane.

        Much cheaper than `observe`: nothing else about the lanes changes. Called, and failing, as the observers there.

        Args:
            observer: Called with the consumer (None: the embedding program; `"on_event"`), the lane, and seconds.

        Returns:
            What is to be called, from any thread, to tell them no more.
        """
        return self._run.flights.add(observer)

    def map_subsystems(self, function: Callable[[SubsystemStatistics], T]) -> list[T]:
        """Return what a function makes of each subsystem's statistics, in declaration order.

        Source:
            `map_subsystems` of Rust orchestra.
        """
        return [function(live.statistics()) for live in self._run.subsystems.values()]
