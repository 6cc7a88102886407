"""Workers: who is let in when, how they end, and what becomes of their errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from tests.runtime.samples import AnyContext, Duo, Item, Solo, Tick, idle, stopped

if TYPE_CHECKING:
    from trio.testing import MockClock


class Shop:
    """Lets a worker sleep for each item, as many seconds as its number says, and notes when what happens."""

    def __init__(self, max_in_flight: int = 1) -> None:
        self.max_in_flight = max_in_flight
        self.log: list[tuple[str, int, float]] = []

    def note(self, what: str, number: int) -> None:
        self.log.append((what, number, trio.current_time()))

    async def work(self, number: int) -> None:
        self.note("begins", number)
        await trio.sleep(number)
        self.note("ends", number)

    async def __call__(self, ctx: AnyContext) -> None:
        async with ctx.open_workers(self.max_in_flight) as workers:
            async for incoming in workers:
                if isinstance(incoming, Tick):
                    self.note("hears", incoming.number)
                else:
                    workers.start_soon(self.work, incoming.number)
        self.note("left", 0)


async def test_signals_always_and_messages_while_a_worker_is_free(autojump_clock: MockClock) -> None:
    """The others stay in their lane, where they make senders wait."""
    shop = Shop()
    async with Solo(worker=shop).open() as running:
        for number in (5, 1, 1):
            await running.route_message(Item(number))
        await wait_all_tasks_blocked()
        with pytest.raises(trio.WouldBlock):
            running.route_message_nowait(Item(1))
        await trio.sleep(2)
        await running.broadcast_signal(Tick(9))
        await wait_all_tasks_blocked()
        statistics = running.statistics().subsystems["worker"]
        assert (statistics.bounded.received, statistics.bounded.channel_len) == (1, 2)
        await running.route_message(Item(2))
        assert trio.current_time() == 5
    assert shop.log == [
        ("begins", 5, 0),
        ("hears", 9, 2),
        ("ends", 5, 5),
        ("begins", 1, 5),
        ("ends", 1, 6),
        ("begins", 1, 6),
        ("ends", 1, 7),
        ("begins", 2, 7),
        ("ends", 2, 9),
        ("left", 0, 9),
    ]


async def test_end_of_input_ends_the_iteration_and_workers_finish(autojump_clock: MockClock) -> None:
    """What lies in the lane is worked on before; what follows the block comes after the last worker."""
    shop = Shop(max_in_flight=2)
    async with Solo(worker=shop).open() as running:
        for number in (3, 5, 1, 1):
            await running.route_message(Item(number))
    assert [(what, at) for what, _, at in shop.log[-2:]] == [("ends", 5), ("left", 5)]
    assert len(shop.log) == 9


async def test_who_has_no_signals_waits_for_workers_alone(autojump_clock: MockClock) -> None:
    """And is told of the end of input while all are at work and nothing lies in the lane."""
    ended: list[float] = []

    async def sink(ctx: AnyContext) -> None:
        async with ctx.open_workers(1) as workers:
            async for incoming in workers:
                workers.start_soon(trio.sleep, incoming.number)
            ended.append(trio.current_time())

    async def source(ctx: AnyContext) -> None:
        await ctx.send_many([Item(2), Item(9)])
        await trio.sleep(4)

    await Duo(source=source, sink=sink).run()
    assert ended == [4]
    assert trio.current_time() == 11


async def test_start_soon_is_refused_while_all_places_are_taken(autojump_clock: MockClock) -> None:
    """It changes nothing; in_flight and the statistics count workers."""
    jobs: list[int] = []

    async def worker(ctx: AnyContext) -> None:
        await trio.sleep(1)
        async with ctx.open_workers(2) as workers:
            assert (workers.max_in_flight, workers.in_flight) == (2, 0)
            workers.start_soon(trio.sleep, 2)
            workers.start_soon(trio.sleep, 4)
            with pytest.raises(
                RuntimeError, match="all 2 workers of subsystem 'worker' are at work; start one for each"
            ):
                workers.start_soon(trio.sleep, 100)
            for pause in (0, 1, 2):
                await trio.sleep(pause)
                jobs.append(running.statistics().subsystems["worker"].jobs)
                assert jobs[-1] == workers.in_flight
            workers.start_soon(trio.sleep, 3)

    async with Solo(worker=worker).open() as running:
        pass
    assert jobs == [2, 2, 1]
    assert trio.current_time() == 7
    assert running.statistics().subsystems["worker"].jobs == 0


@pytest.mark.parametrize("error", [ValueError("mine"), ExceptionGroup("mine", [ValueError()]), SystemExit()])
async def test_leaving_by_an_exception_cancels_the_workers(autojump_clock: MockClock, error: BaseException) -> None:
    """It comes out unchanged."""
    cancelled: list[str] = []

    async def work() -> None:
        try:
            await trio.sleep_forever()
        finally:
            cancelled.append("worker")

    async def worker(ctx: AnyContext) -> None:
        with pytest.raises(type(error)) as caught:  # noqa: PT012 - what leaves the block is the point
            async with ctx.open_workers(2) as workers:
                workers.start_soon(work)
                await trio.sleep(1)
                raise error
        assert caught.value is error
        assert workers.in_flight == 0

    await Solo(worker=worker).run()
    assert cancelled == ["worker"]


async def test_an_error_while_the_block_is_cancelled_is_not_lost(autojump_clock: MockClock) -> None:
    """Also where the workers are cancelled from around at the same time."""
    error = ValueError("mine")

    async def worker(ctx: AnyContext) -> None:
        async with ctx.open_workers(2) as workers:
            workers.start_soon(trio.sleep_forever)
            try:
                await trio.sleep_forever()
            except trio.Cancelled:
                raise error from None  # noqa: ASYNC104 - a mistake that users can make

    with stopped() as errors:
        async with Solo(worker=worker).open() as running:
            await trio.sleep(1)
            running.cancel()
    assert errors == [error]


async def test_a_cancellation_leaves_the_block_as_it_came(autojump_clock: MockClock) -> None:
    """Not in a group: whoever looks for it finds it."""
    found: list[type[BaseException]] = []

    async def worker(ctx: AnyContext) -> None:
        try:
            async with ctx.open_workers(2) as workers:
                workers.start_soon(trio.sleep_forever)
                async for _ in workers:
                    pass
        except BaseException as error:
            found.append(type(error))
            raise

    async with Solo(worker=worker).open() as running:
        await trio.sleep(1)
        running.cancel()
    assert found == [trio.Cancelled]


async def test_an_error_of_a_worker_is_a_first_error_that_names_it(autojump_clock: MockClock) -> None:
    """By its function, or by the name it was given."""

    class Failing:
        async def work(self, after: float) -> None:
            try:
                await trio.sleep(after)
            finally:
                raise ValueError(after)

    async def worker(ctx: AnyContext) -> None:
        async with ctx.open_workers(2) as workers:
            workers.start_soon(Failing().work, 1)
            workers.start_soon(Failing().work, 2, name="second")
            async for _ in workers:
                pass

    with stopped() as errors:
        async with Solo(worker=worker).open() as running:
            await running.broadcast_signal(Tick())
            await trio.sleep_forever()
    prefix = test_an_error_of_a_worker_is_a_first_error_that_names_it.__qualname__ + ".<locals>."
    assert [one.__notes__ for one in errors] == [
        [f"orchestra_trio: raised in 'worker' of Solo, in its job {name!r}, with a Tick in hand"]
        for name in (prefix + "Failing.work", "second")
    ]
    assert [one.args for one in errors] == [(1,), (2,)]


async def test_what_is_no_async_function_is_an_error_of_the_worker(autojump_clock: MockClock) -> None:
    """Its place is free again."""

    async def worker(ctx: AnyContext) -> None:
        async with ctx.open_workers(1) as workers:
            workers.start_soon(print)  # type: ignore[arg-type]  # a mistake that type checkers find
            await trio.sleep_forever()

    with stopped() as errors:
        await Solo(worker=worker).run()
    assert "make it an async function" in str(errors[0])


async def test_several_uses_in_sequence_and_at_once(autojump_clock: MockClock) -> None:
    """Each has places of its own."""

    async def worker(ctx: AnyContext) -> None:
        for _ in range(2):
            async with ctx.open_workers(1) as some, ctx.open_workers(1) as others:
                some.start_soon(trio.sleep, (await anext(some)).number)
                others.start_soon(trio.sleep, (await anext(others)).number)
                assert (some.in_flight, others.in_flight) == (1, 1)

    async with Solo(worker=worker).open() as running:
        for number in (2, 3, 4, 5):
            await running.route_message(Item(number))
    assert trio.current_time() == 8


async def test_one_task_at_a_time_iterates(autojump_clock: MockClock) -> None:
    """Another one is told so, and the first one goes on."""
    got: list[Any] = []

    async def worker(ctx: AnyContext) -> None:
        async with ctx.open_workers(1) as workers:

            async def iterate() -> None:
                got.extend([incoming async for incoming in workers])

            ctx.start_soon(iterate)
            await trio.sleep(1)
            with pytest.raises(trio.BusyResourceError, match="iterates over these workers of subsystem 'worker'"):
                await anext(workers)
            await trio.sleep(2)

    async with Solo(worker=worker).open() as running:
        await trio.sleep(2)
        await running.route_message(Item(1))
    assert got == [Item(1)]


async def test_they_are_used_while_they_are_open(autojump_clock: MockClock) -> None:
    """Before and after, nothing is taken and nothing started; they are opened once."""

    async def worker(ctx: AnyContext) -> None:
        workers = ctx.open_workers(1)

        async def check_closed() -> None:
            with pytest.raises(RuntimeError, match="these workers are not open: use `async with"):
                await anext(workers)
            with pytest.raises(RuntimeError, match="these workers are not open"):
                workers.start_soon(trio.sleep, 1)

        await check_closed()
        async with workers:
            pass
        await check_closed()
        with pytest.raises(RuntimeError, match=r"opened already: call open_workers\(\) again"):
            await workers.__aenter__()
        assert await ctx.receive() == Item(1)

    async with Solo(worker=worker).open() as running:
        await running.route_message(Item(1))


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (0, ValueError),
        (-1, ValueError),
        (2.5, TypeError),
        (float("inf"), TypeError),
        (True, TypeError),
        ("3", TypeError),
    ],
)
async def test_max_in_flight_is_a_positive_integer(
    autojump_clock: MockClock, wrong: float | str, error: type[Exception]
) -> None:
    async def worker(ctx: AnyContext) -> None:
        with pytest.raises(error):
            ctx.open_workers(wrong)  # type: ignore[arg-type]  # that is the test
        await idle(ctx)

    await Solo(worker=worker).run()


async def test_what_was_not_entered_cannot_be_left(autojump_clock: MockClock) -> None:
    async def worker(ctx: AnyContext) -> None:
        with pytest.raises(RuntimeError, match="these workers are not open"):
            await ctx.open_workers(1).__aexit__(None, None, None)

    await Solo(worker=worker).run()
