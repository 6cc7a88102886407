"""Lives of subsystems, tasks that end, workers: every span ends, and nothing is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Never

import pytest
import trio
from opentelemetry.trace import StatusCode

from orchestra_trio import Orchestra, Restart, Subsystem, subsystem
from orchestra_trio.runtime.surroundings import on_opening
from tests.runtime.samples import AnyContext, Duo, Item, Other, Tick, done, forever, idle, stopped
from tests.tracing.exported import Exported, events, has_parent, identity, senders

if TYPE_CHECKING:
    from trio.testing import MockClock

    from orchestra_trio.tracing.instrumenting import Instrumentation


class Solo(Orchestra[Tick]):
    sink: Subsystem[Item, Never, Tick]


async def test_a_life_has_a_span_with_its_signals(autojump_clock: MockClock) -> None:
    exported = Exported.make()
    async with Solo(sink=idle).open() as running:
        watch = exported.watch(running)
        same = Tick()
        assert await running.broadcast_signal(same) == 1
        await running.send_signal("sink", same)
        assert await running.broadcast_signal(same) == 2
        await trio.sleep(1)
        assert exported.spans == []
    life = exported.one("run sink")
    assert events(life) == [
        ("signal", {"orchestra.signal.type": "Tick", "orchestra.epoch": 1}),
        ("signal", {"orchestra.signal.type": "Tick"}),
        ("signal", {"orchestra.signal.type": "Tick", "orchestra.epoch": 2}),
    ]
    assert dict(life.attributes or {}) == {
        "orchestra.name": "Solo",
        "orchestra.subsystem": "sink",
        "orchestra.restarts": 0,
        "orchestra.state": "finished",
    }
    assert exported.names == {}
    assert watch.is_empty


@pytest.mark.parametrize("from_start", [False, True])
async def test_a_restart_begins_a_new_span_linked_to_the_one_before(
    autojump_clock: MockClock, from_start: bool
) -> None:
    class Retried(Orchestra):
        sink: Subsystem[Item] = subsystem(restart=Restart(max_restarts=1))

    async def fail_once(ctx: AnyContext) -> None:
        async for item in ctx:
            if item.number:
                raise ValueError

    exported = Exported.make()
    watches: list[Instrumentation] = []
    with on_opening(lambda running: watches.append(exported.watch(running)) if from_start else None):
        async with Retried(sink=fail_once).open() as running:
            if not from_start:
                watches.append(exported.watch(running))
            for number in (0, 1, 0):
                await running.route_message(Item(number))
                await trio.sleep(60)
    first, second = exported.named("run sink")
    assert senders(first) == []
    assert senders(second) == [identity(first)]
    assert events(first) == [("exception", {"exception.type": "ValueError"})]
    assert events(second) == [("restart", {"orchestra.restarts": 1})]
    statuses = [span.status.status_code for span in exported.named("process sink")]
    assert statuses == [StatusCode.UNSET, StatusCode.ERROR, StatusCode.UNSET]
    assert watches[0].is_empty


async def test_a_worker_stays_in_the_span_of_its_message(autojump_clock: MockClock) -> None:
    """Also where a worker's end is what lets the next message be taken."""
    exported = Exported.make()
    tracer = exported.provider.get_tracer("test")

    class Working(Orchestra):
        sink: Subsystem[Item, Other]
        end: Subsystem[Other]

    async def sink(ctx: AnyContext) -> None:
        async with ctx.open_workers(max_in_flight=2) as workers:
            async for item in workers:
                workers.start_soon(work, ctx, item.number)

    async def work(ctx: AnyContext, number: int) -> None:
        await trio.sleep(5 + number)
        tracer.start_span(f"work {number}").end()
        await ctx.send(Other(number))

    async with Working(sink=sink, end=idle).open() as running:
        watch = exported.watch(running)
        for number in range(6):
            with tracer.start_as_current_span(f"outside {number}"):
                await running.route_message(Item(number))
        await trio.sleep(100)
        assert len(exported.named("process sink")) == 6, "each ends when the next one is asked for, not with its worker"
    ends = {sender for span in exported.named("process end") for sender in senders(span)}
    for number, handled in enumerate(exported.named("process sink")):
        assert senders(handled) == [identity(exported.one(f"outside {number}"))]
        assert has_parent(exported.one(f"work {number}"), handled)
        assert identity(handled) in ends
    assert watch.is_empty


async def test_tasks_that_end_end_their_spans(autojump_clock: MockClock) -> None:
    """A job, a child task and the main task: each has a message in hand when it ends, or is cancelled."""
    exported = Exported.make()

    async def one(ctx: AnyContext) -> None:
        await ctx.receive()
        await trio.sleep(1)

    async def sink(ctx: AnyContext) -> None:
        async with trio.open_nursery() as nursery:  # noqa: ASYNC112 - it is about tasks of their own
            nursery.start_soon(one, ctx)
        assert len(exported.named("process sink")) == 1
        ctx.start_soon(one, ctx)
        await trio.sleep(5)
        assert len(exported.named("process sink")) == 2
        with trio.move_on_after(1):
            async with trio.open_nursery() as nursery:  # noqa: ASYNC112 - as above
                nursery.start_soon(forever_with_one, ctx)
        assert len(exported.named("process sink")) == 3
        await one(ctx)

    async def forever_with_one(ctx: AnyContext) -> None:
        await ctx.receive()
        await trio.sleep_forever()

    class Wide(Orchestra):
        sink: Subsystem[Item]

    async with Wide(sink=sink).open() as running:
        watch = exported.watch(running)
        for number in range(4):
            await running.route_message(Item(number))
    assert exported.names == {"process sink": 4}
    assert watch.is_empty


@pytest.mark.parametrize("how", ["cancel", "error", "outer", "terminate"])
async def test_however_it_ends_all_spans_end(autojump_clock: MockClock, how: str) -> None:
    exported = Exported.make()
    watches: list[Instrumentation] = []

    async def hold(ctx: AnyContext) -> None:
        await ctx.receive()
        await trio.sleep_forever()

    async def play() -> None:
        async with Duo(source=forever, sink=hold).open() as running:
            watches.append(exported.watch(running))
            for number in range(3):
                await running.route_message(Item(number))
            await trio.sleep(1)
            match how:
                case "cancel":
                    running.cancel()
                case "terminate":
                    await running.terminate(grace=1)
                case "error":
                    raise ValueError
                case _:
                    await trio.sleep_forever()

    if how == "error":
        with stopped():
            await play()
    else:
        with trio.move_on_after(10):
            await play()
    assert exported.names == {"process sink": 1, "dead letter sink": 2}
    states = {(span.attributes or {})["orchestra.state"] for span in exported.spans if span.name.startswith("run ")}
    assert states == {"cancelled"}
    assert watches[0].is_empty


async def test_a_deadlock_ends_all_spans(autojump_clock: MockClock) -> None:
    class Loop(Orchestra, message_capacity=1):
        one: Subsystem[Item, Other]
        two: Subsystem[Other, Item]

    async def flood(ctx: AnyContext) -> None:
        async for item in ctx:
            for _ in range(3):
                await ctx.send(Other(1) if isinstance(item, Item) else Item(1))

    exported = Exported.make()
    with stopped():
        async with Loop(one=flood, two=flood).open() as running:
            watch = exported.watch(running)
            await running.route_message(Item(1))
            await trio.sleep_forever()
    assert exported.names["process one"] >= 1
    assert watch.is_empty


async def test_what_has_ended_before_is_no_harm(autojump_clock: MockClock) -> None:
    exported = Exported.make()
    async with Duo(source=done, sink=idle).open() as running:
        await trio.sleep(1)
        watch = exported.watch(running)
        await running.route_message(Item(1))
    assert exported.named("run source") == []
    assert exported.names == {"process sink": 1}
    assert watch.is_empty


async def test_an_orchestra_that_has_ended_can_be_traced_in_vain(autojump_clock: MockClock) -> None:
    exported = Exported.make()
    async with Duo(source=done, sink=done).open() as running:
        await running.wait_stopped()
        watch = exported.watch(running)
    assert exported.spans == []
    assert watch.is_empty


async def test_two_traces_of_one_program_do_not_mix(autojump_clock: MockClock) -> None:
    """A task of one orchestra that sends into another is linked across."""
    one, two = Exported.make(), Exported.make()
    async with Solo(sink=idle).open() as inner:

        async def forward(ctx: AnyContext) -> None:
            async for item in ctx:
                await inner.route_message(Item(item.number))

        async with Duo(source=done, sink=forward).open() as outer:
            watches = [one.watch(outer), two.watch(inner)]
            await outer.route_message(Item(1))
    assert senders(two.one("process sink")) == [identity(one.one("process sink"))]
    assert all(watch.is_empty for watch in watches)
