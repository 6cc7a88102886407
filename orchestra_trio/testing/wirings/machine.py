"""A state machine that plays with an orchestra: what comes in, in any order, under any schedule; to be subclassed.

States of a machine::

    begun -> open -> ended (closed | terminated | cancelled | failed as it was told to) -> open anew ...

In each of them the rules that make no sense there are not offered.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

import trio
from hypothesis import currently_in_test_context, note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from trio.testing import wait_all_tasks_blocked

from orchestra_trio.errors import SubsystemExited, SubsystemStalled
from orchestra_trio.records import Priority
from orchestra_trio.runtime.orchestra import Orchestra
from orchestra_trio.testing.faults.intercepted import intercept
from orchestra_trio.testing.hangs import Hang
from orchestra_trio.testing.scheduling.choosing import Choosing, check_available
from orchestra_trio.testing.scheduling.drawn import schedules
from orchestra_trio.testing.scheduling.schedule import describe_run
from orchestra_trio.testing.scheduling.steering import Steering
from orchestra_trio.testing.tracing.laws.checking import check_laws
from orchestra_trio.testing.wirings.guest import GuestRun
from orchestra_trio.testing.wirings.session import Induced, Session

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hypothesis.strategies import SearchStrategy

    from orchestra_trio.records import Readout
    from orchestra_trio.runtime.contexts.context import SubsystemContext
    from orchestra_trio.runtime.running import RunningOrchestra
    from orchestra_trio.testing.scheduling.schedule import Schedule
    from orchestra_trio.testing.tracing.trace import Trace

__all__ = ["RoutingMachine"]

T = TypeVar("T")

_MESSAGE_LANES: Final = ("priority", "unbounded", "bounded")


def _of_class(name: str) -> SearchStrategy[Any]:
    """Return a strategy that the machine's class gives; where it is None, the rule's precondition does not hold."""

    def look_up(machine: RoutingMachine) -> SearchStrategy[Any]:
        given: SearchStrategy[Any] | None = getattr(machine, name)
        return st.nothing() if given is None else given

    return st.runner().flatmap(look_up)


class RoutingMachine(RuleBasedStateMachine):
    """Plays with an orchestra: routes, broadcasts, lets it work, fails its subsystems, ends it and opens it anew.

    A subclass says which orchestra, and what may come in; it may add rules and invariants of its own, as with any
    state machine of hypothesis, and reach the orchestra through `do`, `request` and `outgoing`::

        class PipelineMachine(RoutingMachine):
            messages = st.builds(Fetch, st.text())
            signals = st.builds(Tick, st.integers())

            def hold(self) -> Pipeline:
                return Pipeline(fetcher=fetch, parser=parse, store=Store())

        TestPipeline = PipelineMachine.TestCase

    Without more, it is checked that no subsystem fails, that the lanes' meters agree with their lengths and capacities
    after each step, that nothing hangs, and that the trace of each opening keeps the laws. Hypothesis decides what
    comes in, and the schedule: a failure shrinks to the few steps and choices that matter.
    """

    messages: ClassVar[SearchStrategy[Any] | None] = None
    """What may be routed into the orchestra."""

    signals: ClassVar[SearchStrategy[Any] | None] = None
    """What may be broadcast, and sent at termination."""

    events: ClassVar[SearchStrategy[Any] | None] = None
    """What may be sent to `on_event`."""

    allowed: ClassVar[tuple[type[Exception], ...]] = (SubsystemStalled, SubsystemExited)
    """How what comes in may be refused."""

    schedules: ClassVar[SearchStrategy[Schedule]] = schedules()
    """The order in which tasks run."""

    def __init__(self) -> None:
        """Made by hypothesis."""
        super().__init__()
        self._guest: GuestRun | None = None
        self._steering: Steering | None = None
        self._session: Session | None = None
        self._armed: set[str] = set()

    # --- For subclasses ----------------------------------------------------------------------------------------------

    def hold(self) -> Orchestra[Any, Any]:
        """Return the orchestra, with new subsystems; called for each opening.

        Raises:
            NotImplementedError: The subclass does not say.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say which orchestra it plays with: define hold()")

    @property
    def is_open(self) -> bool:
        """Whether the orchestra runs."""
        return self._session is not None and not self._session.has_ended

    @property
    def restartable(self) -> list[str]:
        """The slots whose subsystems begin anew after an error: those that the rule `fail` concerns."""
        held = self._opened.held
        slots = held.__declaration__.slots.values()
        return [slot.name for slot in slots if slot.restart is not None and hasattr(held, slot.name)]

    @property
    def running(self) -> RunningOrchestra[Any, Any]:
        """The orchestra that runs, or ran last."""
        return self._opened.running

    @property
    def trace(self) -> Trace:
        """What has happened since it was opened."""
        return self._opened.traces[0]

    def do(self, async_fn: Callable[..., Awaitable[T]], *args: object, then_rest: bool = False) -> T:
        """Call an async function where the orchestra runs, and wait for what it returns: for rules of one's own.

        Args:
            async_fn: To be called with `args`.
            args: Passed on.
            then_rest: Whether to wait until all tasks wait, too.

        Raises:
            Hang: It would have waited for ever.
            BaseExceptionGroup: The orchestra has failed meanwhile.
            BaseException: What the function raises.
        """
        if self._guest is None:
            raise RuntimeError("nothing runs yet: the rule `begin` comes first")
        try:
            return self._guest.do(async_fn, *args, then_rest=then_rest)
        except Hang as hang:
            hang.add_note(self._guest.do(self._opened.dump))
            raise
        finally:
            self._raise_failure()

    def request(self, make: Callable[..., Any], *args: object) -> Any:  # noqa: ANN401 - whatever is answered
        """Send a request into the orchestra, and return the answer; see `RunningOrchestra.request`."""
        return self.do(self.running.request, make, *args)

    def outgoing(self) -> list[Any]:
        """Return what has come out of the orchestra since the last call, once all tasks wait."""
        found: list[Any] = []

        async def collect() -> None:
            await wait_all_tasks_blocked()
            with suppress(trio.EndOfChannel):
                while self.running.outgoing.statistics().current_buffer_used:
                    found.append(self.running.outgoing.receive_nowait())

        self.do(collect)
        return found

    # --- Rules -------------------------------------------------------------------------------------------------------

    @initialize(schedule=_of_class("schedules"))
    def begin(self, schedule: Schedule) -> None:
        """Begin a run under a schedule, and open the orchestra."""
        check_available()
        self._steering = Steering(schedule._begin())  # noqa: SLF001 - it plays the run itself
        self._guest = GuestRun(instruments=[Choosing(self._steering)])
        self.open()

    @precondition(lambda self: self.is_open and self.messages is not None)
    @rule(message=_of_class("messages"), priority=st.sampled_from(Priority), then_rest=st.booleans())
    def route(self, message: object, priority: Priority, *, then_rest: bool) -> None:
        """Route a message."""
        with suppress(*self.allowed):
            self.do(partial(self.running.route_message, message, priority=priority), then_rest=then_rest)

    @precondition(lambda self: self.is_open and self.signals is not None)
    @rule(signal=_of_class("signals"), then_rest=st.booleans())
    def broadcast(self, signal: object, *, then_rest: bool) -> None:
        """Broadcast a signal."""
        with suppress(*self.allowed):
            self.do(self.running.broadcast_signal, signal, then_rest=then_rest)

    @precondition(lambda self: self.is_open and self.events is not None)
    @rule(event=_of_class("events"), then_rest=st.booleans())
    def send_event(self, event: object, *, then_rest: bool) -> None:
        """Send an event."""
        self.do(self.running.handle.send, event, then_rest=then_rest)

    @precondition(lambda self: self.is_open)
    @rule(seconds=st.sampled_from([0.0, 0.1, 1.0, 10.0, 100.0]))
    def let_work(self, seconds: float) -> None:
        """Let the subsystems work, until all wait and the clock has moved on by so much."""
        self.do(trio.sleep, seconds, then_rest=True)

    @precondition(lambda self: self.is_open and bool(self.restartable))
    @rule(name=st.runner().flatmap(lambda machine: st.sampled_from(machine.restartable)))
    def fail(self, name: str) -> None:
        """Let a subsystem that may begin anew fail when it next receives a message."""
        self._armed.add(name)

    @precondition(lambda self: self.is_open)
    @rule()
    def close(self) -> None:
        """Close the input, and let the orchestra drain."""
        self._end(self._opened.close)

    @precondition(lambda self: self.is_open)
    @rule(signal=st.none() | _of_class("signals"), grace=st.sampled_from([0.0, 1.0, 100.0]))
    def terminate(self, signal: object, grace: float) -> None:
        """Terminate the orchestra."""
        self._end(self._opened.terminate, signal, grace)

    @precondition(lambda self: self.is_open)
    @rule()
    def cancel(self) -> None:
        """Cancel the orchestra."""
        self._end(self._opened.cancel)

    @precondition(lambda self: self._guest is not None and not self.is_open)
    @rule()
    def open(self) -> None:
        """Open the orchestra, anew with new subsystems."""
        held: object = self.hold()
        if not isinstance(held, Orchestra):
            raise TypeError(f"{type(self).__name__}.hold() must return an orchestra, not {held!r}")
        self._armed.clear()
        self._session = Session(held)
        if failing := {name: self._failing(name) for name in self.restartable}:
            self._session.held = self._session.held.replace(**failing)
        self.do(self._start, self._guest)

    # --- What holds without more -------------------------------------------------------------------------------------

    @invariant()
    def lanes_keep_account(self) -> None:
        """See that what went into each lane has come out, lies there, or is a dead letter; and that it has room."""
        if not self.is_open:
            return
        capacities = {one.name: one.capacities for one in self.trace.participants}
        for one in self.running.statistics().subsystems.values():
            for lane in _MESSAGE_LANES:
                readout: Readout = getattr(one, lane)
                where = f"the {lane} lane of {one.name!r}"
                has_ended = one.has_ended
                if not has_ended and readout.sent != readout.received + readout.channel_len:
                    raise AssertionError(f"{where} has lost account of its messages: {readout}")
                capacity = capacities[one.name].get(lane)
                if capacity is not None and readout.channel_len > capacity:
                    raise AssertionError(f"{where} holds more than {capacity}: {readout}")

    def teardown(self) -> None:
        """Let the orchestra drain, and see that all that happened kept the laws."""
        if self._guest is None:
            return
        try:
            if self.is_open:
                self.close()
        finally:
            if self._steering is not None and currently_in_test_context():
                note(describe_run(self._steering))
            self._guest.close()

    # --- Inside ------------------------------------------------------------------------------------------------------

    @property
    def _opened(self) -> Session:
        if self._session is None:
            raise RuntimeError("nothing was opened yet: the rule `begin` comes first")
        return self._session

    async def _start(self, guest: GuestRun) -> None:
        await guest.nursery.start(self._opened.serve)

    def _end(self, async_fn: Callable[..., Awaitable[object]], *args: object) -> None:
        self.do(async_fn, *args)
        for trace in self._opened.traces:
            check_laws(trace)

    def _failing(self, name: str) -> object:
        """Return a subsystem that the rule `fail` can make fail."""

        def fail_if_armed(_: object) -> None:
            if name in self._armed:
                self._armed.discard(name)
                raise Induced(f"the rule fail({name!r})")

        subsystem: Callable[[SubsystemContext[Any, Any, Any]], Any] = getattr(self._opened.held, name)
        return intercept(subsystem, on_receive=fail_if_armed)

    def _raise_failure(self) -> None:
        if self._steering is not None and self._steering.error is not None:
            raise self._steering.error
        if self._session is not None and self._session.failure is not None:
            failure, self._session.failure = self._session.failure, None
            raise failure from None  # what it did to the call that was under way matters to nobody
