"""The constructor that each orchestra's class gets from its declaration, and what it refuses."""

from __future__ import annotations

import functools
import inspect
import sys
from typing import TYPE_CHECKING, Any

import attrs

from orchestra_trio.errors import DeclarationError, a_type, type_name
from orchestra_trio.wiring.features import read_features
from orchestra_trio.wiring.options import near_matches

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra_trio.runtime.orchestra import Orchestra
    from orchestra_trio.wiring.declaration import Declaration

__all__ = ["make_constructor"]


def make_constructor(cls: type[Orchestra[Any, Any]], declaration: Declaration) -> None:
    """Let attrs make the constructor, the representation, and the instances frozen."""
    checks: Any = [_check_subsystem, _check_kind]
    fields: dict[str, Any] = {
        "features": attrs.field(default=frozenset[str](), converter=read_features, validator=_check_features)
    }
    for name, slot in declaration.slots.items():
        if name in vars(cls):
            delattr(cls, name)  # the specifier has been read
        if slot.condition is not None:
            fields[name] = attrs.field(default=None, validator=attrs.validators.optional(checks))
        elif not slot.wip:
            fields[name] = attrs.field(validator=checks)
    for name in declaration.baggage:
        is_required = name in declaration.baggage_without_default
        fields[name] = attrs.field(default=attrs.NOTHING if is_required else getattr(cls, name))
    attrs.define(cls, these=fields, frozen=True, kw_only=True, slots=False, eq=False)
    made: Any = cls
    made.__init__ = _interning(made.__init__)


def _interning(init: Callable[..., None]) -> Callable[..., None]:
    """Let a constructor find its arguments by identity.

    Python compares the name of each argument with those of the parameters one by one: fast where they are the same
    object, as names in source are. Names that a program makes up are not: 10,000 of them took 0.55 s, in place of 0.06.
    """

    @functools.wraps(init)
    def construct(self: object, *args: object, **fields: object) -> None:
        init(self, *args, **{sys.intern(str.__str__(name)): value for name, value in fields.items()})

    return construct


def _check_features(orchestra: Orchestra[Any, Any], _: attrs.Attribute[Any], features: frozenset[str]) -> None:
    """Refuse features that no slot asks for, and name the slots that they need and that are not set."""
    # A validator, not `__attrs_post_init__`, which is left to users' classes: all fields are set when it is called.
    declaration = orchestra.__declaration__
    known = declaration.features
    for name in sorted(features.difference(known)):
        remedy = f"declare one with subsystem_if(feature({name!r})), or leave it out"
        if known:
            remedy = near_matches(name, known, "they ask for")
        raise DeclarationError(declaration.name, f"no slot asks for a feature {name!r}", remedy)
    conditions = {name: declaration.slots[name].condition for name in declaration.needed(features)}
    missing = [name for name, one in conditions.items() if one is not None and getattr(orchestra, name) is None]
    if missing:
        holding = dict.fromkeys(str(conditions[name]) for name in missing)
        raise DeclarationError(
            declaration.name,
            f"it needs {', '.join(missing)}, since {', '.join(holding)} hold{'s' * (len(holding) == 1)}",
            f"set {', '.join(f'{name}=' for name in missing)} too",
        )


def _check_subsystem(orchestra: Orchestra[Any, Any], field: attrs.Attribute[Any], value: object) -> None:
    """Refuse what cannot be called, and what would only be made by calling it."""
    declaration = orchestra.__declaration__
    kind = "a callable" if declaration.slots[field.name].blocking else "an async callable"
    problem, remedy = None, f"set it to {kind} that takes a context"
    if inspect.iscoroutine(value):
        value.close()  # nobody will await it, of which Python would warn as well
        problem, remedy = "a coroutine is no subsystem", "set it to the async function itself, without calling it"
    elif isinstance(value, type) and not hasattr(value, "__await__"):
        name = type_name(value)
        problem, remedy = f"the class {name} is no subsystem", f"set it to an object of the class, {name}(...)"
    elif not callable(value):
        problem = f"{'None' if value is None else a_type(type(value))} is no subsystem"
    if problem is not None:
        raise DeclarationError(declaration.name, problem, remedy, slot=field.name)


def _check_kind(orchestra: Orchestra[Any, Any], field: attrs.Attribute[Any], value: object) -> None:
    """Refuse an async function for a blocking slot; that a sync one stands in another slot shows when it is called."""
    declaration = orchestra.__declaration__
    calls = value, getattr(value, "__call__", value)  # noqa: B004 - to look at it
    if declaration.slots[field.name].blocking and any(map(inspect.iscoroutinefunction, calls)):
        raise DeclarationError(
            declaration.name,
            "an async function is no blocking subsystem",
            "annotate the slot as a Subsystem, or set it to a function that is not async",
            slot=field.name,
        )
