"""Blocking subsystems: spans of messages that threads handle, current in those threads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Never

import pytest
import trio

from orchestra_trio import BlockingSubsystem, Orchestra, Subsystem
from orchestra_trio.runtime.surroundings import on_opening
from tests.runtime.contexts.blocking import until_it_waits
from tests.runtime.samples import AnyContext, Ask, Item, Other, Tick, answering, idle, stopped
from tests.tracing.exported import Exported, has_parent, identity, senders

if TYPE_CHECKING:
    from orchestra_trio import BlockingSubsystemContext
    from orchestra_trio.tracing.instrumenting import Instrumentation


class Threaded(Orchestra[Tick], message_capacity=4):
    middle: BlockingSubsystem[Item, Other | Ask, Tick]
    end: Subsystem[Other | Ask]


@pytest.mark.parametrize("from_start", [False, True])
@pytest.mark.parametrize("waits", [False, True])
async def test_a_thread_has_the_span_of_its_message(from_start: bool, waits: bool) -> None:
    """Whether it waited for the message, or found it there."""
    exported = Exported.make()
    tracer = exported.provider.get_tracer("test")
    watches: list[Instrumentation] = []
    may_begin = threading.Event()

    def middle(ctx: BlockingSubsystemContext[Item, Other, Tick]) -> None:
        may_begin.wait()
        tracer.start_span("before").end()
        for item in ctx:
            if isinstance(item, Item):
                with tracer.start_as_current_span(f"mine {item.number}"):
                    tracer.start_span(f"inner {item.number}").end()
                ctx.send(Other(item.number))
        tracer.start_span("after").end()

    with on_opening(lambda running: watches.append(exported.watch(running)) if from_start else None):
        async with Threaded(middle=middle, end=idle).open() as running:
            if not from_start:
                watches.append(exported.watch(running))
            if waits:
                may_begin.set()
                await until_it_waits(running, "middle")
            for number in range(3):
                with tracer.start_as_current_span(f"outside {number}"):
                    await running.route_message(Item(number))
            may_begin.set()
    for number, handled in enumerate(exported.named("process middle")):
        assert senders(handled) == [identity(exported.one(f"outside {number}"))]
        mine = exported.one(f"mine {number}")
        assert has_parent(mine, handled)
        assert has_parent(exported.one(f"inner {number}"), mine)
        assert senders(exported.named("process end")[number]) == [identity(handled)]
    assert len(exported.named("process middle")) == 3
    assert exported.one("before").parent is None
    assert exported.one("after").parent is None
    assert watches[0].is_empty


async def test_a_thread_that_waited_before_anybody_watched_is_linked_to() -> None:
    """Its own spans nest from its next call on."""
    exported = Exported.make()
    tracer = exported.provider.get_tracer("test")

    def middle(ctx: BlockingSubsystemContext[Item, Other, Tick]) -> None:
        for item in ctx:
            if isinstance(item, Item):
                if item.number == 0:
                    tracer.start_span("too early").end()
                ctx.send(Other(item.number))
                tracer.start_span("mine").end()

    async with Threaded(middle=middle, end=idle).open() as running:
        await until_it_waits(running, "middle")
        watch = exported.watch(running)
        for number in range(3):
            await running.route_message(Item(number))
    assert exported.one("too early").parent is None
    for handled, mine, end in zip(*map(exported.named, ("process middle", "mine", "process end")), strict=True):
        assert has_parent(mine, handled)
        assert senders(end) == [identity(handled)]
    assert watch.is_empty


@pytest.mark.parametrize("ready", [False, True])
async def test_a_request_of_a_thread_is_a_child_of_its_message(ready: bool) -> None:
    """Whether it had waited for that, or found it there."""
    exported = Exported.make()
    may_begin = threading.Event()

    def middle(ctx: BlockingSubsystemContext[Item, Other | Ask, Tick]) -> None:
        may_begin.wait()
        for item in ctx:
            if isinstance(item, Item):
                assert ctx.request(Ask, 21) == 42

    async with Threaded(middle=middle, end=answering).open() as running:
        watch = exported.watch(running)
        if not ready:
            may_begin.set()
            await until_it_waits(running, "middle")
        await running.route_message(Item(1))
        may_begin.set()
    assert has_parent(exported.one("request end"), exported.one("process middle"))
    assert watch.is_empty


async def test_threads_of_one_subsystem_do_not_mix() -> None:
    """Each of several jobs has its own message, and what follows from it is linked to that."""
    exported = Exported.make()
    tracer = exported.provider.get_tracer("test")
    all_have_one = threading.Barrier(3)

    def middle(ctx: BlockingSubsystemContext[Item, Other, Tick]) -> None:
        ctx.receive()
        for _ in range(3):
            ctx.start_soon(one, ctx)

    def one(ctx: BlockingSubsystemContext[Item, Other, Tick]) -> None:
        item = ctx.receive()
        assert isinstance(item, Item)
        all_have_one.wait(60)
        tracer.start_span(f"mine {item.number}").end()
        ctx.send(Other(item.number))

    async with Threaded(middle=middle, end=idle).open() as running:
        watch = exported.watch(running)
        for number in range(4):
            with tracer.start_as_current_span(f"outside {number}"):
                await running.route_message(Item(number))
    handled = {senders(span)[0]: span for span in exported.named("process middle")}
    assert len(handled) == 4
    for number in range(1, 4):
        assert has_parent(exported.one(f"mine {number}"), handled[identity(exported.one(f"outside {number}"))])
    assert sorted(senders(span)[0] for span in exported.named("process end")) == sorted(
        identity(span) for span in exported.named("process middle")[1:]
    )
    assert watch.is_empty


async def test_a_thread_that_waits_for_room_and_for_answers_is_linked_to() -> None:
    exported = Exported.make()

    def middle(ctx: BlockingSubsystemContext[Item, Other | Ask, Tick]) -> None:
        for item in ctx:
            if isinstance(item, Item):
                for number in range(12):
                    ctx.send(Other(number))
                assert ctx.request(Ask, 21) == 42

    async with Threaded(middle=middle, end=answering).open() as running:
        watch = exported.watch(running)
        await running.route_message(Item(1))
    handled, client = exported.one("process middle"), exported.one("request end")
    assert has_parent(client, handled)
    linked = [senders(span) for span in exported.named("process end")]
    assert linked == [[identity(handled)]] * 12 + [[identity(client)]]
    assert watch.is_empty


async def test_a_thread_that_raises_ends_its_span_with_the_error() -> None:
    exported = Exported.make()

    def middle(ctx: BlockingSubsystemContext[Item, Never, Tick]) -> None:
        for _ in ctx:
            raise ValueError

    with stopped():
        async with Threaded(middle=middle, end=idle).open() as running:
            watch = exported.watch(running)
            await running.route_message(Item(1))
            await trio.sleep_forever()
    assert (exported.one("process middle").attributes or {})["error.type"] == "ValueError"
    assert watch.is_empty


async def test_a_thread_that_is_cancelled_ends_its_span() -> None:
    exported = Exported.make()
    has_one = trio.Event()

    def middle(ctx: BlockingSubsystemContext[Item, Never, Tick]) -> None:
        ctx.receive()
        trio.from_thread.run_sync(has_one.set)
        ctx.receive_signal()

    async with Threaded(middle=middle, end=idle).open() as running:
        watch = exported.watch(running)
        await running.route_message(Item(1))
        await has_one.wait()
        running.cancel()
    assert exported.names == {"process middle": 1}
    assert watch.is_empty


async def test_a_thread_that_hands_to_a_task_that_waits_makes_its_span_current() -> None:
    """The `receive` is told in the thread, in the context of the task."""
    exported = Exported.make()
    tracer = exported.provider.get_tracer("test")

    def middle(ctx: BlockingSubsystemContext[Item, Other, Tick]) -> None:
        for item in ctx:
            if isinstance(item, Item):
                ctx.send(Other(item.number))

    async def end(ctx: AnyContext) -> None:
        async for _ in ctx:
            tracer.start_span("mine").end()

    async with Threaded(middle=middle, end=end).open() as running:
        watch = exported.watch(running)
        await until_it_waits(running, "end")
        await running.route_message(Item(1))
    assert has_parent(exported.one("mine"), exported.one("process end"))
    assert watch.is_empty
