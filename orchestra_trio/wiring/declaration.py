"""What a class declares: read from its body, checked, and laid out as routes and graph."""

from __future__ import annotations

import warnings
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Never, get_args, get_origin

import attrs
from typing_extensions import get_original_bases

from orchestra_trio.wiring.annotations import Scope, statement_frame
from orchestra_trio.wiring.builder import derived_names
from orchestra_trio.wiring.checks import (
    check_consumers,
    check_purposes,
    check_restart_groups,
    check_signals,
    unconsumed_types,
    unsent_types,
)
from orchestra_trio.wiring.fields import Fields, read_fields
from orchestra_trio.wiring.graph import Boundary, OpenEnd, build_graph, wiring_edges
from orchestra_trio.wiring.message_types import message_types
from orchestra_trio.wiring.options import OrchestraOptions, read_options
from orchestra_trio.wiring.routing import build_routes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from types import FrameType

    from orchestra_trio.wiring.checks import Finding
    from orchestra_trio.wiring.graph import WiringGraph
    from orchestra_trio.wiring.options import Level
    from orchestra_trio.wiring.routing import RouteKind, Routes
    from orchestra_trio.wiring.slots import Slot

__all__ = ["Declaration", "declare"]


@attrs.frozen(kw_only=True, eq=False)
class Declaration:
    """All that one orchestra's class says."""

    name: str
    """The name of the class."""

    signal_types: tuple[type, ...]
    """What can be broadcast; subclasses too."""

    event_types: tuple[type, ...]
    """What can come in through a handle; subclasses too."""

    slots: Mapping[str, Slot]
    """The slots in declaration order, inherited ones first."""

    baggage: Mapping[str, object]
    """The other fields, likewise, each with its type expression."""

    options: OrchestraOptions
    """The options of the class."""

    routes: Routes = attrs.field(repr=False)
    """Who gets a message, who hears a signal."""

    graph: WiringGraph = attrs.field(repr=False)
    """Who sends to whom."""

    baggage_without_default: tuple[str, ...] = ()
    """Baggage that must be given."""

    @property
    def message_types(self) -> tuple[type, ...]:
        """All types that slots consume or send, or that go out, in the order of the class."""
        slots = self.slots.values()
        every = chain(*(slot.consumes for slot in slots), *(slot.sends for slot in slots), self.options.outgoing)
        return tuple(dict.fromkeys(every))

    @property
    def features(self) -> tuple[str, ...]:
        """The features that conditions of its slots ask for, by name."""
        return tuple(
            sorted(
                {name for slot in self.slots.values() if slot.condition is not None for name in slot.condition.names}
            )
        )

    def needed(self, features: Collection[str]) -> tuple[str, ...]:
        """Return the slots that are built, and in use with these features, in declaration order."""
        return tuple(
            slot.name
            for slot in self.slots.values()
            if not slot.wip and (slot.condition is None or slot.condition.holds(features))
        )

    def graph_of(self, names: Collection[str]) -> WiringGraph:
        """Return the graph in which only these slots are built."""
        present = frozenset(names)
        absent = [name for name in self.slots if name not in present]
        if self.graph.wip.issuperset(absent):
            return self.graph
        return build_graph(self.slots, self.graph.edges, absent, self.graph.boundary)


def declare(
    cls: type,
    *,
    base: type,
    slot_classes: Mapping[type, bool],
    reserved: Collection[str],
    parent: Declaration | None,
    options: Mapping[str, object],
    frame: FrameType | None,
) -> Declaration:
    """Read and check what a class declares; to be called while the class is created, from `__init_subclass__`.

    Args:
        cls: The class.
        base: The generic class that all orchestras inherit from; its arguments are signals and events.
        slot_classes: The generic classes that make a field a slot, each with whether it is for blocking subsystems;
            their arguments are consumes, sends and signals.
        reserved: Names that no field may have.
        parent: The declaration of the orchestra that the class inherits from, if it does.
        options: The class's options, as given.
        frame: The caller's frame, from which the class statement's is found; None looks up quoted names only in the
            class's module.

    Raises:
        DeclarationError: Something is declared wrongly; it names class and field.

    Warns:
        UserWarning: A finding that the class's options take for a warning, at the class statement.
    """
    scope = Scope.of_class(cls, frame)
    _check_bases(cls, base, scope)
    settings = read_options(options, OrchestraOptions() if parent is None else parent.options, scope)
    signal_types, event_types = _read_parameters(cls, base, parent, scope)
    inherited = Fields({}, {}) if parent is None else Fields(parent.slots, parent.baggage)
    fields = read_fields(cls, inherited, settings, scope, slot_classes=slot_classes, reserved=reserved)
    _check_builder_names(fields, scope)
    check_restart_groups(fields.slots.values(), scope)
    routes = _checked_routes(fields.slots, signal_types, settings, scope, frame)
    wip = [slot.name for slot in fields.slots.values() if slot.wip]
    return Declaration(
        name=scope.orchestra,
        signal_types=signal_types,
        event_types=event_types,
        slots=MappingProxyType(fields.slots),
        baggage=MappingProxyType(fields.baggage),
        options=settings,
        routes=routes,
        graph=build_graph(
            fields.slots,
            wiring_edges(fields.slots, routes),
            wip,
            _boundary(scope.orchestra, fields.slots, signal_types, event_types, routes),
        ),
        baggage_without_default=tuple(name for name in fields.baggage if not _is_set(cls, name)),
    )


def _check_builder_names(fields: Fields, scope: Scope) -> None:
    """Refuse fields named as the builder's further methods for a slot."""
    for slot in fields.slots:
        for name in derived_names(slot):
            if name in fields.slots or name in fields.baggage:
                raise scope.fault(
                    f"the builder needs this name itself, for the slot {slot!r}", "give one of them another name", name
                )


def _is_set(cls: type, name: str) -> bool:
    """Return whether a class or a base of it sets a name: baggage then has a default."""
    # Not hasattr, which also finds what every class has from its metaclass, such as `mro`.
    return any(name in vars(one) for one in cls.__mro__)


def _check_bases(cls: type, base: type, scope: Scope) -> None:
    orchestras = [one.__name__ for one in cls.__bases__ if one is not base and base in one.__mro__]
    if len(orchestras) > 1:
        raise scope.fault(
            f"it inherits from several orchestras, {' and '.join(orchestras)}",
            "inherit from one, and repeat the fields of the others",
        )


def _read_parameters(
    cls: type, base: type, parent: Declaration | None, scope: Scope
) -> tuple[tuple[type, ...], tuple[type, ...]]:
    for one in get_original_bases(cls):
        if get_origin(one) is base:
            signals, events, *_ = (*get_args(one), Never, Never)
            return message_types(signals, scope, "signal type", None), message_types(events, scope, "event type", None)
    return ((), ()) if parent is None else (parent.signal_types, parent.event_types)


def _checked_routes(
    slots: Mapping[str, Slot],
    signal_types: tuple[type, ...],
    options: OrchestraOptions,
    scope: Scope,
    frame: FrameType | None,
) -> Routes:
    check_purposes(slots.values(), scope)
    check_consumers(slots.values(), options.outgoing, scope)
    check_signals(signal_types, slots.values(), options.outgoing, scope)
    # Routes exist only where no two consumers overlap; what reaches nobody shows only in the routes.
    routes = build_routes(scope.orchestra, slots, signal_types, options.outgoing)
    _report(unconsumed_types(slots.values(), routes), "unconsumed", options.unconsumed, scope, frame)
    _report(unsent_types(slots.values(), routes), "unsent", options.unsent, scope, frame)
    return routes


def _boundary(
    orchestra: str,
    slots: Mapping[str, Slot],
    signal_types: tuple[type, ...],
    event_types: tuple[type, ...],
    routes: Routes,
) -> Boundary:
    reached = {one: {routes.declared[end].kind for end in ends} for one, ends in routes.reach.items()}
    sent = {end for ends in routes.reach.values() for end in ends}

    def ends(kind: RouteKind) -> tuple[OpenEnd, ...]:
        pairs = ((slot.name, one) for slot in slots.values() for one in slot.sends)
        return tuple(OpenEnd(name, one) for name, one in pairs if kind in reached[one])

    return Boundary(
        orchestra=orchestra,
        signal_types=signal_types,
        event_types=event_types,
        outgoing=ends("outgoing"),
        unconsumed=ends("unconsumed"),
        unsent=tuple(OpenEnd(slot.name, one) for slot in slots.values() for one in slot.consumes if one not in sent),
        hearing={slot.name: slot.signals for slot in slots.values()},
        blocking=frozenset(slot.name for slot in slots.values() if slot.blocking),
        conditional={slot.name: str(slot.condition) for slot in slots.values() if slot.condition is not None},
        strategies={slot.name: slot.select for slot in slots.values() if slot.select is not None},
    )


def _report(findings: Iterable[Finding], option: str, level: Level, scope: Scope, frame: FrameType | None) -> None:
    if level == "allow":
        return
    for one in findings:
        fault = scope.fault(one.problem, f'{one.remedy}; {option}="allow" lets it be', one.slot)
        if level == "error":
            raise fault
        statement = statement_frame(frame)
        if statement is None:
            warnings.warn(str(fault), stacklevel=3)
        else:
            warnings.warn_explicit(
                str(fault),
                UserWarning,
                statement.f_code.co_filename,
                statement.f_lineno,
                module=statement.f_globals.get("__name__"),
            )
