"""What the spans look like: names, kinds and attributes, by OpenTelemetry's conventions for messaging where they fit.

Messages show by their types alone, exceptions too: what is in them is nobody's business here.
"""

from __future__ import annotations

from random import getrandbits
from typing import TYPE_CHECKING, Final

from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    get_tracer_provider,
)

if TYPE_CHECKING:
    from opentelemetry.trace import Span, TracerProvider

    from orchestra_trio import Happening
    from orchestra_trio.tracing.account import Sent

__all__ = ["LIFE", "Spans", "fail", "type_title"]

LIFE: Final = "orchestra.restarts"
"""The attribute that the span of a subsystem's life has, and no other: how often it was started anew before."""

_NOWHERE: Final = Context()
"""What a root span is started in."""

_OUTGOING: Final = "(outgoing)"
"""What goes out to the embedding program, as a destination."""

Attributes = dict[str, str | int]


def type_title(of: type) -> str:
    """Return what a type is called in attributes."""
    return of.__qualname__


def fail(span: Span, error: str) -> None:
    """Note on a span what went wrong: the name of an exception's type, or what else is known."""
    span.set_attribute("error.type", error)
    span.set_status(Status(StatusCode.ERROR, error))


class Spans:
    """Starts the spans of one running orchestra."""

    def __init__(self, orchestra: str, provider: TracerProvider | None) -> None:
        """Ask a provider for a tracer; the global one if None."""
        provider = get_tracer_provider() if provider is None else provider
        self._tracer = provider.get_tracer("orchestra_trio")
        self._follows = bool(getattr(getattr(provider, "sampler", None), "follows_senders", False))
        self._orchestra = orchestra
        self._known: dict[tuple[str, str | None, str | None, str | None, type], Attributes] = {}
        self.unsampled: Span = NonRecordingSpan(
            SpanContext(trace_id=getrandbits(128) | 1, span_id=getrandbits(64) | 1, is_remote=False)
        )
        """Stands for every span that is not sampled, where it is known without asking."""

    def is_dropped(self, of: SpanContext | None) -> bool:
        """Return whether what follows from this span is not sampled for sure."""
        return self._follows and of is not None and not of.trace_flags.sampled

    def handled(self, one: Happening, sent: Sent | None) -> Span:
        """Start the span of a message that is received."""
        link = None if sent is None else sent.link
        if self.is_dropped(link):
            return self.unsampled
        is_request = sent is not None and sent.is_request
        kind = SpanKind.SERVER if is_request else SpanKind.CONSUMER
        operation = "receive" if one.subsystem is None else "process"
        return self._start(operation, kind, one, link, None if sent is None else sent.sender)

    def dead_letter(self, one: Happening, link: SpanContext | None) -> Span:
        """Start the span of a message that nobody receives."""
        if self.is_dropped(link):
            return self.unsampled
        span = self._start("dead letter", SpanKind.CONSUMER, one, link, one.sender)
        span.set_attribute("orchestra.dead_letter.reason", one.detail or "")
        return span

    def request(self, one: Happening, sender: Context) -> Span:
        """Start the span of a request that is sent, as a child of what is current in the sender's context."""
        return self._tracer.start_span(
            f"request {one.subsystem or ''}".rstrip(),
            context=sender,
            kind=SpanKind.CLIENT,
            attributes=self._attributes("request", one, one.sender),
        )

    def incarnation(self, subsystem: str, number: int, before: Span | None) -> Span:
        """Start the span of a life of a subsystem, linked to that of the one before.

        Args:
            subsystem: Whose it is.
            number: How often it was started anew before.
            before: Of the one before.
        """
        link = None if before is None else before.get_span_context()
        attributes: Attributes = {
            "orchestra.name": self._orchestra,
            "orchestra.subsystem": subsystem,
            LIFE: number,
        }
        links = () if link is None or not link.is_valid else (Link(link),)
        return self._tracer.start_span(f"run {subsystem}", context=_NOWHERE, attributes=attributes, links=links)

    def _start(
        self, operation: str, kind: SpanKind, one: Happening, link: SpanContext | None, sender: str | None
    ) -> Span:
        destination = _OUTGOING if one.subsystem is None else one.subsystem
        if operation == "dead letter" and one.subsystem is None and one.detail != "outgoing closed":
            destination = ""  # nobody consumes it
        span = self._tracer.start_span(
            f"{operation} {destination}".rstrip(),
            context=_NOWHERE,
            kind=kind,
            attributes=self._attributes(operation, one, sender),
            links=() if link is None else (Link(link),),
        )
        return self.unsampled if self._follows and not span.is_recording() else span

    def _attributes(self, operation: str, one: Happening, sender: str | None) -> Attributes:
        key = (operation, one.subsystem, sender, one.lane, type(one.payload))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = {
                "messaging.system": "orchestra_trio",
                "messaging.operation.name": operation,
                "messaging.operation.type": {"request": "send", "dead letter": "settle"}.get(operation, operation),
                "messaging.destination.name": _OUTGOING if one.subsystem is None else one.subsystem,
                "orchestra.name": self._orchestra,
                "orchestra.lane": one.lane or "",
                "orchestra.message.type": type_title(type(one.payload)),
            }
            if sender is not None:
                found["orchestra.sender"] = sender
        return found
