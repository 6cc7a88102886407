"""How the tasks and threads of an orchestra are started: the protocol, and the default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import trio
from typing_extensions import TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["NurserySpawner", "Spawner"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Spawner(Protocol):
    """How an orchestra starts its tasks and threads: `pipeline.open(spawner=Mine())`.

    Each method does what its name says unless a subclass changes it, so that one inherits from this class and changes
    one of them: to name tasks for an instrument, to set a context variable, to cap threads. What is asked for must be
    started, and what it returns or raises must come out unchanged; an error of the spawner itself comes out where the
    task was to be started.

    Every method is told the subsystem, and the name that the task or thread is to have: the subsystem's for its main
    task, the job's for a job.

    Source:
        The trait of the same name in Rust orchestra. There it is the executor; here it only decides how trio is asked.
    """

    def start_soon(
        self,
        nursery: trio.Nursery,
        async_fn: Callable[[*Ts], Awaitable[object]],
        *args: *Ts,
        name: str,
        subsystem: str,
    ) -> None:
        """Start a task in a nursery: the main task of a subsystem, or a job.

        Args:
            nursery: Where it must run.
            async_fn: To be called with `args`, once.
            args: Passed on.
            name: Of the task.
            subsystem: Whose task it is.
        """
        del subsystem
        nursery.start_soon(async_fn, *args, name=name)

    async def start(
        self,
        nursery: trio.Nursery,
        async_fn: Callable[..., Awaitable[object]],
        *args: object,
        name: str,
        subsystem: str,
    ) -> Any:  # noqa: ANN401 - as trio's own
        """Start a job, wait until it says that it is started, and return the value: as `trio.Nursery.start`.

        Checkpoint:
            As `trio.Nursery.start`: always one.

        Cancellation:
            The job is cancelled if it has not been started yet.
        """
        del subsystem
        return await nursery.start(async_fn, *args, name=name)

    async def run_in_thread(
        self,
        sync_fn: Callable[[*Ts], T],
        *args: *Ts,
        name: str,
        subsystem: str,
        limiter: trio.CapacityLimiter | None,
    ) -> T:
        """Run a function in a thread started by `trio.to_thread.run_sync`, and return what it returns.

        A blocking subsystem waits in its thread for as long as it lives. A limiter that makes it wait for the end of
        another one would keep the orchestra from working.

        Args:
            sync_fn: To be called with `args`, once. It cannot be abandoned when the wait for it is cancelled.
            args: Passed on.
            name: Of the thread.
            subsystem: Whose thread it is.
            limiter: One of their own, without a bound, for blocking subsystems and their jobs; None, which is trio's
                default limiter, for `start_blocking_soon`.

        Checkpoint:
            Always one.

        Cancellation:
            Must wait for the end of the function once it has begun.
        """
        del subsystem
        return await trio.to_thread.run_sync(sync_fn, *args, limiter=limiter, thread_name=name)


class NurserySpawner(Spawner):
    """The default: trio's nurseries and threads, as they are."""
