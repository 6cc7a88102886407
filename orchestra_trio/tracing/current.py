"""What is current while a message is handled: in the context of the task that has it, or in that of its thread.

A task's context can be changed from outside, while the task waits. A thread's cannot: and a message that a thread of a
blocking subsystem had to wait for is received by a task on its behalf (its *carrier*). So a thread has a `Desk`, and
what is current in its context, once and for all, is a span that stands for whatever lies on the desk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, ParamSpec, TypeVar

import trio
from opentelemetry import context as contexts
from opentelemetry.trace import INVALID_SPAN, Span, get_current_span, set_span_in_context
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.context import Context
    from opentelemetry.trace import SpanContext, Status, StatusCode
    from opentelemetry.util.types import Attributes, AttributeValue
    from trio.lowlevel import Task

P = ParamSpec("P")
T = TypeVar("T")

__all__ = ["Desk", "current_context", "desk_in", "enter", "leave", "run_in", "sit_down", "take_all"]

_HANDLED: Final = contexts.create_key("orchestra_trio-handled")
"""Where a context says what `enter` has made current."""

_DESK: Final = contexts.create_key("orchestra_trio-desk")


class _Handled(NamedTuple):
    """What `enter` has made current, and the context around it."""

    span: Span
    around: Context


def run_in(task: Task, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function in the context of a task: of the one whose step this is, or of one that waits."""
    try:
        is_current = trio.lowlevel.current_task() is task
    except RuntimeError:  # in another thread than trio's
        is_current = False
    return function(*args, **kwargs) if is_current else task.context.run(function, *args, **kwargs)


def take_all(spans: list[Span]) -> list[Span]:
    """Return what is in a list, and empty it."""
    taken = spans[:]
    spans.clear()
    return taken


def current_context() -> SpanContext | None:
    """Return the context of the current span; None if there is none."""
    found = get_current_span().get_span_context()
    return found if found.is_valid else None


def enter(span: Span) -> None:
    """Make a span current, in place of what `enter` made current before; whatever else is in the context stays."""
    around = _around(contexts.get_current())
    contexts.attach(contexts.set_value(_HANDLED, _Handled(span, around), set_span_in_context(span, around)))


def leave() -> None:
    """Make current what was so before `enter`, unless the user has made another span current."""
    now = contexts.get_current()
    around = _around(now)
    if around is not now:
        contexts.attach(around)


def _around(now: Context) -> Context:
    handled = now.get(_HANDLED)
    if isinstance(handled, _Handled) and get_current_span(now) is handled.span:
        return handled.around
    return now


class Desk:
    """What one thread of a blocking subsystem has in hand."""

    def __init__(self, owner: object) -> None:
        """Begin with nothing.

        Args:
            owner: Whose desk it is: desks of others, found in a context that was inherited, do not count.
        """
        self.owner = owner
        self.spans: list[Span] = []
        self.outer: Span = INVALID_SPAN
        """What is current while it has nothing."""
        self.has_thread = False
        self.has_carrier = False

    @property
    def current(self) -> Span:
        """The span of the last message in hand."""
        return self.spans[-1] if self.spans else self.outer


def sit_down(desk: Desk) -> None:
    """Make what lies on a desk current from now on, in the context of this thread or of the task that starts it."""
    now = _around(contexts.get_current())
    outer = get_current_span(now)
    desk.outer = outer.desk.outer if isinstance(outer, _OnDesk) else outer
    contexts.attach(contexts.set_value(_DESK, desk, set_span_in_context(_OnDesk(desk), now)))


def desk_in(now: Context, owner: object) -> Desk | None:
    """Return the desk that is found in a context."""
    found = now.get(_DESK)
    return found if isinstance(found, Desk) and found.owner == owner else None


class _OnDesk(Span):
    """Stands for the span of the last message on a desk."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    @override
    def end(self, end_time: int | None = None) -> None:
        self.desk.current.end(end_time)

    @override
    def get_span_context(self) -> SpanContext:
        return self.desk.current.get_span_context()

    @override
    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        self.desk.current.set_attributes(attributes)

    @override
    def set_attribute(self, key: str, value: AttributeValue) -> None:
        self.desk.current.set_attribute(key, value)

    @override
    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        self.desk.current.add_event(name, attributes, timestamp)

    @override
    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        self.desk.current.add_link(context, attributes)

    @override
    def update_name(self, name: str) -> None:
        self.desk.current.update_name(name)

    @override
    def is_recording(self) -> bool:
        return self.desk.current.is_recording()

    @override
    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        self.desk.current.set_status(status, description)

    @override
    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        self.desk.current.record_exception(exception, attributes, timestamp, escaped)
