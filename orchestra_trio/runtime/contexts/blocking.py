"""What a blocking subsystem may do: the names of the async context, from threads of its own.

A call that finds what it needs makes its change in the calling thread: see `delivery.shared`. One that has to wait, or
that takes a signal, crosses the bridge to trio, where it is the async call of the same name.
"""

from __future__ import annotations

from contextvars import copy_context
from functools import partial
from threading import get_ident
from typing import TYPE_CHECKING, Any, Concatenate, Generic, Never, ParamSpec, Self, cast

import trio
from typing_extensions import TypeVar, TypeVarTuple

from orchestra_trio.delivery.mailbox import Empty
from orchestra_trio.delivery.shared import SharedLane, SharedMailbox
from orchestra_trio.records import Priority
from orchestra_trio.runtime.contexts.bridge import run_in_thread
from orchestra_trio.runtime.life.incarnation import title_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence

    from orchestra_trio.delivery.lanes import Lane
    from orchestra_trio.delivery.oneshot import OneshotSender
    from orchestra_trio.runtime.contexts.bridge import Bridge
    from orchestra_trio.runtime.contexts.context import SubsystemContext
    from orchestra_trio.runtime.contexts.outlet import Outlet
    from orchestra_trio.runtime.contexts.sender import SubsystemSender

__all__ = ["BlockingSubsystemContext"]

T = TypeVar("T")
P = ParamSpec("P")
Ts = TypeVarTuple("Ts")
In_co = TypeVar("In_co", covariant=True)
Out_contra = TypeVar("Out_contra", contravariant=True, default=Never)
Sig = TypeVar("Sig", default=Never)


class _Lanes(dict[tuple[type, Priority], "Lane[Any] | None"]):
    """The lanes that a thread may put messages into itself, by type and priority; None where trio's thread must."""

    def __init__(self, outlet: Outlet) -> None:
        super().__init__()
        self._outlet = outlet

    def __missing__(self, key: tuple[type, Priority]) -> Lane[Any] | None:
        port = self._outlet.ports[key[0]]
        lane = port.bounded if key[1] is Priority.NORMAL else port.priority
        found = self[key] = lane if isinstance(lane, SharedLane) else None
        return found


class BlockingSubsystemContext(Generic[In_co, Out_contra, Sig]):
    """All that a running blocking subsystem may do: receive, send, request, start jobs, each call from its own threads.

    `BlockingSubsystemContext[Consumes, Sends, Signals]`. The names and laws are those of `SubsystemContext`. A call
    that waits is cancelled by `cancel()`, by the first error and when the grace of `terminate()` is over, and raises
    `trio.Cancelled`, which must be let pass; a thread outside of such a call cannot be cancelled, and `open()` waits
    for it. So a thread that is busy for long does well to call `check_cancelled()` now and then.

    Source:
        Blocking subsystems of Rust orchestra, which get the async context and must drive it themselves.
    """

    def __init__(self, ctx: SubsystemContext[In_co, Out_contra, Sig], limiter: trio.CapacityLimiter) -> None:
        """Made by the library; not to be made otherwise."""
        self._ctx = ctx
        self._live = ctx._live  # noqa: SLF001 - the same subsystem's
        self._mailbox = cast("SharedMailbox[Any, Any]", self._live.mailbox)  # so it is, in blocking slots
        self._origin = self._live.name
        self._outlet = ctx._outlet  # noqa: SLF001 - as above
        self._lanes = _Lanes(self._outlet)
        self._limiter = limiter
        self._bridges: dict[int, Bridge] = {}

    @property
    def name(self) -> str:
        """The name of the subsystem's slot."""
        return self._live.name

    @property
    def epoch(self) -> int:
        """The number of the last broadcast that this subsystem received; 0 before the first."""
        return self._mailbox.epoch

    @property
    def sender(self) -> SubsystemSender[Out_contra]:
        """A sender that sends as this subsystem does, to hand to others: it is for tasks, not for threads."""
        return self._ctx.sender

    def check_cancelled(self) -> None:
        """Raise `trio.Cancelled` if this subsystem was cancelled; else return at once. For long work between calls.

        Raises:
            trio.Cancelled: It was cancelled.
            RuntimeError: It was called from another thread than the subsystem's own.
        """
        self._bridge().check_cancelled()

    def receive(self) -> In_co | Sig:
        """Take what comes next: a signal before any message, then a message from the lane that the strategy chooses.

        Returns:
            The signal or the message itself; their types tell them apart.

        Raises:
            trio.EndOfChannel: End-of-input: nothing will come any more. `for` ends then.
            RuntimeError: It was called from another thread than the subsystem's own.

        Cancellation:
            All or nothing: after `trio.Cancelled` nothing was taken. Each call checks for it.
        """
        bridge = self._bridge()
        bridge.check_cancelled()
        item: Any = self._mailbox.take_message()
        if isinstance(item, Empty):
            item = bridge.wait_for(self._ctx.receive)
        self._live.in_hand = type(item)
        return item  # type: ignore[no-any-return]  # the wiring has checked what comes in

    def receive_nowait(self) -> In_co | Sig:
        """Take what comes next if there is something now.

        Raises:
            trio.WouldBlock: There is nothing now.
            trio.EndOfChannel: Nothing will come any more.
        """
        bridge = self._bridge()
        item: Any = self._mailbox.take_message()
        if isinstance(item, Empty):
            item = bridge.do(self._ctx.receive_nowait)
        self._live.in_hand = type(item)
        return item  # type: ignore[no-any-return]  # as above

    def receive_many(self, limit: int) -> Sequence[In_co | Sig]:
        """Take what comes next, several messages at once if they are there.

        Args:
            limit: The most messages to take; at least 1.

        Returns:
            At least one item: one signal alone, or up to `limit` messages.

        Raises:
            trio.EndOfChannel: Nothing will come any more.
            ValueError: `limit` is less than 1.

        Cancellation:
            As for `receive`.
        """
        if limit < 1:
            message = f"limit must be at least 1, not {limit}"
            raise ValueError(message)
        bridge = self._bridge()
        bridge.check_cancelled()
        batch: Sequence[Any] = self._mailbox.take_messages(limit) or bridge.wait_for(self._ctx.receive_many, limit)
        self._live.in_hand = type(batch[-1])
        return batch

    def receive_signal(self) -> Sig:
        """Take the next signal, waiting while there is none; messages stay where they are.

        Raises:
            trio.EndOfChannel: Nothing will come any more, and no messages lie in the lanes.

        Cancellation:
            As for `receive`.
        """
        signal: Sig = self._bridge().wait_for(self._ctx.receive_signal)
        return signal

    def __iter__(self) -> Self:
        """Iterate over what `receive` returns, until end-of-input."""
        return self

    def __next__(self) -> In_co | Sig:
        """Return what `receive` does."""
        try:
            return self.receive()
        except trio.EndOfChannel:
            raise StopIteration from None

    def send(self, message: Out_contra, *, priority: Priority = Priority.NORMAL) -> None:
        """Send one message to the subsystem that consumes its type, waiting while that one's lane is full.

        Args:
            message: Passed by reference, not copied.
            priority: HIGH uses the priority lane where the consumer's slot has one, else the bounded lane.

        Raises:
            UndeclaredMessage: The slot does not declare that it sends this type. Nothing was queued.
            SubsystemExited: The consumer has ended, and nothing makes the message a dead letter.
            RuntimeError: It was called from another thread than the subsystem's own.

        Cancellation:
            All or nothing: after `trio.Cancelled` the message is in no lane. Each call checks for it.
        """
        bridge = self._bridge()
        bridge.check_cancelled()
        lane = self._lanes[type(message), priority]
        if lane is None or not lane.post(message, self._origin):
            bridge.wait_for(self._ctx.send, message, priority=priority)

    def send_nowait(self, message: Out_contra, *, priority: Priority = Priority.NORMAL) -> None:
        """Send one message if its consumer's lane has room now. Arguments and errors as for `send`.

        Raises:
            trio.WouldBlock: The lane is full, or others wait for its room.
        """
        bridge = self._bridge()
        lane = self._lanes[type(message), priority]
        if lane is None or not lane.post(message, self._origin):
            bridge.do(self._ctx.send_nowait, message, priority=priority)

    def send_many(self, messages: Iterable[Out_contra], *, priority: Priority = Priority.NORMAL) -> None:
        """Send messages one after another, as `send` does.

        Of a list or tuple, the types are checked before anything is sent. Other iterables are read item by item, each
        item once there was room for the one before.

        Raises:
            UndeclaredMessage: The slot does not declare that it sends one of the types.
            SubsystemExited: A consumer has ended; the messages before that one were sent.

        Cancellation:
            A cancelled call has sent all the items that it took but the last one, if that found no room.
        """
        bridge = self._bridge()
        bridge.check_cancelled()
        if isinstance(messages, list | tuple):
            for message_type in set(map(type, messages)):
                self._lanes[message_type, priority]  # refuses what is not declared before anything is sent
        for message in messages:
            self.send(message, priority=priority)

    def send_unbounded(self, message: Out_contra) -> None:
        """Send one message through the unbounded lane: never waits, never refuses for want of room.

        Raises:
            UndeclaredMessage: The slot does not declare the type as `unbounded`.
            SubsystemExited: The consumer has ended, and nothing makes the message a dead letter.
        """
        bridge = self._bridge()
        _, lane = self._outlet.unbounded_lane(type(message))
        if not (isinstance(lane, SharedLane) and lane.post(message, self._origin)):
            bridge.do(self._ctx.send_unbounded, message)

    def request(
        self,
        make: Callable[Concatenate[OneshotSender[T], P], Out_contra],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Send a message that carries a reply end, and wait for the answer: `ctx.request(Lookup, key)`.

        Args:
            make: Called in trio's thread with the reply end first, `make(reply, *args, **kwargs)`; returns the message.
            args: Passed on.
            kwargs: Passed on.

        Returns:
            What the consumer sent on the reply end.

        Raises:
            UndeclaredMessage: The slot does not declare that it sends this type.
            SubsystemExited: The consumer has ended before it had the message.
            OneshotCancelled: No answer will come.

        Cancellation:
            The request may have been sent, and may be handled.
        """
        answer: T = self._bridge().wait_for(self._ctx.request, make, *args, **kwargs)
        return answer

    def start_soon(
        self, sync_fn: Callable[[*Ts], object], *args: *Ts, name: object = None, background: bool = False
    ) -> None:
        """Start a job: a function in a further thread of this subsystem, which may use the context too.

        Args:
            sync_fn: Called with `args`. What it raises is an error of this subsystem.
            args: Passed on.
            name: For debugging; the function's name if None.
            background: Do not wait for it: it is cancelled when the main function and all other jobs have ended.

        Raises:
            RuntimeError: The subsystem has ended.
        """
        title = title_of(sync_fn, name)
        start_soon = partial(self._live.start_soon, name=title, background=background)
        # In a copy of this thread's context, as a task's job would begin.
        self._bridge().do(copy_context().run, start_soon, self._run, sync_fn, args, title)

    def started(self) -> None:
        """Say that the subsystem is ready: `open()` waits for it where the slot says `readiness=True`."""
        self._bridge().do(self._ctx.started)

    def _run_main(self, main: Callable[[Self], object]) -> Coroutine[Any, Any, None]:
        """Return what runs the subsystem; the library calls it."""
        return self._live.run(self._run, main, (self,), self.name)

    async def _run(self, sync_fn: Callable[..., object], args: tuple[object, ...], title: str) -> None:
        """Run the main function, or a job, in a thread of its own."""
        await run_in_thread(self._bridges, self._live, sync_fn, *args, name=title, limiter=self._limiter)

    def _bridge(self) -> Bridge:
        try:
            return self._bridges[get_ident()]
        except KeyError:
            message = (
                f"the context of blocking subsystem {self.name!r} was used from another thread than its own; "
                f"start further threads with its start_soon, and give tasks its sender"
            )
            raise RuntimeError(message) from None
