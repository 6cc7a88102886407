"""Sampling that is decided where a message comes from. Needs OpenTelemetry's SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import get_current_span
from typing_extensions import override

from orchestra_trio.tracing.spans import LIFE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.context import Context
    from opentelemetry.trace import Link, SpanKind, TraceState
    from opentelemetry.util.types import Attributes

__all__ = ["SampledBySender"]


class SampledBySender(Sampler):
    """Samples a message's span if that of its sender is: so whatever follows from one message is seen as a whole.

    A span with a parent is sampled as its parent is, a root span with links as its links are, if any of them is; other
    root spans as another sampler says. The lives of subsystems always are: they are few, and have the signals, restarts
    and errors. To be given to the SDK's provider itself, not wrapped in another sampler: then
    messages that are not sampled cost no span at all.
    """

    follows_senders = True
    """Tells `instrument_orchestra` that it need not ask."""

    def __init__(self, root: Sampler) -> None:
        """Ask another sampler where a trace begins.

        Args:
            root: As `TraceIdRatioBased(0.01)`.
        """
        self._root = root

    @override
    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Decide for one span; the SDK calls it."""
        parent = get_current_span(parent_context).get_span_context()
        if attributes and LIFE in attributes:
            is_sampled = True
        elif parent.is_valid:
            is_sampled = parent.trace_flags.sampled
        elif links:
            is_sampled = any(link.context.trace_flags.sampled for link in links)
        else:
            return self._root.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)
        if is_sampled:
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, parent.trace_state)
        return SamplingResult(Decision.DROP, trace_state=parent.trace_state)

    @override
    def get_description(self) -> str:
        """Return what the SDK shows."""
        return f"SampledBySender{{root:{self._root.get_description()}}}"
