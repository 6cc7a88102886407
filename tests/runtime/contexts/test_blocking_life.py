"""The life of a blocking subsystem: its threads, its jobs, its errors, and how it begins anew."""

from __future__ import annotations

import logging
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import trio

from orchestra_trio import BlockingSubsystem, Orchestra, Restart, SubsystemFilter, fresh, subsystem
from tests.runtime.contexts.blocking import (
    AnyBlockingContext,
    Collects,
    Desk,
    Does,
    Gate,
    Press,
    Tandem,
    idle,
    until,
    until_it_ends,
    waits_of,
)
from tests.runtime.samples import Collect, Item, Other, Tick, stopped

if TYPE_CHECKING:
    import pytest

    from orchestra_trio import RunningOrchestra

tag: ContextVar[str] = ContextVar("tag", default="nothing")


# --- Threads ---------------------------------------------------------------------------------------------------------


async def test_each_has_a_thread_of_its_own_beside_trios_limit() -> None:
    """The default limiter is full of others; blocking subsystems take nothing from it."""

    def note(ctx: AnyBlockingContext) -> None:
        threads[ctx.name] = threading.get_ident()
        idle(ctx)

    threads: dict[str, int] = {}
    limiter = trio.to_thread.current_default_thread_limiter()
    gate = Gate()
    async with trio.open_nursery() as nursery:
        for _ in range(int(limiter.total_tokens)):
            nursery.start_soon(trio.to_thread.run_sync, gate.wait)
        await until(lambda: limiter.available_tokens == 0)
        async with Tandem(source=note, sink=note).open():
            await until(lambda: len(threads) == 2)
            assert limiter.available_tokens == 0
            assert len({*threads.values(), threading.get_ident()}) == 3
        gate.open()


async def test_the_thread_is_named_after_its_subsystem_or_job() -> None:
    def worker(ctx: AnyBlockingContext) -> None:
        names.append(threading.current_thread().name)
        ctx.start_soon(lambda: names.append(threading.current_thread().name), name="a job")

    names: list[str] = []
    await Desk(worker=worker).run()
    assert names == ["worker", "a job"]


async def test_context_variables_reach_the_thread_and_its_jobs() -> None:
    """As tasks do, a thread inherits them where it is started; what it sets, its jobs see, and nobody else."""

    def job() -> None:
        seen.append(tag.get())
        tag.set("set in the job")

    def worker(ctx: AnyBlockingContext) -> None:
        seen.append(tag.get())
        tag.set("set in the thread")
        ctx.start_soon(job)
        tag.set("set too late")

    seen: list[str] = []
    token = tag.set("set by the program")
    await Desk(worker=worker).run()
    assert seen == ["set by the program", "set in the thread"]
    assert tag.get() == "set by the program"
    tag.reset(token)


async def test_log_records_from_threads_say_where_they_come_from(caplog: pytest.LogCaptureFixture) -> None:
    def worker(ctx: AnyBlockingContext) -> None:
        ctx.receive()
        logger.warning("main")
        ctx.start_soon(logger.warning, "job")

    logger = logging.getLogger("of.users")
    caplog.handler.addFilter(added := SubsystemFilter())
    try:
        async with Desk(worker=worker).open() as running:
            await running.broadcast_signal(Tick())
    finally:
        caplog.handler.removeFilter(added)
    records = [vars(record) for record in caplog.records]
    facts = [(one["msg"], one["orchestra"], one["subsystem"], one["epoch"]) for one in records]
    assert facts == [("main", "Desk", "worker", 1), ("job", "Desk", "worker", 1)]


async def test_trios_own_ways_from_threads_work_in_it() -> None:
    async def in_trio(*numbers: int) -> int:
        await trio.lowlevel.checkpoint()
        return sum(numbers)

    def worker(ctx: AnyBlockingContext) -> object:
        first = trio.from_thread.run(in_trio, 1, 2)
        received = ctx.receive()
        trio.from_thread.check_cancelled()
        return first, received, trio.from_thread.run_sync(threading.get_ident)

    player = Does(worker)
    async with Desk(worker=player).open() as running:
        await running.route_message(Item(1))
    assert player.result == (3, Item(1), threading.get_ident())


# --- Jobs ------------------------------------------------------------------------------------------------------------


async def test_jobs_run_in_further_threads_and_may_use_the_context() -> None:
    """The subsystem ends after them."""

    def job(ctx: AnyBlockingContext, number: int) -> None:
        threads.add(threading.get_ident())
        gate.wait()
        ctx.send(Item(number))
        if number:
            ctx.start_soon(job, ctx, number - 1)

    def source(ctx: AnyBlockingContext) -> None:
        threads.add(threading.get_ident())
        ctx.start_soon(job, ctx, 3)
        ctx.start_soon(job, ctx, 0)
        gate.wait()

    threads: set[int] = set()
    gate, sink = Gate(), Collect()
    async with Press(source=source, sink=sink).open() as running:
        await until(lambda: gate.is_reached and len(threads) == 3)
        now = running.statistics().subsystems["source"]
        assert (now.state, now.jobs) == ("running", 2)
        gate.open()
    assert sorted(sink.numbers) == [0, 0, 1, 2, 3]
    assert running.statistics().subsystems["source"].jobs == 0


async def test_threads_of_one_subsystem_share_its_mailbox() -> None:
    """Each message is received by one of them."""

    def serve(ctx: AnyBlockingContext, got: list[Any]) -> None:
        got.extend(ctx)

    def worker(ctx: AnyBlockingContext) -> None:
        for got in lists[1:]:
            ctx.start_soon(serve, ctx, got)
        serve(ctx, lists[0])

    lists: list[list[Any]] = [[] for _ in range(4)]
    items = [Item(number) for number in range(100)]
    async with Desk(worker=worker).open() as running:
        await until(lambda: len(waits_of(running, "worker")) == 4)
        for item in items:
            await running.route_message(item)
    assert sorted(one for got in lists for one in got) == items
    assert all(got == sorted(got) for got in lists)


async def test_background_jobs_are_cancelled_when_nothing_else_is_left() -> None:
    """Out of their waits; they count as jobs until then."""

    def background(ctx: AnyBlockingContext, kind: str) -> None:
        try:
            ctx.receive() if kind == "receive" else ctx.receive_signal()
        except trio.Cancelled:
            ends.append(kind)
            raise

    def worker(ctx: AnyBlockingContext) -> None:
        ctx.start_soon(background, ctx, "receive", background=True)
        ctx.start_soon(background, ctx, "signal", background=True)
        ctx.start_soon(gate.wait)
        gate.wait()

    ends: list[str] = []
    gate = Gate()
    async with Desk(worker=worker).open() as running:
        await until(lambda: len(waits_of(running, "worker")) == 2)
        await until(lambda: running.statistics().subsystems["worker"].jobs == 3)
        gate.open()
        await until_it_ends(running, "worker")
        assert running.statistics().subsystems["worker"].state == "finished"
    assert sorted(ends) == ["receive", "signal"]


async def test_a_background_job_that_begins_too_late_does_not_run() -> None:
    def worker(ctx: AnyBlockingContext) -> None:
        ctx.start_soon(ctx.receive, background=True)

    async with Desk(worker=worker).open() as running:
        await until_it_ends(running, "worker")
    assert running.statistics().subsystems["worker"].state == "finished"


# --- Beginning anew --------------------------------------------------------------------------------------------------


class Stubborn(Orchestra[Tick], message_capacity=10):
    """One in a thread that begins anew."""

    worker: BlockingSubsystem[Item | Other, Item, Tick] = subsystem(restart=Restart(max_restarts=2, backoff=0))


class Stumbles:
    """Fails at everything with an odd number, while a job of its waits."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.epochs: list[int] = []
        self.log: list[str] = []

    def job(self, gate: Gate) -> None:
        gate.open()
        try:
            trio.from_thread.run(trio.sleep_forever)
        except trio.Cancelled:
            self.log.append("job ended")
            raise

    def __call__(self, ctx: AnyBlockingContext) -> None:
        self.log.append("begun")
        self.epochs.append(ctx.epoch)
        gate = Gate()
        ctx.start_soon(self.job, gate, background=True)
        gate.wait()
        for incoming in ctx:
            self.got.append(incoming)
            if incoming.number % 2:
                raise LookupError


async def until_received(running: RunningOrchestra[Any, Any], count: int) -> None:
    await until(lambda: running.statistics().subsystems["worker"].bounded.received == count)


async def test_it_begins_anew_on_the_same_mailbox_after_all_of_it_has_ended() -> None:
    """Jobs included; messages, and the epoch, are kept."""
    worker = Stumbles()
    async with Stubborn(worker=worker).open() as running:
        for number in range(4):
            await running.route_message(Item(number))
        await until_received(running, 4)
    assert worker.got == [Item(number) for number in range(4)]
    assert running.statistics().subsystems["worker"].restarts == 2
    assert worker.log == ["begun", "job ended", "begun", "job ended", "begun", "job ended"]


async def test_the_epoch_is_kept() -> None:
    worker = Stumbles()
    async with Stubborn(worker=worker).open() as running:
        await running.broadcast_signal(Tick(1))
        await running.wait_epoch(1)
        await until(lambda: worker.epochs == [0, 1])
    assert running.statistics().subsystems["worker"].epoch == 1


async def test_past_its_limit_the_last_error_is_the_first_one() -> None:
    worker = Stumbles()
    with stopped() as errors:
        async with Stubborn(worker=worker).open() as running:
            for number in (1, 3, 5, 7):
                await running.route_message(Item(number))
            await running.wait_stopped()
    assert [type(one) for one in errors] == [LookupError]
    assert running.statistics().dead_letters == {"left over": 1}
    assert worker.got == [Item(1), Item(3), Item(5)]


async def test_a_fresh_object_for_each_incarnation() -> None:
    made: list[Collects] = []

    class Once(Collects):
        def __call__(self, ctx: AnyBlockingContext) -> None:
            made.append(self)
            self.got.append(ctx.receive())
            raise LookupError

    with stopped():
        async with Stubborn(worker=fresh(Once)).open() as running:
            for number in range(3):
                await running.route_message(Item(number))
            await running.wait_stopped()
    assert [one.got for one in made] == [[Item(0)], [Item(1)], [Item(2)]]
