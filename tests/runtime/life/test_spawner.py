"""Spawners: what goes through them, and what one may change."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

import trio
from trio.testing import wait_all_tasks_blocked
from typing_extensions import TypeVar, TypeVarTuple, override

from orchestra_trio import Spawner
from tests.runtime.life.spawners import Everything, Mixed, Structural
from tests.runtime.samples import AnyContext, Duo, Solo, idle

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from trio.testing import MockClock

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

ASKED = {
    ("start_soon", "worker", "worker"),
    ("start_soon", "job", "worker"),
    ("start_soon", "background", "worker"),
    ("start", "started", "worker"),
    ("start_soon", "worker's", "worker"),
    ("start_soon", "blocking", "worker"),
    ("run_in_thread", "blocking", "worker"),
    ("start_soon", "thread", "thread"),
    ("run_in_thread", "thread", "thread"),
    ("start_soon", "job of a thread", "thread"),
    ("run_in_thread", "job of a thread", "thread"),
}


async def test_all_tasks_and_threads_go_through_the_spawner() -> None:
    """It is told the name and the subsystem of each, and may change the name; it need not inherit from anything."""
    spawner, everything = Structural(), Everything()
    async with Mixed(worker=everything, thread=everything.run).open(spawner=spawner):
        pass
    assert sorted(spawner.calls) == sorted(ASKED)
    tasks_of_threads = {("start_soon", name, "thread") for name in ("thread", "job of a thread")}
    silent = {*tasks_of_threads, ("start_soon", "blocking", "worker")}
    assert everything.names == {f"{subsystem}.{name}" for _, name, subsystem in ASKED - silent}


async def test_blocking_subsystems_have_a_limiter_of_their_own() -> None:
    """Without a bound; jobs that block have trio's default one."""
    spawner, everything = Structural(), Everything()
    async with Mixed(worker=everything, thread=everything.run).open(spawner=spawner):
        pass
    limiter = spawner.limiters["thread"]
    assert limiter is spawner.limiters["job of a thread"]
    assert limiter is not None
    assert limiter.total_tokens == float("inf")
    assert spawner.limiters["blocking"] is None


async def test_by_default_tasks_and_threads_are_named_plainly() -> None:
    """By the slot, or by the job."""
    everything = Everything()
    await Mixed(worker=everything, thread=everything.run).run()
    assert everything.names == {name for _, name, _ in ASKED}


user: ContextVar[str] = ContextVar("user", default="nobody")


class Marking(Spawner):
    """Changes one method: sets a context variable for each task."""

    @override
    def start_soon(
        self,
        nursery: trio.Nursery,
        async_fn: Callable[[*Ts], Awaitable[object]],
        *args: *Ts,
        name: str,
        subsystem: str,
    ) -> None:
        token = user.set(f"{name} of {subsystem}")
        super().start_soon(nursery, async_fn, *args, name=name, subsystem=subsystem)
        user.reset(token)


async def test_a_subclass_may_change_one_method() -> None:
    """The others do what they did before; threads have the context of their tasks."""
    users: dict[str, str] = {}

    def note(what: str) -> None:
        users[what] = user.get()

    async def job(*, task_status: trio.TaskStatus[int]) -> None:  # noqa: ASYNC114 - a job of this test alone
        note("started")
        await trio.lowlevel.checkpoint()
        task_status.started(7)

    async def worker(ctx: AnyContext) -> None:
        note("main")
        assert await ctx.start(job) == 7
        ctx.start_blocking_soon(note, "thread", name="block")

    async with Solo(worker=worker).open(spawner=Marking()):
        note("block")
    assert users == {
        "block": "nobody",
        "main": "worker of worker",
        "started": "worker of worker",  # trio starts it with the context of the task that asks
        "thread": "block of worker",
    }


class Capping(Spawner):
    """Caps the threads of jobs that block."""

    def __init__(self) -> None:
        self.limiter = trio.CapacityLimiter(1)

    @override
    async def run_in_thread(
        self,
        sync_fn: Callable[[*Ts], T],
        *args: *Ts,
        name: str,
        subsystem: str,
        limiter: trio.CapacityLimiter | None,
    ) -> T:
        return await super().run_in_thread(
            sync_fn, *args, name=name, subsystem=subsystem, limiter=self.limiter if limiter is None else limiter
        )


async def test_a_spawner_may_cap_threads() -> None:
    """Those that wait for one are started later."""
    spawner = Capping()
    waiting: list[int] = []

    def look(number: int) -> None:
        statistics = trio.from_thread.run_sync(spawner.limiter.statistics)
        assert statistics.borrowed_tokens == 1
        waiting.append(statistics.tasks_waiting)

    async def worker(ctx: AnyContext) -> None:
        async with spawner.limiter:
            for number in range(3):
                ctx.start_blocking_soon(look, number)
            await wait_all_tasks_blocked()
            assert spawner.limiter.statistics().tasks_waiting == 3

    async with Solo(worker=worker).open(spawner=spawner):
        pass
    assert waiting == [2, 1, 0]


async def test_each_opening_has_its_own_spawner(autojump_clock: MockClock) -> None:
    """One that is open keeps the one that it was opened with."""
    spawners = [Structural(), Structural()]
    duo = Duo(source=idle, sink=idle)
    for spawner in spawners:
        async with duo.open(spawner=spawner):
            pass
    await duo.run()
    assert [len(spawner.calls) for spawner in spawners] == [2, 2]
