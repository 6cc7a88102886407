"""Slots: the places for subsystems in an orchestra."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs

from orchestra_trio.errors import type_name
from orchestra_trio.wiring.features import Feature
from orchestra_trio.wiring.message_types import message_types
from orchestra_trio.wiring.options import check_positive_integer, check_word
from orchestra_trio.wiring.restart import Restart
from orchestra_trio.wiring.specifiers import AfterExit, OnExit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchestra_trio.records import LaneStrategy
    from orchestra_trio.wiring.annotations import Scope
    from orchestra_trio.wiring.options import OrchestraOptions
    from orchestra_trio.wiring.specifiers import SubsystemSpec

__all__ = ["Slot", "resolve_slot"]

_ROLES = ("consumed type", "sent type", "signal type")


@attrs.frozen(kw_only=True)
class Slot:
    """A place for one subsystem: its types, and its options with the class's defaults filled in."""

    name: str
    """The name of the field."""

    consumes: tuple[type, ...]
    """The types of the messages that it receives; nobody else does."""

    sends: tuple[type, ...]
    """The types of the messages that it may send."""

    signals: tuple[type, ...]
    """The types of the signals that it subscribes to."""

    message_capacity: int
    """Messages that fit into its bounded lane, and into its priority lane."""

    signal_capacity: int
    """Signals that fit into its signal lane."""

    priority: bool
    """Whether it has a priority lane."""

    unbounded: Mapping[type, str] = attrs.field(hash=False)
    """The types that it sends unbounded, each with what bounds them elsewhere."""

    select: LaneStrategy | None
    """How its message lanes are served; None for the default."""

    restart: Restart | None
    """After which failures it begins anew; None for none."""

    restart_group: str | None
    """The slots of one group begin anew together."""

    on_exit: OnExit
    """What its normal end means for the others."""

    after_exit: AfterExit
    """What a message to it gets once it has ended."""

    readiness: bool
    """Whether opening waits for its `ctx.started()`."""

    blocking: bool
    """Whether its subsystem is sync, and runs in a thread of its own."""

    wip: bool
    """Whether it is not built yet: nothing is held in it, and messages to it become dead letters."""

    condition: Feature | None
    """On which features it is in use; None for always."""

    spec: SubsystemSpec = attrs.field(eq=False, repr=False)
    """What the field says itself; its capacities are None where the class's count."""

    def under(self, options: OrchestraOptions) -> Slot:
        """Return this slot with the capacities that it has in a class with these options."""
        return attrs.evolve(
            self,
            message_capacity=self.spec.message_capacity or options.message_capacity,
            signal_capacity=self.spec.signal_capacity or options.signal_capacity,
        )

    def limited(self, limit: Callable[[int], int]) -> Slot:
        """Return this slot with the capacities that a limit makes of its own."""
        return attrs.evolve(
            self, message_capacity=limit(self.message_capacity), signal_capacity=limit(self.signal_capacity)
        )


def resolve_slot(
    name: str,
    annotated: tuple[object, object, object],
    spec: SubsystemSpec,
    options: OrchestraOptions,
    scope: Scope,
    *,
    blocking: bool = False,
) -> Slot:
    """Return the slot that a field declares.

    Args:
        name: The field.
        annotated: The type expressions of its annotation: consumes, sends, signals.
        spec: What `subsystem(...)` says; its types override the annotation's.
        options: The class's, for the defaults.
        scope: Looks up quoted names, and whose fault it is.
        blocking: Whether the annotation is that of a blocking subsystem.

    Raises:
        DeclarationError: A type cannot be told at run time, or an option's value cannot be.
    """
    _check_values(name, spec, scope)
    overrides = (spec.consumes, spec.sends, spec.signals)
    consumes, sends, signals = (
        message_types(annotation if override is None else override, scope, role, name)
        for annotation, override, role in zip(annotated, overrides, _ROLES, strict=True)
    )
    return Slot(
        name=name,
        consumes=consumes,
        sends=sends,
        signals=signals,
        message_capacity=spec.message_capacity or options.message_capacity,
        signal_capacity=spec.signal_capacity or options.signal_capacity,
        priority=spec.priority,
        unbounded=_read_unbounded(name, spec, sends, scope),
        select=spec.select,
        restart=spec.restart,
        restart_group=spec.restart_group,
        on_exit=spec.on_exit,
        after_exit=spec.after_exit,
        readiness=spec.readiness,
        blocking=blocking,
        wip=spec.wip,
        condition=spec.condition,
        spec=spec,
    )


def _check_values(name: str, spec: SubsystemSpec, scope: Scope) -> None:
    for option in ("message_capacity", "signal_capacity"):
        value = getattr(spec, option)
        if value is not None:
            check_positive_integer(option, value, scope, name)
    for option in ("priority", "readiness", "wip"):
        value = getattr(spec, option)
        if not isinstance(value, bool):
            raise scope.fault(f"{option}={value!r} is neither True nor False", "write one of them", name)
    check_word("on_exit", spec.on_exit, OnExit, scope, name)
    check_word("after_exit", spec.after_exit, AfterExit, scope, name)
    condition: object = spec.condition
    if condition is not None and not isinstance(condition, Feature):
        raise scope.fault(f"subsystem_if({condition!r}) is no condition", 'write subsystem_if(feature("name"))', name)
    restart: object = spec.restart
    if restart is not None and not isinstance(restart, Restart):
        raise scope.fault(f"restart={spec.restart!r} is no Restart", "write restart=Restart(), with its limits", name)
    group: object = spec.restart_group
    if group is not None and not (isinstance(group, str) and group.strip()):
        raise scope.fault(f"restart_group={group!r} is no name", "write a text", name)
    if isinstance(spec.select, type):
        raise scope.fault(f"select={type_name(spec.select)} is a class", "write a strategy, such as Weighted()", name)
    if spec.select is not None and not callable(getattr(spec.select, "chooser", None)):
        raise scope.fault(f"select={spec.select!r} is no strategy", "write one that has a method chooser()", name)


def _read_unbounded(name: str, spec: SubsystemSpec, sends: tuple[type, ...], scope: Scope) -> Mapping[type, str]:
    given: object = spec.unbounded
    if not hasattr(given, "items"):
        raise scope.fault(
            f"unbounded={given!r} gives no reasons",
            'write a dict of each type with what bounds it elsewhere, such as {Log: "one per block"}',
            name,
        )
    reasons: dict[type, str] = {}
    for expression, reason in spec.unbounded.items():
        text: object = reason
        for one in message_types(expression, scope, "unbounded type", name):
            if not isinstance(text, str) or not text.strip():
                raise scope.fault(
                    f"it sends {type_name(one)} unbounded without a reason",
                    'write what bounds it elsewhere, such as "one per block"',
                    name,
                )
            if one not in sends:
                raise scope.fault(
                    f"it does not send {type_name(one)}, which it declares unbounded",
                    f"add {type_name(one)} to the types that it sends, or leave it out of unbounded=",
                    name,
                )
            reasons[one] = text
    return MappingProxyType(reasons)
