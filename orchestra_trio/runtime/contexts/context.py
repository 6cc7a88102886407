"""What a running subsystem may do: the context that it is called with.

Receiving is written for speed, as sending is: see `sender`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Never, Self

import trio
from trio.lowlevel import checkpoint_if_cancelled, enable_ki_protection
from typing_extensions import TypeVar, TypeVarTuple

from orchestra_trio.delivery.credit import Credit
from orchestra_trio.delivery.mailbox import EMPTY, Empty
from orchestra_trio.delivery.trio_internals import PRIVATE_IN_USE
from orchestra_trio.delivery.waiting import make_seat, park_receiver
from orchestra_trio.runtime.contexts.sender import SubsystemSender
from orchestra_trio.runtime.contexts.workers import Workers
from orchestra_trio.runtime.life.incarnation import title_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from orchestra_trio.runtime.contexts.outlet import Outlet
    from orchestra_trio.runtime.life.live import LiveSubsystem

__all__ = ["SubsystemContext"]

Ts = TypeVarTuple("Ts")
In_co = TypeVar("In_co", covariant=True)
Out_contra = TypeVar("Out_contra", contravariant=True, default=Never)
# Invariant: a subsystem expects the signals that its slot declares, no more and no fewer.
Sig = TypeVar("Sig", default=Never)


class SubsystemContext(SubsystemSender[Out_contra], Generic[In_co, Out_contra, Sig]):
    """All that a running subsystem may do: receive, send, request, start jobs.

    `SubsystemContext[Consumes, Sends, Signals]`. Every subsystem is called with one. Its jobs may use it too.

    Source:
        `SubsystemContext` of Rust orchestra.
    """

    def __init__(self, outlet: Outlet, live: LiveSubsystem) -> None:
        """Made by the library; not to be made otherwise."""
        super().__init__(outlet)
        self._live = live
        self._mailbox = live.mailbox
        bounded = live.mailbox.bounded
        self._items = bounded.items
        self._seat = make_seat(live.mailbox, outlet.pace)
        self._credit = Credit(outlet.pace, bounded, bounded.items)

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
        """A sender that sends as this subsystem does, to hand to others."""
        return SubsystemSender(self._outlet)

    @enable_ki_protection
    async def receive(self) -> In_co | Sig:
        """Take what comes next: a signal before any message, then a message from the lane that the strategy chooses.

        Returns:
            The signal or the message itself; their types tell them apart.

        Raises:
            trio.EndOfChannel: End-of-input: nothing will come any more. `async for` ends then.

        Checkpoint:
            Checks for cancellation on every call; a schedule point at the latest every `yield_every` calls of the
            context, on the system clock also soon after 1 ms without one, and always if it waited.

        Cancellation:
            All or nothing: after `trio.Cancelled` nothing was taken.

        Source:
            `recv` of Rust orchestra. Unlike there, a receiver that waits sees all lanes.
        """
        pace, credit = self._pace, self._credit
        pace.calls = calls = pace.calls + 1
        if calls <= credit.until:
            if pace.running["task"]._cancel_status.effectively_cancelled:  # noqa: SLF001 - see `sender`
                await checkpoint_if_cancelled()
            item: Any = self._items.popleft()
        else:
            item = EMPTY
            if not self._items and self._seat is not None:
                try:
                    item = await self._seat.wait_for(pace.running["task"])
                except trio.EndOfChannel:
                    self._live.note_end_of_input()
                    raise
            if item is EMPTY:
                if (calls >= pace.look and pace.is_time()) or pace.running["task"]._cancel_status.effectively_cancelled:  # noqa: SLF001 - as above
                    await pace.keep()
                if credit.until and self._items:
                    item = self._mailbox.bounded.take_in_run(credit)
                elif (item := self._mailbox.take()) is EMPTY:
                    item = await self._wait_to_receive()
                elif self._items:
                    self._mailbox.lend_takes(credit)
        self._live.in_hand = type(item)
        return item  # type: ignore[no-any-return]  # the wiring has checked what comes in  # noqa: ASYNC910 - the pace has checked for cancellation

    @enable_ki_protection
    def receive_nowait(self) -> In_co | Sig:
        """Take what comes next if there is something now.

        Raises:
            trio.WouldBlock: There is nothing now.
            trio.EndOfChannel: Nothing will come any more.

        Source:
            `try_recv` of Rust orchestra.
        """
        item: Any = self._mailbox.take()
        if item is EMPTY:
            self._check_input()
            raise trio.WouldBlock
        self._live.in_hand = type(item)
        return item  # type: ignore[no-any-return]  # as above

    @enable_ki_protection
    async def receive_many(self, limit: int) -> Sequence[In_co | Sig]:
        """Take what comes next, several messages at once if they are there: cheaper for each than `receive`.

        Args:
            limit: The most messages to take; at least 1.

        Returns:
            At least one item: one signal alone, or up to `limit` messages, in the order in which `receive` would have
            returned them.

        Raises:
            trio.EndOfChannel: Nothing will come any more.
            ValueError: `limit` is less than 1.

        Checkpoint:
            As for `receive`.

        Cancellation:
            All or nothing: after `trio.Cancelled` nothing was taken.
        """
        if limit < 1:
            message = f"limit must be at least 1, not {limit}"
            raise ValueError(message)
        if self._pace.is_due():
            await self._pace.keep()
        batch: list[Any] = self._mailbox.take_many(limit)
        if not batch:
            batch = [await self._wait_to_receive()]
        self._live.in_hand = type(batch[-1])
        return batch  # noqa: ASYNC910 - the pace has checked for cancellation

    @enable_ki_protection
    async def receive_signal(self) -> Sig:
        """Take the next signal, waiting while there is none; messages stay where they are.

        Raises:
            trio.EndOfChannel: Nothing will come any more. While messages lie in the lanes, the input has not ended:
                let another task receive them.

        Checkpoint:
            As for `receive`.

        Cancellation:
            All or nothing: after `trio.Cancelled` nothing was taken.

        Source:
            `recv_signal` of Rust orchestra.
        """
        if self._pace.is_due():
            await self._pace.keep()
        signal: Any = self._mailbox.take_signal()
        if isinstance(signal, Empty):
            signal = await self._wait_to_receive(signals_only=True)
        self._live.in_hand = type(signal)
        return signal  # type: ignore[no-any-return]  # as above  # noqa: ASYNC910 - the pace has checked for cancellation

    def __aiter__(self) -> Self:
        """Iterate over what `receive` returns, until end-of-input."""
        return self

    @enable_ki_protection
    async def __anext__(self) -> In_co | Sig:
        """Return what `receive` does; on credit with no call of it, which takes a twelfth of what a message takes."""
        pace = self._pace
        calls = pace.calls
        if calls < self._credit.until:
            if pace.running["task"]._cancel_status.effectively_cancelled:  # noqa: SLF001 - see `sender`
                await checkpoint_if_cancelled()
            pace.calls = calls + 1
            item: Any = self._items.popleft()
            self._live.in_hand = type(item)
            return item  # type: ignore[no-any-return]  # as above  # noqa: ASYNC910 - it has just checked for cancellation
        try:
            return await self.receive()
        except trio.EndOfChannel:
            raise StopAsyncIteration from None

    def start_soon(
        self,
        async_fn: Callable[[*Ts], Awaitable[object]],
        *args: *Ts,
        name: object = None,
        background: bool = False,
    ) -> None:
        """Start a job: a task in this subsystem's own nursery. The subsystem ends after its jobs.

        Args:
            async_fn: Called with `args`. What it raises is an error of this subsystem.
            args: Passed on.
            name: For debugging; the function's name if None.
            background: Do not wait for it: it counts as waiting when the orchestra drains, and is cancelled when the
                main task and all other jobs have ended.

        Raises:
            RuntimeError: The subsystem has ended.

        Source:
            `spawn` of Rust orchestra. Unlike there, the orchestra's loop has no part in it.
        """
        self._live.start_soon(async_fn, *args, name=name, background=background)

    async def start(self, async_fn: Callable[..., Awaitable[object]], *args: object, name: object = None) -> Any:  # noqa: ANN401 - as trio's own
        """Start a job, and wait until it says that it is started. Like `trio.Nursery.start`.

        Args:
            async_fn: Called with `args` and `task_status`; it calls `task_status.started(value)`. What it raises
                before that comes out here; what it raises later is an error of this subsystem.
            args: Passed on.
            name: For debugging; the function's name if None.

        Returns:
            The value.

        Raises:
            RuntimeError: The subsystem has ended, or the job ended without being started.

        Checkpoint:
            Always one.

        Cancellation:
            The job is cancelled if it has not been started yet.
        """
        return await self._live.start(async_fn, *args, name=name)

    def open_workers(self, max_in_flight: int) -> Workers[In_co, Sig]:
        """Work on several messages at once, and on no more: `async with ctx.open_workers(5) as workers`.

        `async for incoming in workers` returns signals always, and messages only while fewer than `max_in_flight`
        workers are at work: the others stay in their lanes, where they make senders wait. `workers.start_soon` starts
        one. Leaving the block waits for all of them; leaving it by an exception cancels them. What a worker raises is
        an error of this subsystem, as with a job.

        Args:
            max_in_flight: At least 1.

        Raises:
            TypeError: `max_in_flight` is no integer.
            ValueError: `max_in_flight` is less than 1.

        Source:
            Users of Rust orchestra build it by hand, with a set of futures that they poll beside `recv_signal`.
        """
        if max_in_flight < 1:
            message = f"max_in_flight must be at least 1, not {max_in_flight}"
            raise ValueError(message)
        return Workers(self, max_in_flight)

    def start_blocking_soon(self, sync_fn: Callable[[*Ts], object], *args: *Ts, name: object = None) -> None:
        """Start a job that blocks: a function in a thread, with trio's default limiter.

        It cannot be cancelled: the subsystem, and with it `open()`, waits for its end.

        Args:
            sync_fn: Called with `args` in the thread. What it raises is an error of this subsystem.
            args: Passed on.
            name: For debugging; the function's name if None.

        Raises:
            RuntimeError: The subsystem has ended.

        Source:
            `spawn_blocking` of Rust orchestra.
        """
        title = title_of(sync_fn, name)
        live = self._live

        async def run_in_thread() -> None:
            await live.spawner.run_in_thread(sync_fn, *args, name=title, subsystem=live.name, limiter=None)

        live.start_soon(run_in_thread, name=title, background=False)

    def started(self) -> None:
        """Say that the subsystem is ready: `open()` waits for it where the slot says `readiness=True`.

        Calling it again, or where nobody waits for it, does nothing.
        """
        self._live.ready.set()

    async def _wait_to_receive(self, *, signals_only: bool = False) -> Any:  # noqa: ANN401 - what the wiring lets in
        self._check_input()
        try:
            if PRIVATE_IN_USE:
                item = await park_receiver(self._mailbox, signals_only=signals_only)
            else:
                with self._live.noted_deadline():
                    item = await park_receiver(self._mailbox, signals_only=signals_only)
        except trio.EndOfChannel:
            self._live.note_end_of_input()
            raise
        self._pace.renew()
        return item

    def _check_input(self) -> None:
        if self._mailbox.is_exhausted:
            self._live.note_end_of_input()
            raise trio.EndOfChannel
