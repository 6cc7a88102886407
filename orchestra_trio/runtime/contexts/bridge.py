"""The bridge between a thread of a blocking subsystem and trio: calls that have to wait cross it, one at a time.

Two tasks serve a thread. The *host* waits for the thread itself, in `trio.to_thread.run_sync`. The *carrier*, in a
nursery of the host, carries out what the thread asks for, as any other task of the subsystem would: it is the one that
waits to receive, stands in the queue of a full lane, has its wait on record and is cancelled out of it. So drain,
deadlock detection and statistics see a thread that waits as a task that waits.

States of the carrier::

    idle -> carrying out a call -> idle ... -> closed, when the function in the thread has returned
      |           |
      +-----------+--> cancelled: it carries out nothing more that can wait, and the thread's next call that could
                       raises trio.Cancelled; idle ... -> closed

A call comes to the carrier through trio's queue of callbacks, after all that the thread has caused before: whoever it
has let in or handed something is awake by then, so that nobody takes them for tasks that wait.

A thread that is outside of such calls cannot be cancelled. One that goes on for `grace` seconds after it was cancelled
is named in the log, with its stack; but not before it had a moment to end.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from inspect import iscoroutine
from queue import SimpleQueue
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs
import trio
from trio.lowlevel import Abort, Task, enable_ki_protection

from orchestra_trio.logs import logger
from orchestra_trio.runtime.life.frames import let_go
from orchestra_trio.runtime.life.incarnation import title_of
from orchestra_trio.runtime.watch.standing import describe, stand

if TYPE_CHECKING:
    from trio.lowlevel import RaiseCancelT

    from orchestra_trio.runtime.life.live import LiveSubsystem

__all__ = ["Bridge", "run_in_thread"]

_Call: TypeAlias = Callable[[], Awaitable[Any]]

_LEAST_GRACE: Final = 1
"""Seconds that every thread has to end before it is named: some graces are 0."""


@attrs.frozen
class _Answer:
    """What came of a call."""

    value: Any = None
    error: BaseException | None = None


@attrs.define(eq=False)
class Bridge:
    """Carries the calls of one thread to trio."""

    live: LiveSubsystem
    ident: int | None = None
    """The thread's identifier, while the function runs in it; else None."""
    is_calling: bool = False
    """Whether the thread waits for what it has asked for."""
    is_cancelled: bool = False
    """Whether the thread is to end: its calls that could wait raise `trio.Cancelled`."""
    is_closed: bool = False
    """Whether the thread has ended."""
    _call: _Call | None = None
    _may_wait: bool = False
    """Whether the call is one that can wait, and so be cancelled."""
    _carrier: Task | None = None
    """The task that carries out calls, while it is idle."""
    _raise_cancel: RaiseCancelT | None = None
    """Raises what the thread is cancelled with."""
    _answers: SimpleQueue[_Answer] = attrs.Factory(SimpleQueue[_Answer])
    _token: trio.lowlevel.TrioToken = attrs.Factory(trio.lowlevel.current_trio_token)

    def check_cancelled(self) -> None:
        """Raise `trio.Cancelled` if the subsystem was cancelled. In the thread.

        Raises:
            trio.Cancelled: It was.
        """
        if self.is_cancelled:
            self._ask(trio.lowlevel.checkpoint, may_wait=True)

    def wait_for(self, async_fn: Callable[..., Awaitable[Any]], *args: object, **kwargs: object) -> Any:  # noqa: ANN401 - what it returns
        """Have an async function called in trio's thread, and wait for what it returns or raises. In the thread.

        Raises:
            trio.Cancelled: The subsystem was cancelled, before the call or while it waited.
        """
        return self._ask(partial(async_fn, *args, **kwargs), may_wait=True)

    def do(self, sync_fn: Callable[..., Any], *args: object, **kwargs: object) -> Any:  # noqa: ANN401 - what it returns
        """Have a function called in trio's thread, and return what it returns: also once cancelled. In the thread."""

        async def call() -> Any:  # noqa: ANN401, ASYNC124 - carried out as the calls that wait
            return sync_fn(*args, **kwargs)  # noqa: ASYNC910 - as above

        return self._ask(call, may_wait=False)

    def _ask(self, call: _Call, *, may_wait: bool) -> Any:  # noqa: ANN401 - what it returns
        self.is_calling = True
        self._token.run_sync_soon(self._bring, call, may_wait)
        answer = self._answers.get()
        if answer.error is not None:
            try:
                raise answer.error
            finally:
                del answer  # else the error would refer to itself, by its traceback, through this frame
        return answer.value

    @enable_ki_protection
    async def carry(self) -> None:  # noqa: ASYNC910 - a task of the library, not a call of users
        """Carry out calls until the thread has ended."""
        try:
            await self._carry_on()
        except trio.Cancelled:  # noqa: ASYNC103 - the thread raises its own, which reaches the host
            with trio.CancelScope(shield=True):
                grace = max(self.live.grace, _LEAST_GRACE)
                with trio.move_on_after(grace):
                    await self._carry_on()
                if not self.is_closed:
                    self._complain(grace)
                    await self._carry_on()

    @enable_ki_protection
    def close(self) -> None:
        """Let the carrier end: the thread has."""
        self.is_closed = True
        self._wake()

    async def _carry_on(self) -> None:  # noqa: ASYNC910 - a task of the library, not a call of users
        while True:
            while self._call is None:
                if self.is_closed:
                    return
                self._carrier = trio.lowlevel.current_task()
                await trio.lowlevel.wait_task_rescheduled(self._abort)
            call, self._call = self._call, None
            answer = await self._answer_to(call)
            self.is_calling = False
            self._answers.put(answer)
            del call, answer

    async def _answer_to(self, call: _Call) -> _Answer:  # noqa: ASYNC910 - a task of the library, not a call of users
        try:
            if self._raise_cancel is not None and self._may_wait:
                self._raise_cancel()
            return _Answer(value=await call())
        except trio.Cancelled as error:  # noqa: ASYNC103 - raised again in the thread
            self.is_cancelled = True
            return _Answer(error=error)  # noqa: ASYNC104, ASYNC910 - as above
        except BaseException as error:  # noqa: ASYNC103, BLE001 - as above
            return _Answer(error=error)  # noqa: ASYNC910 - as above

    def _bring(self, call: _Call, may_wait: bool) -> None:  # noqa: FBT001 - trio passes it on by position
        self._call = call
        self._may_wait = may_wait
        self._wake()

    def _wake(self) -> None:
        carrier, self._carrier = self._carrier, None
        if carrier is not None:
            trio.lowlevel.reschedule(carrier)

    def _abort(self, raise_cancel: RaiseCancelT) -> Abort:
        self._carrier = None
        self.is_cancelled = True
        self._raise_cancel = self._raise_cancel or raise_cancel
        return Abort.SUCCEEDED

    def _complain(self, grace: float) -> None:
        logger.warning(
            "a thread of subsystem %r of %s goes on %g s after it was cancelled; "
            "let it call its context, or return, more often:\n%s",
            self.live.name,
            self.live.orchestra,
            grace,
            describe(stand(self.live)),
            extra=self.live.origin.extra,
        )


@enable_ki_protection
async def run_in_thread(
    bridges: dict[int, Bridge],
    live: LiveSubsystem,
    sync_fn: Callable[..., object],
    *args: object,
    name: str,
    limiter: trio.CapacityLimiter,
) -> None:
    """Run a function of a blocking subsystem in a thread, with a bridge, and wait for its end.

    Args:
        bridges: Holds the bridge, by the identifier of its thread, while that runs.
        live: The subsystem.
        sync_fn: Called with `args`.
        args: Passed on.
        name: The thread's.
        limiter: Of threads.

    Raises:
        Exception: What the function raises.
        TypeError: The function is async.
    """
    bridge = Bridge(live)

    def run() -> None:
        bridge.ident = ident = get_ident()
        bridges[ident] = bridge
        result: object = None
        try:
            result = sync_fn(*args)
        finally:
            del bridges[ident]
            bridge.ident = None  # trio may use the thread for something else
        if iscoroutine(result):
            result.close()  # else Python would warn of it, too
        if isinstance(result, Awaitable):
            message = f"{title_of(sync_fn, None)} was called and returned an awaitable: it must not be async"
            raise TypeError(message)

    failure: BaseException | None = None
    task = trio.lowlevel.current_task()
    async with trio.open_nursery(strict_exception_groups=True) as nursery:
        live.hosts[task] = bridge
        nursery.start_soon(bridge.carry, name=f"{name} (calls of its thread)")
        try:
            await live.spawner.run_in_thread(run, name=name, subsystem=live.name, limiter=limiter)
        except trio.Cancelled as cancelled:
            let_go(cancelled)  # trio leaves it in a cycle with the frames of the thread
            raise
        except BaseException as error:  # noqa: ASYNC103, BLE001 - raised again outside of the nursery, which would wrap it
            failure = error
        finally:
            del live.hosts[task]
            bridge.close()
    if failure is not None:
        try:
            raise failure
        finally:
            del failure
