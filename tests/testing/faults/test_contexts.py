"""What an intercepted subsystem gets is a context in all that it does: jobs, workers, senders, several receivers."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import trio
import trio.lowlevel
from trio.testing import wait_all_tasks_blocked

from orchestra_trio import Orchestra, Priority, Subsystem, SubsystemContext, SubsystemSender, UndeclaredMessage
from orchestra_trio import subsystem as slot
from orchestra_trio.testing.faults.chances import delay, drop, duplicate, reorder
from orchestra_trio.testing.faults.intercepted import intercept
from orchestra_trio.testing.faults.stages import Instead
from tests.runtime.samples import Collect, Duo, Item, Other, Playing, Sends, Solo, Tick, stopped
from tests.testing.faults.lines import Line, Red, Sink

if TYPE_CHECKING:
    from collections.abc import Callable

    from trio.testing import MockClock

    from tests.runtime.samples import AnyContext


async def test_it_is_a_context_of_the_same_subsystem(autojump_clock: MockClock) -> None:
    seen: list[Any] = []

    async def main(ctx: AnyContext) -> None:
        seen.extend([type(ctx), ctx.name, ctx.epoch, ctx.sender])
        ctx.started()
        async for _ in ctx:
            seen.append(ctx.epoch)  # noqa: PERF401 - as it is at each

    class Ready(Orchestra[Tick]):
        worker: Subsystem[Item, None, Tick] = slot(sends=(), readiness=True)

    async with Ready(worker=drop(intercept(main))).open() as running:
        await running.broadcast_signal(Tick(1))
        await running.broadcast_signal(Tick(2))
    assert issubclass(seen[0], SubsystemContext)
    assert isinstance(seen[3], SubsystemSender)
    assert seen[1:3] + seen[4:] == ["worker", 0, 1, 2]


SENDING: dict[str, Callable[[AnyContext, list[Item]], Any]] = {}


def sending(function: Callable[[AnyContext, list[Item]], Any]) -> Callable[[AnyContext, list[Item]], Any]:
    SENDING[function.__name__] = function
    return function


@sending
async def one_by_one(ctx: AnyContext, items: list[Item]) -> None:
    for item in items:
        await ctx.send(item)


@sending
async def as_a_list(ctx: AnyContext, items: list[Item]) -> None:
    await ctx.send_many(items)


@sending
async def as_an_iterable(ctx: AnyContext, items: list[Item]) -> None:
    await ctx.send_many(iter(items), priority=Priority.HIGH)


@sending
async def by_a_sender(ctx: AnyContext, items: list[Item]) -> None:
    await ctx.sender.send_many(items)


@sending
async def by_a_job(ctx: AnyContext, items: list[Item]) -> None:  # noqa: ASYNC124 - as those that wait
    ctx.start_soon(one_by_one, ctx, items)


@sending
async def by_a_job_that_was_started(ctx: AnyContext, items: list[Item]) -> None:
    async def job(task_status: trio.TaskStatus[None]) -> None:  # noqa: ASYNC114 - as those that wait
        task_status.started()
        await one_by_one(ctx, items)

    await ctx.start(job)


@sending
async def by_a_worker(ctx: AnyContext, items: list[Item]) -> None:
    async with ctx.open_workers(1) as workers:
        workers.start_soon(one_by_one, ctx, items)


@sending
async def from_a_thread(ctx: AnyContext, items: list[Item]) -> None:  # noqa: ASYNC124 - as those that wait
    sender: Any = ctx.sender
    ctx.start_blocking_soon(lambda: trio.from_thread.run(one_by_one, sender, items))


@sending
async def at_once(ctx: AnyContext, items: list[Item]) -> None:  # noqa: ASYNC124 - as those that wait
    for item in items:
        ctx.send_nowait(item)


@pytest.mark.parametrize("send", SENDING.values(), ids=SENDING)
async def test_messages_pass_the_fault_however_they_are_sent(
    autojump_clock: MockClock, send: Callable[[AnyContext, list[Item]], Any]
) -> None:
    items = [Item(number) for number in range(6)]
    sink = Collect()
    faulty = drop(Playing(lambda ctx: send(ctx, items)), every=3)
    await Duo.builder().source(faulty).sink(sink).message_channel_capacity(9).build().run()
    assert sink.numbers == [0, 1, 3, 4]
    assert faulty.dropped == 2


async def test_send_many_of_nothing_checks_for_cancellation(autojump_clock: MockClock) -> None:
    async def main(ctx: AnyContext) -> None:
        with trio.CancelScope() as scope:
            scope.cancel()
            await ctx.send_many([])
        assert scope.cancelled_caught
        with trio.CancelScope() as scope:
            scope.cancel()
            await ctx.send(Item(1))
        assert scope.cancelled_caught

    faulty = drop(Playing(main))
    await Duo(source=faulty, sink=Collect()).run()
    assert faulty.dropped == 0


async def test_send_many_refuses_a_list_before_anything_is_sent(autojump_clock: MockClock) -> None:
    sink = Collect()
    with stopped() as errors:
        await Duo(source=drop(Playing(lambda ctx: ctx.send_many([Item(1), "x"])), every=9), sink=sink).run()
    assert isinstance(errors[0], UndeclaredMessage)
    assert sink.got == []


@pytest.mark.parametrize("how", ["send", "send_nowait", "send_unbounded"])
async def test_undeclared_types_are_refused_though_they_would_be_dropped(autojump_clock: MockClock, how: str) -> None:
    async def main(ctx: AnyContext) -> None:
        with suppress(TypeError):
            await getattr(ctx, how)("x" if how != "send_unbounded" else Item(1))

    with stopped() as errors:
        await Duo(source=drop(main), sink=Collect()).run()
    assert isinstance(errors[0], UndeclaredMessage)


async def test_send_nowait_says_when_there_is_no_room(autojump_clock: MockClock) -> None:
    """For the message itself; a copy that finds no room is dropped."""
    sink = Collect(delay=1)

    async def main(ctx: AnyContext) -> None:
        await wait_all_tasks_blocked()
        ctx.send_nowait(Item(1))
        with pytest.raises(trio.WouldBlock):
            ctx.send_nowait(Item(2))

    class Narrow(Orchestra, message_capacity=1):
        source: Subsystem[Any, Item] = slot(consumes=())
        sink: Subsystem[Item]

    faulty = duplicate(main)
    await Narrow(source=faulty, sink=sink).run()
    assert sink.numbers == [1]
    assert (faulty.sent.seen, faulty.sent.added, faulty.sent.passed, faulty.sent.dropped) == (1, 1, 1, 1)


@pytest.mark.parametrize("count", [1, 2, 3])
async def test_copies_are_received_by_whichever_task_is_free(autojump_clock: MockClock, count: int) -> None:
    """One that waits is woken for a copy, though nothing more comes from the lane."""
    got: list[tuple[str, int]] = []

    async def receive(ctx: AnyContext, name: str) -> None:
        async for one in ctx:
            got.append((name, one.number))
            await trio.sleep(10)

    async def main(ctx: AnyContext) -> None:
        ctx.start_soon(receive, ctx, "job")
        await receive(ctx, "main")

    async with Solo(worker=intercept(main, on_receive=lambda one: Instead(*[one] * count))).open() as running:
        await wait_all_tasks_blocked()
        await running.route_message(Item(1))
        await trio.sleep(1)
        assert len(got) == min(2, count)
    assert len(got) == count
    assert len(set(got)) == min(2, count)


async def test_a_task_that_waits_for_signals_alone_is_told_the_end(autojump_clock: MockClock) -> None:
    """Once another one has received all that was kept from the input that had ended."""
    ended: list[float] = []

    async def main(ctx: AnyContext) -> None:
        async def job() -> None:
            with suppress(trio.EndOfChannel):
                await ctx.receive_signal()
            ended.append(trio.current_time())

        ctx.start_soon(job)
        async for _ in ctx:
            await trio.sleep(1)

    async with Solo(worker=duplicate(delay(main, seconds=2))).open() as running:
        await running.route_message(Item(1))
        await trio.sleep(1)
    assert ended == [5]


async def test_receive_many_gives_what_is_there_and_no_more_than_asked_for(autojump_clock: MockClock) -> None:
    batches: list[list[int]] = []

    async def main(ctx: AnyContext) -> None:
        await trio.sleep(1)
        with suppress(trio.EndOfChannel):
            while True:
                batches.append([one.number for one in await ctx.receive_many(4)])
        with pytest.raises(ValueError, match="at least 1"):
            await ctx.receive_many(0)

    faulty = duplicate(drop(Playing(main), Item))
    solo = Solo.builder().worker(faulty).message_channel_capacity(99).build()
    async with solo.open() as running:
        for number in range(3):
            await running.route_message(Other(number))
            await running.route_message(Item(number))
        await running.broadcast_signal(Tick(9))
    assert batches == [[9], [0, 0, 1, 1], [2, 2]]


@pytest.mark.parametrize(
    ("wrap", "copies"),
    [(duplicate, 2), (partial(reorder, window=4), 1), (lambda one: reorder(duplicate(one), window=2), 2)],
)
async def test_workers_get_messages_only_while_one_is_free(
    autojump_clock: MockClock, wrap: Callable[[Any], Any], copies: int
) -> None:
    """Also of those that were taken from the lane before; and signals always."""
    at_work: list[int] = []
    done: list[int] = []
    most = [0]

    async def work(number: int) -> None:
        at_work.append(number)
        most[0] = max(most[0], len(at_work))
        await trio.sleep(1)
        at_work.remove(number)
        done.append(number)

    async def main(ctx: AnyContext) -> None:
        async with ctx.open_workers(2) as workers:
            async for one in workers:
                if isinstance(one, Tick):
                    done.append(-one.number)
                else:
                    workers.start_soon(work, one.number)

    async with Solo.builder().worker(wrap(Playing(main))).message_channel_capacity(9).build().open() as running:
        for number in range(1, 6):
            await running.route_message(Item(number))
        await trio.sleep(0.5)
        await running.broadcast_signal(Tick(7))
        await trio.lowlevel.checkpoint()
    assert most == [2]
    assert done[0] == -7
    assert sorted(done[1:]) == [number for number in range(1, 6) for _ in range(copies)]


async def test_workers_that_another_task_starts_take_the_last_place(autojump_clock: MockClock) -> None:
    """Then the iteration waits, although a message is due: it is handed out when a worker is free."""
    log: list[tuple[float, object]] = []

    async def main(ctx: AnyContext) -> None:
        async with ctx.open_workers(1) as workers:

            async def occupy() -> None:
                await trio.sleep(1)
                workers.start_soon(trio.sleep, 4)

            ctx.start_soon(occupy)
            async for one in workers:
                log.append((trio.current_time(), one))
                workers.start_soon(trio.sleep, 0)

    async with Solo(worker=delay(Playing(main), seconds=3)).open() as running:
        await running.route_message(Item(1))
    assert log == [(5, Item(1))]


async def test_a_sender_that_outlives_its_subsystem(autojump_clock: MockClock) -> None:
    """It keeps nothing back any more, since nobody could send it later."""
    sink = Sink(is_eager=True)
    senders: list[Any] = []

    async def main(ctx: AnyContext) -> None:
        senders.append(ctx.sender)
        await trio.lowlevel.checkpoint()

    async with Line(source=delay(reorder(main, window=3), seconds=1), sink=sink).open() as running:
        await wait_all_tasks_blocked()
        assert running.statistics().subsystems["source"].state == "finished"
        await senders[0].send(Red(1))
        senders[0].send_unbounded(Red(2, "unbounded"))
        senders[0].send_nowait(Red(3))
        await wait_all_tasks_blocked()
        assert [one.number for one in sink.got] == [1, 2, 3]
    assert sink.times == [1, 1, 1]


async def test_what_a_wrapper_of_ones_own_receives_beside_it(autojump_clock: MockClock) -> None:
    """Between two faults, and around both: each sees what has passed those around it."""
    seen: dict[str, list[int]] = {"outer": [], "inner": []}

    def spy(name: str, original: Any) -> Any:  # noqa: ANN401 - subsystems of any types
        async def main(ctx: AnyContext) -> None:
            for _ in range(2):
                seen[name].append((await ctx.receive()).number)
            await original(ctx)

        return main

    sink = Collect()
    faulty = spy("outer", drop(spy("inner", duplicate(sink)), every=2))
    source = Sends(*[Item(number) for number in range(9)])
    await Duo(source=source, sink=faulty).run()
    assert seen == {"outer": [0, 1], "inner": [2, 4]}
    assert sink.numbers == [6, 6, 8, 8]
