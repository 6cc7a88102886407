"""The example's spawners, and what it prints."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any, NamedTuple, Never

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from examples import spawners
from examples.spawners import CappingSpawner, NamingSpawner, StepCounter
from orchestra_trio import BlockingSubsystem, BlockingSubsystemContext, Orchestra, Subsystem, SubsystemContext

if TYPE_CHECKING:
    from collections.abc import Callable


class Item(NamedTuple):
    """A message."""


class Solo(Orchestra):
    """One subsystem, fed from outside."""

    worker: Subsystem[Item]


class Threads(Orchestra):
    """Two subsystems that block, and one that has jobs which do."""

    first: BlockingSubsystem[Never, Item]
    second: BlockingSubsystem[Never, Item]
    worker: Subsystem[Item]


async def test_output(capsys: pytest.CaptureFixture[str]) -> None:
    await spawners.main()
    match = re.fullmatch(
        r"subsystem  steps\n"
        r"(?:(?:reader  |hasher  )  +[1-9]\d*\n){2}"
        r"threads at once: ([1-8]) of 8\n"
        r"with a cap of 2: ([12]) of 8\n",
        capsys.readouterr().out,
    )
    assert match is not None


async def test_names() -> None:
    """Main tasks, jobs and workers are named after their subsystem, however they are started."""
    names: list[str] = []

    async def note(  # noqa: ASYNC114 - of this test alone
        *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        names.append(trio.lowlevel.current_task().name)
        task_status.started()
        await trio.lowlevel.checkpoint()

    async def worker(ctx: SubsystemContext[Item]) -> None:
        await note()
        ctx.start_soon(note, name="soon")
        await ctx.start(note, name="started")
        async with ctx.open_workers(1) as workers:
            workers.start_soon(note, name="at work")

    async with Solo(worker=worker).open(spawner=NamingSpawner()):
        pass
    assert sorted(names) == ["worker: at work", "worker: soon", "worker: started", "worker: worker"]


async def count_steps(steps: int) -> dict[str, int]:
    """Return what is counted for a subsystem that takes so many steps more."""

    async def worker(ctx: SubsystemContext[Item]) -> None:
        for _ in range(steps):
            await trio.lowlevel.checkpoint()

    counter = StepCounter()
    trio.lowlevel.add_instrument(counter)
    async with Solo(worker=worker).open(spawner=NamingSpawner()):
        pass
    trio.lowlevel.remove_instrument(counter)
    return dict(counter.steps)


async def test_steps_are_counted() -> None:
    """Those of the subsystems, and of nothing else that runs."""
    few, more = await count_steps(10), await count_steps(30)
    assert few.keys() == more.keys() == {"worker"}
    assert more["worker"] - few["worker"] == 20


class Gate:
    """Jobs that block until the block of the gate is left."""

    def __init__(self) -> None:
        self._opened = threading.Event()
        self._token = trio.lowlevel.current_trio_token()
        self._sender, self._receiver = trio.open_memory_channel[None](9)

    def job(self) -> None:
        self._token.run_sync_soon(self._sender.send_nowait, None)
        self._opened.wait()

    async def wait_begun(self, jobs: int) -> None:
        """Wait until so many have begun."""
        for _ in range(jobs):
            await self._receiver.receive()
        await wait_all_tasks_blocked()

    @property
    def others_begun(self) -> int:
        """How many have begun that nobody has waited for."""
        return self._receiver.statistics().current_buffer_used

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self._opened.set()


async def test_jobs_that_block_are_capped() -> None:
    """Two run, and the third waits until one of them has ended."""
    gate = Gate()
    limiter = trio.CapacityLimiter(2)

    async def worker(ctx: SubsystemContext[Item]) -> None:
        for _ in range(3):
            ctx.start_blocking_soon(gate.job)
        await trio.lowlevel.checkpoint()

    async with Solo(worker=worker).open(spawner=CappingSpawner(limiter)):
        with gate:
            await gate.wait_begun(2)
            statistics = limiter.statistics()
            assert (gate.others_begun, statistics.borrowed_tokens, statistics.tasks_waiting) == (0, 2, 1)
        await gate.wait_begun(1)


async def test_blocking_subsystems_are_not_capped() -> None:
    """They run beside each other, and beside a job, with a cap of one."""
    gate = Gate()

    def main(ctx: BlockingSubsystemContext[Never, Item]) -> None:
        gate.job()

    async def worker(ctx: SubsystemContext[Item]) -> None:
        ctx.start_blocking_soon(gate.job)
        await trio.lowlevel.checkpoint()

    spawner = CappingSpawner(trio.CapacityLimiter(1))
    async with Threads(first=main, second=main, worker=worker).open(spawner=spawner):
        with gate:
            await gate.wait_begun(3)


@pytest.mark.parametrize("make", [NamingSpawner, lambda: CappingSpawner(trio.CapacityLimiter(1))])
async def test_results_come_out_unchanged(make: Callable[[], Any]) -> None:
    """What a job returns or raises is what it would be without the spawner."""

    async def fail(*, task_status: object) -> None:  # noqa: ASYNC114, ASYNC128 - what this test is about
        await trio.lowlevel.checkpoint()
        raise ValueError("before it was started")

    async def worker(ctx: SubsystemContext[Item]) -> None:
        with pytest.raises(ValueError, match="before it was started"):
            await ctx.start(fail)

        def blocked() -> None:
            raise LookupError("in a thread")

        ctx.start_blocking_soon(blocked)

    with pytest.RaisesGroup(pytest.RaisesExc(LookupError, match="in a thread")):
        async with Solo(worker=worker).open(spawner=make()):
            pass
