"""The options of an orchestra's class, and the checks of option values that slots share."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict, get_args

import attrs

from orchestra_trio.wiring.message_types import message_types

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orchestra_trio.wiring.annotations import Scope

__all__ = [
    "GivenOptions",
    "Level",
    "OnDeadlock",
    "OrchestraOptions",
    "check_positive_integer",
    "check_word",
    "near_matches",
    "read_options",
]

Level: TypeAlias = Literal["error", "warn", "allow"]
"""How seriously a finding about the wiring is taken."""

OnDeadlock: TypeAlias = Literal["error", "warn", "ignore"]
"""What a deadlock is: an error that stops the orchestra, a record in the log, or nothing that is looked for."""


@attrs.frozen
class OrchestraOptions:
    """What `class X(Orchestra[...], name=value)` can set, with the defaults."""

    message_capacity: int = 1024
    """Messages that fit into the bounded lane, and into the priority lane, of a slot that does not say otherwise."""

    signal_capacity: int = 64
    """Signals that fit into the signal lane of a subsystem whose slot does not say otherwise."""

    event_capacity: int = 64
    """Events that fit into the channel of events."""

    signal_timeout: float = 10
    """Seconds that a broadcast waits for room; `math.inf` for ever."""

    message_timeout: float = 10
    """Seconds that `route_message` waits for room; `math.inf` for ever."""

    error: type[Exception] | None = None
    """The exception class that wraps exceptions of subsystems, called with the exception and the origin."""

    outgoing: tuple[type, ...] = ()
    """Types that go out to the embedding program."""

    unconsumed: Level = "error"
    """What a sent type that nobody consumes is."""

    unsent: Level = "allow"
    """What a consumed type that nobody sends is."""

    on_deadlock: OnDeadlock = "error"
    """What happens when subsystems wait for each other for ever."""

    yield_every: int = 64
    """Calls of one context after which a call is a schedule point at the latest."""


_INTEGERS = frozenset({"message_capacity", "signal_capacity", "event_capacity", "yield_every"})
_TIMEOUTS = frozenset({"signal_timeout", "message_timeout"})
_LEVELS = frozenset({"unconsumed", "unsent"})


class GivenOptions(TypedDict, total=False):
    """The same options as the class statement takes them, so that type checkers know them too."""

    message_capacity: int
    signal_capacity: int
    event_capacity: int
    signal_timeout: float
    message_timeout: float
    error: type[Exception] | None
    outgoing: object
    unconsumed: Level
    unsent: Level
    on_deadlock: OnDeadlock
    yield_every: int


def read_options(given: Mapping[str, object], inherited: OrchestraOptions, scope: Scope) -> OrchestraOptions:
    """Return the options of a class: those given, the others inherited.

    Raises:
        DeclarationError: An option is unknown, or its value cannot be.
    """
    known = [field.name for field in attrs.fields(OrchestraOptions)]
    for name in given:
        if name not in known:
            raise scope.fault(f"it has no option {name!r}", near_matches(name, known, "the options are"))
    checked: dict[str, Any] = {name: _checked(name, value, scope) for name, value in given.items()}
    return attrs.evolve(inherited, **checked)


def near_matches(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return a remedy for a name that is not known: the nearest ones, else all."""
    choice = list(known)
    near = difflib.get_close_matches(name, choice)
    return f"write {' or '.join(near)}" if near else f"{otherwise} {', '.join(choice)}"


def check_positive_integer(option: str, value: object, scope: Scope, field: str | None = None) -> None:
    """Refuse what is no positive integer.

    Raises:
        DeclarationError: Names class, field, option and value.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise scope.fault(f"{option}={value!r} is no positive integer", "write an integer of 1 or more", field)


def check_word(option: str, value: object, words: object, scope: Scope, field: str | None = None) -> None:
    """Refuse what is none of the words of a `Literal`.

    Raises:
        DeclarationError: Names class, field, option, value and the words.
    """
    choice = get_args(words)
    if not isinstance(value, str) or value not in choice:
        listed = " or ".join(f'"{word}"' for word in choice)
        raise scope.fault(f"{option}={value!r} is unknown", f"write {listed}", field)


def _checked(option: str, value: object, scope: Scope) -> object:
    if option in _INTEGERS:
        check_positive_integer(option, value, scope)
    elif option in _TIMEOUTS:
        # Written so that it refuses nan as well.
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
            raise scope.fault(f"{option}={value!r} is no time limit", "write seconds above 0, or math.inf for none")
    elif option in _LEVELS:
        check_word(option, value, Level, scope)
    elif option == "on_deadlock":
        check_word(option, value, OnDeadlock, scope)
    elif option == "error":
        if value is not None and not (isinstance(value, type) and issubclass(value, Exception)):
            raise scope.fault(f"error={value!r} is no exception class", "write a subclass of Exception, or None")
    else:
        return message_types(value, scope, "outgoing type", None)
    return value
