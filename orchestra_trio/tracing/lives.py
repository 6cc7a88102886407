"""The lives of subsystems: a span for each incarnation, with its signals, errors and restarts as events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra_trio.tracing.account import Account, Sent
from orchestra_trio.tracing.spans import fail, type_title

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.trace import Span

    from orchestra_trio import Happening
    from orchestra_trio.tracing.spans import Spans

__all__ = ["Lives"]


class Lives:
    """The spans of all subsystems that live."""

    def __init__(self, spans: Spans, hearing: Mapping[str, tuple[type, ...]]) -> None:
        """Begin with none.

        Args:
            spans: Starts them.
            hearing: The signals that each subsystem subscribes to.
        """
        self._spans = spans
        self._hearing = hearing
        self._lives: dict[str, Span] = {}
        self._expected: set[str] = set()
        """Subsystems that have not begun yet."""
        self._restarts: dict[str, int] = {}
        self._signals = Account({})
        self._broadcast: tuple[int, int | None] = (0, None)
        """The signal that is being broadcast, or was last: its identity and its number."""
        self._awaited: set[str] = set()
        """Who has not been sent it yet."""

    @property
    def is_over(self) -> bool:
        """Whether all have ended."""
        return not self._lives and not self._expected

    @property
    def is_empty(self) -> bool:
        """Whether nothing is kept."""
        return self.is_over and self._signals.is_empty

    def expect(self, subsystem: str) -> None:
        """Note that a subsystem is still to begin."""
        self._expected.add(subsystem)

    def begin(self, subsystem: str, restarts: int) -> None:
        """Start the span of one that lives."""
        self._restarts[subsystem] = restarts
        self._lives[subsystem] = self._spans.incarnation(subsystem, restarts, None)

    def note_start(self, subsystem: str) -> None:
        """Start the span of an incarnation, and end that of the one before."""
        if subsystem in self._expected:
            self._expected.discard(subsystem)
            self.begin(subsystem, 0)
            return
        before = self._lives[subsystem]
        number = self._restarts[subsystem] = self._restarts[subsystem] + 1
        before.end()
        span = self._lives[subsystem] = self._spans.incarnation(subsystem, number, before)
        span.add_event("restart", {"orchestra.restarts": number})

    def end(self, subsystem: str, state: str | None) -> None:
        """End the span of a subsystem that has ended."""
        self._signals.forget((subsystem, "signals"))  # those that it did not receive are dropped
        self._expected.discard(subsystem)
        span = self._lives.pop(subsystem, None)
        if span is not None:
            span.set_attribute("orchestra.state", state or "")
            span.end()

    def note_error(self, one: Happening, error: str) -> None:
        """Note what went wrong."""
        span = None if one.subsystem is None else self._lives.get(one.subsystem)
        if span is not None and span.is_recording():
            attributes = {"exception.type": error}
            if one.detail is not None:
                attributes["orchestra.job"] = one.detail
            span.add_event("exception", attributes)
            fail(span, error)

    def note_broadcast(self, one: Happening) -> None:
        """Note that a signal takes its number; who hears it is sent it in the same step."""
        self._broadcast = (id(one.payload), one.epoch)
        self._awaited = {name for name, types in self._hearing.items() if isinstance(one.payload, types)}

    def note_signal_sent(self, one: Happening) -> None:
        """Note that a signal lies in a lane."""
        epoch = None
        if one.subsystem is not None and id(one.payload) == self._broadcast[0] and one.subsystem in self._awaited:
            self._awaited.discard(one.subsystem)
            epoch = self._broadcast[1]
        self._signals.lay((one.subsystem, "signals"), Sent(id(one.payload), epoch=epoch))

    def note_signal_received(self, one: Happening) -> None:
        """Note on a subsystem's span that it has received a signal."""
        sent = self._signals.take((one.subsystem, "signals"), id(one.payload))
        span = None if one.subsystem is None else self._lives.get(one.subsystem)
        if span is not None and span.is_recording():
            attributes: dict[str, str | int] = {"orchestra.signal.type": type_title(type(one.payload))}
            if sent is not None and sent.epoch is not None:
                attributes["orchestra.epoch"] = sent.epoch
            span.add_event("signal", attributes)
