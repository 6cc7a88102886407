"""What the tests of spawners share: one that notes and fails, and a subsystem that starts things in all ways."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Never

import attrs
import trio
from typing_extensions import TypeVar, TypeVarTuple

from orchestra_trio import BlockingSubsystem, BlockingSubsystemContext, Orchestra, Subsystem
from tests.runtime.samples import AnyContext, Item, Other, Tick, idle

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@attrs.define
class Structural:
    """A spawner that inherits from nothing: it notes what it is asked for, and fails where it is told to."""

    calls: list[tuple[str, str, str]] = attrs.Factory(list)
    """How, and which task or thread of which subsystem."""
    limiters: dict[str, trio.CapacityLimiter | None] = attrs.Factory(dict)
    fails_at: tuple[str, str] | None = None
    """How and which."""
    starts_before: bool = False
    """Whether it does what it was asked for before it fails."""

    def start_soon(
        self,
        nursery: trio.Nursery,
        async_fn: Callable[[*Ts], Awaitable[object]],
        *args: *Ts,
        name: str,
        subsystem: str,
    ) -> None:
        self.calls.append(("start_soon", name, subsystem))
        if self.starts_before:
            nursery.start_soon(async_fn, *args, name=f"{subsystem}.{name}")
        self.fail("start_soon", name)
        if not self.starts_before:
            nursery.start_soon(async_fn, *args, name=f"{subsystem}.{name}")

    async def start(
        self,
        nursery: trio.Nursery,
        async_fn: Callable[..., Awaitable[object]],
        *args: object,
        name: str,
        subsystem: str,
    ) -> Any:  # noqa: ANN401 - as the protocol
        self.calls.append(("start", name, subsystem))
        if self.starts_before:
            await nursery.start(async_fn, *args, name=f"{subsystem}.{name}")
        self.fail("start", name)
        return await nursery.start(async_fn, *args, name=f"{subsystem}.{name}")

    async def run_in_thread(
        self,
        sync_fn: Callable[[*Ts], T],
        *args: *Ts,
        name: str,
        subsystem: str,
        limiter: trio.CapacityLimiter | None,
    ) -> T:
        self.calls.append(("run_in_thread", name, subsystem))
        self.limiters[name] = limiter
        self.fail("run_in_thread", name)
        return await trio.to_thread.run_sync(sync_fn, *args, limiter=limiter, thread_name=f"{subsystem}.{name}")

    def fail(self, how: str, name: str) -> None:
        if self.fails_at == (how, name):
            raise LookupError(name)


class Mixed(Orchestra[Tick], message_capacity=2):
    """One subsystem in a task, and one in a thread."""

    worker: Subsystem[Item, Never, Tick]
    thread: BlockingSubsystem[Other, Never, Tick]


def wait_for_all(ctx: BlockingSubsystemContext[Other, Never, Tick]) -> None:
    for _ in ctx:
        pass


class Everything:
    """A subsystem that starts tasks and threads in all ways, and notes their names."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    async def note(self, *, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED) -> None:  # noqa: ASYNC114 - a job of these tests alone
        task_status.started("value")
        await trio.lowlevel.checkpoint()
        self.names.add(trio.lowlevel.current_task().name)

    def note_thread(self) -> None:
        self.names.add(threading.current_thread().name)

    async def __call__(self, ctx: AnyContext) -> None:
        self.names.add(trio.lowlevel.current_task().name)
        ctx.start_soon(self.note, name="job")
        ctx.start_soon(self.note, name="background", background=True)
        assert await ctx.start(self.note, name="started") == "value"
        async with ctx.open_workers(1) as workers:
            workers.start_soon(self.note, name="worker's")
        ctx.start_blocking_soon(self.note_thread, name="blocking")
        await idle(ctx)

    def run(self, ctx: BlockingSubsystemContext[Other, Never, Tick]) -> None:
        self.note_thread()
        ctx.start_soon(self.note_thread, name="job of a thread")
        wait_for_all(ctx)
