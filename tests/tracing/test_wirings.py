"""Random wirings under explored schedules: each message that is handled has one span, linked to the one that sent it.

Who handles what is read off the testing room's trace, which finds messages by the objects themselves; the spans know
nothing of it.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import attrs
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.trace import SpanKind

from orchestra_trio.runtime.surroundings import on_opening
from orchestra_trio.testing import (
    Priorities,
    Schedule,
    Topology,
    cancellable,
    loads,
    packets,
    pulses,
    recording,
    schedules,
    topologies,
)
from orchestra_trio.tracing.instrumenting import Instrumentation

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from opentelemetry.context import Context

    from orchestra_trio.testing import Load, Trace

Scene = tuple[Topology, tuple["Load", ...]]


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """A wiring, and what several tasks put into it at once."""
    topology = draw(topologies())
    feeds = st.lists(loads(packets(topology), signals=pulses(), max_size=8), min_size=1, max_size=3)
    return topology, tuple(draw(feeds))


@attrs.define
class InOrder(SpanProcessor):
    """Keeps spans in the order in which they began, and knows which have not ended."""

    begun: list[ReadableSpan] = attrs.Factory(list)
    open: set[int] = attrs.Factory(set)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        self.begun.append(span)
        self.open.add(span.context.span_id)

    def on_end(self, span: ReadableSpan) -> None:
        self.open.remove(span.context.span_id)

    def named(self, *operations: str) -> list[ReadableSpan]:
        return [span for span in self.begun if span.name.startswith(operations)]


@attrs.define
class Seen:
    """What one run has left."""

    trace: Trace
    spans: InOrder
    watch: Instrumentation


async def perform(scene: Scene, seen: list[Seen], around: Callable[[], AbstractContextManager[object]]) -> None:
    """Play all loads at once, and drain."""
    topology, feeds = scene
    provider, spans = TracerProvider(shutdown_on_exit=False), InOrder()
    provider.add_span_processor(spans)

    def watch(running: Any) -> None:  # noqa: ANN401 - of any types
        watch = Instrumentation(running, provider)
        running.observe(watch, asks=True)
        seen.append(Seen(traces[0], spans, watch))

    async def play(load: Load) -> None:
        with around():
            await load.play(running)

    with recording() as traces, on_opening(watch), around():
        async with topology.hold().open() as running, trio.open_nursery() as nursery:
            for load in feeds:
                nursery.start_soon(play, load)


def check(seen: Seen) -> None:
    """See that the spans tell what the trace tells."""
    assert seen.watch.is_empty
    assert not seen.spans.open
    handled = iter(seen.spans.named("process", "receive", "dead letter"))
    clients = {span.context.span_id: span for span in seen.spans.named("request")}
    span_of: dict[str | None, ReadableSpan] = {}
    """By task: what it has in hand."""
    sent_in: dict[int, ReadableSpan | None] = {}
    """By message: what its sender had in hand."""
    requests = set()
    for event in seen.trace.events:
        if event.lane == "signals":
            span_of.pop(event.task, None)  # who receives a signal has nothing else in hand
        elif event.kind in {"block", "send"} and event.number == event.message:
            sent_in[event.number] = span_of.get(event.task)
            requests |= {event.number} if event.is_request else set()
        elif event.kind in {"receive", "dead letter"}:
            assert event.message is not None
            span = next(handled)
            links = [link.context.span_id for link in span.links]
            sender = sent_in.get(event.message, span_of.get(event.task))
            operation = "dead letter" if event.kind == "dead letter" else "process"
            assert span.name == f"{operation} {event.subsystem}"
            assert span.parent is None
            if event.message in requests:
                (link,) = links
                asked_in = clients[link].parent
                assert (None if asked_in is None else asked_in.span_id) == (sender and sender.context.span_id)
                assert span.kind is (SpanKind.SERVER if operation == "process" else SpanKind.CONSUMER)
            else:
                assert links == ([] if sender is None else [sender.context.span_id])
                assert span.kind is SpanKind.CONSUMER
            if operation == "process":
                span_of[event.task] = span
    assert next(handled, None) is None
    assert len(seen.spans.named("run")) == len(seen.trace.participants)


@settings(max_examples=60)
@given(scenes(), schedules(shrink_capacities=True))
def test_each_message_has_one_span_linked_to_the_one_that_sent_it(scene: Scene, schedule: Schedule) -> None:
    seen: list[Seen] = []
    schedule.run(perform, scene, seen, nullcontext)
    check(seen[0])


@settings(max_examples=60)
@given(scenes(), schedules(Priorities(), cancel=True, shrink_capacities=True))
def test_so_it_is_whatever_is_cancelled_and_when(scene: Scene, schedule: Schedule) -> None:
    seen: list[Seen] = []
    schedule.run(perform, scene, seen, cancellable)
    for one in seen:
        check(one)
