"""How drain, broadcasts and statistics see threads: waiting in a call, or at work outside of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from orchestra_trio import SubsystemStalled
from tests.delivery.crowds import hasty
from tests.runtime.contexts.blocking import (
    AnyBlockingContext,
    Collects,
    Desk,
    Gate,
    Mixed,
    Reverse,
    Tandem,
    Wheel,
    idle,
    until,
    until_it_waits,
    waits_of,
)
from tests.runtime.samples import AnyContext, Item, Other, Tick

if TYPE_CHECKING:
    from trio.testing import MockClock

    from orchestra_trio import RunningOrchestra


def counts_down(reply: Any, ended: list[str], got: list[int], gate: Gate | None = None) -> Any:  # noqa: ANN401 - of any wiring
    """Send back each number less one, until 0."""

    def play(ctx: AnyBlockingContext) -> None:
        for incoming in ctx:
            got.append(incoming.number)
            if gate is not None:
                gate.wait()
            if incoming.number:
                ctx.send(reply(incoming.number - 1))
        ended.append(ctx.name)

    return play


def counts_down_too(reply: Any, ended: list[str], got: list[int]) -> Any:  # noqa: ANN401 - as above
    """The same, in a task."""

    async def play(ctx: AnyContext) -> None:
        async for incoming in ctx:
            got.append(incoming.number)
            if incoming.number:
                await ctx.send(reply(incoming.number - 1))
        ended.append(ctx.name)

    return play


# --- Drain -----------------------------------------------------------------------------------------------------------


async def test_drain_waits_for_a_thread_that_is_at_work() -> None:
    """Downstream goes on, and receives what it sends in the end."""

    def source(ctx: AnyBlockingContext) -> None:
        gate.wait()
        ctx.send_many([Item(1), Item(2), Item(3)])

    gate, sink = Gate(), Collects()
    async with Tandem(source=source, sink=sink).open() as running:
        running.close_input()
        await until_it_waits(running, "sink")
        await wait_all_tasks_blocked()
        assert [one.state for one in running.statistics().subsystems.values()] == ["ending", "running"]
        gate.open()
    assert sink.got == [Item(1), Item(2), Item(3)]


@pytest.mark.parametrize("wiring", [Wheel, Mixed, Reverse])
async def test_a_cycle_with_threads_ends_once_all_of_it_rests(wiring: Any) -> None:  # noqa: ANN401 - any of them
    """The members one at a time, in declaration order."""
    got: list[int] = []
    ended: list[str] = []
    ping = counts_down_too(Other, ended, got) if wiring is Reverse else counts_down(Other, ended, got)
    pong = counts_down_too(Item, ended, got) if wiring is Mixed else counts_down(Item, ended, got)
    async with wiring(ping=ping, pong=pong).open() as running:
        await running.route_message(Item(50))
    assert got == [*range(50, -1, -1)]
    assert ended == ["ping", "pong"]


async def test_a_cycle_is_not_at_rest_while_a_thread_computes() -> None:
    """Whatever the others do: it may still send."""
    got: list[int] = []
    gate = Gate()
    pong = counts_down(Item, [], got, gate)
    async with Wheel(ping=counts_down(Other, [], got), pong=pong).open() as running:
        await running.route_message(Item(3))
        running.close_input()
        await until(lambda: gate.is_reached)
        await until_it_waits(running, "ping")
        await wait_all_tasks_blocked()
        assert {one.state for one in running.statistics().subsystems.values()} == {"running"}
        gate.open()
    assert got == [3, 2, 1, 0]


async def test_a_cycle_is_not_at_rest_while_a_job_computes() -> None:
    def job(ctx: AnyBlockingContext) -> None:
        gate.wait()
        ctx.send(Other(1))

    def ping(ctx: AnyBlockingContext) -> None:
        ctx.start_soon(job, ctx)
        idle(ctx)

    got: list[int] = []
    gate = Gate()
    async with Wheel(ping=ping, pong=counts_down(Item, [], got)).open() as running:
        running.close_input()
        await until(lambda: gate.is_reached and waits_of(running, "ping") and waits_of(running, "pong"))
        await wait_all_tasks_blocked()
        assert {one.state for one in running.statistics().subsystems.values()} == {"running"}
        gate.open()
    assert got == [1]


async def test_a_job_that_computes_in_the_background_counts_as_resting() -> None:
    def ping(ctx: AnyBlockingContext) -> None:
        ctx.start_soon(gate.wait, background=True)
        idle(ctx)
        gate.open()

    gate = Gate()
    async with Wheel(ping=ping, pong=idle).open() as running:
        await until(lambda: gate.is_reached)
    assert {one.state for one in running.statistics().subsystems.values()} == {"finished"}


async def test_a_cycle_is_not_at_rest_while_a_thread_leaves_a_message_where_it_is() -> None:
    """It waits for a signal alone."""
    got: list[int] = []

    def ping(ctx: AnyBlockingContext) -> None:
        ctx.receive_signal()
        counts_down(Other, [], got)(ctx)

    async with Wheel(ping=ping, pong=counts_down(Item, [], got)).open() as running:
        await running.route_message(Item(3))
        running.close_input()
        await until_it_waits(running, "ping")
        await wait_all_tasks_blocked()
        assert got == []
        await running.broadcast_signal(Tick())
    assert got == [3, 2, 1, 0]


# --- Signals ---------------------------------------------------------------------------------------------------------


async def test_a_broadcast_waits_until_a_thread_has_taken_enough() -> None:
    """And then goes on at once."""
    gate = Gate()
    worker = Collects(gate)
    async with Desk(worker=worker).open() as running, trio.open_nursery() as nursery:
        await running.broadcast_signal(Tick(1))
        await running.broadcast_signal(Tick(2))
        returned: list[int] = []
        nursery.start_soon(broadcast, running, 3, returned)
        await wait_all_tasks_blocked()
        assert returned == []
        assert running.statistics().subsystems["worker"].signals.channel_len == 3
        gate.open()
        await until(lambda: returned)
        await running.wait_epoch(3)
    assert worker.got == [Tick(1), Tick(2), Tick(3)]


async def broadcast(running: RunningOrchestra[Tick, Any], number: int, returned: list[int]) -> None:
    returned.append(await running.broadcast_signal(Tick(number)))


async def test_a_stall_says_where_the_thread_stands(autojump_clock: MockClock) -> None:
    def compute() -> None:
        gate.wait()

    def worker(_: AnyBlockingContext) -> None:
        compute()

    gate = Gate()
    async with Desk(worker=worker).open() as running:
        await until(lambda: gate.is_reached)
        await running.broadcast_signal(Tick())
        await running.broadcast_signal(Tick())
        with pytest.raises(SubsystemStalled) as caught:
            await running.broadcast_signal(Tick())
        gate.open()
    text = str(caught.value)
    assert "stands in a thread, at" in text
    assert "in compute" in running_text(caught.value)


def running_text(error: SubsystemStalled) -> str:
    return "".join(standing.stack for standing in error.standings)


# --- Statistics ------------------------------------------------------------------------------------------------------


async def test_the_dump_shows_where_threads_stand() -> None:
    def compute() -> None:
        gate.wait()

    def source(ctx: AnyBlockingContext) -> None:
        ctx.started()
        compute()

    gate = Gate()
    async with Tandem(source=source, sink=idle).open() as running:
        await until(lambda: gate.is_reached)
        await until_it_waits(running, "sink")
        text = running.dump()
        gate.open()
    assert "source: running, stands in a thread, at" in text
    assert "thread of source" in text
    assert "in compute" in text
    assert "sink: running, waits to receive" in text


async def test_statistics_add_up_at_every_moment_while_threads_work() -> None:
    """Also beside dumps, which look at the threads themselves."""

    def source(ctx: AnyBlockingContext) -> None:
        for number in range(500):
            ctx.send(Item(number))

    sink = Collects()
    with hasty():
        async with Tandem(source=source, sink=sink).open() as running:
            turns = 0
            while running.statistics().subsystems["source"].state != "finished":
                turns += 1
                for one in running.statistics().subsystems.values():
                    lane = one.bounded
                    assert lane.sent == lane.received + lane.channel_len
                    assert lane.channel_len <= lane.peak_channel_len <= 2
                if turns % 10 == 0:
                    assert "sink" in running.dump()
                await trio.lowlevel.checkpoint()
    assert [one.number for one in sink.got] == [*range(500)]
