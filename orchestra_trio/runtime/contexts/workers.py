"""Workers: so many tasks at once and no more, while signals are always heard.

States of the task that receives::

    some worker is free:  it takes signals and messages, as `receive` does
    all are at work:      it takes signals alone; the first worker that ends lets it wait for messages too, in that
                          step

So a message leaves its lane only for a worker that is free, and back-pressure reaches the senders.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, suppress
from typing import TYPE_CHECKING, Any, Generic, Self

import trio
from trio.lowlevel import enable_ki_protection
from typing_extensions import TypeVar, TypeVarTuple

from orchestra_trio.delivery.mailbox import EMPTY
from orchestra_trio.delivery.waiting import Parked
from orchestra_trio.runtime.life.failures import without_cancelled
from orchestra_trio.runtime.life.incarnation import call_users, title_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from orchestra_trio.runtime.contexts.context import SubsystemContext

__all__ = ["Workers"]

Ts = TypeVarTuple("Ts")
In_co = TypeVar("In_co", covariant=True)
Sig_co = TypeVar("Sig_co", covariant=True)


class Workers(AbstractAsyncContextManager["Workers[In_co, Sig_co]", None], Generic[In_co, Sig_co]):
    """Tasks of one subsystem that work on its messages, a limited number at once. Made by `ctx.open_workers`.

    Attributes:
        max_in_flight: How many workers there are at once, at the most.
    """

    def __init__(self, ctx: SubsystemContext[In_co, Any, Any], max_in_flight: int) -> None:
        """Made by `SubsystemContext.open_workers`; not to be made otherwise."""
        self.max_in_flight: int = max_in_flight
        self._ctx = ctx
        self._live = ctx._live  # noqa: SLF001 - a part of the context
        self._nursery_manager = trio.open_nursery(strict_exception_groups=True)
        self._nursery: trio.Nursery | None = None
        self._in_flight = 0
        self._is_asked = False
        self._waiting: trio.lowlevel.Task | None = None
        """The task that takes signals alone."""

    @property
    def in_flight(self) -> int:
        """How many workers are at work now."""
        return self._in_flight

    @enable_ki_protection
    async def __aenter__(self) -> Self:
        if self._nursery is not None:
            message = "these workers were opened already: call open_workers() again"
            raise RuntimeError(message)
        self._nursery = await self._nursery_manager.__aenter__()
        return self  # noqa: ASYNC910 - entering a nursery never waits

    @enable_ki_protection
    async def __aexit__(  # noqa: ASYNC910 - leaving a nursery is one
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wait for the workers; cancel them where the block is left by an exception, which comes out unchanged."""
        if self._nursery is None:
            message = "these workers were left without being entered: use `async with`"
            raise RuntimeError(message)
        if exc_value is None or without_cancelled(exc_value) is None:
            await self._nursery_manager.__aexit__(exc_type, exc_value, traceback)  # noqa: ASYNC102 - it waits for the tasks
            return
        self._nursery.cancel_scope.cancel()
        # Without the exception, which the nursery would wrap; a cancellation from around is lost to it, not for long.
        with suppress(trio.Cancelled):
            await self._nursery_manager.__aexit__(None, None, None)  # noqa: ASYNC102 - as above

    def __aiter__(self) -> Self:
        """Iterate over signals always, and over messages while a worker is free, until end-of-input."""
        return self

    @enable_ki_protection
    async def __anext__(self) -> In_co | Sig_co:
        """Return the next signal, or, once a worker is free, what `receive` returns.

        Checkpoint and cancellation are those of `SubsystemContext.receive`.

        Raises:
            trio.BusyResourceError: Another task waits here.
        """
        if self._is_asked:
            message = f"another task iterates over these workers of subsystem {self._live.name!r}"
            raise trio.BusyResourceError(message)
        self._is_asked = True
        try:
            received: In_co | Sig_co = await self._receive()
        except trio.EndOfChannel:
            raise StopAsyncIteration from None
        else:
            return received
        finally:
            self._is_asked = False

    def start_soon(self, async_fn: Callable[[*Ts], Awaitable[object]], *args: *Ts, name: object = None) -> None:
        """Let a worker do something: start a task that takes one of the places until it ends.

        Args:
            async_fn: Called with `args`. What it raises is an error of this subsystem.
            args: Passed on.
            name: For debugging; the function's name if None.

        Raises:
            RuntimeError: All places are taken, or the block was left.
        """
        if self._nursery is None:
            message = "these workers are not open: use `async with ctx.open_workers(...)`"
            raise RuntimeError(message)
        if self._in_flight >= self.max_in_flight:
            message = (
                f"all {self.max_in_flight} workers of subsystem {self._live.name!r} are at work; "
                f"start one for each message that the iteration over them returns, and none for signals"
            )
            raise RuntimeError(message)
        title = title_of(async_fn, name)
        spawner, subsystem = self._live.spawner, self._live.name
        spawner.start_soon(self._nursery, self._work, title, async_fn, args, name=title, subsystem=subsystem)
        self._in_flight += 1
        self._live.jobs += 1

    async def _receive(self) -> Any:  # noqa: ANN401 - what the wiring lets in
        """Receive, not by the context's own calls: a worker may end at the schedule point, before anything is taken."""
        ctx, live = self._ctx, self._live
        if ctx._pace.is_due():  # noqa: SLF001 - a part of the context
            await ctx._pace.keep()  # noqa: SLF001 - as above
        is_free = self._in_flight < self.max_in_flight
        item: Any = live.mailbox.take() if is_free else live.mailbox.take_signal()
        if item is EMPTY and is_free:
            item = await ctx._wait_to_receive()  # noqa: SLF001 - as above
        elif item is EMPTY:
            item = await self._wait_for_signal_or_worker()
        live.in_hand = type(item)
        return item  # noqa: ASYNC910 - the pace has checked for cancellation

    async def _wait_for_signal_or_worker(self) -> Any:  # noqa: ANN401 - what the wiring lets in
        task = trio.lowlevel.current_task()
        self._waiting = task
        self._live.waiting_for_workers[task] = None
        self._live.note_moved()
        try:
            return await self._ctx._wait_to_receive(signals_only=True)  # noqa: SLF001 - a part of the context
        finally:
            self._waiting = None
            self._live.waiting_for_workers.pop(task, None)

    @enable_ki_protection
    async def _work(self, title: str, async_fn: Callable[..., Awaitable[object]], args: tuple[object, ...]) -> None:  # noqa: ASYNC910 - a task of the library, not a call of users
        try:
            await call_users(async_fn, *args)
        except BaseException as error:  # noqa: ASYNC103 - recorded, and raised again by `open()`
            failure = without_cancelled(error)
            if failure is None:
                raise
            self._live.take_error(failure, title)
        finally:
            self._in_flight -= 1
            self._live.jobs -= 1
            self._let_take(title)
            self._live.note_moved()

    def _let_take(self, title: str) -> None:
        """Let the task that takes signals alone take messages too, now that a worker is free."""
        task, self._waiting = self._waiting, None
        if task is None:
            return
        del self._live.waiting_for_workers[task]
        mailbox = self._live.mailbox
        for receiver in [one for one in mailbox.signal_receivers if isinstance(one, Parked) and one.task is task]:
            try:
                mailbox.widen(receiver)
            except Exception as error:  # noqa: BLE001 - a lane strategy of users failed: recorded as any error of theirs
                self._live.take_error(error, title)
