"""The calls of a blocking context: the same names, receiving, and who may use it from where."""

from __future__ import annotations

import gc
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
import trio

from orchestra_trio import (
    BlockingSubsystem,
    BlockingSubsystemContext,
    DeclarationError,
    Orchestra,
    Priority,
    SubsystemContext,
    subsystem,
)
from tests.runtime.contexts.blocking import (
    PATIENCE,
    AnyBlockingContext,
    Collects,
    Desk,
    Does,
    Gate,
    Lanes,
    Lone,
    Press,
    Ready,
    until,
    until_it_ends,
    until_it_waits,
)
from tests.runtime.contexts.blocking import done as done_thread
from tests.runtime.contexts.blocking import idle as idle_thread
from tests.runtime.samples import Ask, Collect, Item, Other, Tick, idle, stopped

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_blocking_context_has_the_names_of_the_other_one() -> None:
    """But for what belongs to tasks: workers, and jobs that say when they are started."""
    theirs = {name for name in dir(SubsystemContext) if not name.startswith("_")}
    ours = {name for name in dir(BlockingSubsystemContext) if not name.startswith("_")}
    assert theirs - ours == {"open_workers", "start", "start_blocking_soon"}
    assert ours - theirs == {"check_cancelled"}


# --- Receiving -------------------------------------------------------------------------------------------------------


def all_by_receive(ctx: AnyBlockingContext) -> list[Any]:
    return [ctx.receive() for _ in range(5)]


def all_by_receive_nowait(ctx: AnyBlockingContext) -> list[Any]:
    return [ctx.receive_nowait() for _ in range(5)]


def all_by_receive_many(ctx: AnyBlockingContext) -> list[Any]:
    batches = [ctx.receive_many(3) for _ in range(3)]
    assert [len(batch) for batch in batches] == [1, 3, 1]
    return [one for batch in batches for one in batch]


def all_by_iteration(ctx: AnyBlockingContext) -> list[Any]:
    return list(ctx)


@pytest.mark.parametrize("take", [all_by_receive, all_by_receive_nowait, all_by_receive_many, all_by_iteration])
async def test_all_ways_to_receive_serve_signals_and_then_what_the_strategy_chooses(
    take: Callable[[AnyBlockingContext], list[Any]],
) -> None:
    gate = Gate()

    def feeder(ctx: AnyBlockingContext) -> None:
        ctx.send_unbounded(Other(3))

    def worker(ctx: AnyBlockingContext) -> list[int]:
        gate.wait()
        return [one.number for one in take(ctx)]

    player = Does(worker)
    async with Lanes(feeder=feeder, worker=player).open() as running:
        await running.route_message(Item(4))
        await running.route_message(Item(5))
        await running.route_message(Item(2), priority=Priority.HIGH)
        await running.broadcast_signal(Tick(1))
        await until(lambda: running.statistics().subsystems["worker"].unbounded.sent)
        gate.open()
    assert player.result == [1, 2, 3, 4, 5]


async def test_receive_waits_for_what_comes_and_returns_it_itself() -> None:
    worker = Collects()
    items: list[Item | Tick] = [Item(1), Tick(2), Item(3)]
    async with Desk(worker=worker).open() as running:
        for item in items:
            await until_it_waits(running, "worker")
            if isinstance(item, Tick):
                await running.broadcast_signal(item)
            else:
                await running.route_message(item)
    assert [id(one) for one in worker.got] == [id(one) for one in items]


async def test_every_call_says_when_the_input_has_ended() -> None:
    """Each time it is asked."""

    def worker(ctx: AnyBlockingContext) -> str:
        gate.wait()
        assert ctx.receive_nowait() == Item(1)
        calls: list[Callable[[], object]]
        calls = [ctx.receive, ctx.receive_nowait, ctx.receive_signal, lambda: ctx.receive_many(2)]
        for call in calls:
            with pytest.raises(trio.EndOfChannel):
                call()
        return "ended" if list(ctx) == [] else "goes on"

    gate = Gate()
    player = Does(worker)
    async with Desk(worker=player).open() as running:
        await running.route_message(Item(1))
        running.close_input()
        gate.open()
    assert player.result == "ended"


async def test_receive_nowait_says_when_there_is_nothing() -> None:
    def worker(ctx: AnyBlockingContext) -> str:
        with pytest.raises(trio.WouldBlock):
            ctx.receive_nowait()
        return "nothing"

    player = Does(worker)
    async with Desk(worker=player).open() as running:
        await until_it_ends(running, "worker")
    assert player.result == "nothing"


async def test_receive_signal_leaves_messages_where_they_are() -> None:
    def worker(ctx: AnyBlockingContext) -> list[Any]:
        return [ctx.receive_signal(), ctx.receive(), ctx.receive_signal(), *ctx]

    player = Does(worker)
    async with Desk(worker=player).open() as running:
        await until_it_waits(running, "worker")
        await running.route_message(Item(1))
        await running.route_message(Item(2))
        assert running.statistics().subsystems["worker"].bounded.channel_len == 2
        await running.broadcast_signal(Tick(1))
        await until(lambda: running.statistics().subsystems["worker"].bounded.received == 1)
        await running.broadcast_signal(Tick(2))
    assert player.result == [Tick(1), Item(1), Tick(2), Item(2)]


async def test_receive_many_takes_at_least_one() -> None:
    def worker(ctx: AnyBlockingContext) -> object:
        with pytest.raises(ValueError, match="at least 1, not 0"):
            ctx.receive_many(0)
        return list(ctx.receive_many(5)), list(ctx)

    player = Does(worker)
    async with Desk(worker=player).open() as running:
        await until_it_waits(running, "worker")
        await running.route_message(Item(1))
        await running.route_message(Item(2))
    assert player.result in [([Item(1)], [Item(2)]), ([Item(1), Item(2)], [])]


async def test_a_strategy_that_fails_takes_nothing() -> None:
    """Its error comes out where the thread receives, and the messages are still there."""
    gate = Gate()

    class Fails:
        def chooser(self) -> Any:  # noqa: ANN401 - a lane chooser
            return self

        def __call__(self, ready: object) -> str:
            raise LookupError

        def reset(self) -> None: ...

    class Choosy(Orchestra[Tick]):
        worker: BlockingSubsystem[Item] = subsystem(priority=True, select=Fails())

    def worker(ctx: AnyBlockingContext) -> None:
        gate.wait()
        calls: list[Callable[[], object]] = [ctx.receive, ctx.receive_nowait, lambda: ctx.receive_many(2)]
        for call in calls:
            with pytest.raises(LookupError):
                call()

    async with Choosy(worker=worker).open() as running:
        await running.route_message(Item(1))
        await running.route_message(Item(2), priority=Priority.HIGH)
        gate.open()
    assert running.statistics().dead_letters == {"left over": 2}


# --- Saying that it is ready -----------------------------------------------------------------------------------------


async def test_opening_waits_for_the_thread_to_say_that_it_is_started() -> None:
    """Saying it again does nothing."""
    gate = Gate()
    ready: list[str] = []

    def worker(ctx: AnyBlockingContext) -> None:
        gate.wait()
        ready.append(ctx.name)
        ctx.started()
        ctx.started()
        idle_thread(ctx)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(open_late, gate)
        async with Ready(worker=worker).open() as running:
            assert ready == ["worker"]
            assert running.statistics().subsystems["worker"].state == "running"


async def open_late(gate: Gate) -> None:
    await until(lambda: gate.is_reached)
    gate.open()


async def test_one_that_ends_without_saying_so_is_an_error() -> None:
    with stopped() as errors:
        async with Ready(worker=done_thread).open():
            pytest.fail("it opened")
    assert [str(one) for one in errors] == ["subsystem 'worker' ended without calling ctx.started()"]


# --- From where it may be used ---------------------------------------------------------------------------------------


async def test_name_and_epoch_can_be_read_from_anywhere() -> None:
    contexts: list[AnyBlockingContext] = []

    def worker(ctx: AnyBlockingContext) -> list[int]:
        contexts.append(ctx)
        return [ctx.epoch for _ in ctx]

    player = Does(worker)
    async with Desk(worker=player).open() as running:
        await until_it_waits(running, "worker")
        assert (contexts[0].name, contexts[0].epoch) == ("worker", 0)
        await running.broadcast_signal(Tick(1))
        await running.wait_epoch(1)
        await running.send_signal("worker", Tick(2))
        await until_it_waits(running, "worker")
        assert contexts[0].epoch == 1
    assert player.result == [1, 1]


CALLS: dict[str, Callable[[AnyBlockingContext], object]] = {
    "receive": lambda ctx: ctx.receive(),
    "receive_nowait": lambda ctx: ctx.receive_nowait(),
    "receive_many": lambda ctx: ctx.receive_many(2),
    "receive_signal": lambda ctx: ctx.receive_signal(),
    "next": next,
    "send": lambda ctx: ctx.send(Item(1)),
    "send_nowait": lambda ctx: ctx.send_nowait(Item(1)),
    "send_many": lambda ctx: ctx.send_many([Item(1)]),
    "send_unbounded": lambda ctx: ctx.send_unbounded(Item(1)),
    "request": lambda ctx: ctx.request(Ask),
    "start_soon": lambda ctx: ctx.start_soon(pytest.fail, "a job was started"),
    "started": lambda ctx: ctx.started(),
    "check_cancelled": lambda ctx: ctx.check_cancelled(),
}


def test_all_calls_are_tried_from_the_wrong_thread() -> None:
    names = {name for name in dir(BlockingSubsystemContext) if not name.startswith("_")}
    assert CALLS.keys() == names - {"name", "epoch", "sender"} | {"next"}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_a_thread_that_is_not_its_own_is_refused(call: Callable[[AnyBlockingContext], object]) -> None:
    """Any other, the one of trio too, and its own once the function has returned. Nothing changes."""
    contexts: list[AnyBlockingContext] = []
    faults: list[object] = []

    def try_it() -> None:
        try:
            call(contexts[0])
        except RuntimeError as error:
            faults.append(str(error))

    def worker(ctx: AnyBlockingContext) -> None:
        contexts.append(ctx)
        other = Thread(target=try_it)
        other.start()
        other.join(PATIENCE)
        gate.wait()

    gate = Gate()
    async with Lone(worker=worker).open() as running:
        await running.route_message(Item(7))
        await running.broadcast_signal(Tick())
        await until(lambda: gate.is_reached)
        try_it()
        gate.open()
        await until_it_ends(running, "worker")
        await trio.to_thread.run_sync(try_it)
    assert len(faults) == 3
    assert all("was used from another thread than its own" in str(fault) for fault in faults)
    worker_now = running.statistics().subsystems["worker"]
    assert (worker_now.bounded.sent, worker_now.unbounded.sent, worker_now.signals.received) == (1, 0, 0)
    assert [letter.message for letter in running.dead_letters] == [Item(7)]


async def test_an_iterator_is_not_touched_from_a_wrong_thread() -> None:
    contexts: list[AnyBlockingContext] = []
    messages = iter([Item(1), Item(2)])
    async with Lone(worker=contexts.append).open() as running:
        await until_it_ends(running, "worker")
        with pytest.raises(RuntimeError, match="another thread"):
            contexts[0].send_many(messages)
    assert next(messages) == Item(1)


async def test_its_sender_is_for_tasks() -> None:
    """What it sends counts as sent by the subsystem."""
    sink = Collect()

    def source(ctx: AnyBlockingContext) -> None:
        trio.from_thread.run(ctx.sender.send, Item(1))
        trio.from_thread.run_sync(ctx.sender.send_nowait, Item(2))

    async with Press(source=source, sink=sink).open():
        pass
    assert sink.got == [Item(1), Item(2)]


# --- What may stand in its slot --------------------------------------------------------------------------------------


class AsyncCall:
    async def __call__(self, ctx: Any) -> None: ...  # noqa: ANN401 - of either kind

    async def method(self, ctx: Any) -> None: ...  # noqa: ANN401 - as above


@pytest.mark.parametrize("function", [idle, AsyncCall(), AsyncCall().method], ids=["function", "object", "method"])
def test_an_async_function_is_refused_when_the_orchestra_is_made(function: Any) -> None:  # noqa: ANN401 - as above
    with pytest.raises(DeclarationError, match=r"Desk\.worker: an async function is no blocking subsystem"):
        Desk(worker=function)


async def test_an_async_function_in_disguise_is_an_error_when_it_is_called() -> None:
    """Python does not warn of the coroutine that nobody awaited: filters would make that an error here."""
    disguised: Any = lambda ctx: idle(ctx)  # noqa: E731, PLW0108 - hides that it is async
    with stopped() as errors:
        await Desk(worker=disguised).run()
    assert [type(one) for one in errors] == [TypeError]
    assert "returned an awaitable: it must not be async" in str(errors[0])
    gc.collect()


async def test_an_async_job_is_an_error() -> None:
    with stopped() as errors:
        await Desk(worker=lambda ctx: ctx.start_soon(idle, ctx)).run()
    assert [type(one) for one in errors] == [TypeError]
    assert "idle was called and returned an awaitable" in str(errors[0])
    gc.collect()


async def test_a_sync_function_in_an_async_slot_is_an_error() -> None:
    blocking: Any = done_thread
    with stopped() as errors:
        await Press(source=done_thread, sink=blocking).run()
    assert [type(one) for one in errors] == [TypeError]
    assert "make it an async function" in str(errors[0])
