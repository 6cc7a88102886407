"""One opening of an orchestra within a run that goes on only now and then: what a `RoutingMachine` plays with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import trio

from orchestra_trio.runtime.life.failures import without
from orchestra_trio.testing.tracing.recorder import recording

if TYPE_CHECKING:
    from orchestra_trio.runtime.orchestra import Orchestra
    from orchestra_trio.runtime.running import RunningOrchestra
    from orchestra_trio.testing.tracing.trace import Trace

__all__ = ["Induced", "Session"]


class Induced(Exception):
    """The error that a machine's rule `fail` makes a subsystem raise."""


@attrs.define(eq=False)
class Session:
    """One opening. Its methods are called within the run."""

    held: Orchestra[Any, Any]
    """What is opened."""
    failure: BaseException | None = None
    """What `open()` has raised, but for errors that were induced."""
    traces: list[Trace] = attrs.Factory(list["Trace"])
    """What has happened: in this orchestra, then in those that its subsystems have opened."""
    _running: RunningOrchestra[Any, Any] | None = None
    _leave: trio.Event = attrs.Factory(trio.Event)
    _ended: trio.Event = attrs.Factory(trio.Event)

    @property
    def running(self) -> RunningOrchestra[Any, Any]:
        """What `open()` has returned.

        Raises:
            RuntimeError: It has not come to that.
        """
        if self._running is None:
            raise RuntimeError(f"{type(self.held).__name__} could not be opened")
        return self._running

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it runs any more."""
        return self._ended.is_set()

    async def serve(self, *, task_status: trio.TaskStatus[None]) -> None:  # noqa: ASYNC910 - a task of the library, not a call of users
        """Open it, and keep it open until it is to end."""
        try:
            with recording() as self.traces:
                async with self.held.open() as self._running:
                    task_status.started()
                    await self._leave.wait()
        except Exception as error:  # noqa: BLE001 - raised by the machine, in the step in which it is seen
            self.failure = without(Induced, error)
        finally:
            self._ended.set()

    async def close(self) -> None:
        """Close the input, and wait until it has drained."""
        self._leave.set()
        await self._ended.wait()

    async def terminate(self, signal: object, grace: float) -> None:
        """Terminate it."""
        await self.running.terminate(signal, grace=grace)
        await self.close()

    async def cancel(self) -> None:
        """Cancel it."""
        self.running.cancel()
        await self._ended.wait()

    async def dump(self) -> str:
        """Return where every subsystem stands."""
        await trio.lowlevel.checkpoint()
        return self.running.dump()
