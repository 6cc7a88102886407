"""What becomes of workers when something fails: one of them, a lane strategy, trio, the user's patience."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Never

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked
from typing_extensions import TypeVarTuple, override

from orchestra_trio import Orchestra, Priority, Restart, Spawner, Subsystem, subsystem
from tests.runtime.samples import AnyContext, Item, Solo, Tick, stopped
from tests.runtime.test_interrupts import Striker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import FrameType

    from orchestra_trio import RunningOrchestra, Workers

Ts = TypeVarTuple("Ts")


class Anew(Orchestra[Tick], message_capacity=8):
    worker: Subsystem[Item, Never, Tick] = subsystem(restart=Restart(backoff=1))


async def test_a_worker_that_fails_lets_its_subsystem_begin_anew(autojump_clock: MockClock) -> None:
    """All workers have ended before; what lay in the lane is worked on by the next ones."""
    log: list[tuple[Any, float]] = []

    async def work(number: int) -> None:
        log.append((number, trio.current_time()))
        if number == 2:
            raise ValueError
        try:
            await trio.sleep(number)
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(1)
            log.append((f"ends {number}", trio.current_time()))

    async def worker(ctx: AnyContext) -> None:
        log.append(("begins", trio.current_time()))
        async with ctx.open_workers(2) as workers:
            async for incoming in workers:
                workers.start_soon(work, incoming.number)

    async with Anew(worker=worker).open() as running:
        await running.route_message(Item(9))
        await trio.sleep(1)
        await running.route_message(Item(2))
        await running.route_message(Item(3))
    assert log == [("begins", 0), (9, 0), (2, 1), ("ends 9", 2), ("begins", 3), (3, 3), ("ends 3", 7)]
    statistics = running.statistics().subsystems["worker"]
    assert (statistics.restarts, statistics.jobs) == (1, 0)


class Fragile:
    """A lane strategy that fails when it is asked, as often as it is told to."""

    def __init__(self, times: int) -> None:
        self.times = times

    def chooser(self) -> Fragile:
        return self

    def __call__(self, ready: tuple[Any, ...]) -> Any:  # noqa: ANN401 - the name of a lane
        if self.times:
            self.times -= 1
            raise LookupError
        return ready[0]

    def reset(self) -> None:
        pass


@pytest.mark.parametrize("survives", [False, True])
async def test_a_strategy_that_fails_when_a_worker_ends_is_an_error_of_the_subsystem(
    autojump_clock: MockClock, survives: bool
) -> None:
    """Not of that worker. Nothing is lost: it may begin anew."""
    log: list[tuple[int, float]] = []

    class Choosing(Orchestra[Tick], message_capacity=8):
        worker: Subsystem[Item, Never, Tick] = subsystem(
            priority=True, select=Fragile(1), restart=Restart(backoff=1) if survives else None
        )

    async def worker(ctx: AnyContext) -> None:
        async with ctx.open_workers(1) as workers:
            async for incoming in workers:
                log.append((incoming.number, trio.current_time()))
                workers.start_soon(trio.sleep, 3)

    async def play() -> None:
        async with Choosing(worker=worker).open() as running:
            await running.route_message(Item(0))
            await wait_all_tasks_blocked()
            await running.route_message(Item(1))
            await running.route_message(Item(2), priority=Priority.HIGH)
            await trio.sleep(20)

    if survives:
        await play()
        assert log == [(0, 0), (2, 4), (1, 7)]
        return
    with stopped() as errors:
        await play()
    assert [type(error) for error in errors] == [LookupError]
    assert errors[0].__notes__ == ["orchestra_trio: raised in 'worker' of Choosing, with an Item in hand"]
    assert log == [(0, 0)]


class Wrapping(Spawner):
    """Wraps what it starts, and fails in the new task: instead of calling what it was to call, or afterwards."""

    def __init__(self, name: str, *, instead: bool) -> None:
        self.name = name
        self.instead = instead

    @override
    def start_soon(
        self,
        nursery: trio.Nursery,
        async_fn: Callable[[*Ts], Awaitable[object]],
        *args: *Ts,
        name: str,
        subsystem: str,
    ) -> None:
        async def wrapped() -> None:
            if name != self.name or not self.instead:
                await async_fn(*args)
            if name == self.name:
                raise LookupError

        super().start_soon(nursery, wrapped, name=name, subsystem=subsystem)


@pytest.mark.parametrize("instead", [False, True])
async def test_a_spawner_that_fails_in_the_task_of_a_worker_stops_all(autojump_clock: MockClock, instead: bool) -> None:
    """Its error comes out as it is, not in a group of the workers' nursery; the counts are whole."""
    opened: list[Workers[Any, Any]] = []

    async def worker(ctx: AnyContext) -> None:
        async with ctx.open_workers(1) as workers:
            opened.append(workers)
            workers.start_soon(trio.sleep, 1, name="mine")
            await trio.sleep_forever()

    with stopped() as errors:
        async with Solo(worker=worker).open(spawner=Wrapping("mine", instead=instead)) as running:
            await trio.sleep_forever()
    assert [type(error) for error in errors] == [LookupError]
    assert opened[0].in_flight == 0
    assert running.statistics().subsystems["worker"].jobs == 0


async def use_workers(openings: list[RunningOrchestra[Tick, Never]]) -> None:
    """Use workers in many ways, while other tasks do so too; and see what they have left behind."""
    opened: list[Workers[Any, Any]] = []

    async def start_another(workers: Workers[Any, Any]) -> None:
        for _ in range(3):
            await trio.sleep(2)
            if workers.in_flight < 2:
                workers.start_soon(trio.sleep, 1)

    async def worker(ctx: AnyContext) -> None:
        async with ctx.open_workers(2) as workers, trio.open_nursery() as nursery:
            opened.append(workers)
            nursery.start_soon(start_another, workers)
            async for incoming in workers:
                if isinstance(incoming, Item) and workers.in_flight < 2:  # the other task may have been faster
                    workers.start_soon(trio.sleep, incoming.number)

    try:
        async with Solo(worker=worker).open() as running:
            openings.append(running)
            for number in range(5):
                await running.route_message(Item(number))
                await running.broadcast_signal(Tick())
    finally:
        assert [one.in_flight for one in opened] == [0] * len(opened)
        assert [one.statistics().subsystems["worker"].jobs for one in openings] == [0] * len(openings)


class WorkersStriker(Striker):
    """Strikes at the lines of the workers alone."""

    @override
    def trace(self, frame: FrameType, event: str, arg: object) -> Any:
        if event == "call" and Path(frame.f_code.co_filename).name != "workers.py":
            return None
        return super().trace(frame, event, arg)


def strike(at: int) -> Striker:
    striker = WorkersStriker(at)
    previous = sys.gettrace()
    sys.settrace(striker.trace)
    try:
        trio.run(use_workers, [], clock=MockClock(autojump_threshold=0))
    except KeyboardInterrupt:
        pass
    except BaseExceptionGroup as group:
        rest = group.split(KeyboardInterrupt)[1]
        striker.others = [] if rest is None else [*rest.exceptions]
    finally:
        sys.settrace(previous)
    return striker


def test_ctrl_c_at_any_line_of_the_workers_leaves_their_counts_whole() -> None:
    """At lines spread over a whole run; it always comes out."""
    lines = strike(0).count
    strikers = [strike(at) for at in range(1, lines, 5)]
    assert {one.struck: one.others for one in strikers if one.others} == {}
    assert len({one.struck for one in strikers}) > 30
