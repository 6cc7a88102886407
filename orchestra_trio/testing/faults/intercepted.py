"""Subsystems in whose place others stand, and `intercept`, which lets hooks see and change what these are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeAlias, cast, overload

import attrs
from typing_extensions import TypeVar, override

from orchestra_trio.errors import DeclarationError, a_type, type_name
from orchestra_trio.runtime.contexts.blocking import BlockingSubsystemContext
from orchestra_trio.runtime.contexts.context import SubsystemContext
from orchestra_trio.testing.faults.contexts import InterceptedBlockingContext, InterceptedContext, check_sent
from orchestra_trio.testing.faults.intake import Arrivals, Intake
from orchestra_trio.testing.faults.outflow import Outflow
from orchestra_trio.testing.faults.stages import Hooked, Instead, Stage
from orchestra_trio.testing.faults.tally import Tally
from orchestra_trio.testing.subjects import check_subsystem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orchestra_trio.runtime.life.live import LiveSubsystem

__all__ = ["Fault", "Hook", "Intercepted", "intercept"]

MessageT = TypeVar("MessageT")
In = TypeVar("In")
Out = TypeVar("Out")
Sig = TypeVar("Sig")
ResultT = TypeVar("ResultT")
ContextT_contra = TypeVar("ContextT_contra", contravariant=True)
ResultT_co = TypeVar("ResultT_co", covariant=True)

Hook: TypeAlias = "Callable[[MessageT], MessageT | Instead[MessageT] | None]"
"""Called with each message; returns what goes on in its place: None for itself, another message, or `Instead(...)`."""


@attrs.frozen
class Fault:
    """What is done to a subsystem's messages."""

    title: str
    """What users called."""
    given: str = ""
    """What they gave it, as it stands in the representation."""
    types: tuple[type, ...] = ()
    """The types that they named."""
    receive: Callable[[], Stage] = Stage
    """Makes the stage for what is received."""
    send: Callable[[], Stage] = Stage
    """Makes the stage for what is sent."""
    directions: frozenset[str] = frozenset({"receive", "send"})
    """Where the types must occur."""
    on_signal: Callable[[Any], object] | None = None


class Intercepted(Generic[ContextT_contra, ResultT_co]):
    """A subsystem in whose place this one stands: made by `intercept`, `drop`, `delay`, `duplicate` and `reorder`.

    It is called as the original is, which gets a context that does all that its own would, but for the fault. Of
    several faults around one another, the outermost stands next to the other subsystems. Counts go on over restarts
    and from one opening of the orchestra to the next; everything else begins anew with each call.
    """

    def __init__(self, original: Callable[[ContextT_contra], ResultT_co], fault: Fault) -> None:
        """Made by the functions of this package; not to be made otherwise."""
        check_subsystem(original, fault.title)
        self._original = original
        self._fault = fault
        self._received = Tally()
        self._sent = Tally()
        self._intakes: dict[LiveSubsystem, Intake] = {}
        """Of the subsystems that live: what is held on the way to one stays for its next incarnation."""

    @override
    def __repr__(self) -> str:
        return f"{self._fault.title}({self._original!r}{self._fault.given})"

    @property
    def received(self) -> Tally:
        """What became of the messages that came for the original."""
        return self._received.read()

    @property
    def sent(self) -> Tally:
        """What became of the messages that came from the original."""
        return self._sent.read()

    @property
    def dropped(self) -> int:
        """How many messages were dropped, in both directions."""
        return self._received.dropped + self._sent.dropped

    def __call__(self, ctx: ContextT_contra, /) -> ResultT_co:
        """Call the original."""
        given: Any = ctx
        kind: type[object] = type(cast("object", ctx))
        wrapped: Any
        if issubclass(kind, BlockingSubsystemContext):
            wrapped = InterceptedBlockingContext(given, self._wrap(given._ctx))  # noqa: SLF001 - the same subsystem's
        elif issubclass(kind, SubsystemContext):
            wrapped = self._wrap(given)
        else:
            raise TypeError(f"{self._fault.title}: a subsystem is called with a context, not {a_type(kind)}")
        return self._original(wrapped)

    def _wrap(self, ctx: SubsystemContext[Any, Any, Any]) -> InterceptedContext[Any, Any, Any]:
        live, outlet = ctx._live, ctx._outlet  # noqa: SLF001 - as above
        self._check_types(live)
        beneath = ctx if isinstance(ctx, InterceptedContext) else None
        outflow = Outflow(
            self._fault.send,
            live,
            self._sent,
            lambda message_type, unbounded: check_sent(outlet, message_type, unbounded=unbounded),
            None if beneath is None else beneath.outflow,
        )
        intake = self._intakes.get(live)
        if intake is None:
            upstream = Arrivals(live) if beneath is None else beneath.intake
            intake = self._intakes[live] = Intake(
                upstream, live, self._fault.receive(), self._received, self._fault.on_signal, self._intakes.pop
            )
        else:  # it begins anew
            intake.stage = self._fault.receive()
        return InterceptedContext(ctx, outflow, intake)

    def _check_types(self, live: LiveSubsystem) -> None:
        """Refuse types that never come by: a fault that does nothing would go unnoticed.

        Raises:
            DeclarationError: Names one of them.
        """
        slot = live.slot
        known = {"receive": slot.consumes, "send": slot.sends}
        there = [one for direction in sorted(self._fault.directions) for one in known[direction]]
        for named in self._fault.types:
            if any(issubclass(named, one) or issubclass(one, named) for one in there):
                continue
            title, name = self._fault.title, type_name(named)
            problem = f"{title}() is to change {name}, which it does not {' or '.join(sorted(self._fault.directions))}"
            remedy = f"name some of {_listed(there)}" if there else "leave it out"
            if any(issubclass(named, one) or issubclass(one, named) for one in slot.signals):
                problem, remedy = (
                    f"{title}() is to change the signal {name}",
                    "signals always come through: name messages",
                )
            raise DeclarationError(live.orchestra, problem, remedy, slot=slot.name)


def _listed(types: Iterable[type]) -> str:
    return ", ".join(dict.fromkeys(map(type_name, types)))


def _check_hook(name: str, hook: object) -> None:
    if hook is not None and not callable(hook):
        raise TypeError(f"intercept: {name} must be a function of a message, not {hook!r}")


@overload
def intercept(
    subsystem: Callable[[SubsystemContext[In, Out, Sig]], ResultT],
    *,
    on_receive: Hook[In] | None = None,
    on_send: Hook[Out] | None = None,
    on_signal: Callable[[Sig], object] | None = None,
) -> Intercepted[SubsystemContext[In, Out, Sig], ResultT]: ...


@overload
def intercept(
    subsystem: Callable[[BlockingSubsystemContext[In, Out, Sig]], ResultT],
    *,
    on_receive: Hook[In] | None = None,
    on_send: Hook[Out] | None = None,
    on_signal: Callable[[Sig], object] | None = None,
) -> Intercepted[BlockingSubsystemContext[In, Out, Sig], ResultT]: ...


def intercept(
    subsystem: Callable[[Any], ResultT],
    *,
    on_receive: Hook[Any] | None = None,
    on_send: Hook[Any] | None = None,
    on_signal: Callable[[Any], object] | None = None,
) -> Intercepted[Any, ResultT]:
    """Let hooks see, change, drop and multiply what a subsystem receives and sends.

    `pipeline.replace(parser=intercept(pipeline.parser, on_send=seen.append))`. A hook is called in trio's thread, in
    the step in which a message moves. What it returns goes on in the message's place: None means the message itself,
    so that a hook may just look; another message goes on instead; `Instead()` drops it, `Instead(one, other)` has
    several go on. What takes the place of a message goes through the same lane, with the same priority; a request can
    be replaced by one message, or dropped. The reply ends of what goes no further are closed: its requester gets
    `OneshotCancelled`.

    Signals always come through, before messages; `on_signal` just sees them. What a hook raises is an error of the
    subsystem.

    Args:
        subsystem: Async or blocking; `fresh(factory)` too.
        on_receive: Called with each message that the subsystem is about to receive.
        on_send: Called with each message that it sends, in whatever way, itself or through its `sender`; before it is
            known whether there is room.
        on_signal: Called with each signal that the subsystem receives; what it returns does not matter.

    Returns:
        A subsystem for the same slot.

    Raises:
        TypeError: That is no subsystem, or a hook cannot be called.
    """
    given = {"on_receive": on_receive, "on_send": on_send, "on_signal": on_signal}
    for name, hook in given.items():
        _check_hook(name, hook)
    fault = Fault(
        "intercept",
        "".join(f", {name}={hook!r}" for name, hook in given.items() if hook is not None),
        receive=Stage if on_receive is None else lambda: Hooked(on_receive),
        send=Stage if on_send is None else lambda: Hooked(on_send),
        on_signal=on_signal,
    )
    return Intercepted(subsystem, fault)
