"""Workers: so many tasks at once and no more, while signals are always heard.

States of the task that receives::

    some worker is free:  it takes signals and messages, as `receive` does; where another task starts the last worker
                          meanwhile, it looks again, and so goes over to the other state
    all are at work:      it takes signals alone; the first worker that ends lets it wait for messages too, in that
                          step

So a message leaves its lane only for a worker that is free, and back-pressure reaches the senders.

Nobody else sees that all are at work, so deadlock detection is told (`waiting_for_workers`): a task that can be moved
by nothing but its workers is as stuck as they are.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Final, Generic, Self

import trio
from trio.lowlevel import enable_ki_protection
from typing_extensions import TypeVar, TypeVarTuple

from orchestra_trio.delivery.mailbox import EMPTY
from orchestra_trio.delivery.waiting import Parked
from orchestra_trio.errors import type_name
from orchestra_trio.logs import origin_of_task
from orchestra_trio.runtime.life.failures import members, without_cancelled
from orchestra_trio.runtime.life.incarnation import call_users, title_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from types import TracebackType

    from orchestra_trio.delivery.lanes import Receiver
    from orchestra_trio.runtime.contexts.context import SubsystemContext

__all__ = ["LOOK_AGAIN", "Workers"]

Ts = TypeVarTuple("Ts")
In_co = TypeVar("In_co", covariant=True)
Sig_co = TypeVar("Sig_co", covariant=True)


LOOK_AGAIN: Final = object()
"""Handed to the iteration that waits for anything, when the last place is taken meanwhile."""


class Workers(AbstractAsyncContextManager["Workers[In_co, Sig_co]", None], Generic[In_co, Sig_co]):
    """Tasks of one subsystem that work on its messages, a limited number at once. Made by `ctx.open_workers`.

    Attributes:
        max_in_flight: How many workers there are at once, at the most.
    """

    def __init__(self, ctx: SubsystemContext[In_co, Any, Any], max_in_flight: int) -> None:
        """Made by `SubsystemContext.open_workers`; not to be made otherwise."""
        given: object = max_in_flight
        if not isinstance(given, int) or isinstance(given, bool):
            message = f"max_in_flight must be an integer, not {type_name(type(given))}"
            raise TypeError(message)
        self.max_in_flight: int = max_in_flight
        self._ctx = ctx
        self._live = ctx._live  # noqa: SLF001 - a part of the context
        self._mailbox = ctx._mailbox  # noqa: SLF001 - as above
        self._nursery_manager = trio.open_nursery(strict_exception_groups=True)
        self._nursery: trio.Nursery | None = None
        self._was_left = False
        self._places: set[object] = set()
        """Those that are taken, each by one worker."""
        self._is_asked = False
        self._waiting: trio.lowlevel.Task | None = None
        """The task that iterates, while it waits."""

    @property
    def in_flight(self) -> int:
        """How many workers are at work now."""
        return len(self._places)

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
        nursery = self._opened()
        if exc_value is not None:
            nursery.cancel_scope.cancel()
        failure: BaseException | None = None
        try:
            # Without the exception, which the nursery would wrap.
            await self._nursery_manager.__aexit__(None, None, None)  # noqa: ASYNC102 - it waits for the tasks, whatever is cancelled
        except BaseException as reported:  # noqa: ASYNC103 - what leaves the block is a cancellation too, or an error
            # Workers hand over their errors themselves; the nursery can add an interrupt, or an error of the spawner's.
            failure = without_cancelled(reported)
            if failure is None and exc_value is None:
                raise
        finally:
            self._was_left = True
            self._live.jobs -= len(self._places)  # of tasks of a spawner that did not come to what they were to call
            self._places.clear()
        if failure is not None:
            try:
                raise _unwrapped(failure)
            finally:
                del failure  # else the error would refer to itself, by its traceback, through this frame

    def __aiter__(self) -> Self:
        """Iterate over signals always, and over messages while a worker is free, until end-of-input."""
        return self

    @enable_ki_protection
    async def __anext__(self) -> In_co | Sig_co:
        """Return the next signal, or, once a worker is free, what `receive` returns.

        Checkpoint and cancellation are those of `SubsystemContext.receive`.

        Raises:
            trio.BusyResourceError: Another task waits here.
            RuntimeError: The block was left, or not entered.
        """
        self._opened()
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

    @enable_ki_protection
    def start_soon(self, async_fn: Callable[[*Ts], Awaitable[object]], *args: *Ts, name: object = None) -> None:
        """Let a worker do something: start a task that takes one of the places until it ends.

        Args:
            async_fn: Called with `args`. What it raises is an error of this subsystem.
            args: Passed on.
            name: For debugging; the function's name if None.

        Raises:
            RuntimeError: All places are taken, or the block was left.
        """
        nursery = self._opened()
        if not self._is_free():
            message = (
                f"all {self.max_in_flight} workers of subsystem {self._live.name!r} are at work; "
                f"start one for each message that the iteration over them returns, and none for signals"
            )
            raise RuntimeError(message)
        title, place = title_of(async_fn, name), object()
        spawner, subsystem = self._live.spawner, self._live.name
        spawner.start_soon(nursery, self._work, place, title, async_fn, args, name=title, subsystem=subsystem)
        self._places.add(place)
        self._live.jobs += 1
        if not self._is_free():
            self._let_look_again()

    def _opened(self) -> trio.Nursery:
        if self._nursery is None or self._was_left:
            message = "these workers are not open: use `async with ctx.open_workers(...)`"
            raise RuntimeError(message)
        return self._nursery

    def _is_free(self) -> bool:
        return len(self._places) < self.max_in_flight

    async def _receive(self) -> Any:  # noqa: ANN401 - what the wiring lets in
        """Receive, not by the context's own calls: a worker may end at the schedule point, before anything is taken."""
        mailbox, pace = self._mailbox, self._ctx._pace  # noqa: SLF001 - a part of the context
        if pace.is_due():
            await pace.keep()
        item: Any = LOOK_AGAIN
        while item is LOOK_AGAIN:
            is_free = self._is_free()
            item = mailbox.take() if is_free else mailbox.take_signal()
            if item is EMPTY:
                item = await self._wait(signals_only=not is_free)
        self._live.in_hand = type(item)
        return item  # noqa: ASYNC910 - the pace has checked for cancellation

    async def _wait(self, *, signals_only: bool) -> Any:  # noqa: ANN401 - what the wiring lets in
        self._waiting = task = trio.lowlevel.current_task()
        if signals_only:
            self._live.waiting_for_workers[task] = None
            self._live.note_moved()
        try:
            return await self._ctx._wait_to_receive(signals_only=signals_only)  # noqa: SLF001 - a part of the context
        finally:
            self._waiting = None
            self._live.waiting_for_workers.pop(task, None)

    @enable_ki_protection
    async def _work(  # noqa: ASYNC910 - a task of the library, not a call of users
        self, place: object, title: str, async_fn: Callable[..., Awaitable[object]], args: tuple[object, ...]
    ) -> None:
        origin_of_task.set(self._live.origin)  # whoever started it
        try:
            await call_users(async_fn, *args)
        except BaseException as error:  # noqa: ASYNC103 - recorded, and raised again by `open()`
            failure = without_cancelled(error)
            if failure is None:
                raise
            self._live.take_error(failure, title)
        finally:
            if place in self._places:  # else the spawner raised after it had started this task
                self._places.remove(place)
                self._live.jobs -= 1
                self._let_take()

    def _let_take(self) -> None:
        """Let the task that takes signals alone take messages too, now that a worker is free."""
        mailbox = self._mailbox
        parked = self._find_among(mailbox.signal_receivers)
        if parked is None:
            return
        self._live.waiting_for_workers.pop(parked.task, None)
        try:
            mailbox.widen(parked)
        except Exception as error:  # noqa: BLE001 - a lane strategy of users failed: recorded as any error of theirs
            self._live.take_error(error, None)

    def _let_look_again(self) -> None:
        """Let the task that waits for anything do so no longer, now that no worker is free."""
        mailbox = self._mailbox
        parked = self._find_among(mailbox.receivers)
        if parked is not None and mailbox.leave(parked):  # else a thread has just given it something
            parked.hand(LOOK_AGAIN)

    def _find_among(self, receivers: Iterable[Receiver[Any]]) -> Parked[Any] | None:
        """Return who stands there for the iteration, if it waits there."""
        if self._waiting is None:
            return None
        for one in list(receivers):  # a thread may take one out meanwhile
            if isinstance(one, Parked) and one.task is self._waiting:
                return one
        return None


def _unwrapped(failure: BaseException) -> BaseException:
    """Return the one exception that a group of the workers' own nursery holds; another group as it is."""
    inside = members(failure)
    return inside[0] if len(inside) == 1 else failure
