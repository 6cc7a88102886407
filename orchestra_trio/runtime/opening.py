"""Opening an orchestra, and leaving it: the one nursery that everything runs in."""

from __future__ import annotations

import sys
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Generic

import trio
from trio.lowlevel import enable_ki_protection
from typing_extensions import TypeVar

from orchestra_trio.errors import OrchestraError
from orchestra_trio.runtime.life.failures import members, without_cancelled
from orchestra_trio.runtime.run import Run
from orchestra_trio.runtime.running import RunningOrchestra
from orchestra_trio.runtime.surroundings import surroundings

if TYPE_CHECKING:
    from types import TracebackType

    from orchestra_trio.runtime.events import Connector
    from orchestra_trio.runtime.held import Held

__all__ = ["OpenOrchestra"]

SignalT = TypeVar("SignalT")
EventT = TypeVar("EventT")


class OpenOrchestra(AbstractAsyncContextManager[RunningOrchestra[SignalT, EventT], bool], Generic[SignalT, EventT]):
    """What `Orchestra.open()` returns: to be entered and left in one task, once.

    Entering starts all subsystems, and waits for those that declare readiness. Leaving normally closes the input and
    drains; leaving by an exception cancels everything. Either way nothing of the orchestra runs any more afterwards.
    """

    def __init__(self, held: Held, connector: Connector[EventT]) -> None:
        """Made by `Orchestra.open()`; not to be made otherwise."""
        self._held = held
        self._connector = connector
        self._nursery = trio.open_nursery(strict_exception_groups=True)
        self._run: Run | None = None

    @enable_ki_protection
    async def __aenter__(self) -> RunningOrchestra[SignalT, EventT]:
        """Start everything.

        Raises:
            trio.BusyResourceError: This orchestra is open already, or this object was entered before.
            BaseExceptionGroup: A subsystem failed before all were ready.

        Checkpoint:
            Always one.

        Cancellation:
            Nothing of the orchestra runs any more afterwards.
        """
        if self._run is not None:
            message = "what open() returns can be entered once: call open() again"
            raise trio.BusyResourceError(message)
        self._held.acquire()
        try:
            channel, receiver = self._connector._connect()  # noqa: SLF001 - the other half of this class
            run = self._run = Run(self._held, channel, receiver)
            nursery = await self._nursery.__aenter__()
        except BaseException:
            self._held.release()
            raise
        running: RunningOrchestra[SignalT, EventT] = RunningOrchestra(run, self._connector.handle)
        try:
            run.prepare(nursery)
            for tell in surroundings.get().on_open:
                tell(running)
            run.start(lambda event: self._held.on_event(event, running))
            await trio.lowlevel.checkpoint()
            await run.wait_ready()
        except BaseException:
            if await self._leave(run, *sys.exc_info()):  # noqa: ASYNC102 - it waits for the tasks, whatever is cancelled
                message = f"{run.orchestra} was cancelled while it opened"
                raise OrchestraError(message) from None  # noqa: ASYNC104 - the cancellation was the library's own
            raise
        return running

    @enable_ki_protection
    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        """Drain, or cancel everything; then raise what went wrong.

        Returns:
            Whether the block was left by a cancellation that `running.cancel()` or an error of a subsystem began.

        Raises:
            BaseExceptionGroup: The errors of subsystems, jobs, hooks and the block, in the order they were raised.

        Checkpoint:
            Always a schedule point; cancellation reaches the subsystems.
        """
        if self._run is None:
            message = "left without being entered: use `async with`"
            raise RuntimeError(message)
        return await self._leave(self._run, exc_type, exc_value, traceback)  # noqa: ASYNC102 - it waits for the tasks, whatever is cancelled

    async def _leave(
        self,
        run: Run,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        run.close_outgoing()
        cancellation = exc_value
        if exc_value is None:
            run.close_input()
        else:
            failure = without_cancelled(exc_value)
            if failure is None:
                run.cancel()
            else:
                cancellation = None
                run.failures.record_plain(failure)
        try:
            if cancellation is None:
                absorbed = await self._nursery.__aexit__(None, None, None)
            else:
                absorbed = await self._nursery.__aexit__(exc_type, exc_value, traceback)
        except BaseException as error:  # noqa: ASYNC103 - recorded, and raised again by `open()`
            # Tasks of the library pass on nothing but cancellation; anything else is an interrupt of the block's task.
            failure = without_cancelled(error)
            if failure is None and not run.failures.errors:
                raise
            if failure is not None:
                run.failures.errors.extend(members(failure))
            absorbed = True
        finally:
            run.close()
            self._held.release()
        run.failures.raise_group()
        return bool(absorbed)  # noqa: ASYNC910 - leaving the nursery was one
