"""How drain and deadlock detection see workers, and the task that waits for one of them to end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import trio

from orchestra_trio import DeadlockDetected, Orchestra, Subsystem
from tests.runtime.samples import AnyContext, Ends, Item, Other, Ring, Sends, Solo, Tick, countdown, idle, stopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from trio.testing import MockClock

    from orchestra_trio import Workers


@pytest.mark.parametrize("max_in_flight", [1, 3])
async def test_a_cycle_drains_when_all_workers_have_done(autojump_clock: MockClock, max_in_flight: int) -> None:
    """One that is at work keeps the cycle from its end."""
    ends = Ends()
    got: list[int] = []

    async def ping(ctx: AnyContext) -> None:
        async with ctx.open_workers(max_in_flight) as workers:

            async def work(number: int) -> None:
                await trio.sleep(1)
                if number:
                    await ctx.send(Other(number - 1))

            async for incoming in workers:
                got.append(incoming.number)
                workers.start_soon(work, incoming.number)
        ends.note(ctx)

    async with Ring(ping=ping, pong=countdown(Item, ends)).open() as running:
        await running.route_message(Item(6))
    assert got == [6, 4, 2, 0]
    assert ends.log == [("ping", 4), ("pong", 4)]


@pytest.mark.parametrize("name", ["ping", "pong"])
async def test_workers_that_wait_to_receive_are_at_rest(autojump_clock: MockClock, name: str) -> None:
    """And the iteration, which then takes signals alone, in a slot with signals and in one without."""

    async def pull(ctx: AnyContext) -> None:
        await idle(ctx)

    async def busy(ctx: AnyContext) -> None:
        async with ctx.open_workers(2) as workers:
            workers.start_soon(pull, ctx)
            workers.start_soon(pull, ctx)
            async for _ in workers:
                pass

    subsystems: dict[str, Any] = {"ping": idle, "pong": idle, name: busy}
    with trio.fail_after(10):
        async with Ring(**subsystems).open() as running:
            await running.route_message(Item(1))
            await running.broadcast_signal(Tick())
            await trio.sleep(1)


async def test_an_iteration_with_a_deadline_is_not_at_rest(autojump_clock: MockClock) -> None:
    """It may still send when that has passed."""
    got: list[Any] = []

    async def pong(ctx: AnyContext) -> None:
        async with ctx.open_workers(1) as workers:
            workers.start_soon(idle, ctx)
            with trio.move_on_after(5):
                await anext(workers)
            await ctx.send(Item(1))

    async def ping(ctx: AnyContext) -> None:
        got.extend([incoming async for incoming in ctx])

    await Ring(ping=ping, pong=pong).run()
    assert got == [Item(1)]


class Cross(Orchestra[Tick], message_capacity=1):
    """Two that send to each other; the third one hears signals beside."""

    left: Subsystem[Item, Other]
    right: Subsystem[Other, Item]


class Hearing(Orchestra[Tick], message_capacity=1):
    """The same, and one hears signals."""

    left: Subsystem[Item, Other]
    right: Subsystem[Other, Item, Tick]


def flooding(make: Callable[[int], object], got: list[int], at_last: Callable[[Any], Any] | None = None) -> Any:  # noqa: ANN401 - of any wiring
    """Let the only worker send more than the other's lane holds; then do what `at_last` does, and receive the rest."""

    async def play(ctx: AnyContext) -> None:
        async def send() -> None:
            for number in range(5):
                await ctx.send(make(number))

        async with ctx.open_workers(1) as workers:
            workers.start_soon(send)
            if at_last is None:
                async for incoming in workers:
                    workers.start_soon(trio.sleep, 0)
                    got.append(incoming.number)
            else:
                await at_last(workers)
                got.extend([incoming.number async for incoming in ctx])

    return play


async def wait_for_a_signal(workers: Workers[Any, Any]) -> None:
    assert await anext(workers) == Tick(1)


async def wait_for_a_while(workers: Workers[Any, Any]) -> None:
    with trio.move_on_after(5):
        await anext(workers)
    await trio.sleep(5)


async def test_workers_that_all_send_to_each_other_are_a_deadlock(autojump_clock: MockClock) -> None:
    """The iteration cannot take the messages that would free them."""
    with stopped() as errors:
        async with Cross(left=flooding(Other, []), right=flooding(Item, [])).open():
            await trio.sleep(100)
    assert [str(error).partition(";")[0] for error in errors] == [
        "subsystems of Cross wait for each other for ever: left -[bounded: Other]-> right -[bounded: Item]-> left"
    ]
    assert isinstance(errors[0], DeadlockDetected)
    assert trio.current_time() == 0


async def test_an_iteration_that_hears_signals_is_no_deadlock(autojump_clock: MockClock) -> None:
    """One may come and free all."""
    got: list[int] = []
    orchestra = Hearing(left=flooding(Other, got), right=flooding(Item, got, wait_for_a_signal))
    async with orchestra.open() as running:
        await trio.sleep(1)
        await running.broadcast_signal(Tick(1))
    assert sorted(got) == sorted([*range(5), *range(5)])


async def test_an_iteration_with_a_deadline_is_no_deadlock(autojump_clock: MockClock) -> None:
    """Though its workers have none; neither is what comes after it."""
    got: list[int] = []
    await Cross(left=flooding(Other, got), right=flooding(Item, got, wait_for_a_while)).run()
    assert sorted(got) == sorted([*range(5), *range(5)])
    assert trio.current_time() == 10


async def test_a_deadline_around_the_whole_orchestra_changes_nothing(autojump_clock: MockClock) -> None:
    """It is none of the workers' own."""
    with trio.fail_after(50), stopped() as errors:
        async with Cross(left=flooding(Other, []), right=flooding(Item, [])).open():
            await trio.sleep(100)
    assert [type(error) for error in errors] == [DeadlockDetected]


async def test_a_deadlock_may_begin_with_the_iteration(autojump_clock: MockClock) -> None:
    """A job that begins to iterate is the last one that could have moved."""

    async def iterate(workers: Workers[Any, Any]) -> None:
        await trio.sleep(3)
        async for _ in workers:
            pass

    async def right(ctx: AnyContext) -> None:
        async with ctx.open_workers(1) as workers:
            workers.start_soon(ctx.send_many, [Item(number) for number in range(5)])
            ctx.start_soon(iterate, workers)

    with stopped() as errors:
        async with Cross(left=Sends(*map(Other, range(5))), right=right).open():
            await trio.sleep(100)
    assert [type(error) for error in errors] == [DeadlockDetected]
    assert trio.current_time() == 3


async def test_a_deadlock_may_begin_with_the_end_of_a_worker(autojump_clock: MockClock) -> None:
    """It was the last one that could have moved."""

    async def right(ctx: AnyContext) -> None:
        async with ctx.open_workers(2) as workers:
            workers.start_soon(ctx.send_many, [Item(number) for number in range(5)])
            workers.start_soon(trio.sleep, 3)

    with stopped() as errors:
        async with Cross(left=Sends(*map(Other, range(5))), right=right).open():
            await trio.sleep(100)
    assert [type(error) for error in errors] == [DeadlockDetected]
    assert trio.current_time() == 3


async def test_where_the_iteration_stands_is_told(autojump_clock: MockClock) -> None:
    """Whether a worker has to end before it takes messages."""

    async def worker(ctx: AnyContext) -> None:
        async with ctx.open_workers(1) as workers:
            workers.start_soon(trio.sleep, 2)
            async for _ in workers:
                pass

    places: list[str] = []
    async with Solo(worker=worker).open() as running:
        for _ in range(2):
            await trio.sleep(1.5)
            places.append(running.dump().splitlines()[2])
    assert places == [
        "worker: running, waits for a signal, or for one of its workers to end",
        "worker: running, waits to receive",
    ]


async def test_a_free_worker_is_no_deadlock(autojump_clock: MockClock) -> None:
    """One side has another worker, which takes what frees the others."""
    got: list[int] = []

    async def right(ctx: AnyContext) -> None:
        async with ctx.open_workers(2) as workers:

            async def send() -> None:
                await ctx.send_many([Item(number) for number in range(5)])

            workers.start_soon(send)
            async for incoming in workers:
                workers.start_soon(trio.sleep, 1)
                got.append(incoming.number)

    await Cross(left=flooding(Other, got), right=right).run()
    assert sorted(got) == sorted([*range(5), *range(5)])
