"""The small orchestra that a harness runs: the subject between a slot that sends for the test and one that receives.

Two slots stand for the test, so that the wiring has no cycle through it: `test` -> the subject -> `peer`. Once the
input is closed, the subject gets end-of-input at once, however its own code waits, and `peer` outlives it. With a
single slot they would be one component, and the drain would have to wait until both are at rest.

The types come from the caller, from a declared slot, or from the annotation of the subject's context, which is read
as annotations of orchestras are.
"""

from __future__ import annotations

import functools
import inspect
import keyword
from collections import ChainMap
from typing import TYPE_CHECKING, Any, Final, Never, TypedDict, cast, get_args, get_origin

import attrs

from orchestra_trio.errors import DeclarationError, type_name
from orchestra_trio.runtime.contexts.blocking import BlockingSubsystemContext
from orchestra_trio.runtime.contexts.context import SubsystemContext
from orchestra_trio.runtime.contexts.subsystem import BlockingSubsystem, Subsystem
from orchestra_trio.runtime.making import make_orchestra
from orchestra_trio.runtime.orchestra import Orchestra
from orchestra_trio.testing.subjects import check_subsystem
from orchestra_trio.wiring.annotations import Scope
from orchestra_trio.wiring.message_types import message_types, peeled
from orchestra_trio.wiring.options import near_matches
from orchestra_trio.wiring.specifiers import subsystem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

    from orchestra_trio.records import LaneStrategy
    from orchestra_trio.wiring.options import GivenOptions
    from orchestra_trio.wiring.restart import Restart
    from orchestra_trio.wiring.slots import Slot
    from orchestra_trio.wiring.specifiers import AfterExit

__all__ = ["PEER", "TEST", "GivenTypes", "Plan", "SubjectOptions", "make_plan"]

TEST: Final = "test"
"""The slot that sends what the test sends."""

PEER: Final = "peer"
"""The slot that consumes what the subject sends to others."""


_OWN_OPTIONS: Final = (
    "consumes",
    "sends",
    "signals",
    "slot",
    "blocking",
    "peer_capacity",
    "within",
    "strict",
)
"""What `open_harness` takes besides: looked through, too, for what a wrong name may have been meant to be."""


class SubjectOptions(TypedDict, total=False):
    """Options of the subject's slot, as `subsystem(...)` takes them."""

    message_capacity: int | None
    signal_capacity: int | None
    priority: bool
    unbounded: Mapping[type, str] | None
    select: LaneStrategy | None
    restart: Restart | None
    after_exit: AfterExit
    readiness: bool


@attrs.frozen
class GivenTypes:
    """The type expressions that the caller gave; None where that is left to the slot or the annotation."""

    consumes: object = None
    sends: object = None
    signals: object = None


@attrs.frozen(eq=False)
class Plan:
    """What a harness is to run."""

    orchestra: type[Orchestra[Any, Any]]
    name: str
    """The subject's slot."""
    consumes: tuple[type, ...]
    sends: tuple[type, ...]
    """All types that the subject sends, those to itself included."""
    heard: tuple[type, ...]
    """Those of them that the peer consumes."""


class _NothingForTest:
    """What `test` consumes, so that it is a slot even where the subject consumes nothing. Never sent."""


class _NothingForPeer:
    """What `peer` consumes where the subject sends nothing to it. Never sent."""


def make_plan(
    subject: object,
    given: GivenTypes,
    slot: tuple[type[Orchestra[Any, Any]], str] | None,
    options: SubjectOptions,
    *,
    blocking: bool | None,
    peer_capacity: int | None,
    frame: FrameType,
) -> Plan:
    """Declare the orchestra of a harness.

    Args:
        subject: The subsystem.
        given: The types that the caller gave.
        slot: An orchestra's class and the name of the slot whose types and options count where none are given.
        options: Of the subject's slot.
        blocking: Whether the subject is sync; None to find out.
        peer_capacity: Messages that fit into a lane of the peer.
        frame: The caller's, where quoted types are looked up too.

    Raises:
        DeclarationError: The types are not known, or cannot be wired.
        TypeError: That is no subsystem, there is no such option, or `slot` is no pair of a class and a name.
    """
    check_subsystem(subject, "open_harness")
    _check_options(options)
    _check_slot(slot)
    declared = None if slot is None else _find_slot(*slot)
    name = _name_of(subject) if declared is None else declared.name
    scope = Scope("Harness", ChainMap(*_visible_names(subject, frame)))
    annotation = _annotation_of(subject)
    if blocking is None:
        blocking = _is_blocking(annotation, scope, name) if declared is None else declared.blocking
    expressions = _types_of(given, declared, annotation, scope, name)
    consumes, sends, signals = (
        message_types(one, scope, role, name)
        for one, role in zip(expressions, ("consumed type", "sent type", "signal type"), strict=True)
    )
    heard = tuple(one for one in sends if not issubclass(one, consumes))
    subject_slot = subsystem(consumes=consumes, sends=sends, signals=signals, **_slot_options(declared, options))
    made = make_orchestra(
        "Harness" if slot is None else slot[0].__name__,
        {
            name: (BlockingSubsystem if blocking else Subsystem, subject_slot),
            TEST: subsystem(
                consumes=_NothingForTest, sends=consumes, unbounded=dict.fromkeys(consumes, "the test"), readiness=True
            ),
            PEER: subsystem(
                consumes=heard or _NothingForPeer, priority=True, message_capacity=peer_capacity, readiness=True
            ),
        },
        signals=signals or Never,
        **({} if slot is None else _class_options(slot[0])),
    )
    return Plan(made, name, consumes, sends, heard)


def _check_options(options: SubjectOptions) -> None:
    for name in options:
        if name not in SubjectOptions.__optional_keys__:
            remedy = near_matches(name, [*_OWN_OPTIONS, *sorted(SubjectOptions.__optional_keys__)], "its options are")
            message = f"open_harness() has no option {name!r}; {remedy}"
            raise TypeError(message)


def _check_slot(slot: object) -> None:
    if slot is None:
        return
    given = cast("tuple[object, ...]", slot) if isinstance(slot, tuple) else ()
    if len(given) == 2:  # noqa: PLR2004 - class and name
        orchestra, name = given
        # Only a class that was wired has a declaration; `Orchestra` itself has none.
        if isinstance(orchestra, type) and hasattr(orchestra, "__declaration__") and isinstance(name, str):
            return
    message = f"slot must be (an orchestra's class, the name of its slot), not {slot!r}"
    raise TypeError(message)


def _find_slot(orchestra: type[Orchestra[Any, Any]], name: str) -> Slot:
    slots = orchestra.__declaration__.slots
    if name not in slots:
        raise DeclarationError(orchestra.__name__, f"it has no slot {name!r}", near_matches(name, slots, "it has"))
    return slots[name]


def _slot_options(declared: Slot | None, options: SubjectOptions) -> dict[str, Any]:
    """Return the options of the subject's slot: those given, else those of the declared slot."""
    inherited = () if declared is None else SubjectOptions.__optional_keys__
    return {**{name: getattr(declared, name) for name in inherited}, **options}


def _class_options(orchestra: type[Orchestra[Any, Any]]) -> GivenOptions:
    """Return what else of the class bears on a subsystem."""
    options = orchestra.__declaration__.options
    return {
        "message_capacity": options.message_capacity,
        "signal_timeout": options.signal_timeout,
        "error": options.error,
        "on_deadlock": options.on_deadlock,
        "yield_every": options.yield_every,
    }


def _name_of(subject: object) -> str:
    """Return a name for the subject's slot, after the subject where that can be."""
    function = subject.func if isinstance(subject, functools.partial) else subject
    name: object = getattr(function, "__name__", type(function).__name__)
    told = str(name).strip("_").lower()
    is_free = told.isidentifier() and not keyword.iskeyword(told) and not hasattr(Orchestra, told)
    return told if is_free and told not in (TEST, PEER) else "subject"


# --- Types ---------------------------------------------------------------------------------------------------------


def _types_of(
    given: GivenTypes, declared: Slot | None, annotation: object, scope: Scope, name: str
) -> tuple[object, object, object]:
    """Return the type expressions of the subject: consumes, sends, signals."""
    explicit = (given.consumes, given.sends, given.signals)
    if declared is not None:
        rest: tuple[object, ...] = (declared.consumes, declared.sends, declared.signals)
    elif None in explicit:
        rest = _annotated(annotation, scope, name, is_needed=explicit == (None, None, None))
    else:
        rest = explicit
    consumes, sends, signals = (two if one is None else one for one, two in zip(explicit, rest, strict=True))
    return consumes, sends, signals


def _annotated(annotation: object, scope: Scope, name: str, *, is_needed: bool) -> tuple[object, ...]:
    """Return what the annotation of the subject's context says; Never where it says nothing or Any."""
    remedy = "pass consumes=, sends= and signals=, or slot=(the orchestra's class, its slot)"
    try:
        told = None if annotation is None else peeled(annotation, scope, name)
    except DeclarationError as error:
        raise scope.fault(error.problem, remedy, name) from error
    arguments = get_args(told) if get_origin(told) in (SubsystemContext, BlockingSubsystemContext) else ()
    types = tuple(Never if one is Any else one for one in (*arguments, Never, Never, Never)[:3])
    if is_needed and set(types) == {Never}:
        problem = "its context is not annotated as SubsystemContext[Consumes, Sends, Signals]"
        raise scope.fault(problem, remedy, name)
    return types


def _is_blocking(annotation: object, scope: Scope, name: str) -> bool:
    """Return whether a context is annotated as that of a blocking subsystem, whatever its types are."""
    # In a quoted annotation, only the class is looked up: the types may have been given, and be unknown here.
    head = annotation.partition("[")[0] if isinstance(annotation, str) else annotation
    try:
        told = None if head is None else peeled(head, scope, name)
    except DeclarationError:
        return False
    return (get_origin(told) or told) is BlockingSubsystemContext


def _annotation_of(subject: object) -> object:
    """Return the annotation of the parameter that takes the context, un-evaluated; None where there is none."""
    try:
        parameters = list(inspect.signature(cast("Callable[..., object]", subject)).parameters.values())
    except (TypeError, ValueError):
        return None
    if not parameters or parameters[0].annotation is inspect.Parameter.empty:
        return None
    return cast("object", parameters[0].annotation)


def _visible_names(subject: object, frame: FrameType) -> list[dict[str, Any]]:
    """Return where names in the subject's annotations are looked up: around the subject, then around the caller."""
    function: Any = subject.func if isinstance(subject, functools.partial) else subject
    if not inspect.isroutine(function):
        function = getattr(cast("object", type(function)), "__call__", None)  # noqa: B004 - its globals are wanted, not whether it can be called
    names: dict[str, Any] = getattr(inspect.unwrap(function), "__globals__", {}) if callable(function) else {}
    # Often imported for type checkers alone.
    library = {type_name(one): one for one in (SubsystemContext, BlockingSubsystemContext)}
    return [names, frame.f_locals, frame.f_globals, library]
