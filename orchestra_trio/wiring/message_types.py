"""From a type expression to the classes that routing can tell apart at run time.

Routing goes by class, so an expression is taken apart into classes: unions into their members, aliases and
`Annotated` into what they stand for, `Msg[int]` into `Msg`. What leaves no class behind that means the same is refused.
"""

from __future__ import annotations

import types
import typing
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ForwardRef,
    Generic,
    Literal,
    Never,
    NewType,
    NoReturn,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
)

import typing_extensions

from orchestra_trio.errors import type_name

if TYPE_CHECKING:
    from orchestra_trio.errors import DeclarationError
    from orchestra_trio.wiring.annotations import Scope

__all__ = ["message_types", "peeled", "union_members"]

_UNIONS = (Union, types.UnionType)

# The one of typing_extensions is its own class wherever Python's lacks something.
_ALIAS_CLASSES: tuple[type, ...] = (
    typing_extensions.TypeAliasType,
    getattr(typing, "TypeAliasType", typing_extensions.TypeAliasType),
)

# An alias that refers to itself never ends; nobody writes one that goes through as many others.
_MOST_ALIASES = 1000


def message_types(expression: object, scope: Scope, role: str, field: str | None) -> tuple[type, ...]:
    """Return the classes that a type expression stands for, each once, in the order in which they are written.

    Args:
        expression: A class, a union, `Never`, an alias, a quoted form of these, or a tuple of them.
        scope: Looks up what is quoted, and whose fault it is.
        role: What the types are for the class, such as "consumed type"; for the error.
        field: The field they stand in, or None for the class as a whole; for the error.

    Raises:
        DeclarationError: Something in it cannot be told at run time.
    """
    found: dict[type, None] = {}
    pending = [expression]
    aliases = 0
    while pending:
        whole = pending.pop()
        aliases += _is_alias(whole)
        if aliases > _MOST_ALIASES:
            raise _endless(scope, whole, field)
        one = peeled(whole, scope, field)
        members = union_members(one)
        if members is None:
            found[_told_class(one, scope, role, field)] = None
        else:
            pending.extend(reversed(members))
    return tuple(found)


def union_members(expression: object) -> tuple[object, ...] | None:
    """Return what a union, a tuple or `Never` is made of, or None for a single type."""
    if isinstance(expression, tuple):
        return cast("tuple[object, ...]", expression)
    if expression is Never or expression is NoReturn:
        return ()
    return get_args(expression) if get_origin(expression) in _UNIONS else None


def peeled(expression: object, scope: Scope, field: str | None) -> object:
    """Return an expression without what only stands around a type: quotes, `Annotated`, names of aliases.

    Raises:
        DeclarationError: A quoted name is not defined, or an alias never ends.
    """
    for _ in range(_MOST_ALIASES):
        if isinstance(expression, (str, ForwardRef)):
            expression = scope.evaluate(expression, field)
        elif get_origin(expression) is Annotated:
            expression = get_args(expression)[0]
        elif _is_alias(expression):
            expression = _alias_value(expression, scope, field)
        else:
            return expression
    raise _endless(scope, expression, field)


def _is_alias(expression: object) -> bool:
    return isinstance(expression, _ALIAS_CLASSES) or isinstance(get_origin(expression), _ALIAS_CLASSES)


def _alias_value(expression: object, scope: Scope, field: str | None) -> object:
    alias: Any = get_origin(expression) or expression
    value: Any = scope.read(repr(expression), field, lambda: alias.__value__)
    arguments = get_args(expression)
    if not arguments:
        return value
    meaning = dict(zip(alias.__type_params__, arguments, strict=False))
    if isinstance(value, TypeVar):
        return meaning.get(value, value)
    parameters = getattr(value, "__parameters__", ())
    return value[tuple(meaning.get(one, one) for one in parameters)] if parameters else value


def _endless(scope: Scope, expression: object, field: str | None) -> DeclarationError:
    return scope.fault(
        f"the type alias {_shown(expression)} refers to itself without end", "name the classes it stands for", field
    )


def _told_class(expression: object, scope: Scope, role: str, field: str | None) -> type:
    if expression is None or expression is type(None):
        raise scope.fault(
            f"its {role} None is no type of its own",
            "leave it out; write Never for no type at all, and a class of your own for an empty message",
            field,
        )
    origin = get_origin(expression)
    told: object = origin if isinstance(origin, type) and Generic in origin.__mro__ else expression
    remedy = _why_untellable(told, origin)
    if remedy is not None:
        raise scope.fault(f"its {role} {_shown(expression)} cannot be told apart at run time", remedy, field)
    return cast("type", told)


def _why_untellable(told: object, origin: object) -> str | None:
    """Return what to write in place of a type that routing cannot see, or None for a class that it can."""
    remedy: str | None = None
    if told is Any:
        remedy = "write the classes that are meant, or object for all of them"
    elif isinstance(told, TypeVar):
        remedy = "write the class that the type variable stands for"
    elif isinstance(told, NewType):
        remedy = f"make it a class: class {told.__name__}"
    elif origin is Literal:
        remedy = "write an enum, or a class for each value"
    elif isinstance(origin, type) and told is not origin:
        remedy = f"write {type_name(origin)} for all of them, or a class of your own that holds one"
    elif typing_extensions.is_typeddict(told):
        remedy = "write a frozen class: the values of a TypedDict are plain dicts"
    elif isinstance(told, type) and typing_extensions.is_protocol(told):
        remedy = "write the classes that implement the protocol: routing goes by class, not by structure"
    elif not isinstance(told, type):
        remedy = "write a class"
    return remedy


def _shown(expression: object) -> str:
    # A generic alias has its origin's __qualname__, so that only plain classes can be named by it.
    plain = isinstance(expression, type) and get_origin(expression) is None
    return type_name(expression) if plain else repr(expression)
