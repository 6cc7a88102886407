"""The fields in one class's body: which are slots, which are baggage, and which cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Never, get_args, get_origin

import attrs

from orchestra_trio.wiring.annotations import own_annotations
from orchestra_trio.wiring.message_types import peeled, union_members
from orchestra_trio.wiring.slots import resolve_slot
from orchestra_trio.wiring.specifiers import SubsystemSpec

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from orchestra_trio.errors import DeclarationError
    from orchestra_trio.wiring.annotations import Scope
    from orchestra_trio.wiring.options import OrchestraOptions
    from orchestra_trio.wiring.slots import Slot

__all__ = ["Fields", "read_fields"]

_ABSENT = object()


@attrs.frozen(eq=False)
class Fields:
    """The slots and the baggage of a class, inherited ones first, else in the order of its body."""

    slots: Mapping[str, Slot]
    baggage: Mapping[str, object]


def read_fields(
    cls: type,
    inherited: Fields,
    options: OrchestraOptions,
    scope: Scope,
    *,
    slot_classes: Mapping[type, bool],
    reserved: Collection[str],
) -> Fields:
    """Return the fields of a class: inherited ones, and those of its own body, which may take their place.

    Args:
        cls: The class, just being created.
        inherited: Those of its base.
        options: The class's, for slots that do not say otherwise, inherited ones too.
        scope: Looks up what is quoted, and whose fault it is.
        slot_classes: As for `declare`.
        reserved: As for `declare`.

    Raises:
        DeclarationError: A field cannot be what it says.
    """
    slots = {name: slot.under(options) for name, slot in inherited.slots.items()}
    baggage = dict(inherited.baggage)
    own = dict(_own_fields(cls, scope))
    for name, annotation in own.items():
        _check_name(name, reserved, scope)
        default = vars(cls).get(name, _ABSENT)
        found = _slot_types(name, annotation, slot_classes, scope)
        if found is not None:
            if name in baggage:
                raise _changes_kind(name, "baggage", "a slot", scope)
            types, blocking = found
            spec = _read_spec(name, default, scope)
            slots[name] = resolve_slot(name, types, spec, options, scope, blocking=blocking)
        elif isinstance(default, SubsystemSpec):
            raise _no_slot(name, scope)
        elif name in slots:
            raise _changes_kind(name, "a slot", "baggage", scope)
        else:
            baggage[name] = annotation
    _check_the_rest(cls, own, slots, scope)
    return Fields(slots, baggage)


def _own_fields(cls: type, scope: Scope) -> Iterator[tuple[str, object]]:
    for name, annotation in own_annotations(cls).items():
        evaluated = scope.evaluate(annotation, name) if isinstance(annotation, str) else annotation
        bare = peeled(evaluated, scope, name)
        if bare is not ClassVar and get_origin(bare) is not ClassVar:
            yield name, evaluated


def _check_name(name: str, reserved: Collection[str], scope: Scope) -> None:
    if name.startswith("_"):
        raise scope.fault(
            "a field cannot begin with an underscore, which is for the class's own",
            f"write {name.strip('_') or 'another name'}, or ClassVar for what is no field",
            name,
        )
    if name in reserved:
        raise scope.fault("the class needs this name itself", "give the field another name", name)


def _slot_types(
    name: str, annotation: object, slot_classes: Mapping[type, bool], scope: Scope
) -> tuple[tuple[object, object, object], bool] | None:
    """Return the type expressions of a slot: consumes, sends, signals; and whether it is for a blocking subsystem.

    None for an annotation that makes no slot.
    """
    bare = peeled(annotation, scope, name)
    for slot_class, blocking in slot_classes.items():
        if _marks_slot(bare, (slot_class,)):
            consumes, sends, signals, *_ = (*get_args(bare), Never, Never, Never)
            return (consumes, sends, signals), blocking
    for member in union_members(bare) or ():
        if _marks_slot(peeled(member, scope, name), slot_classes):
            raise scope.fault(
                "it is a union with a subsystem, so that nobody can say whether it is a slot",
                "write the subsystem alone; subsystem(wip=True) is for one that is not built yet",
                name,
            )
    if isinstance(bare, SubsystemSpec):
        raise _no_slot(name, scope)
    if any(_marks_slot(one, slot_classes) for one in get_args(bare)):
        raise scope.fault(
            "it is a subsystem inside of another type, which makes no slot",
            "give each subsystem a slot of its own",
            name,
        )
    return None


def _marks_slot(expression: object, slot_classes: Collection[object]) -> bool:
    # By identity: what stands in an annotation of baggage need not be hashable.
    return any((get_origin(expression) or expression) is one for one in slot_classes)


def _read_spec(name: str, default: object, scope: Scope) -> SubsystemSpec:
    if default is _ABSENT:
        return SubsystemSpec()
    if isinstance(default, SubsystemSpec):
        return default
    raise scope.fault(
        f"the slot has a default, of type {type(default).__name__}",
        "write = subsystem(...) or nothing, and pass the subsystem when the orchestra is made",
        name,
    )


def _check_the_rest(cls: type, own: Collection[str], slots: Collection[str], scope: Scope) -> None:
    """Refuse what stands in the body beside its fields and looks like one, or covers one."""
    for name, value in vars(cls).items():
        if name in own:
            continue
        if isinstance(value, SubsystemSpec):
            raise _no_slot(name, scope)
        if name in slots:
            raise scope.fault(
                f"an inherited slot is covered by something without annotation, of type {type(value).__name__}",
                "annotate it as a slot again, or give what covers it another name",
                name,
            )


def _no_slot(name: str, scope: Scope) -> DeclarationError:
    return scope.fault(
        "subsystem(...) stands on a field that is no slot",
        f"annotate it as a slot, {name}: Subsystem[...] = subsystem(...)",
        name,
    )


def _changes_kind(name: str, old: str, new: str, scope: Scope) -> DeclarationError:
    return scope.fault(f"it is inherited as {old} and annotated as {new}", "give one of them another name", name)
