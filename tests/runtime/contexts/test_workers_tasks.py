"""Workers beside other tasks: what they may do, who else starts them, what is cancelled, what threads send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Never

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from orchestra_trio import (
    BlockingSubsystem,
    BlockingSubsystemContext,
    Orchestra,
    Subsystem,
)
from tests.laws.performance import run
from tests.runtime.samples import AnyContext, Ask, Item, Other, Solo, Tick, answering, stopped

if TYPE_CHECKING:
    from trio.testing import MockClock

    from orchestra_trio import Workers


async def test_workers_send_request_and_receive(autojump_clock: MockClock) -> None:
    """As any task of the subsystem; a worker that receives takes what the iteration does not."""
    answers: list[int] = []
    sent: list[int] = []

    class Both(Orchestra, message_capacity=1):
        middle: Subsystem[Item, Other | Ask]
        others: Subsystem[Other]
        answers: Subsystem[Ask]

    async def work(ctx: AnyContext, item: Item) -> None:
        answers.append(await ctx.request(Ask, item.number))
        async for more in ctx:
            await ctx.send(Other(more.number))

    async def middle(ctx: AnyContext) -> None:
        async with ctx.open_workers(2) as workers:
            async for item in workers:
                workers.start_soon(work, ctx, item)

    async def others(ctx: AnyContext) -> None:
        sent.extend([other.number async for other in ctx])

    async with Both(middle=middle, others=others, answers=answering).open() as running:
        for number in range(8):
            await running.route_message(Item(number))
            await wait_all_tasks_blocked()
    assert sorted([*sent, *(answer // 2 for answer in answers)]) == list(range(8))
    assert len(answers) == 2


async def test_a_worker_that_was_cancelled_gives_its_place_back(autojump_clock: MockClock) -> None:
    taken: list[Any] = []

    async def worker(ctx: AnyContext) -> None:
        scope = trio.CancelScope()

        async def work() -> None:
            with scope:
                await trio.sleep_forever()

        async with ctx.open_workers(1) as workers:
            workers.start_soon(work)
            await trio.sleep(1)
            scope.cancel()
            taken.append(await anext(workers))

    async with Solo(worker=worker).open() as running:
        await running.route_message(Item(7))
    assert taken == [Item(7)]


async def test_a_worker_may_start_another_one_while_the_block_is_left(autojump_clock: MockClock) -> None:
    """Leaving waits for both."""

    async def worker(ctx: AnyContext) -> None:
        async with ctx.open_workers(2) as workers:

            async def work(seconds: int) -> None:
                await trio.sleep(1)
                if seconds:
                    workers.start_soon(work, seconds - 1)

            workers.start_soon(work, 3)

    await Solo(worker=worker).run()
    assert trio.current_time() == 4


async def test_a_cancelled_wait_loses_nothing(autojump_clock: MockClock) -> None:
    """Before it begins, while it waits for anything, and while it waits for signals alone."""
    got: list[Any] = []

    async def worker(ctx: AnyContext) -> None:
        async with ctx.open_workers(1) as workers:
            for cancelled_after in (0, 1):
                with trio.move_on_after(cancelled_after):
                    got.append(await anext(workers))
            got.append(await anext(workers))
            workers.start_soon(trio.sleep, 3)
            for cancelled_after in (0, 1, 1):
                with trio.move_on_after(cancelled_after):
                    got.append(await anext(workers))
            got.append(await anext(workers))
            assert trio.current_time() == 5

    async with Solo(worker=worker).open() as running:
        await trio.sleep(2)
        await running.route_message(Item(1))
        await running.route_message(Item(2))
        statistics = running.statistics().subsystems["worker"]
        assert statistics.bounded.sent == 2
    assert got == [Item(1), Item(2)]


async def test_each_receive_of_the_iteration_checks_for_cancellation(autojump_clock: MockClock) -> None:
    """Also when something is there."""

    async def worker(ctx: AnyContext) -> None:
        async with ctx.open_workers(1) as workers:
            await trio.sleep(1)
            with trio.CancelScope() as scope:
                scope.cancel()
                await anext(workers)
            assert scope.cancelled_caught
            assert await anext(workers) == Item(1)

    async with Solo(worker=worker).open() as running:
        await running.route_message(Item(1))


class Fed(Orchestra[Tick], message_capacity=2):
    """A subsystem that is fed from a thread too, so that its mailbox is shared with that."""

    thread: BlockingSubsystem[str, Item]
    worker: Subsystem[Item, Never, Tick]


def wait_for_all(ctx: BlockingSubsystemContext[str, Item]) -> None:
    for _ in ctx:
        pass


@pytest.mark.parametrize("shared", [False, True])
async def test_no_message_is_taken_once_another_task_has_started_the_last_worker(
    autojump_clock: MockClock, shared: bool
) -> None:
    """Though the iteration waited for anything before; it gets signals, and messages when there is room again."""
    got: list[tuple[Any, float]] = []

    async def worker(ctx: AnyContext) -> None:
        async with ctx.open_workers(2) as workers:

            async def start_more() -> None:
                for seconds in (10, 5):
                    await trio.sleep(1)
                    workers.start_soon(trio.sleep, seconds)

            ctx.start_soon(start_more)
            async for incoming in workers:
                got.append((incoming, trio.current_time()))
                if isinstance(incoming, Item):
                    workers.start_soon(trio.sleep, 1)

    orchestra = Fed(thread=wait_for_all, worker=worker) if shared else Solo(worker=worker)
    async with orchestra.open() as running:
        await trio.sleep(3)
        await running.route_message(Item(1))
        await trio.sleep(1)
        await running.broadcast_signal(Tick(2))
    assert got == [(Tick(2), 4), (Item(1), 7)]


async def test_workers_may_be_started_from_outside(autojump_clock: MockClock) -> None:
    """They are the subsystem's all the same."""
    opened: list[Workers[Any, Any]] = []

    async def work() -> None:
        await trio.sleep(1)
        raise ValueError

    async def worker(ctx: AnyContext) -> None:
        async with ctx.open_workers(1) as workers:
            opened.append(workers)
            await trio.sleep_forever()

    with stopped() as errors:
        async with Solo(worker=worker).open():
            await wait_all_tasks_blocked()
            opened[0].start_soon(work, name="mine")
            await trio.sleep_forever()
    assert errors[0].__notes__ == ["orchestra_trio: raised in 'worker' of Solo, in its job 'mine'"]


@pytest.mark.parametrize("seed", range(40))
def test_a_worker_that_ends_at_the_schedule_point_of_the_iteration_is_noticed(seed: int) -> None:
    """Whatever comes first there: no message waits for ever."""

    async def work(steps: int) -> None:
        for _ in range(steps):
            await trio.lowlevel.checkpoint()
        handled.append(steps)

    async def worker(ctx: AnyContext) -> None:
        async with ctx.open_workers(1) as workers:
            async for incoming in workers:
                workers.start_soon(work, incoming.number)

    class Slow(Orchestra, yield_every=1):
        worker: Subsystem[Item]

    async def main() -> None:
        async with Slow(worker=worker).open() as running:
            for number in numbers:
                running.route_message_nowait(Item(number))
            await trio.sleep(1)
            assert handled == numbers  # before the end of input, which would wake the iteration

    numbers = [1, 0, 2, 3, 1, 0]
    handled: list[int] = []
    run(main, seed)


async def test_messages_of_threads_are_each_handled_once_and_in_order() -> None:
    """Their mailbox is shared with the threads that send."""
    taken: list[int] = []

    def thread(ctx: BlockingSubsystemContext[str, Item]) -> None:
        for number in range(500):
            ctx.send(Item(number))

    async def work(number: int) -> None:
        for _ in range(number % 4):
            await trio.lowlevel.checkpoint()

    async def worker(ctx: AnyContext) -> None:
        async with ctx.open_workers(3) as workers:
            async for incoming in workers:
                taken.append(incoming.number)
                workers.start_soon(work, incoming.number)

    await Fed(thread=thread, worker=worker).run()
    assert taken == list(range(500))
