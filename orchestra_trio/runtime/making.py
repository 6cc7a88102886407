"""Declaring an orchestra at run time."""

from __future__ import annotations

import sys
import types
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, Never, Union, Unpack, cast, get_origin

from orchestra_trio.errors import DeclarationError
from orchestra_trio.runtime.contexts.subsystem import Subsystem
from orchestra_trio.runtime.orchestra import STATEMENT, Orchestra
from orchestra_trio.wiring.specifiers import SubsystemSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra_trio.wiring.options import GivenOptions

__all__ = ["make_orchestra"]


def make_orchestra(
    name: str,
    fields: Mapping[str, object],
    *,
    signals: object = Never,
    events: object = Never,
    bases: tuple[type, ...] = (),
    namespace: Mapping[str, object] | None = None,
    **options: Unpack[GivenOptions],
) -> type[Orchestra[Any, Any]]:
    """Declare an orchestra at run time: `make_orchestra("P", {"parser": Subsystem[Parse, Store]}, signals=Tick)`.

    The same as a class statement where it is called, with the same checks; quoted types are looked up there too.

    Args:
        name: The class's name.
        fields: For each field its annotation: `Subsystem[Parse]`, a type for baggage; or a specification alone,
            `subsystem(consumes=Parse, priority=True)`; or both in a tuple; or an annotation of baggage and its default.
        signals: The types of signals: a type, a union, a tuple of types, or Never.
        events: The types of events, likewise; then `namespace` has `on_event`.
        bases: What it inherits from; an orchestra among them has signals and events already.
        namespace: What else stands in the class's body, such as methods.
        options: The class's options, such as `message_capacity=64`.

    Returns:
        The class.

    Raises:
        DeclarationError: As for a class statement.
    """
    generic: Any = Orchestra
    inherits = any(_is_orchestra(one) for one in bases)
    if inherits and not (signals is Never and events is Never):
        raise DeclarationError(
            name,
            "it inherits its signals and events from an orchestra in bases=",
            "leave out signals= and events=, or bases=",
        )
    annotations: dict[str, object] = {}
    body: dict[str, object] = {}
    for field, value in fields.items():
        annotation, *default = _read_field(name, field, value)
        annotations[field] = annotation
        if default:
            body[field] = default[0]
    caller = sys._getframe(1)  # noqa: SLF001 - whose class it is, and where quoted types are looked up, as with a class statement
    declared_in = {"__module__": caller.f_globals.get("__name__", __name__), STATEMENT: caller}
    made = types.new_class(
        name,
        bases if inherits else (*bases, generic[_union(signals), _union(events)]),
        cast("dict[str, Any]", options),
        lambda target: target.update({**declared_in, **(namespace or {}), **body, "__annotations__": annotations}),
    )
    return cast("type[Orchestra[Any, Any]]", made)


def _is_orchestra(base: object) -> bool:
    told = get_origin(base) or base
    return isinstance(told, type) and issubclass(told, Orchestra)


def _read_field(orchestra: str, field: str, value: object) -> tuple[object, ...]:
    """Return the annotation of a field, and its default if it has one."""
    given: object = field
    if not (isinstance(given, str) and given.isidentifier() and not iskeyword(given)):
        remedy = "write an identifier, which a constructor can take"
        raise DeclarationError(orchestra, f"{given!r} cannot name a field", remedy, slot=field)
    if isinstance(value, SubsystemSpec):
        return Subsystem, value
    if not isinstance(value, tuple):
        return (value,)
    told = cast("tuple[object, ...]", value)
    if len(told) not in (1, 2):
        raise DeclarationError(
            orchestra,
            f"a tuple of {len(told)} declares no field",
            "write (annotation, subsystem(...)), or (annotation, default) for baggage",
            slot=field,
        )
    return told


def _union(expression: object) -> object:
    """Return a tuple of types as their union, which a class statement has in its place."""
    if not isinstance(expression, tuple):
        return expression
    union: Any = Union
    return union[(Never, *cast("tuple[object, ...]", expression))]
