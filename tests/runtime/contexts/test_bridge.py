"""The bridge between threads and trio: threads that go on although they were cancelled, and Ctrl-C."""

from __future__ import annotations

import logging
import signal
import sys
from typing import TYPE_CHECKING, Any, Self

import pytest
import trio
from typing_extensions import override

from orchestra_trio import BlockingSubsystem, Orchestra, Subsystem, subsystem
from tests.runtime.contexts.blocking import (
    PATIENCE,
    AnyBlockingContext,
    Desk,
    Does,
    Gate,
    Lone,
    Press,
    Tandem,
    idle,
    until,
    until_it_waits,
)
from tests.runtime.samples import Ask, Item, Tick, answering, forever, stopped
from tests.runtime.test_interrupts import Striker

if TYPE_CHECKING:
    from collections.abc import Callable

    from trio.testing import MockClock

    from orchestra_trio import RunningOrchestra


class Listens(logging.Handler):
    """Opens a gate at the first warning."""

    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self.gate = gate
        self.records: list[logging.LogRecord] = []
        self.times: list[float] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        self.times.append(trio.current_time())
        self.gate.open()

    def __enter__(self) -> Self:
        logging.getLogger("orchestra_trio").addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("orchestra_trio").removeHandler(self)


async def test_a_thread_that_goes_on_although_cancelled_is_named_with_its_stack(autojump_clock: MockClock) -> None:
    """In the log, ten seconds later; once."""

    def compute() -> None:
        gate.wait()

    def worker(ctx: AnyBlockingContext) -> None:
        assert ctx.receive() == Tick()
        compute()

    gate = Gate()
    with Listens(gate) as log:
        async with Desk(worker=worker).open() as running:
            await running.broadcast_signal(Tick())
            await until(lambda: gate.is_reached)
            running.cancel()
    (record,) = log.records
    facts = vars(record)
    assert (record.levelname, facts["orchestra"], facts["subsystem"], facts["epoch"]) == (
        "WARNING",
        "Desk",
        "worker",
        1,
    )
    text = record.getMessage()
    assert text.startswith("a thread of subsystem 'worker' of Desk goes on 10 s after it was cancelled")
    assert "thread of worker" in text
    assert "in compute" in text
    assert log.times == [10]


@pytest.mark.parametrize(("grace", "named_at"), [(3, 6), (0, 1)])
async def test_the_grace_of_terminate_counts_for_threads_too(
    grace: float, named_at: float, autojump_clock: MockClock
) -> None:
    """First until it is cancelled, and as long again until it is named; but each thread has a moment to end."""
    gate = Gate()
    with Listens(gate) as log:
        async with Desk(worker=lambda _: gate.wait()).open() as running:
            await until(lambda: gate.is_reached)
            report = await running.terminate(grace=grace)
    assert log.times == [named_at]
    assert report.cancelled == ("worker",)


async def test_a_thread_that_is_named_may_still_use_its_context(autojump_clock: MockClock) -> None:
    def worker(ctx: AnyBlockingContext) -> None:
        gate.wait()
        ctx.send_nowait(Item(1))
        with pytest.raises(trio.Cancelled):
            ctx.send(Item(2))
        ctx.send(Item(3))

    gate = Gate()
    player = Does(worker)
    with Listens(gate):
        async with Lone(worker=player).open() as running:
            await until(lambda: gate.is_reached)
            running.cancel()
    assert isinstance(player.error, trio.Cancelled)
    assert [letter.message for letter in running.dead_letters] == [Item(1)]


async def test_each_thread_that_goes_on_is_named(autojump_clock: MockClock) -> None:
    """Of a subsystem with several, too."""

    def worker(ctx: AnyBlockingContext) -> None:
        ctx.start_soon(gates[1].wait)
        gates[0].wait()

    gates = [Gate(), Gate()]
    with Listens(Gate()) as log:
        async with trio.open_nursery() as nursery, Desk(worker=worker).open() as running:
            await until(lambda: gates[0].is_reached and gates[1].is_reached)
            nursery.start_soon(open_both, gates, log)
            running.cancel()
    assert log.times == [10, 10]


async def open_both(gates: list[Gate], log: Listens) -> None:
    await trio.sleep(11)
    assert len(log.records) == 2
    for gate in gates:
        gate.open()


async def test_a_thread_that_ends_when_it_is_cancelled_is_not_named() -> None:
    with Listens(Gate()) as log:
        async with Tandem(source=idle, sink=idle).open() as running:
            await until_it_waits(running, "sink")
            running.cancel()
    assert log.records == []


# --- Ctrl-C ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["receive", "send", "request"])
def test_ctrl_c_cancels_a_thread_that_waits(kind: str) -> None:
    """It comes out of the block, and reaches no thread itself."""
    waits: dict[str, Callable[[AnyBlockingContext], object]] = {
        "receive": idle,
        "send": lambda ctx: ctx.send_many([Item(0), Item(0), Item(9)]),
        "request": lambda ctx: ctx.request(Ask, 0),
    }
    player = Does(waits[kind])

    async def main() -> None:
        async with Press(source=player, sink=forever).open() as running:
            await until_it_waits(running, "source", kind)
            trio.lowlevel.current_trio_token().run_sync_soon(signal.raise_signal, signal.SIGINT)
            await trio.sleep_forever()

    with stopped() as errors:
        trio.run(main)
    assert [type(one) for one in errors] == [KeyboardInterrupt]
    assert isinstance(player.error, trio.Cancelled)


def test_ctrl_c_in_what_a_thread_calls_in_trio_comes_out_there() -> None:
    """It is users' code there."""

    def worker(_: AnyBlockingContext) -> None:
        trio.from_thread.run_sync(signal.raise_signal, signal.SIGINT)

    player = Does(worker)
    with stopped() as errors:
        trio.run(Desk(worker=player).run)
    assert [type(one) for one in errors] == [KeyboardInterrupt]


class Threads(Orchestra[Tick], message_capacity=2, signal_capacity=1):
    """A little of what threads do."""

    source: BlockingSubsystem[str, Item | Ask, Tick]
    sink: BlockingSubsystem[Item] = subsystem(readiness=True)
    answers: Subsystem[Ask]


def serve_source(ctx: AnyBlockingContext) -> None:
    ctx.start_soon(ctx.send_many, [Item(number) for number in range(4)])
    ctx.start_soon(trio.from_thread.run, trio.sleep_forever, background=True)
    for incoming in ctx:
        if isinstance(incoming, str):
            ctx.request(Ask, 1)
            ctx.send(Item(1))


def serve_sink(ctx: AnyBlockingContext) -> None:
    ctx.started()
    idle(ctx)


async def use_threads(openings: list[RunningOrchestra[Tick, Any]]) -> None:
    """Open, use and end it; then see that nothing is left undone, whatever has struck."""
    threads = Threads(source=serve_source, sink=serve_sink, answers=answering)
    try:
        async with threads.open() as running:
            openings.append(running)
            for number in range(3):
                await running.broadcast_signal(Tick(number))
                await running.route_message(str(number))
            await running.terminate(Tick(9), grace=PATIENCE)
    finally:
        for one in openings:
            check_ended(one)
        with trio.CancelScope(shield=True), trio.fail_after(PATIENCE):
            for one in openings:
                await one.wait_stopped()
            async with threads.open() as running:
                running.cancel()


def check_ended(running: RunningOrchestra[Tick, Any]) -> None:
    left = 0
    for one in running.statistics().subsystems.values():
        assert one.state in {"finished", "cancelled", "failed"}
        assert (one.bounded.channel_len, one.jobs, one.waits) == (0, 0, ())
        left += one.bounded.sent - one.bounded.received
    assert left == running.statistics().dead_letters.get("left over", 0)


def strike(at: int) -> Striker:
    """Run it with one interrupt, at some line of the library in trio's thread."""
    striker = Striker(at)
    previous = sys.gettrace()
    sys.settrace(striker.trace)
    try:
        trio.run(use_threads, [])
    except KeyboardInterrupt:
        pass
    except BaseExceptionGroup as group:
        striker.others = [one for one in group.exceptions if not isinstance(one, KeyboardInterrupt)]
    finally:
        sys.settrace(previous)
    return striker


def test_ctrl_c_at_any_line_beside_threads_leaves_the_state_whole() -> None:
    """It comes out, no thread is left, and the orchestra can be opened again."""
    lines = strike(0).count
    strikers = [strike(at) for at in range(1, lines, max(1, lines // 50))]
    assert {one.struck: one.others for one in strikers if one.others} == {}
    assert len({one.struck for one in strikers}) > 20
