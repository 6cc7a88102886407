"""Reading what was exported: spans by name, and whom they are linked to."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import attrs
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from orchestra_trio.tracing.instrumenting import Instrumentation

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.sampling import Sampler

    from orchestra_trio import RunningOrchestra


@attrs.define
class Exported:
    """A provider, and what its spans became."""

    provider: TracerProvider
    exporter: InMemorySpanExporter

    @classmethod
    def make(cls, sampler: Sampler | None = None) -> Exported:
        provider, exporter = TracerProvider(sampler=sampler), InMemorySpanExporter()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        return cls(provider, exporter)

    def watch(self, running: RunningOrchestra[Any, Any]) -> Instrumentation:
        """Instrument an orchestra, and return what can be asked whether it has let go of everything."""
        instrumentation = Instrumentation(running, self.provider)
        running.observe(instrumentation, asks=True)
        return instrumentation

    @property
    def spans(self) -> list[ReadableSpan]:
        """All that have ended, in the order in which they began."""
        return sorted(self.exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.spans if span.name == name]

    def one(self, name: str) -> ReadableSpan:
        (span,) = self.named(name)
        return span

    @property
    def names(self) -> Counter[str]:
        """How many spans of each name, without those of whole lives."""
        return Counter(span.name for span in self.spans if not span.name.startswith("run "))


def identity(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.span_id)


def senders(span: ReadableSpan) -> list[int]:
    """Return the identities of the spans that a span is linked to."""
    return [link.context.span_id for link in span.links]


def has_parent(span: ReadableSpan, parent: ReadableSpan) -> bool:
    assert parent.context is not None
    return (
        span.parent is not None
        and span.parent.span_id == parent.context.span_id
        and span.parent.trace_id == parent.context.trace_id
    )


def events(span: ReadableSpan) -> list[tuple[str, dict[str, Any]]]:
    return [(event.name, dict(event.attributes or {})) for event in span.events]
