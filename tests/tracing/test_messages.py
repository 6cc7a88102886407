"""A span for each message that is handled, linked to the one that sent it, and current meanwhile."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Never

import pytest
import trio
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from orchestra_trio import Orchestra, Priority, RunningOrchestra, Subsystem, subsystem
from tests.runtime.samples import (
    AnyContext,
    Ask,
    Duo,
    Imported,
    Item,
    Other,
    Ring,
    Sends,
    Tick,
    answering,
    countdown,
    done,
    forever,
    idle,
    stopped,
)
from tests.runtime.samples import Ends as Notes
from tests.tracing.exported import Exported, events, has_parent, identity, senders

if TYPE_CHECKING:
    from trio.testing import MockClock


class Chain(Orchestra, message_capacity=1):
    first: Subsystem[Item, Other]
    second: Subsystem[Other]


async def passing(ctx: AnyContext) -> None:
    async for item in ctx:
        await ctx.send(Other(item.number))


async def test_a_message_has_a_root_span_linked_to_the_one_that_sent_it(autojump_clock: MockClock) -> None:
    exported = Exported.make()
    async with Chain(first=passing, second=idle).open() as running:
        watch = exported.watch(running)
        with exported.provider.get_tracer("test").start_as_current_span("outside"):
            await running.route_message(Item(1))
        await trio.sleep(1)
    outside, first, second = (exported.one(name) for name in ("outside", "process first", "process second"))
    assert (senders(first), senders(second)) == ([identity(outside)], [identity(first)])
    assert first.parent is None
    assert second.parent is None
    assert first.context.trace_id != second.context.trace_id
    assert (first.kind, second.kind) == (SpanKind.CONSUMER, SpanKind.CONSUMER)
    assert first.instrumentation_scope is not None
    assert first.instrumentation_scope.name == "orchestra_trio"
    assert dict(second.attributes or {}) == {
        "messaging.system": "orchestra_trio",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "second",
        "orchestra.name": "Chain",
        "orchestra.lane": "bounded",
        "orchestra.message.type": "Other",
        "orchestra.sender": "first",
    }
    assert watch.is_empty


async def test_it_lasts_from_the_receive_until_the_next_thing_is_asked_for(autojump_clock: MockClock) -> None:
    counts: list[int] = []
    exported = Exported.make()

    async def slow(ctx: AnyContext) -> None:
        async for _ in ctx:
            counts.append(len(exported.named("process sink")))
            await trio.sleep(5)
            counts.append(len(exported.named("process sink")))

    async with Duo(source=Sends(), sink=slow).open() as running:
        exported.watch(running)
        for number in range(2):
            await running.route_message(Item(number))
        await trio.sleep(100)
        assert counts == [0, 0, 1, 1]
        assert len(exported.named("process sink")) == 2


async def test_users_spans_nest_in_it_and_only_in_it(autojump_clock: MockClock) -> None:
    exported = Exported.make()
    tracer = exported.provider.get_tracer("test")

    async def job() -> None:
        with tracer.start_as_current_span("job"):
            await trio.sleep(1)

    async def sink(ctx: AnyContext) -> None:
        async for item in ctx:
            if isinstance(item, Tick):
                tracer.start_span("in a signal").end()
                continue
            with tracer.start_as_current_span("mine"):
                await trio.sleep(1)
                tracer.start_span("inner").end()
                ctx.start_soon(job)
            assert trace.get_current_span().get_span_context().is_valid
        tracer.start_span("flush").end()

    class Solo(Orchestra[Tick]):
        sink: Subsystem[Item, Never, Tick]

    async with Solo(sink=sink).open() as running:
        exported.watch(running)
        await running.route_message(Item(1))
        await trio.sleep(10)
        await running.broadcast_signal(Tick())
        assert not trace.get_current_span().get_span_context().is_valid
    handled, mine = exported.one("process sink"), exported.one("mine")
    assert has_parent(mine, handled)
    assert has_parent(exported.one("inner"), mine)
    assert has_parent(exported.one("job"), mine)
    assert exported.one("flush").parent is None
    assert exported.one("in a signal").parent is None


async def test_a_user_span_that_stays_open_over_several_messages_is_no_harm(autojump_clock: MockClock) -> None:
    exported = Exported.make()
    tracer = exported.provider.get_tracer("test")

    async def sink(ctx: AnyContext) -> None:
        with tracer.start_as_current_span("loop"):
            await ctx.receive()
            tracer.start_span("one").end()
            with tracer.start_as_current_span("over"):
                await ctx.receive()
                tracer.start_span("two").end()
            await ctx.receive()
            tracer.start_span("three").end()
            with pytest.raises(trio.EndOfChannel):
                await ctx.receive()
            tracer.start_span("after").end()

    async with Duo(source=done, sink=sink).open() as running:
        watch = exported.watch(running)
        for number in range(3):
            await running.route_message(Item(number))
    first, second, third = exported.named("process sink")
    for name, parent in (("one", first), ("two", second), ("three", third), ("after", exported.one("loop"))):
        assert has_parent(exported.one(name), parent), name
    assert watch.is_empty


async def test_a_sender_that_waits_for_room_is_linked_to(autojump_clock: MockClock) -> None:
    """Also where others wait beside it, one of which gives up."""
    exported = Exported.make()
    tracer = exported.provider.get_tracer("test")

    async def slow(ctx: AnyContext) -> None:
        async for _ in ctx:
            await trio.sleep(2)

    async def send(number: int, within: float) -> None:
        with tracer.start_as_current_span(f"sender {number}"), trio.move_on_after(within):
            await running.route_message(Other(number))

    async with Chain(first=done, second=slow).open() as running:
        watch = exported.watch(running)
        async with trio.open_nursery() as nursery:
            for number in range(5):
                nursery.start_soon(send, number, 0.5 if number == 3 else 100)
                await trio.sleep(0.1)
    linked = [senders(span) for span in exported.named("process second")]
    assert linked == [[identity(exported.one(f"sender {number}"))] for number in (0, 1, 2, 4)]
    assert watch.is_empty


async def test_a_batch_has_a_span_for_each_message_and_the_last_one_is_current(autojump_clock: MockClock) -> None:
    exported = Exported.make()

    async def sink(ctx: AnyContext) -> None:
        await trio.sleep(1)
        assert len(await ctx.receive_many(10)) == 2
        exported.provider.get_tracer("test").start_span("mine").end()
        assert exported.named("process sink") == []
        await ctx.receive()

    async with Duo(source=done, sink=sink).open() as running:
        exported.watch(running)
        for number in range(3):
            await running.route_message(Item(number))
    spans = exported.named("process sink")
    assert len(spans) == 3
    assert has_parent(exported.one("mine"), spans[1])


async def test_lanes_are_told_apart(autojump_clock: MockClock) -> None:
    class Lanes(Orchestra):
        source: Subsystem[Never, Item] = subsystem(unbounded={Item: "one"})
        sink: Subsystem[Item] = subsystem(priority=True)

    exported = Exported.make()
    tracer = exported.provider.get_tracer("test")

    async def source(ctx: AnyContext) -> None:
        await trio.sleep(1)
        with tracer.start_as_current_span("bounded"):
            await ctx.send(Item(1))
        with tracer.start_as_current_span("unbounded"):
            ctx.send_unbounded(Item(1))
        with tracer.start_as_current_span("priority"):
            await ctx.send(Item(1), priority=Priority.HIGH)

    async def sink(ctx: AnyContext) -> None:
        await trio.sleep(2)
        await idle(ctx)

    async with Lanes(source=source, sink=sink).open() as running:
        exported.watch(running)
    for span in exported.named("process sink"):
        lane = dict(span.attributes or {})["orchestra.lane"]
        assert senders(span) == [identity(exported.one(str(lane)))]


async def test_what_lay_there_before_is_linked_to_nothing_and_shifts_nothing(autojump_clock: MockClock) -> None:
    exported = Exported.make()
    tracer = exported.provider.get_tracer("test")
    same = Item(1)

    async def late(ctx: AnyContext) -> None:
        await trio.sleep(5)
        await idle(ctx)

    class Wide(Orchestra):
        sink: Subsystem[Item]

    async with Wide(sink=late).open() as running:
        for _ in range(2):
            await running.route_message(same)
        watch = exported.watch(running)
        with tracer.start_as_current_span("outside"):
            await running.route_message(same)
    assert [senders(span) for span in exported.named("process sink")] == [[], [], [identity(exported.one("outside"))]]
    assert watch.is_empty


async def test_a_cycle_makes_many_traces_each_linked_to_the_one_before(autojump_clock: MockClock) -> None:
    exported = Exported.make()
    async with Ring(ping=countdown(Other, Notes()), pong=countdown(Item, Notes())).open() as running:
        watch = exported.watch(running)
        with exported.provider.get_tracer("test").start_as_current_span("outside"):
            await running.route_message(Item(20))
    handled = [span for span in exported.spans if span.name.startswith("process")]
    assert len(handled) == 21
    assert len({span.context.trace_id for span in handled}) == 21
    before = exported.one("outside")
    for span in handled:
        assert senders(span) == [identity(before)]
        before = span
    assert watch.is_empty


async def test_events_have_spans_and_what_goes_out_too(autojump_clock: MockClock) -> None:
    class Out(Orchestra[Never, Imported], outgoing=Other):
        relay: Subsystem[Item, Other]

        async def on_event(self, event: Imported, running: RunningOrchestra[Never, Imported]) -> None:
            await running.route_message(Item(event.number))

    exported = Exported.make()
    async with Out(relay=passing).open() as running:
        watch = exported.watch(running)
        with exported.provider.get_tracer("test").start_as_current_span("outside"):
            await running.handle.send(Imported(1))
        await running.outgoing.receive()
        assert not trace.get_current_span().get_span_context().is_valid
    names = ["outside", "process on_event", "process relay", "receive (outgoing)"]
    for before, name in pairwise(names):
        assert senders(exported.one(name)) == [identity(exported.one(before))]
    assert watch.is_empty


async def test_a_request_has_a_span_on_both_sides(autojump_clock: MockClock) -> None:
    exported = Exported.make()

    async def asking(ctx: AnyContext) -> None:
        async for _ in ctx:
            assert await ctx.request(Ask, 21) == 42

    class Asking(Orchestra):
        asker: Subsystem[Item, Ask]
        sink: Subsystem[Ask]

    async with Asking(asker=asking, sink=answering).open() as running:
        watch = exported.watch(running)
        await running.route_message(Item(1))
    handled, client, server = (exported.one(name) for name in ("process asker", "request sink", "process sink"))
    assert (client.kind, server.kind) == (SpanKind.CLIENT, SpanKind.SERVER)
    assert has_parent(client, handled)
    assert senders(server) == [identity(client)]
    assert server.parent is None
    assert client.status.status_code is StatusCode.UNSET
    assert (client.attributes or {})["messaging.operation.type"] == "send"
    assert watch.is_empty


async def test_requests_that_come_to_nothing_end_their_spans(autojump_clock: MockClock) -> None:
    """One waits for room in vain, one for an answer, and one was let go of."""
    exported = Exported.make()

    async def let_go(ctx: AnyContext) -> None:
        async for question in ctx:
            await trio.sleep(5)
            question.reply.close()

    async def ask(running: RunningOrchestra[Never, Never], within: float) -> None:
        with trio.move_on_after(within):
            await running.request(Ask)

    class Asked(Orchestra, message_capacity=1):
        sink: Subsystem[Ask]

    with stopped():
        async with Asked(sink=let_go).open() as running, trio.open_nursery() as nursery:
            watch = exported.watch(running)
            for within in (100, 2, 1):
                nursery.start_soon(ask, running, within)
                await trio.sleep(0.1)
    errors = sorted(str((span.attributes or {})["error.type"]) for span in exported.named("request sink"))
    assert errors == ["no answer", "no answer", "withdrawn"]
    assert all(span.status.status_code is StatusCode.ERROR for span in exported.named("request sink"))
    assert watch.is_empty


async def test_dead_letters_are_the_end_of_a_trace(autojump_clock: MockClock) -> None:
    class Dead(Orchestra):
        source: Subsystem[Item, Other]
        wip: Subsystem[Other] = subsystem(wip=True)
        lazy: Subsystem[Ask]

    exported = Exported.make()
    async with Dead(source=passing, lazy=forever).open() as running:
        watch = exported.watch(running)
        with exported.provider.get_tracer("test").start_as_current_span("outside"):
            await running.route_message(Item(1))
            await running.route_message(Ask(None, 1))  # type: ignore[arg-type]  # nobody looks at it
        await trio.sleep(1)
        running.cancel()
    assert senders(exported.one("dead letter wip")) == [identity(exported.one("process source"))]
    assert senders(exported.one("dead letter lazy")) == [identity(exported.one("outside"))]
    reasons = [
        (exported.one(f"dead letter {who}").attributes or {})["orchestra.dead_letter.reason"] for who in ("wip", "lazy")
    ]
    assert reasons == ["wip", "left over"]
    assert watch.is_empty


async def test_messages_show_by_their_types_alone(autojump_clock: MockClock) -> None:
    class Secret(Exception):
        pass

    async def fail(ctx: AnyContext) -> None:
        async for item in ctx:
            raise Secret(item)

    exported = Exported.make()
    with stopped():
        async with Duo(source=done, sink=fail).open() as running:
            watch = exported.watch(running)
            await running.route_message(Item(987654321))
            await trio.sleep_forever()
    assert all("987654321" not in span.to_json() for span in exported.spans)
    handled = exported.one("process sink")
    assert handled.status.status_code is StatusCode.ERROR
    assert events(handled) == [("exception", {"exception.type": Secret.__qualname__})]
    assert (handled.attributes or {})["error.type"] == Secret.__qualname__
    assert watch.is_empty
